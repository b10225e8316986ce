"""Pages are recognised by their headings and telltale words, and left alone where nothing is clear."""

from datetime import timedelta
from pathlib import Path

import pytest

from ingest.models import Case, Material, Page
from ingest.rules import CaseState, NotNow
from ocr.kinds import suggest
from ocr.lines import Line, as_box
from ocr.models import Review
from ocr.pictures import open_picture
from ocr.services import follow_suggestions, read
from ocr.signing import blank_places
from registry.actors import SYSTEM
from registry.models import Event
from registry.permissions import NotYours
from tests.cast import NOW, Cast, assemble
from tests.ocr.paper import IDENTITY, Paper
from tests.ocr.test_correcting import Scripted
from tests.ocr.test_services import page_of

CHECKLIST = (
    "申请表",
    "居民身份证",
    "营业执照",
    "户口簿",
    "资质证书",
    "授权委托书",
    "企业情况说明",
    "其他佐证材料",
)
LATER = NOW + timedelta(minutes=1)


def lines(*rows: str) -> list[Line]:
    box = as_box([(0, 0), (9, 0), (9, 9), (0, 9)])
    return [Line(text, box, 0.99, row=number) for number, text in enumerate(rows)]


@pytest.mark.parametrize(
    ("rows", "material"),
    [
        (
            ("姓名 陈志强", "性别 男 民族 汉", "出生 1988 年 7 月 15 日", f"公民身份号码 {IDENTITY}"),
            "居民身份证",
        ),
        (
            ("中华人民共和国", "居民身份证", "签发机关 诸暨市公安局", "有效期限 2015.05.08-2035.05.08"),
            "居民身份证",
        ),
        (
            ("营业执照", "(副本)", "统一社会信用代码", "类型 有限责任公司", "经营范围 房屋建筑工程施工"),
            "营业执照",
        ),
        (("常住人口登记卡", "姓名 陈志强 户主或与户主关系 户主", "曾用名", "性别 男"), "户口簿"),
        (
            (
                "建筑业企业资质证书变更申请表",
                "申请企业 诸暨市暨通建筑有限公司",
                "资质证书编号 D233",
                "资质类别 建筑工程",
            ),
            "申请表",
        ),
        (("授权委托书", "委托人：陈志强", "受托人：王建国", "委托事项：办理资质变更"), "授权委托书"),
        (("建筑业企业资质证书", "企业名称", "资质类别及等级", "发证机关", "有效期至 2031-03-09"), "资质证书"),
        (("关于企业名称变更的情况说明", "特此说明。"), "企业情况说明"),
    ],
)
def test_each_paper_points_to_its_row(rows: tuple[str, ...], material: str) -> None:
    index = suggest(CHECKLIST, lines(*rows))
    assert index is not None
    assert CHECKLIST[index] == material


@pytest.mark.parametrize(
    "rows",
    [
        (),
        ("第 3 页",),
        ("姓名 陈志强", "联系电话 13857512345"),
        ("本人郑重承诺，上述内容属实。", "2026年3月10日"),
    ],
)
def test_nothing_is_suggested_where_nothing_is_clear(rows: tuple[str, ...]) -> None:
    assert suggest(CHECKLIST, lines(*rows)) is None
    assert suggest((), lines(*rows)) is None


def test_a_row_of_one_case_only_is_known_by_its_name() -> None:
    rows = ("异地就医备案表", "参保人 陈志强")
    assert suggest(("居民身份证", "异地就医备案表"), lines(*rows)) == 1


def form(*, signed: bool = False, sealed: bool = False) -> Paper:
    paper = Paper().write(200, 300, "本人承诺上述材料真实有效。").write(900, 1800, "申请人(签字):", 40)
    if signed:
        for x in range(3):  # a hand that no engine reads
            paper.draw.arc(
                (1210 + 60 * x, 1790, 1290 + 60 * x, 1860), 20, 300 - 40 * x, fill=(30, 30, 90), width=5
            )
    return paper.seal(1300, 1830) if sealed else paper


def blanks(paper: Paper, *, lies: int = 0) -> list[str]:
    box = [(900, 1805), (1160, 1805), (1160, 1850), (900, 1850)]
    width, height = paper.image.size
    turned = {
        0: lambda x, y: (x, y),
        90: lambda x, y: (y, width - x),
        180: lambda x, y: (width - x, height - y),
    }
    label = Line("申请人(签字):", as_box(turned[lies](x, y) for x, y in box), 0.99)
    return [field.value for field in blank_places(open_picture(paper.pixels(lies=lies)), [label])]


@pytest.mark.parametrize("lies", [0, 90, 180])
def test_a_place_for_a_signature_is_blank_until_there_is_ink(lies: int) -> None:
    assert blanks(form(), lies=lies) == ["申请人(签字)"]
    assert blanks(form(signed=True), lies=lies) == []
    assert blanks(form(sealed=True), lies=lies) == []


def test_the_rules_of_a_form_are_no_signature() -> None:
    paper = form()
    paper.draw.rectangle((880, 1770, 1480, 1890), outline=(40, 40, 40), width=3)
    paper.draw.line((1170, 1770, 1170, 1890), fill=(40, 40, 40), width=3)
    assert blanks(paper) == ["申请人(签字)"]


@pytest.mark.django_db
@pytest.mark.usefixtures("objects")
class TestInACase:
    """The suggestion waits beside the page until the clerk takes it."""

    @pytest.fixture
    def cast(self) -> Cast:
        return assemble()

    @pytest.fixture
    def page(self, cast: Cast, tmp_path: Path) -> Page:
        page = page_of(Paper().letter().save(tmp_path / "letter.png").read_bytes())
        Page.objects.filter(pk=page.pk).update(material=None)
        page.refresh_from_db()
        read(
            page=page, actor=SYSTEM, now=NOW, engine=Scripted(("授权委托书", 0.99), ("受托人：王建国", 0.99))
        )
        return page

    def test_the_clerk_takes_it_and_nothing_moved_before(self, cast: Cast, page: Page) -> None:
        review = Review.objects.get(page=page)
        assert review.suggested is not None
        assert (review.suggested.name, page.material) == ("授权委托书", None)

        assert follow_suggestions(case=page.case, pages=[page.pk], actor=cast.clerk, now=LATER) == 1
        assert follow_suggestions(case=page.case, pages=[page.pk], actor=cast.clerk, now=LATER) == 0
        page.refresh_from_db()
        assert page.material == review.suggested
        assert Event.objects.filter(kind="page.moved").count() == 1

    def test_nobody_else_and_not_any_more(self, cast: Cast, page: Page) -> None:
        with pytest.raises(NotYours):
            follow_suggestions(case=page.case, pages=[page.pk], actor=cast.other_clerk, now=LATER)
        Case.objects.filter(pk=page.case_id).update(state=CaseState.SUBMITTED, submitted_at=NOW)
        page.case.refresh_from_db()
        with pytest.raises(NotNow):
            follow_suggestions(case=page.case, pages=[page.pk], actor=cast.clerk, now=LATER)
        assert not Material.objects.filter(pages=page).exists()
