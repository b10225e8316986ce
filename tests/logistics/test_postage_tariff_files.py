"""Contracts in and out of workbooks: the way back is exact, every fault has its row, nothing is half taken in."""

import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from logistics.models import Carrier, TariffContract
from logistics.postage.services import end_tariff, export_tariff, import_tariff, quote_price
from logistics.postage.tariff_sheets import read_tariff, tariff_workbook
from logistics.rules.tariffs import (
    Basis,
    Consignment,
    Rounding,
    Surcharge,
    Tariff,
    TariffFault,
    Zone,
    check_tariff,
)
from registry.models import ServiceCentre
from registry.permissions import NotYours
from registry.terms import Role
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble, person

FULL = Tariff(
    carrier="ems",
    centre_id=1,
    product="standard",
    version="2026-甲",
    valid_from=date(2026, 1, 1),
    valid_until=date(2027, 1, 1),
    zones=(
        Zone("province", "省内", ("33",), ("33", "3506"), 1000, 1205, 500, 199),
        Zone("country", "国内", ("",), ("",), 1000, 2000, 1000, 800),
    ),
    surcharges=(
        Surcharge("collect", Basis.FLAT, 105),
        Surcharge("insured", Basis.DECLARED, 10, minimum_fen=100),
        Surcharge("remote", Basis.FREIGHT, 125, regions=("54", "65")),
    ),
    rounding=Rounding.HALF_UP,
    round_to_g=100,
    divisor=8000,
    minimum_fen=900,
    discount_permille=855,
    weight_tolerance_g=50,
    promise_hours=48,
    late_refund_permille=500,
)


def kept(content: bytes, folder: Path) -> Path:
    path = folder / "tariff.xlsx"
    path.write_bytes(content)
    return path


def book(folder: Path, **changes: dict[str, str | int]) -> Path:
    """The full contract with some cells of its workbook changed: `合同={"B4": "…"}`."""
    sheets = load_workbook(io.BytesIO(tariff_workbook(FULL, made_at=NOW)))
    for sheet, cells in changes.items():
        for address, value in cells.items():
            sheets[sheet][address] = value
    path = folder / "changed.xlsx"
    sheets.save(path)
    return path


def test_what_is_written_is_read_back_exactly(tmp_path: Path) -> None:
    path = kept(tariff_workbook(FULL, made_at=NOW), tmp_path)
    assert read_tariff(path, carrier="ems", centre_id=1).tariff == FULL
    assert tariff_workbook(FULL, made_at=NOW) == path.read_bytes()


