"""One material by itself, and what changed between versions page by page."""

from datetime import timedelta
from pathlib import Path

import pikepdf
import pytest
from django.test import Client

from dossier.contents import Leaf
from dossier.differences import Change, compare
from dossier.models import Dossier, DossierDownload
from dossier.services import build, check_file, differences, known_leaves, material_copy, materials_of
from dossier.services.leafing import leaves_in
from dossier.verify import Status
from ingest.models import Handling, Page
from registry.actors import SYSTEM
from registry.permissions import NotYours
from storage.errors import Refused
from tests.cast import Cast
from tests.dossier.cases import LATER, body, file_of
from tests.dossier.paper import LINES
from tests.dossier.test_assemble import mutool, pdfium, pdftotext
from tests.verapdf import assert_pdfa

NEXT_DAY = LATER + timedelta(days=1)


def leaves(**materials: str) -> list[Leaf]:
    """Every letter is a page's image; pages of the PDF run on from 3."""
    pages = [(name, image) for name, images in materials.items() for image in images]
    return [Leaf(name, number, image) for number, (name, image) in enumerate(pages, 3)]


def told(before: list[Leaf], after: list[Leaf]) -> list[tuple[str, str, str]]:
    def spot(side: object) -> str:
        return f"{side.material}{side.number}" if side else ""  # type: ignore[attr-defined]

    return [(row.change.value, spot(row.before), spot(row.after)) for row in compare(before, after).changes]


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        (leaves(a="xy"), leaves(a="xy"), []),
        (leaves(a="xy"), leaves(a="xyz"), [("added", "", "a3")]),
        (leaves(a="xyz"), leaves(a="xz"), [("removed", "a2", "")]),
        (leaves(a="xyz"), leaves(a="xwz"), [("changed", "a2", "a2")]),
        (leaves(a="xy", b="z"), leaves(a="x", b="zy"), [("moved", "a2", "b2")]),
        (leaves(a="xy", b="z"), leaves(b="z"), [("removed", "a1", ""), ("removed", "a2", "")]),
        # A page put in front moves nothing: the others only slide down.
        (leaves(a="xy", b="z"), leaves(a="wxy", b="z"), [("added", "", "a1")]),
        (
            leaves(a="xy"),
            leaves(a="wvu"),
            [("changed", "a1", "a1"), ("changed", "a2", "a2"), ("added", "", "a3")],
        ),
        # The same image twice is two pages.
        (leaves(a="xx"), leaves(a="x", b="x"), [("moved", "a2", "b1")]),
    ],
)
def test_every_kind_of_change(
    before: list[Leaf], after: list[Leaf], changes: list[tuple[str, str, str]]
) -> None:
    assert told(before, after) == changes


def test_a_turned_order_is_one_page_moved() -> None:
    difference = compare(leaves(a="xyz"), leaves(a="zxy"))
    assert [row.change for row in difference.changes] == [Change.MOVED]
    assert difference.summary == "移动 1 页，未变 2 页"


