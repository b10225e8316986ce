"""Days as the halls count them: at Asia/Shanghai, whatever the server's clock is set to."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local(moment: datetime) -> datetime:
    return moment.astimezone(SHANGHAI)


def local_day(moment: datetime) -> date:
    return local(moment).date()


def to_the_minute(moment: datetime) -> str:
    """“2026-11-22 09:05” at Shanghai, as every sentence and every list writes a moment; spaces around it are the sentence's."""
    return f"{local(moment):%Y-%m-%d %H:%M}"
