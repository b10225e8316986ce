"""Days as the halls count them: at Asia/Shanghai, whatever the server's clock is set to."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local(moment: datetime) -> datetime:
    return moment.astimezone(SHANGHAI)


def local_day(moment: datetime) -> date:
    return local(moment).date()
