"""A platform that is told about the cases of the Zhuji window."""

from ingest.models import Case, Notice, Subscription
from ingest.telling.notices import body_of
from ingest.telling.rules import KINDS
from ingest.telling.services import subscribe
from registry.actors import SYSTEM
from registry.models import ApiKey, Event, Window
from tests.cast import NOW

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
PUBLIC = "https://platform.example/told"


def watcher(window: Window, *, name: str = "省平台") -> ApiKey:
    """A key that reads and is told, and files nothing."""
    return ApiKey.make(name=name, scopes=["watcher"], now=NOW, window=window)[0]


def subscribed(key: ApiKey, url: str = PUBLIC, *, kinds: list[str] | None = None) -> Subscription:
    return subscribe(key=key, url=url, kinds=kinds or list(KINDS), secret=SECRET, actor=SYSTEM, now=NOW)


def parked_notice(case: Case) -> Notice:
    """A notice that never arrived, of a subscription whose secret was changed."""
    subscription = subscribed(watcher(case.window))
    event = Event.objects.get(stream=case.number, kind="case.created")
    return Notice.objects.create(
        subscription=subscription,
        event=event,
        body=body_of(event),
        state=Notice.State.PARKED,
        attempts=13,
        tries=[{"at": NOW.isoformat(), "status": 500, "fault": "http_500"}],
        last_fault="http_500",
        created_at=NOW,
    )
