"""交接清单: the short life of a list, what a parcel needs to stand on it, and what counts as a signature."""

import itertools
import json
import math
from collections.abc import Sequence

from logistics.rules.parcels import NotNow
from registry.rules.steps import Step
from registry.terms import Term

PAD_WIDTH, PAD_HEIGHT = 1000, 400
"""The pad that a collector signs on, in its own units, whatever the screen."""

LONGEST_TEXT = 100_000
MOST_POINTS = 8_000
LEAST_INK = 120.0
"""Units of line that a signature has at least: a touch by mistake draws less."""


class HandoverState(Term):
    OPEN = "open", "收集中"
    SIGNED = "signed", "已签收"
    DROPPED = "dropped", "已作废"


class Signing(Term):
    """How the collector signed."""

    SCREEN = "screen", "屏幕签名"
    PAPER = "paper", "纸面签名"


class EntryKind(Term):
    """What may be added to a signed list."""

    SHEET = "sheet", "签字件"
    CORRECTION = "correction", "更正"


STEPS: tuple[Step[HandoverState], ...] = (
    Step("sign", "揽收员签收", (HandoverState.OPEN,), HandoverState.SIGNED),
    Step("drop", "作废", (HandoverState.OPEN,), HandoverState.DROPPED),
)

Stroke = tuple[tuple[int, int], ...]
"""The points of one line drawn without lifting the pen, in units of the pad."""


def check_gathering(state: str) -> None:
    """The list still takes and loses parcels. Raises NotNow."""
    if state != HandoverState.OPEN:
        raise NotNow(
            "handover_closed",
            f"这份交接清单{HandoverState(state).label}，不能再改动；有出入请在清单上登记更正。",
        )


def check_signed(state: str) -> None:
    """The list was signed: only then there is something to attach or to correct. Raises NotNow."""
    if state != HandoverState.SIGNED:
        raise NotNow("handover_unsigned", "这份交接清单还没有签收，请先由揽收员签名。")


def check_collector(name: str) -> str:
    """The name of whoever signs, in one spelling. Raises NotNow when there is none."""
    words = " ".join(name.split())
    if not 2 <= len(words) <= 40:
        raise NotNow("collector_missing", "请填写揽收员姓名（2 到 40 个字）再签收。")
    return words


def strokes_of(text: str) -> tuple[Stroke, ...]:
    """What was drawn on the pad: JSON, a list of lines [x, y, x, y, …] in whole units. Raises NotNow.

    Numbers, not a picture: nothing that a browser sends has to be decoded.
    """
    unusable = NotNow("signature_unreadable", "没有收到可用的签名，请清除后重新签名。")
    if len(text) > LONGEST_TEXT:
        raise unusable
    try:
        drawn = json.loads(text or "[]")
    except (ValueError, RecursionError) as error:
        raise unusable from error
    if not isinstance(drawn, list) or not all(_is_stroke(one) for one in drawn):
        raise unusable
    strokes = tuple(tuple(zip(one[::2], one[1::2], strict=True)) for one in drawn)
    if sum(map(len, strokes)) > MOST_POINTS:
        raise unusable
    if sum(map(ink_of, strokes)) < LEAST_INK:
        raise NotNow("signature_missing", "请揽收员在签名框内签名后再确认。")
    return strokes


def ink_of(stroke: Sequence[tuple[int, int]]) -> float:
    """How long a line is, in units of the pad."""
    return sum(math.dist(one, other) for one, other in itertools.pairwise(stroke))


def path_of(strokes: Sequence[Stroke]) -> str:
    """The same as the path of a drawing, for paper."""
    return "".join(
        f"M{stroke[0][0]} {stroke[0][1]}" + "".join(f"L{x} {y}" for x, y in stroke[1:]) for stroke in strokes
    )


def _is_stroke(one: object) -> bool:
    if not isinstance(one, list) or len(one) < 2 or len(one) % 2:
        return False
    whole = all(type(value) is int for value in one)
    return whole and all(
        0 <= x <= PAD_WIDTH and 0 <= y <= PAD_HEIGHT for x, y in zip(one[::2], one[1::2], strict=True)
    )
