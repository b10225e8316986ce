"""Reactions for the tests, and events that ask for them."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from registry.actors import SYSTEM
from registry.events import record
from registry.models import Event, NumberSequence
from workers import reactions
from workers.reactions import Reaction

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def something_happened(kind: str = "test.happened", **data: object) -> Event:
    subject, _ = NumberSequence.objects.get_or_create(name="a thing that changed")
    with transaction.atomic():
        return record(kind=kind, actor=SYSTEM, subject=subject, now=NOON, data=data)


def react(monkeypatch: pytest.MonkeyPatch, *table: Reaction, kind: str = "test.happened") -> None:
    """For this test, the event leads to these reactions and nothing else leads to anything."""
    monkeypatch.setattr(reactions, "REACTIONS", {kind: table})


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now
