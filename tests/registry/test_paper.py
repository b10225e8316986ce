"""Slips: archival, reproducible, readable by people and scanners, and silent about what they need not say."""

import hashlib
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest
from pydantic import ValidationError

from ingest.codes import read_codes
from registry.paper.engine import OutsideWorld, preview, render, slip_of
from registry.paper.kinds import SlipKind
from registry.paper.slips import MODELS, DeliveryProof, MaterialLine, MissingLine, OfficeAmount
from registry.tokens import Purpose, check
from tests.registry.paper import NOW, RING, SECRETS, one_of_each, settlement
from tests.shared import ROOT
from tests.verapdf import assert_pdfa

SLIPS = one_of_each()
every_kind = pytest.mark.parametrize("kind", SLIPS, ids=lambda kind: kind.value)


@pytest.fixture(scope="module")
def printed() -> dict[SlipKind, bytes]:
    return {kind: render(kind, slip, issued_at=NOW) for kind, slip in SLIPS.items()}


def text_of(pdf: bytes, folder: Path) -> str:
    path = folder / "slip.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


def test_every_kind_has_its_model_and_its_template() -> None:
    assert set(MODELS) == set(SlipKind) == set(SLIPS)


@every_kind
def test_the_words_can_be_taken_out_again(
    kind: SlipKind, printed: dict[SlipKind, bytes], tmp_path: Path
) -> None:
    text = text_of(printed[kind], tmp_path)
    slip = SLIPS[kind]
    assert kind.label in text
    assert slip.number in text
    assert slip.issuer in text
    assert "2026年3月11日" in text


def test_each_slip_says_what_it_is_for(printed: dict[SlipKind, bytes], tmp_path: Path) -> None:
    said = {kind: re.sub(r"\s", "", text_of(pdf, tmp_path)) for kind, pdf in printed.items()}
    assert "2026年4月1日" in said[SlipKind.ACCEPTANCE]
    assert "15个工作日" in said[SlipKind.ACCEPTANCE]
    assert "★原件" in said[SlipKind.RECEIPT]
    assert "不代表申请已被受理" in said[SlipKind.RECEIPT]
    assert "共2项" in said[SlipKind.NOTICE]
    assert "职称证书" in said[SlipKind.NOTICE]
    assert "承诺时限尚未开始计算" in said[SlipKind.SHORTFALL]
    assert "户口簿" in said[SlipKind.SHORTFALL]
    assert "行政复议" in said[SlipKind.REFUSAL]
    assert "1012345678901" in said[SlipKind.DELIVERY_PROOF]
    assert "共2项，3份" in said[SlipKind.PACKING_LIST]
    assert "欧阳**" in said[SlipKind.PACKING_LIST]
    assert "叁仟零捌拾柒元整" in said[SlipKind.SETTLEMENT]
    assert "3,087.00" in said[SlipKind.SETTLEMENT]
    assert "叁元整" in said[SlipKind.DISPUTE]
    assert "计费重量超出" in said[SlipKind.DISPUTE]
    assert "共2件，内含原件3份，合计415克" in said[SlipKind.HANDOVER]
    assert "欧阳**已在屏幕签名" in said[SlipKind.HANDOVER]


@every_kind
def test_numbers_of_persons_are_masked(
    kind: SlipKind, printed: dict[SlipKind, bytes], tmp_path: Path
) -> None:
    raw = SLIPS[kind].model_dump_json()
    shown = text_of(printed[kind], tmp_path) + preview(kind, SLIPS[kind], issued_at=NOW) + raw
    assert [secret for secret in SECRETS if secret in shown] == []


def test_names_are_masked_where_strangers_look(printed: dict[SlipKind, bytes], tmp_path: Path) -> None:
    for kind in (SlipKind.PACKING_LIST, SlipKind.SETTLEMENT):
        text = text_of(printed[kind], tmp_path)
        assert "欧阳建国" not in text
        assert "王小明" not in text
        assert "李会计" not in text
    assert "欧阳建国" in text_of(printed[SlipKind.ACCEPTANCE], tmp_path)


@every_kind
def test_the_code_is_read_off_the_printed_page(kind: SlipKind, printed: dict[SlipKind, bytes]) -> None:
    with pypdfium2.PdfDocument(printed[kind]) as document:
        picture = document[0].render(scale=150 / 72, grayscale=True).to_pil()
    [code] = [code for code in read_codes(picture) if "/rate/" not in code.text]
    assert check(code.text, RING, purpose=Purpose.SLIP).text == SLIPS[kind].code
    (left, _), (right, _), *_ = code.position
    assert (right - left) / 150 * 25.4 >= 14.5, "a module is at least half a millimetre"


