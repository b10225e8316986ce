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


def as_carriers_write(moment: datetime) -> str:
    """The moment at Shanghai, to the second."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
