"""Reading pages, and putting right what was read."""

from ocr.services.again import ask_again, choose, read_again
from ocr.services.correcting import may_be_settled, settle
from ocr.services.reading import read

__all__ = ["ask_again", "choose", "may_be_settled", "read", "read_again", "settle"]
