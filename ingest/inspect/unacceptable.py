"""The one way a parser says no: a code and the figures its sentence needs."""


class Unacceptable(Exception):
    """This file, or page `page` of it, cannot be taken in; `code` is a key of `sentences.REFUSALS`."""

    def __init__(self, code: str, **figures: int | str) -> None:
        super().__init__(code)
        self.code = code
        self.figures = figures

    def on_page(self, number: int) -> "Unacceptable":
        """The same refusal, naming the page (from 1) unless it names one already."""
        return Unacceptable(self.code, **{"page": number, **self.figures})
