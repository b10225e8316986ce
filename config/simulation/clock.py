"""The one clock of a simulated world; it moves only when it is told to."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BEGINNING = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
"""A Tuesday morning, 10:00 at Shanghai."""


@dataclass
class Clock:
    """Asked like `timezone.now`; jumps go both ways, as clocks of servers that are set right do."""

    moment: datetime = BEGINNING

    def now(self) -> datetime:
        return self.moment

    def move(self, span: timedelta) -> None:
        """Forward, or back when the span is negative."""
        self.moment += span
