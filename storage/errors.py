"""The one shape in which this system says no: a code for programs and a sentence for people."""


class Refused(Exception):
    """An act that was not done, and why.

    `code` is stable and for programs; `message` is one Chinese sentence that a clerk can act on and that holds
    no personal data; `can_retry` says whether the same act may succeed later without anybody changing anything.
    """

    def __init__(self, code: str, message: str, *, can_retry: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.can_retry = can_retry