def test_the_proof_of_delivery_asks_for_a_grade_by_code_and_in_words(
    printed: dict[SlipKind, bytes], tmp_path: Path
) -> None:
    proof = SLIPS[SlipKind.DELIVERY_PROOF]
    assert isinstance(proof, DeliveryProof)
    with pypdfium2.PdfDocument(printed[SlipKind.DELIVERY_PROOF]) as document:
        picture = document[0].render(scale=150 / 72, grayscale=True).to_pil()
    [code] = [code for code in read_codes(picture) if "/rate/" in code.text]
    assert code.text == proof.rating_link
    assert check(code.text, RING, purpose=Purpose.RATING).purpose is Purpose.RATING
    said = re.sub(r"\s", "", text_of(printed[SlipKind.DELIVERY_PROOF], tmp_path))
    assert proof.rating_link in said, "for whoever has no camera at hand"
    assert "每件只评价一次" in said
    without = proof.model_copy(update={"rating_link": ""})
    assert "好差评" not in preview(SlipKind.DELIVERY_PROOF, without, issued_at=NOW)


@every_kind
def test_pages_are_a4_and_need_no_colour(kind: SlipKind, printed: dict[SlipKind, bytes]) -> None:
    with pypdfium2.PdfDocument(printed[kind]) as document:
        for page in document:
            assert page.get_size() == pytest.approx((595.28, 841.89), abs=0.1)
            red, green, blue = page.render(scale=0.5).to_pil().convert("RGB").split()
            assert red.tobytes() == green.tobytes() == blue.tobytes()


EIGHT = tuple(
    MaterialLine(
        name=name,
        form="原件" if index % 3 == 0 else "复印件",
        original=index % 3 == 0,
        pages=index + 1,
        remark="" if index % 3 == 0 else "与原件核对无误",
    )
    for index, name in enumerate(
        (
            "企业资质申请表",
            "营业执照副本",
            "法定代表人、董事、监事以及经理的任职文件和身份证件复印件",
            "技术负责人身份证、职称证书或学历证书、执业资格证书",
            "技术负责人个人业绩证明",
            "企业净资产证明（上一年度或当期合法的财务报表）",
            "注册人员注册证书及社会保险缴纳凭证",
            "企业章程",
        )
    )
)


@pytest.mark.parametrize("kind", [SlipKind.ACCEPTANCE, SlipKind.RECEIPT])
def test_an_ordinary_case_fits_one_sheet(kind: SlipKind) -> None:
    """Eight materials, some with long names: the signatures stay on the page that they belong to."""
    with pypdfium2.PdfDocument(
        render(kind, SLIPS[kind].model_copy(update={"materials": EIGHT}), issued_at=NOW)
    ) as document:
        assert len(document) == 1
        text = document[0].get_textpage().get_text_bounded()
    assert all(words in text for words in ("企业章程", "盖章处", "第 1 页　共 1 页"))


def test_every_slip_is_archival(printed: dict[SlipKind, bytes], tmp_path: Path) -> None:
    paths = []
    for kind, pdf in printed.items():
        paths.append(tmp_path / f"{kind.value}.pdf")
        paths[-1].write_bytes(pdf)
    assert_pdfa(*paths)


def test_the_same_values_give_the_same_bytes_in_another_process(printed: dict[SlipKind, bytes]) -> None:
    program = (
        "import hashlib\n"
        "from registry.paper.engine import render\n"
        "from tests.registry.paper import NOW, one_of_each\n"
        "for kind, slip in one_of_each().items():\n"
        "    print(kind.value, hashlib.sha256(render(kind, slip, issued_at=NOW)).hexdigest())\n"
    )
    ours = [f"{kind.value} {hashlib.sha256(pdf).hexdigest()}" for kind, pdf in printed.items()]
    for seed, zone in (("1", "UTC"), ("77", "Asia/Shanghai")):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "TZ": zone,
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        done = subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=ROOT,
            env=environment,
        )
        assert done.stdout.split("\n")[:-1] == ours


def test_json_out_of_the_database_prints_the_same(printed: dict[SlipKind, bytes]) -> None:
    for kind, slip in SLIPS.items():
        again = slip_of(kind.value, slip.model_dump(mode="json"))
        assert again == slip
    kind = SlipKind.NOTICE
    assert render("notice", SLIPS[kind].model_dump(mode="json"), issued_at=NOW) == printed[kind]


