"""Reading pages, and putting right what was read."""

from ocr.services.again import ask_again, choose, read_again
from ocr.services.correcting import keep_as_image, may_be_settled, settle
from ocr.services.giving_up import keep_unread
from ocr.services.reading import read
from ocr.services.sorting import follow_suggestions

__all__ = [
    "ask_again",
    "choose",
    "follow_suggestions",
    "keep_as_image",
    "keep_unread",
    "may_be_settled",
    "read",
    "read_again",
    "settle",
]