@pytest.mark.django_db
@pytest.mark.usefixtures("objects")
class TestOfACase:
    """With a real dossier of a submitted case."""

    def test_the_row_knows_the_pages_that_the_file_lists(self, signed: Dossier, tmp_path: Path) -> None:
        assert known_leaves(signed) == leaves_in(file_of(signed, tmp_path))
        assert len(signed.leaves) == signed.handling.case.pages.count()

    def test_a_material_by_itself(self, signed: Dossier, cast: Cast, tmp_path: Path) -> None:
        bound = materials_of(known_leaves(signed))[1]
        target = tmp_path / "material.pdf"
        material_copy(dossier=signed, position=2, actor=cast.officer, now=LATER, target=target)
        assert_pdfa(target)
        sheet = pdftotext(target, 1)
        for words in (signed.handling.case.number, "第 1 版", signed.sha256[:32], bound.name, "使用范围"):
            assert words in sheet
        office = signed.handling.office.name
        archived = file_of(signed, tmp_path)
        with pikepdf.open(target) as part, pikepdf.open(archived) as whole:
            assert len(part.pages) == 1 + len(bound.pages)
            for own, page in enumerate(bound.pages, 2):
                scan, source = (
                    pdf.pages[number - 1].Resources.XObject.Scan
                    for pdf, number in ((part, own), (whole, page))
                )
                assert scan.read_raw_bytes() == source.read_raw_bytes()
                for reader in (pdftotext, mutool, pdfium):
                    assert LINES[0] in reader(target, own)
                assert f"仅供{office}办理" in pdfium(target, own)
        assert check_file(path=target).status is Status.UNSIGNED
        download = DossierDownload.objects.get()
        assert (download.purpose, download.stamped) == ("单项材料", True)

    def test_nobody_else_gets_it_and_no_other_page(self, signed: Dossier, cast: Cast, tmp_path: Path) -> None:
        target = tmp_path / "x.pdf"
        for stranger in (cast.clerk, cast.other_officer, cast.finance, cast.administrator, cast.auditor):
            with pytest.raises(NotYours):
                material_copy(dossier=signed, position=1, actor=stranger, now=LATER, target=target)
            with pytest.raises(NotYours):
                differences(earlier=signed, later=signed, actor=stranger)
        with pytest.raises(NotYours):
            material_copy(dossier=signed, position=99, actor=cast.officer, now=LATER, target=target)
        assert not target.exists()

    def test_versions_are_compared_on_the_page_and_over_the_wire(
        self, signed: Dossier, handling: Handling, officer: Client, client: Client, cast: Cast
    ) -> None:
        first, second = Page.objects.filter(case=handling.case).order_by("material__position", "position")[:2]
        assert first.material_id != second.material_id
        Page.objects.filter(pk=second.pk).update(set_aside=True)
        Page.objects.filter(pk=first.pk).update(material=second.material)
        later = build(handling=handling, version=2, actor=SYSTEM, now=NEXT_DAY)

        found = differences(earlier=signed, later=later, actor=cast.officer)
        assert [row.change for row in found.changes] == [Change.MOVED, Change.REMOVED]
        assert found.changes[0].after is not None
        assert found.changes[0].after.material == second.material.name if second.material else ""

        wire = officer.get(f"/api/v1/dossiers/{later.pk}/changes?since={signed.pk}").json()
        assert [row["change"] for row in wire] == ["moved", "removed"]
        page = officer.get(f"/cases/{handling.case.number}/").text
        assert "第 2 版与第 1 版相比：移动 1 页，移除 1 页，未变" in page
        part = officer.get(f"/dossiers/{later.pk}/materials/1.pdf")
        assert body(part).startswith(b"%PDF")
        listed = officer.get(f"/api/v1/dossiers/{later.pk}/materials").json()
        assert [item["position"] for item in listed] == list(range(1, len(listed) + 1))

        # A dossier from before the pages were written down tells them from its file.
        Dossier.objects.filter(pk=signed.pk).update(leaves=[])
        old = Dossier.objects.get(pk=signed.pk)
        assert differences(earlier=old, later=later, actor=cast.officer) == found

    def test_the_window_sees_no_insides(self, signed: Dossier, cast: Cast, client: Client) -> None:
        from registry.models import User

        client.force_login(User.objects.get(pk=cast.clerk.id))
        page = client.get(f"/cases/{signed.handling.case.number}/").text
        assert "第 1 版" in page
        assert "按材料下载" not in page

    def test_only_versions_of_one_handling_compare(self, signed: Dossier, cast: Cast) -> None:
        other = Dossier.objects.get(pk=signed.pk)
        other.handling_id += 1
        with pytest.raises(Refused) as refusal:
            differences(earlier=signed, later=other, actor=cast.officer)
        assert refusal.value.code == "other-handling"


def test_an_excerpt_says_what_it_is_and_is_made_the_same_again(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from dossier.assemble import assemble
    from dossier.excerpt import Origin, page_words, write_excerpt
    from tests.dossier.paper import draw_page, plan_of

    made = assemble(plan_of(draw_page(tmp_path / "a.jpg", rotation=90)), tmp_path / "d.pdf")
    origin = Origin(
        case_number="330681-2026-000001",
        version=3,
        sha256=made.sha256,
        material="申请表",
        pages=(3,),
        page_count=made.page_count,
        window="窗口",
        office="部门",
        made_at=datetime(2026, 3, 1, tzinfo=UTC),
        use="仅供部门办理使用",
    )
    for name in ("1.pdf", "2.pdf"):
        write_excerpt(made.path, tmp_path / name, origin=origin, marks=("仅供部门办理使用",))
    assert (tmp_path / "1.pdf").read_bytes() == (tmp_path / "2.pdf").read_bytes()
    with pikepdf.open(tmp_path / "1.pdf") as pdf, pdf.open_metadata() as metadata:
        assert "摘录：申请表" in metadata["dc:title"]
    assert page_words((5, 6, 7, 9)) == "5–7、9"
    assert_pdfa(tmp_path / "1.pdf")
