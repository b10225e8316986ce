"""A statement file handed in: understood at once, read in the background, once, and never half."""

from pathlib import Path

import pytest
from django.utils import timezone

from logistics.models import Discrepancy, Statement, StatementLine, StatementState, StatementUpload
from logistics.postage.services import (
    ask_check,
    confirm_upload,
    drop_upload,
    import_uploaded,
    preview_upload,
    upload_statement,
)
from logistics.rules.uploads import STEPS, UploadState, target_of
from registry.models import Event
from registry.permissions import NotYours
from storage.errors import Refused
from tests.cast import NOW, assemble
from tests.logistics.postage_world import MONTH, PostageWorld, write_csv
from workers.draining import drain

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


@pytest.fixture
def world() -> PostageWorld:
    return PostageWorld.build(assemble())


def hand_in(
    world: PostageWorld, path: Path, *, month: str = MONTH, preview_first: bool = False
) -> StatementUpload | Statement:
    return upload_statement(
        path=path,
        carrier=world.carrier,
        month=month,
        preview_first=preview_first,
        actor=world.cast.finance,
        now=NOW,
    )


def waiting(world: PostageWorld, path: Path, text: str) -> StatementUpload:
    path.write_text(text, encoding="utf-8")
    upload = hand_in(world, path)
    assert isinstance(upload, StatementUpload)
    return upload


def test_a_known_format_is_read_and_checked_without_a_further_click(
    world: PostageWorld, tmp_path: Path
) -> None:
    number = world.charged().waybill.number
    upload = hand_in(world, write_csv(tmp_path / "a.csv", [world.row(number, "15.00")]))
    assert isinstance(upload, StatementUpload)
    assert upload.state == UploadState.READING
    assert not Statement.objects.exists(), "nothing is read while the page waits"
    assert drain(clock=timezone.now).failed == []
    upload.refresh_from_db()
    assert (upload.state, upload.lines_read) == (UploadState.IMPORTED, 1)
    assert upload.statement is not None
    assert upload.statement.state == StatementState.RECONCILED
    assert Discrepancy.objects.get().stake_fen == 400


def test_the_same_file_is_one_upload_and_one_statement(world: PostageWorld, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [world.row(world.charged().waybill.number, "11.00")])
    assert hand_in(world, path) == hand_in(world, path)
    drain(clock=timezone.now)
    again = hand_in(world, path)
    assert again == Statement.objects.get()
    with pytest.raises(Refused, match="2026-03"):
        hand_in(world, path, month="2026-04")
    assert StatementLine.objects.count() == 1


def test_a_file_on_its_way_is_not_taken_for_another_month(world: PostageWorld, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [world.row(world.charged().waybill.number, "11.00")])
    hand_in(world, path)
    with pytest.raises(Refused, match="2026-03"):
        hand_in(world, path, month="2026-04")


def test_a_missing_column_waits_for_its_name_which_is_remembered(world: PostageWorld, tmp_path: Path) -> None:
    upload = waiting(world, tmp_path / "a.csv", "邮件号,实付,备注\n1099,3.00,x\n")
    assert upload.state == UploadState.WAITING
    preview = preview_upload(upload=upload, actor=world.cast.finance)
    assert preview.columns == {"waybill": "邮件号"}
    assert preview.unknown == ("实付", "备注")
    with pytest.raises(Refused, match="金额"):
        confirm_upload(upload=upload, names={}, actor=world.cast.finance, now=NOW)
    told = confirm_upload(upload=upload, names={"实付": "amount"}, actor=world.cast.finance, now=NOW)
    assert told.state == UploadState.READING
    assert confirm_upload(upload=upload, names={}, actor=world.cast.finance, now=NOW).state == "reading"
    drain(clock=timezone.now)
    assert Statement.objects.get().amount_fen == 300
    following = waiting(world, tmp_path / "b.csv", "邮件号,实付\n1099,4.00\n")
    assert following.state == UploadState.READING, "said once, known from then on"


