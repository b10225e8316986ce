"""Invented print: as much Chinese text as stands on a dense page."""

import random


def lines_of_print(seed: int, *, lines: int = 34, width: int = 32) -> list[str]:
    """As much text as stands on a dense page, of the characters that official Chinese is mostly written with."""
    dice = random.Random(seed)  # noqa: S311 - paper, not secrets
    return ["".join(dice.choice(_COMMON) for _ in range(width)) for _ in range(lines)]


# The first 800 characters of GB 2312: neither a toy alphabet nor all that exist.
_COMMON = [bytes((0xB0 + n // 94, 0xA1 + n % 94)).decode("gb2312") for n in range(800)]
