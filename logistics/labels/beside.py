"""The carrier's own label with our code beside it, for carriers that accept only labels of their making."""

from ingest.inspect import NotSet, pdf_beside
from logistics.labels.label import Label
from logistics.labels.pdf import as_panel


class Unfit(ValueError):
    """The carrier's file is no PDF, has too many pages, or its label leaves no room beside it on A4. `sentence` says which."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code)
        self.code, self.sentence = code, sentence


def beside_carrier(carrier: bytes, label: Label) -> bytes:
    """A4 sheets: each page of the carrier's PDF at its true size, nothing of it changed, and our panel to its right.

    The sheet is cut in two, and both are stuck on the bag. The carrier's file is opened in a limited child only. Equal
    input gives equal bytes. Raises `Unfit`.
    """
    try:
        return pdf_beside(carrier, as_panel(label))
    except NotSet as error:
        raise Unfit(error.code, error.message) from error
