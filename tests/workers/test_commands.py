"""`manage.py relay`, `drain` and `jobs` as an operator types them."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from redis import Redis

from storage.errors import Refused
from tests.workers.cast import react, something_happened
from workers.models import Job
from workers.reactions import Reaction

pytestmark = pytest.mark.django_db


def do_nothing(*_: object) -> None: ...


def refuse(*_: object) -> None:
    raise Refused("no_seal", "窗口还没有印章。")


def typed(*words: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    output = StringIO()
    try:
        call_command(*words, stdout=output)
    except SystemExit as ended:
        return int(ended.code or 0), output.getvalue()
    return 0, output.getvalue()


def test_drain_counts_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    react(monkeypatch, Reaction("note", do_nothing))
    something_happened()
    code, said = typed("drain", "--json")
    assert code == 0
    assert json.loads(said) == {"done": 1, "retried": 0, "failed": [], "left": 0}


def test_a_failed_job_is_shown_and_can_be_queued_again(monkeypatch: pytest.MonkeyPatch) -> None:
    react(monkeypatch, Reaction("sign", refuse))
    something_happened()
    assert typed("drain", "--json")[0] == 1

    code, said = typed("jobs", "--failed", "--json")
    assert code == 1
    (row,) = json.loads(said)
    assert (row["reaction"], row["state"], row["last_error"]) == ("sign", "failed", "no_seal")

    react(monkeypatch, Reaction("sign", do_nothing))
    assert typed("jobs", "--retry", str(row["id"]))[0] == 0
    assert typed("jobs", "--failed")[0] == 0
    assert typed("drain")[0] == 0
    assert Job.objects.get().state == "done"


def test_only_a_failed_job_is_queued_again(monkeypatch: pytest.MonkeyPatch) -> None:
    react(monkeypatch, Reaction("note", do_nothing))
    something_happened()
    typed("drain")
    with pytest.raises(CommandError, match="只有失败的后台任务"):
        typed("jobs", "--retry", str(Job.objects.get().pk))
    with pytest.raises(CommandError, match="there is no job"):
        typed("jobs", "--retry", "999999")


def test_one_round_of_the_relay_puts_a_message_on_the_broker(
    monkeypatch: pytest.MonkeyPatch, broker: Redis
) -> None:
    react(monkeypatch, Reaction("note", do_nothing))
    something_happened()
    assert typed("relay", "--once")[0] == 0
    (message,) = broker.lrange("celery", 0, -1)
    assert json.loads(message)["headers"]["task"] == "workers.run_job"
    assert json.loads(message)["headers"]["argsrepr"] == f"({Job.objects.get().pk},)"
