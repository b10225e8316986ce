"""Faults on demand: what to do wrong, where, and how often."""

import threading
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field


class FaultKind(StrEnum):
    """The first four spoil answers to calls, the others spoil pushes."""

    SLOW = "slow"
    ERROR = "error"
    BUSY = "busy"
    LOST_ANSWER = "lost_answer"
    DUPLICATE = "duplicate"
    REORDERED = "reordered"
    WRONG_SIGNATURE = "wrong_signature"
    WRONG_COMPANY = "wrong_company"
    SILENCE = "silence"


class Fault(BaseModel):
    """One wish: `kind`, the act it applies to (`create`, `query`, `push`, …; `any`), how many times, seconds for `slow`."""

    kind: FaultKind
    on: str = "any"
    times: Annotated[int, Field(ge=1, le=10_000)] = 1
    seconds: Annotated[float, Field(ge=0, le=120)] = 1.0


class Faults:
    """The wishes that are still to be fulfilled."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Queues a fault."""
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        """Behaves well from now on."""
        with self._lock:
            self._waiting.clear()

    def take(self, kind: FaultKind, on: str) -> Fault | None:
        """The next fault of this kind for this act, used up once."""
        with self._lock:
            for index, fault in enumerate(self._waiting):
                if fault.kind is kind and fault.on in ("any", on):
                    if fault.times == 1:
                        del self._waiting[index]
                    else:
                        self._waiting[index] = fault.model_copy(update={"times": fault.times - 1})
                    return fault
        return None
