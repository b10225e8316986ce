"""What can go wrong between us and a courier; each says whether trying again can help."""

from storage.errors import Refused


class CourierError(Refused):
    """A courier did not do what was asked. Messages never hold secrets or personal data.

    `retry_after`: seconds the courier asked us to wait, 0 when it said nothing.
    """

    retry_after: float = 0.0


class Unreachable(CourierError):
    """The request was certainly not carried out: no connection, or the courier said it is busy."""

    def __init__(self, message: str = "承运商接口暂时连接不上，请稍后再试。") -> None:
        super().__init__("courier_unreachable", message, can_retry=True)


class AnswerLost(CourierError):
    """The request was sent and the answer never came: it may have been carried out. Ask before repeating it."""

    def __init__(self, message: str = "承运商没有回应，结果未知，系统会先查询再重试。") -> None:
        super().__init__("courier_answer_lost", message, can_retry=True)


class FateUnknown(CourierError):
    """The answer was lost and this courier cannot be asked by our reference: a person has to look it up."""

    def __init__(self) -> None:
        super().__init__(
            "courier_fate_unknown",
            "承运商没有回应，且无法按寄件编号查询；请在承运商后台核对，已生成运单的请登记运单号，未生成的重新下单。",
        )


class CourierSaidNo(CourierError):
    """The courier understood and declined; repeating the same request gives the same answer."""

    def __init__(self, message: str, *, carrier_code: str = "") -> None:
        super().__init__("courier_said_no", message, can_retry=False)
        self.carrier_code = carrier_code


class BadAnswer(CourierError):
    """The answer does not have the documented shape."""

    def __init__(self, message: str = "承运商返回的内容无法识别，请联系承运商核对接口版本。") -> None:
        super().__init__("courier_bad_answer", message, can_retry=False)


class BadAccount(CourierError):
    """Credentials or options of a courier account are incomplete; `missing` are names of fields, never values."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__("courier_bad_account", f"承运商账户配置不完整：{'、'.join(missing)}。")
        self.missing = missing


class NotOffered(CourierError):
    """This courier interface has no such function."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "courier_not_offered", f"该承运商接口不提供{what}，请改用承运商的下单渠道后登记运单号。"
        )


class Forged(CourierError):
    """A push whose signature is missing, wrong, or outside the time window."""

    def __init__(self, reason: str) -> None:
        super().__init__("courier_forged", f"推送验签失败：{reason}。")
        self.reason = reason


class BadPush(CourierError):
    """A push that is signed but cannot be read."""

    def __init__(self, reason: str) -> None:
        super().__init__("courier_bad_push", f"推送内容无法识别：{reason}。")


class CircuitOpen(Unreachable):
    """The courier failed too often just now; it is left alone until the pause is over."""

    def __init__(self) -> None:
        super().__init__("承运商接口连续出错，已暂停调用，稍后自动恢复。")