def test_whoever_wants_to_look_first_may(world: PostageWorld, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [world.row(world.charged().waybill.number, "11.00")])
    upload = hand_in(world, path, preview_first=True)
    assert isinstance(upload, StatementUpload)
    assert upload.state == UploadState.WAITING
    dropped = drop_upload(upload=upload, actor=world.cast.finance, now=NOW)
    assert dropped.state == UploadState.DROPPED
    with pytest.raises(Refused, match="已放弃"):
        confirm_upload(upload=dropped, names={}, actor=world.cast.finance, now=NOW)
    assert not Statement.objects.exists()


def test_a_line_that_cannot_be_read_is_told_and_nothing_is_kept(world: PostageWorld, tmp_path: Path) -> None:
    rows = [world.row(world.charged().waybill.number, "11.00"), world.row("1099", "十一元")]
    hand_in(world, write_csv(tmp_path / "a.csv", rows))
    drained = drain(clock=timezone.now)
    upload = StatementUpload.objects.get()
    assert (upload.state, drained.failed) == (UploadState.FAILED, [])
    assert "第 3 行" in upload.fault
    assert not Statement.objects.exists()
    assert Event.objects.filter(kind="statement.import_failed").count() == 1


def test_what_is_no_table_is_refused_and_not_kept(world: PostageWorld, tmp_path: Path) -> None:
    for name, content in {"a.pdf": b"%PDF-1.7", "empty": b"", "b.xlsx": b"PK\x03\x04broken"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Refused):
            hand_in(world, tmp_path / name)
    assert not StatementUpload.objects.exists()


def test_an_import_that_died_after_its_statement_was_written_ends_once(
    world: PostageWorld, tmp_path: Path
) -> None:
    """Killed between the statement and the note that it was made: the next try recognises it."""
    upload = hand_in(world, write_csv(tmp_path / "a.csv", [world.row("1099", "11.00")]))
    assert isinstance(upload, StatementUpload)
    import_uploaded(upload=upload, now=NOW)
    statement = Statement.objects.get()
    StatementUpload.objects.filter(pk=upload.pk).update(state=UploadState.READING.value, statement=None)
    again = import_uploaded(upload=StatementUpload.objects.get(pk=upload.pk), now=NOW)
    assert again.statement == statement
    assert Statement.objects.count() == StatementLine.objects.count() == 1


def test_a_check_is_asked_for_once_while_it_is_under_way(world: PostageWorld, tmp_path: Path) -> None:
    hand_in(world, write_csv(tmp_path / "a.csv", [world.row("1099", "11.00")]))
    drain(clock=timezone.now)
    statement = Statement.objects.get()
    for _ in range(2):
        asked = ask_check(statement=statement, actor=world.cast.finance, now=NOW)
        assert asked.state == StatementState.CHECKING
    assert Event.objects.filter(kind="statement.check_asked").count() == 1
    drain(clock=timezone.now)
    statement.refresh_from_db()
    assert statement.state == StatementState.RECONCILED


def test_other_centres_and_other_roles_find_nothing(world: PostageWorld, tmp_path: Path) -> None:
    upload = hand_in(world, write_csv(tmp_path / "a.csv", [world.row("1099", "11.00")]), preview_first=True)
    assert isinstance(upload, StatementUpload)
    StatementUpload.objects.filter(pk=upload.pk).update(centre=world.cast.wenling.centre)
    for actor in (world.cast.finance, world.cast.clerk, world.cast.administrator):
        with pytest.raises(NotYours):
            confirm_upload(upload=upload, names={}, actor=actor, now=NOW)


def test_only_the_drawn_steps_lead_on() -> None:
    drawn = {(step.act, source) for step in STEPS for source in step.sources}
    for act in {step.act for step in STEPS}:
        for state in UploadState:
            if (act, state) not in drawn:
                with pytest.raises(Refused):
                    target_of(act, state)
