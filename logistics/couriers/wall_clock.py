"""Times as Chinese carriers write them: wall clock at Shanghai, in a handful of forms."""

from datetime import datetime

from registry.time import SHANGHAI

FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y.%m.%d %H:%M:%S")


def shanghai_time(text: str) -> datetime:
    """A carrier's wall-clock time as an aware moment; ValueError when it has no known form."""
    for form in FORMS:
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=SHANGHAI)
        except ValueError:
            continue
    raise ValueError("no known form of time")


def expected_time(text: str) -> datetime | None:
    """When a carrier says that it will arrive, to the day (its end) or finer; None for what names no moment."""
    try:
        return shanghai_time(text)
    except ValueError:
        pass  # expectations are often told to the hour or the day
    for form in ("%Y-%m-%d %H", "%Y-%m-%d"):
        try:
            moment = datetime.strptime(text.strip(), form).replace(tzinfo=SHANGHAI)
        except ValueError:
            continue
        return moment if "%H" in form else moment.replace(hour=23, minute=59)
    return None


def as_carriers_write(moment: datetime) -> str:
    """The moment at Shanghai, to the second."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