def test_another_time_or_word_gives_other_bytes(printed: dict[SlipKind, bytes]) -> None:
    slip = SLIPS[SlipKind.REFUSAL]
    assert render(slip.kind, slip, issued_at=NOW + timedelta(minutes=1)) != printed[slip.kind]
    other = slip.model_copy(update={"applicant_name": "欧阳建设"})
    assert render(slip.kind, other, issued_at=NOW) != printed[slip.kind]


def test_metadata_tells_when_it_was_issued_and_not_when_it_was_made(printed: dict[SlipKind, bytes]) -> None:
    with pypdfium2.PdfDocument(printed[SlipKind.ACCEPTANCE]) as document:
        metadata = document.get_metadata_dict()
    assert metadata["CreationDate"].startswith("D:20260310173000")
    assert metadata["Title"] == f"受理承诺单 {SLIPS[SlipKind.ACCEPTANCE].number}"


@every_kind
def test_fonts_are_cut_to_what_is_shown(kind: SlipKind, printed: dict[SlipKind, bytes]) -> None:
    assert len(printed[kind]) < 120_000


def test_long_names_wrap_and_tables_go_on_over_pages(tmp_path: Path) -> None:
    slip = SLIPS[SlipKind.NOTICE]
    name = "新疆维吾尔自治区克孜勒苏柯尔克孜自治州" * 6
    many = tuple(
        MissingLine(name=f"第{index}号材料" + "甲" * 30, fault="不" * 70, demand="补" * 70)
        for index in range(40)
    )
    pdf = render("notice", slip.model_copy(update={"item_name": name, "missing": many}), issued_at=NOW)
    with pypdfium2.PdfDocument(pdf) as document:
        assert len(document) > 2
        for page in document:
            text = page.get_textpage()
            boxes = [text.get_charbox(index) for index in range(text.count_chars())]
            assert max(right for _, _, right, _ in boxes) <= 595.28 - 50
    text = re.sub(r"\s", "", text_of(pdf, tmp_path))
    assert text.count("存在的问题") > 2, "the head of the table is repeated"
    assert "第39号材料" in text


def test_a_character_without_a_glyph_is_marked_not_lost(tmp_path: Path) -> None:
    slip = SLIPS[SlipKind.REFUSAL].model_copy(update={"applicant_name": "张\U00031200三\ue123"})
    text = text_of(render("refusal", slip, issued_at=NOW), tmp_path)
    assert "张〓三〓" in text


def test_markup_in_values_stays_text(tmp_path: Path) -> None:
    hostile = '<img src="http://127.0.0.1:9/x"><style>*{display:none}</style>{{ slip }}'
    slip = SLIPS[SlipKind.REFUSAL].model_copy(update={"applicant_name": hostile})
    assert "{{ slip }}" in text_of(render("refusal", slip, issued_at=NOW), tmp_path)
    assert "<img" not in preview("refusal", slip, issued_at=NOW)


def test_the_engine_fetches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.paper.engine._html", lambda slip, at: '<img src="file:///etc/hostname">')
    with pytest.raises(OutsideWorld):
        render("refusal", SLIPS[SlipKind.REFUSAL], issued_at=NOW)


def test_a_preview_is_marked_and_cannot_be_printed() -> None:
    draft = SLIPS[SlipKind.RECEIPT].model_copy(update={"number": "", "code": ""})
    page = preview("receipt", draft)
    assert "预览" in page
    assert "出具时编号" in page
    assert 'class="draft"' not in preview("receipt", SLIPS[SlipKind.RECEIPT], issued_at=NOW)
    assert not re.search(r"""(?:src|href)=|url\(|@import""", page), "one self-contained page"
    with pytest.raises(ValueError, match="number"):
        render("receipt", draft, issued_at=NOW)


def test_a_settlement_that_does_not_add_up_is_not_printed() -> None:
    with pytest.raises(ValidationError, match="sum of the offices"):
        type(settlement(lines=0)).model_validate({**settlement(lines=0).model_dump(), "total": 308701})
    with pytest.raises(ValidationError, match="billed less disputed"):
        OfficeAmount(office="局", parcels=1, billed=100, disputed=10, payable=100)


def test_the_content_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError):
        render("receipt", SLIPS[SlipKind.NOTICE], issued_at=NOW)
    with pytest.raises(ValidationError):
        render("receipt", SLIPS[SlipKind.NOTICE].model_dump(mode="json"), issued_at=NOW)
