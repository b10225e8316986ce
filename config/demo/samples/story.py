"""The invented people, company and numbers of the sample case: one story for each seed."""

import random
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from stdnum.cn import uscc as uscc_numbers
from stdnum.iso7064 import mod_11_2

_SURNAME = "施"
_GIVEN = ("文远", "立峰", "敬之", "国梁", "景行", "承泽", "明轩", "伯安")
_AGENTS = ("陈若兰", "楼晓芸", "俞静姝", "斯雨桐", "何映雪", "赵清漪")
_FORMER = ("蒋怀民", "许长庚", "卢德昌", "应兆丰")
_ENGINEERS = ("金守拙", "阮思齐", "柯望川", "王砚秋")
_LANDLORDS = ("郑学海", "林茂松", "章克勤")
_TRADES = ("澄屿", "禾渚", "括野", "岚汀", "汐亭")
_ORGANISATION = "ABCDEFGHJKLMNPQRTUWXY0123456789"
_ZHUJI = "330681"  # a city since 1989: nobody in the story is older
_NEVER_GIVEN = (997, 999)  # sequence numbers kept for centenarians: nobody alive has one with these dates


@dataclass(frozen=True)
class Story:
    """Everything the sample papers say; dates are written as on paper (2026年3月9日)."""

    name: str
    id_number: str
    born: str
    phone: str
    home: str
    id_valid: str
    agent: str
    agent_id: str
    agent_phone: str
    agent_age: str
    company: str
    uscc: str
    certificate: str
    valid_to: str
    certified: str
    founded: str
    licensed: str
    applied: str
    leased: str
    former: str
    engineer: str
    landlord: str
    landlord_phone: str
    old_phone: str
    old_address: str
    new_address: str
    household: str
    household_issued: str
    moved: str
    contract: str

    @property
    def words(self) -> dict[str, str]:
        """What the templates of the papers are filled with."""
        return asdict(self)


def tell(seed: int) -> Story:
    """The story of this seed; identity and credit numbers carry valid check digits and belong to nobody."""
    dice = random.Random(seed)  # noqa: S311 - sample data, not secrets
    born = date(1990, 1, 1) + timedelta(days=dice.randrange(1400))
    agent_born = date(1991, 1, 1) + timedelta(days=dice.randrange(2500))
    applied = date(2026, 3, 2) + timedelta(days=dice.randrange(7))
    licensed = applied - timedelta(days=dice.randrange(20, 40))
    founded = date(2009, 3, 1) + timedelta(days=dice.randrange(1500))
    certified = date(2023, 4, 1) + timedelta(days=dice.randrange(400))
    valid_to = _years_later(certified, 5) - timedelta(days=1)
    id_from = date(2016, 2, 1) + timedelta(days=dice.randrange(900))
    return Story(
        name=_SURNAME + dice.choice(_GIVEN),
        id_number=identity_number(_ZHUJI, born, dice.choice(_NEVER_GIVEN)),
        born=_on_paper(born),
        phone=_phone(dice),
        home=f"浙江省诸暨市暨阳街道浣东北路{dice.randrange(12, 260)}号{dice.randrange(1, 18)}幢{dice.randrange(101, 1802)}室",
        id_valid=f"{id_from:%Y.%m.%d}-{_years_later(id_from, 20):%Y.%m.%d}",
        agent=dice.choice(_AGENTS),
        agent_id=identity_number(_ZHUJI, agent_born, 998),
        agent_phone=_phone(dice),
        agent_age=str(
            applied.year
            - agent_born.year
            - ((applied.month, applied.day) < (agent_born.month, agent_born.day))
        ),
        company=f"台州市{dice.choice(_TRADES)}建设工程有限公司",
        uscc=credit_code("913310", dice),
        certificate=f"D3330{dice.randrange(10_000, 99_999)}",
        valid_to=_on_paper(valid_to),
        certified=_on_paper(certified),
        founded=_on_paper(founded),
        licensed=_on_paper(licensed),
        applied=_on_paper(applied),
        leased=_on_paper(licensed - timedelta(days=15)),
        former=dice.choice(_FORMER),
        engineer=dice.choice(_ENGINEERS),
        landlord=dice.choice(_LANDLORDS),
        landlord_phone=_phone(dice),
        old_phone=_phone(dice),
        old_address=f"台州市黄岩区东城街道劳动北路{dice.randrange(20, 400)}号",
        new_address=f"台州市椒江区海门街道工人西路{dice.randrange(20, 600)}号{dice.randrange(2, 12)}楼",
        household=f"3306810{dice.randrange(10, 99)}{dice.randrange(100_000, 999_999)}",
        household_issued=_on_paper(date(2015, 6, 1) + timedelta(days=dice.randrange(1200))),
        moved=_on_paper(date(2012, 5, 1) + timedelta(days=dice.randrange(900))),
        contract=f"HMZL-{licensed.year}-{dice.randrange(100, 999)}",
    )


def identity_number(region: str, born: date, sequence: int) -> str:
    """An 18-character identity number with its check character (GB 11643)."""
    stem = f"{region}{born:%Y%m%d}{sequence:03d}"
    return stem + mod_11_2.calc_check_digit(stem)


def credit_code(region: str, dice: random.Random) -> str:
    """An 18-character unified social credit code of an enterprise (GB 32100)."""
    organisation = "MA" + "".join(dice.choice(_ORGANISATION) for _ in range(6))
    stem = "91" + region[2:] + "00" + organisation + _organisation_check(organisation)
    return stem + uscc_numbers.calc_check_digit(stem)


def _organisation_check(organisation: str) -> str:
    """The inner check character (GB 11714)."""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(alphabet.index(letter) * weight for letter, weight in zip(organisation, weights, strict=True))
    return "0123456789X0"[11 - total % 11]


def _phone(dice: random.Random) -> str:
    return f"1990000{dice.randrange(1000, 9999)}"


def _years_later(day: date, years: int) -> date:
    """The same day years later; 29 February becomes 1 March where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def _on_paper(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
