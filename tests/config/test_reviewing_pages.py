"""Doubted lines beside their images: found in a queue, settled by Enter, and never changed behind anybody's back."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ingest.models import Case, Page
from ingest.rules import CaseState
from ocr.fields import find_fields
from ocr.lines import Line
from ocr.models import Correction, Reading
from ocr.services import keep_unread, settle
from ocr.services.review import let_count
from registry.actors import SYSTEM
from registry.models import Event
from tests.cast import NOW, Cast, open_case
from tests.config.conftest import SignIn
from tests.config.test_case_pages import text
from tests.config.world import read_page
from tests.ingest.paper import hand_in


def doubted(cast: Cast) -> tuple[Case, Page, Reading]:
    case = open_case(cast)
    (page,) = hand_in(case.materials.get(position=1))
    return case, page, read_page(case)


def not_read(page: Page) -> Reading:
    reading = Reading.objects.create(
        page=page, engine="rapidocr", engine_version="3.10", settings_digest="0" * 64, precision="openvino-f32",
        failure="picture_unreadable", seconds=0.1, read_at=NOW,
    )  # fmt: skip
    let_count(page=page, reading=reading, now=NOW)
    return reading


def test_the_queue_leads_from_one_doubt_to_the_next(cast: Cast, objects: None, sign_in: SignIn) -> None:
    _case, page, reading = doubted(cast)
    clerk = sign_in(cast.clerk)
    assert "2 处" in text(clerk, reverse("reviews"))

    first = text(clerk, reverse("review", args=[page.pk]))
    assert 'value="姓名：陈志弦"' in first
    assert "把握 70%" in first
    answer = clerk.post(
        reverse("settle_line", args=[page.pk]), {"reading": reading.pk, "line": 0, "text": "姓名：陈志强"}
    )
    assert answer.headers["Location"] == reverse("review", args=[page.pk])

    second = text(clerk, reverse("review", args=[page.pk]))
    assert "公民身份号码校验未通过" in second
    answer = clerk.post(
        reverse("settle_line", args=[page.pk]),
        {"reading": reading.pk, "line": 1, "text": "身份证号：330681198807150038"},
    )
    assert answer.headers["Location"] == reverse("reviews")
    assert "没有要核对的地方" in text(clerk, reverse("reviews"))
    assert [c.confirms for c in Correction.objects.order_by("pk")] == [False, True]


def test_a_page_without_text_is_in_the_queue_until_it_is_left_a_picture(
    cast: Cast, objects: None, sign_in: SignIn
) -> None:
    case = open_case(cast)
    (page,) = hand_in(case.materials.get(position=1))
    reading = not_read(page)
    clerk = sign_in(cast.clerk)
    assert "整页未识别" in text(clerk, reverse("reviews"))
    shown = text(clerk, reverse("review", args=[page.pk]))
    assert "图像打不开或不完整" in shown
    assert "看过了，作为图像入卷" in shown

    answer = clerk.post(reverse("leave_as_image", args=[page.pk]), {"reading": reading.pk})
    assert answer.headers["Location"] == reverse("reviews")
    assert "没有要核对的地方" in text(clerk, reverse("reviews"))
    assert f"{cast.clerk.label} " in text(clerk, reverse("review", args=[page.pk]))


def test_why_a_page_cannot_be_left_a_picture_is_said_there(
    cast: Cast, objects: None, sign_in: SignIn
) -> None:
    _case, page, reading = doubted(cast)
    answer = sign_in(cast.clerk).post(reverse("leave_as_image", args=[page.pk]), {"reading": reading.pk})
    assert answer.status_code == 409
    assert "已经识别出文字" in answer.content.decode()


def test_the_case_leads_to_its_own_part_of_the_queue(cast: Cast, objects: None, sign_in: SignIn) -> None:
    case, page, _reading = doubted(cast)
    _other, others_page, _ = doubted(cast)
    clerk = sign_in(cast.clerk)
    own_part = f"{reverse('reviews')}?case={case.number}"
    assert f'href="{own_part}"' in text(clerk, reverse("case", args=[case.number]))
    assert f'href="{own_part}"' in text(clerk, reverse("findings", args=[case.number]))

    shown = text(clerk, own_part)
    assert reverse("review", args=[page.pk]) in shown
    assert reverse("review", args=[others_page.pk]) not in shown
    assert reverse("review", args=[others_page.pk]) in text(clerk, reverse("reviews"))
    assert sign_in(cast.other_clerk).get(own_part).status_code == 404


def test_what_was_corrected_shows_on_the_page_with_what_was_read(
    cast: Cast, objects: None, sign_in: SignIn
) -> None:
    _case, page, reading = doubted(cast)
    clerk = sign_in(cast.clerk)
    clerk.post(
        reverse("settle_line", args=[page.pk]), {"reading": reading.pk, "line": 0, "offer": "姓名：陈志强"}
    )
    shown = text(clerk, reverse("page", args=[page.pk]))
    assert "姓名：陈志强" in shown
    assert "已更正" in shown
    assert "由“姓名：陈志弦”更正" in text(clerk, reverse("review", args=[page.pk]) + "?line=0")


def test_a_refused_correction_keeps_what_was_typed(cast: Cast, objects: None, sign_in: SignIn) -> None:
    case, page, reading = doubted(cast)
    clerk = sign_in(cast.clerk)
    answer = clerk.post(
        reverse("settle_line", args=[page.pk]), {"reading": reading.pk, "line": 0, "text": "陈" * 501}
    )
    assert answer.status_code == 409
    assert "一行最多" in answer.content.decode()
    assert "陈" * 501 in answer.content.decode()
    Case.objects.filter(pk=case.pk).update(state=CaseState.SUBMITTED, submitted_at=page.captured_at)
    assert "文字不能再改" in text(clerk, reverse("review", args=[page.pk]) + "?line=0")
    assert "没有要核对的地方" in text(clerk, reverse("reviews"))


def test_what_a_paper_says_against_itself_stands_on_its_row_until_somebody_looked(
    cast: Cast, objects: None, sign_in: SignIn
) -> None:
    case = open_case(cast)
    (page,) = hand_in(case.materials.get(position=1))
    lines = [Line("有效期至：2020年3月9日", ((20, 20), (280, 20), (280, 40), (20, 40)), 0.99)]
    reading = Reading.objects.create(
        page=page, engine="rapidocr", engine_version="3.10", settings_digest="0" * 64, precision="none",
        lines=[line.to_json() for line in lines], fields=[field.to_json() for field in find_fields(lines)],
        line_count=1, seconds=0.1, read_at=NOW,
    )  # fmt: skip
    let_count(page=page, reading=reading, now=NOW)
    clerk = sign_in(cast.clerk)
    chip = "已过有效期</span>"
    assert text(clerk, reverse("case", args=[case.number])).count(chip) == 1
    settle(page=page, reading=reading, line=0, text=lines[0].text, actor=cast.clerk, now=NOW)
    assert text(clerk, reverse("case", args=[case.number])).count(chip) == 0


def test_a_page_without_text_is_read_once_more_by_the_same_engine(
    cast: Cast, objects: None, sign_in: SignIn
) -> None:
    case = open_case(cast)
    (page,) = hand_in(case.materials.get(position=1))
    keep_unread(page=page, engine="rapidocr", attempt=1, why="worker_lost", actor=SYSTEM, now=NOW)
    clerk = sign_in(cast.clerk)
    shown = text(clerk, reverse("review", args=[page.pk]))
    assert "识别几次都中途中断" in shown
    assert 'name="engine" value="rapidocr">再读一次' in shown
    answer = clerk.post(reverse("read_page_again", args=[page.pk]), {"engine": "rapidocr"}, follow=True)
    assert "已交后台重新识别" in answer.content.decode()
    assert Event.objects.get(kind="page.reading_asked").data == {"engine": "rapidocr", "attempt": 2}


def test_only_the_place_of_the_line_is_cut_out(cast: Cast, objects: None, sign_in: SignIn) -> None:
    _case, page, _reading = doubted(cast)
    clerk = sign_in(cast.clerk)
    answer = clerk.get(reverse("cut_out", args=[page.pk, 0]))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    again = clerk.get(
        reverse("cut_out", args=[page.pk, 0]), headers={"if-none-match": answer.headers["ETag"]}
    )
    assert again.status_code == 304
    assert clerk.get(reverse("cut_out", args=[page.pk, 9])).status_code == 404


def test_what_does_not_agree_is_told_beside_the_image(cast: Cast, objects: None, sign_in: SignIn) -> None:
    case, page, _reading = doubted(cast)
    shown = text(sign_in(cast.clerk), reverse("findings", args=[case.number]))
    assert "“申请表”第 1 页的公民身份号码校验未通过" in shown
    assert "“申请表”上没有找到统一社会信用代码" in shown
    assert reverse("cut_out", args=[page.pk, 1]) in shown


def test_the_case_page_says_how_much_is_left_to_look_at(cast: Cast, objects: None, sign_in: SignIn) -> None:
    case, _page, _reading = doubted(cast)
    shown = text(sign_in(cast.clerk), reverse("case", args=[case.number]))
    assert "2 处待核对" in shown
    assert "330681198807150038" not in shown


def test_reading_again_is_asked_for_and_another_reading_chosen(
    cast: Cast, objects: None, sign_in: SignIn
) -> None:
    _case, page, reading = doubted(cast)
    clerk = sign_in(cast.clerk)
    answer = clerk.post(reverse("read_page_again", args=[page.pk]), {"engine": "tesseract"}, follow=True)
    assert "已交后台重新识别" in answer.content.decode()
    assert Event.objects.filter(kind="page.reading_asked").count() == 1
    other = Reading.objects.create(
        page=page, engine="tesseract", engine_version="5", settings_digest="1", precision="x",
        seconds=1, read_at=page.captured_at,
    )  # fmt: skip
    clerk.post(reverse("choose_reading", args=[page.pk]), {"reading": other.pk})
    assert Reading.objects.current(page) == other
    clerk.post(reverse("choose_reading", args=[page.pk]), {"reading": reading.pk})
    assert Reading.objects.current(page) == reading


def test_the_queue_asks_as_often_for_many_pages_as_for_one(
    cast: Cast, objects: None, sign_in: SignIn
) -> None:
    clerk = sign_in(cast.clerk)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            text(clerk, reverse("reviews"))
        return len(asked)

    doubted(cast)
    few = queries()
    doubted(cast)
    doubted(cast)
    assert queries() == few


def test_the_search_box_finds_what_stands_on_pages(cast: Cast, objects: None, sign_in: SignIn) -> None:
    _case, page, _reading = doubted(cast)
    answer = sign_in(cast.clerk).post(reverse("search"), {"text": "身份证号"})
    shown = answer.content.decode()
    assert f"{reverse('page', args=[page.pk])}?line=1" in shown
    assert "330681198807150038" not in shown
    lit = text(sign_in(cast.clerk), f"{reverse('page', args=[page.pk])}?line=1")
    assert 'data-line="1" class="on"' in lit
