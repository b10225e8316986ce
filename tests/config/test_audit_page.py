"""What the auditor reads about anchors: the last one, and what no longer agrees with one."""

from datetime import timedelta

import pytest
from django.urls import reverse

from dossier.models import AuditAnchor
from dossier.services.anchoring import anchor_audit
from registry.models import Event
from storage.client import store
from tests.cast import NOW, Cast, open_case
from tests.config.conftest import SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_objects")]

LATER = NOW + timedelta(hours=2)


@pytest.mark.usefixtures("tampering")
def test_an_end_that_was_cut_off_is_named_by_its_anchor(cast: Cast, sign_in: SignIn) -> None:
    auditor = sign_in(cast.auditor)
    assert "还没有锚点" in auditor.get(reverse("audit")).text
    assert "末尾有没有被删除还不能核对" in auditor.post(reverse("verify_audit")).text
    open_case(cast)
    assert anchor_audit(now=LATER) == 1
    assert "最近锚定于 2026-03-10 12:00（第 1 号）" in auditor.get(reverse("audit")).text.replace(
        "&nbsp;", " "
    )
    assert "与全部锚点相符" in auditor.post(reverse("verify_audit")).text

    Event.objects.filter(kind="case.created").delete()
    shown = auditor.post(reverse("verify_audit")).text
    assert "1 处与锚点不符" in shown
    assert "第 1 号锚点：当日锚定的记录有删改" in shown
    assert "处记录不完整" not in shown


def test_an_anchor_that_left_the_archive_is_named(cast: Cast, sign_in: SignIn) -> None:
    open_case(cast)
    anchor_audit(now=LATER)
    stored = AuditAnchor.objects.get().stored
    store().client.delete_object(Bucket=stored.bucket, Key=stored.key)
    assert "不在档案库中，或已不是存入时的内容" in sign_in(cast.auditor).post(reverse("verify_audit")).text
