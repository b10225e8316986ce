"""The sample material: what it promises about itself is what the intake finds."""

import hashlib
from pathlib import Path

import pytest
from PIL import Image
from stdnum.cn import ric, uscc

from config.demo.samples import Sample, Story, make_samples, tell
from config.demo.samples.seals import round_seal
from ingest.inspect import Inspection, inspect_file


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return make_samples(tmp_path_factory.mktemp("samples"), seed=7)


@pytest.fixture(scope="module")
def findings(samples: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Inspection]:
    place = tmp_path_factory.mktemp("pages")
    return {one.path.name: inspect_file(one.path, place / one.path.stem) for one in samples}


def named(samples: list[Sample], ending: str) -> list[Sample]:
    return [one for one in samples if one.path.suffix == ending]


def test_there_are_at_least_twelve_pages_and_every_way_of_capture(samples: list[Sample]) -> None:
    assert sum(one.pages for one in samples) >= 12
    assert {one.path.suffix for one in samples} == {".jpg", ".png", ".heic", ".pdf", ".tiff"}
    assert {one.material for one in samples} == {
        "申请表",
        "居民身份证",
        "营业执照",
        "户口簿",
        "资质证书",
        "授权委托书",
        "企业情况说明",
        "其他佐证材料",
    }


def test_the_intake_accepts_every_sample_with_as_many_pages_as_promised(
    samples: list[Sample], findings: dict[str, Inspection]
) -> None:
    for one in samples:
        found = findings[one.path.name]
        assert (one.path.name, found.verdict, len(found.pages)) == (one.path.name, "accepted", one.pages)


def test_scans_go_through_byte_for_byte(samples: list[Sample], findings: dict[str, Inspection]) -> None:
    for one in named(samples, ".jpg"):
        assert findings[one.path.name].pages[0].path.read_bytes() == one.path.read_bytes()


def test_the_phone_photo_loses_its_position_on_the_way(
    samples: list[Sample], findings: dict[str, Inspection]
) -> None:
    (photo,) = named(samples, ".heic")
    assert "拍摄位置（GPS）" in findings[photo.path.name].removed


def test_the_office_document_brings_its_own_text(
    samples: list[Sample], findings: dict[str, Inspection]
) -> None:
    (document,) = named(samples, ".pdf")
    text = "".join(line.text for page in findings[document.path.name].pages for line in page.text)
    for value in document.fields.values():
        assert value in text


def test_the_fax_scan_stays_bilevel(samples: list[Sample], findings: dict[str, Inspection]) -> None:
    (fax,) = named(samples, ".tiff")
    for page in findings[fax.path.name].pages:
        with Image.open(page.path) as picture:
            assert picture.mode == "1"


def test_the_same_seed_makes_the_same_bytes(samples: list[Sample], tmp_path: Path) -> None:
    again = make_samples(tmp_path, seed=7)
    assert [digest(one.path) for one in again] == [digest(one.path) for one in samples]


@pytest.mark.parametrize("seed", range(40))
def test_invented_numbers_carry_valid_check_digits(seed: int) -> None:
    story = tell(seed)
    assert ric.is_valid(story.id_number)
    assert ric.is_valid(story.agent_id)
    assert uscc.is_valid(story.uscc)


def test_another_seed_tells_another_story() -> None:
    assert tell(1) != tell(2)
    assert isinstance(tell(1), Story)


def test_a_seal_is_a_ring_with_a_star_in_it() -> None:
    plate = round_seal("台州市样章有限公司", diameter=400)
    assert plate.size == (400, 400)
    assert plate.getpixel((0, 0)) == 0
    assert plate.getpixel((200, 200)) == 255  # the star
    assert plate.getpixel((200, 270)) == 0  # between star and ring
    ink = sum(plate.histogram()[128:]) / 400**2
    assert 0.1 < ink < 0.4


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