@given(
    fen=st.integers(0, 10**7), permille=st.integers(1, 1000), grams=st.integers(1, 10**6), flat=st.booleans()
)
def test_no_figure_is_lost_on_the_way(
    fen: int, permille: int, grams: int, flat: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    zone = replace(FULL.zones[0], first_price_fen=fen, step_weight_g=grams)
    extra = Surcharge("x", Basis.FLAT, fen) if flat else Surcharge("x", Basis.FREIGHT, permille)
    tariff = replace(FULL, zones=(zone,), surcharges=(extra,), discount_permille=permille, minimum_fen=fen)
    path = kept(tariff_workbook(tariff, made_at=NOW), tmp_path_factory.getbasetemp())
    assert read_tariff(path, carrier="ems", centre_id=1).tariff == tariff


def test_every_fault_is_listed_with_its_row(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        合同={"B4": "", "B5": "明天", "B11": "八五折"},
        分区={"C2": "浙江", "F2": "12.345", "G3": 0, "A3": "province"},
        附加费={"B2": "随便", "C3": "200"},
    )
    reading = read_tariff(path, carrier="ems", centre_id=1)
    assert reading.tariff is None
    assert {(fault.sheet, fault.row, fault.column) for fault in reading.faults} == {
        ("合同", 4, "合同版本"),
        ("合同", 5, "生效日期"),
        ("合同", 11, "折扣（%）"),
        ("分区", 2, "寄件地区划前缀"),
        ("分区", 2, "首重价格（元）"),
        ("分区", 3, "续重（克）"),
        ("分区", 3, "代码"),
        ("附加费", 2, "计费方式"),
        ("附加费", 3, "数额（元或%）"),
    }


def test_zones_that_tie_name_each_other(tmp_path: Path) -> None:
    path = book(tmp_path, 分区={"C3": "33", "D3": "33"})
    (fault,) = read_tariff(path, carrier="ems", centre_id=1).faults
    assert (fault.row, "第 2 行" in fault.message) == (3, True)


def test_another_carriers_contract_is_not_taken(tmp_path: Path) -> None:
    (fault,) = read_tariff(book(tmp_path), carrier="sf", centre_id=1).faults
    assert "不是所选承运商" in fault.message


def test_a_workbook_without_the_sheets_says_what_is_missing(tmp_path: Path) -> None:
    other = Workbook()
    other.save(tmp_path / "other.xlsx")
    faults = read_tariff(tmp_path / "other.xlsx", carrier="ems", centre_id=1).faults
    assert [fault.sheet for fault in faults] == ["合同", "分区"]
    (tmp_path / "text.pdf").write_bytes(b"%PDF-1.7")
    with pytest.raises(Refused, match="不是表格"):
        read_tariff(tmp_path / "text.pdf", carrier="ems", centre_id=1)


def test_days_without_a_price_between_versions_are_refused() -> None:
    later = replace(FULL, version="b", valid_from=date(2027, 2, 1), valid_until=None)
    with pytest.raises(TariffFault, match="首尾相接"):
        check_tariff(later, [FULL])
    with pytest.raises(TariffFault, match="首尾相接"):
        check_tariff(FULL, [later])
    check_tariff(replace(later, valid_from=date(2027, 1, 1)), [FULL])
    check_tariff(replace(later, product="fast"), [FULL])


@pytest.fixture
def cast(db: None) -> Cast:
    Carrier.objects.create(code="ems", name="邮政特快专递", adapter="neutral")
    return assemble()


def take(cast: Cast, path: Path, *, dry_run: bool = False) -> tuple[TariffContract | None, list[str]]:
    made = import_tariff(
        path=path,
        carrier=Carrier.objects.get(),
        centre=cast.taizhou.centre,
        dry_run=dry_run,
        actor=cast.finance,
        now=NOW,
    )
    return made.contract, [fault.message for fault in made.faults]


def test_a_dry_run_takes_nothing_in_and_the_real_one_all(cast: Cast, tmp_path: Path) -> None:
    path = kept(tariff_workbook(FULL, made_at=NOW), tmp_path)
    assert take(cast, path, dry_run=True) == (None, [])
    assert not TariffContract.objects.exists()
    contract, faults = take(cast, path)
    assert contract is not None
    assert faults == []
    assert contract.as_tariff() == replace(FULL, centre_id=cast.taizhou.centre.pk)
    again = export_tariff(contract=contract, actor=cast.finance)
    assert read_tariff(kept(again, tmp_path), carrier="ems", centre_id=1).tariff == FULL
    assert "重叠" in take(cast, path, dry_run=True)[1][0]


def test_a_changed_export_is_the_next_version(cast: Cast, tmp_path: Path) -> None:
    contract, _ = take(cast, book(tmp_path, 合同={"B6": ""}))
    assert contract is not None
    end_tariff(contract=contract, on=date(2026, 7, 1), actor=cast.finance, now=NOW)
    changed = book(tmp_path, 合同={"B4": "2026-乙", "B5": "2026-07-01", "B6": ""}, 分区={"F2": 13})
    following, faults = take(cast, changed)
    assert faults == []
    assert following is not None
    assert following.zones.get(code="province").first_price_fen == 1300


def test_only_the_own_finance_takes_contracts_in(cast: Cast, tmp_path: Path) -> None:
    path = kept(tariff_workbook(FULL, made_at=NOW), tmp_path)
    stranger = person("zhuji-finance", Role.FINANCE, centre=cast.zhuji.centre)
    for actor in (stranger, cast.clerk, cast.administrator):
        with pytest.raises(NotYours):
            import_tariff(
                path=path,
                carrier=Carrier.objects.get(),
                centre=cast.taizhou.centre,
                dry_run=True,
                actor=actor,
                now=NOW,
            )


def test_a_quote_shows_its_steps_and_never_guesses(cast: Cast, tmp_path: Path) -> None:
    take(cast, book(tmp_path, 分区={f"{column}3": "" for column in "ABCDEFGH"}))
    sent = Consignment("330681", "331002", 1350, extras=frozenset({"collect"}))
    carrier, centre = Carrier.objects.get(), ServiceCentre.objects.get(code="centre-331000")
    contract, quoted = quote_price(
        carrier=carrier, centre=centre, consignment=sent, on=date(2026, 3, 10), actor=cast.finance
    )
    # 1350 g → 1400 g: 12.05 + 1 × 1.99 = 14.04, at 85.5 % 12.00, and 1.05 for 到付.
    assert (contract.version, quoted.total_fen, quoted.charged_weight_g) == ("2026-甲", 1305, 1400)
    assert sum(part.amount_fen for part in quoted.parts) == quoted.total_fen
    with pytest.raises(TariffFault, match="没有 330681 到 110000 的资费"):
        quote_price(
            carrier=carrier,
            centre=centre,
            consignment=replace(sent, destination="110000"),
            on=date(2026, 3, 10),
            actor=cast.finance,
        )


def test_a_quote_from_the_command_line(cast: Cast, tmp_path: Path) -> None:
    take(cast, kept(tariff_workbook(FULL, made_at=NOW), tmp_path))
    asked = [
        "--carrier",
        "ems",
        "--centre",
        "centre-331000",
        "--from",
        "330681",
        "--to",
        "331002",
        "--weight",
        "1350",
        "--extra",
        "collect",
    ]
    out = io.StringIO()
    call_command("quote_postage", *asked, "--on", "2026-03-10", "--json", stdout=out)
    assert json.loads(out.getvalue())["total_fen"] == 1305
    out = io.StringIO()
    call_command("quote_postage", *asked, "--on", "2026-03-10", stdout=out)
    assert "合计：13.05 元" in out.getvalue()
    with pytest.raises(CommandError, match="没有生效的资费合同"):
        call_command("quote_postage", *asked, "--on", "2028-03-10")
    with pytest.raises(CommandError, match="unknown"):
        call_command("quote_postage", *["--carrier", "x", *asked[2:]])
