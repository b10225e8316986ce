"""The refusal of every kind of key."""

from storage.errors import Refused


class SealUnusable(Refused):
    """The seal's key cannot be opened or does not sign."""

    def __init__(self, *, can_retry: bool = False) -> None:
        message = "电子印章无法使用，请管理员核对印章文件、口令、密码设备或签章平台后重试。"
        super().__init__("seal-unusable", message, can_retry=can_retry)
