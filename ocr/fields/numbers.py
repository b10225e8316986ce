"""Numbers that are known by their shape: identity numbers, credit codes, phones, dates, certificate numbers."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence

from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

from ocr.fields.columns import below
from ocr.fields.values import Check, Field, Kind
from ocr.fields.view import RowText

_ALONE = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"

EIGHTEEN = re.compile(r"[0-9A-Za-z](?: ?[0-9A-Za-z]){17}".join(_ALONE))
MOBILE = re.compile(r"(?:\+?86[- ]?)?(1[3-9]\d(?:[- ]?\d{4}){2})".join(_ALONE))
LANDLINE = re.compile(r"\(?(0\d{2,3})\)?[- ](\d{7,8})(?:-\d{1,5})?".join(_ALONE))
WRITTEN_DATE = re.compile(r"(?<!\d)(\d{4}) ?年 ?(\d{1,2}) ?月 ?(\d{1,2}) ?日")
DOTTED_DATE = re.compile(r"(?<![\d.])((?:19|20)\d{2})([-./])(\d{1,2})\2(\d{1,2})(?![\d.])")
SPELLED_DATE = re.compile(
    r"([二一][〇○零一二三四五六七八九O0]{3})年([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})日"
)
PROPERTY = re.compile(r"[\u4e00-\u9fff] ?\(\d{4}\) ?[\u4e00-\u9fff]{2,14}第 ?\d{4,12} ?号")
FOOD_LICENCE = re.compile(r"J[YCX]\d{14}".join(_ALONE))
MISSHAPEN = re.compile(
    r"((?:身份证?|身份证件)(?:号码?|证号码?|编号)|(?:信用|机构)代码)[): ]{0,3}([0-9A-Za-z](?: ?[0-9A-Za-z]){13,21})(?![0-9A-Za-z])"
)
"""A label that promises eighteen characters, and about as many behind it: one was lost or added in reading."""

CERTIFICATE = r"[A-Za-z0-9\u4e00-\u9fff()\-]{0,12}?[A-Za-z0-9\-]{5,24}号?"
CERTIFICATE_LABEL = (
    r"(?:许可证|证书|证件|执照|登记证|权证|合同|档案)?(?:编号|证号|字号|号码)|注册号|(?<![A-Za-z])N[oO]\.?"
)
LABELLED = re.compile(rf"({CERTIFICATE_LABEL})(?: ?[:.] ?| )({CERTIFICATE})(?![A-Za-z0-9])")
CERTIFICATE_CELL = re.compile(CERTIFICATE)
HEADING = re.compile(rf"[\u4e00-\u9fff]{{0,10}}?(?:{CERTIFICATE_LABEL})")
OTHERS_NUMBER = re.compile(
    r"(?:身份|电话|手机|传真|联系|邮政|银行|账户|社会保障|社保|卡)(?:证件?)?(?:编号|证号|字号|号码)$"
)
"""Labels of numbers that are no certificate's: what stands beside them and was not known by its shape was misread."""

FEWEST_CERTIFICATE_DIGITS = 4

CONFUSED = {
    "O": "0",
    "D": "0",
    "Q": "0",
    "I": "1",
    "L": "1",
    "Z": "2",
    "S": "5",
    "G": "6",
    "B": "8",
    "0": "8",
}
"""Characters that recognisers take for one another, each with the likelier one in a number."""

CREDIT_ALPHABET = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
CREDIT_BEGINS = re.compile(r"[1-9A-GNY][1-9]")
EIGHTEEN_LONG = 18
FEWEST_DIGITS = 8

_DIGITS = {c: str(n) for n, c in enumerate("〇一二三四五六七八九")} | {
    "零": "0",
    "○": "0",
    "O": "0",
    "0": "0",
}


Found = Iterator[tuple[Field, range]]


def find_numbers(rows: Sequence[RowText]) -> list[Field]:
    """Return every number of a page: of each printed row by itself, then certificate numbers below their heading."""
    found, taken = list[Field](), dict[int, list[range]]()
    for at, row in enumerate(rows):
        for finder in (_eighteens, _misshapen, _dates, _phones, _certificates):
            found += _kept(finder(row), taken.setdefault(at, []))
    for at, row in enumerate(rows):
        for place, field, span in _certificates_below(row, rows[at + 1 :]):
            found += _kept([(field, span)], taken[at + 1 + place])
    return found


def _kept(found: Iterable[tuple[Field, range]], taken: list[range]) -> Iterator[Field]:
    """Yield what overlaps nothing that was found in the row before."""
    for field, span in found:
        if not any(span.start < other.stop and other.start < span.stop for other in taken):
            taken.append(span)
            yield field


def _eighteens(row: RowText) -> Found:
    for match in EIGHTEEN.finditer(row.text):
        value = match.group().replace(" ", "").upper()
        kind = _kind_of(value, row.text[: match.start()])
        if kind is None:
            continue
        passed = _passes(kind, value)
        if " " in match.group() and not passed:
            continue  # two unrelated numbers that happen to stand side by side
        check = Check.PASSED if passed else Check.FAILED
        suggestion = "" if passed else _suggested(kind, value)
        yield _field(row, kind, value, match.span(), check, suggestion), range(*match.span())


def _misshapen(row: RowText) -> Found:
    """Numbers beside the label of an identity number or a credit code that cannot be one, by length or check digit."""
    for match in MISSHAPEN.finditer(row.text):
        value = match.group(2).replace(" ", "").upper()
        if sum(letter.isdigit() for letter in value) < FEWEST_DIGITS:
            continue
        kind = Kind.IDENTITY_NUMBER if "身份" in match.group(1) else Kind.CREDIT_CODE
        check = Check.PASSED if _passes(kind, value) else Check.FAILED
        yield _field(row, kind, value, match.span(2), check), range(*match.span(2))


def _kind_of(value: str, before: str) -> Kind | None:
    """Tell an identity number from a credit code: by its check digit, else by the label, else by its shape."""
    for kind in (Kind.IDENTITY_NUMBER, Kind.CREDIT_CODE):
        if _passes(kind, value):
            return kind
    if sum(letter.isdigit() for letter in value) < FEWEST_DIGITS:
        return None
    label = before[-24:]
    if "身份" in label:
        return Kind.IDENTITY_NUMBER
    if "代码" in label:
        return Kind.CREDIT_CODE
    if value[:17].isdigit():
        return Kind.IDENTITY_NUMBER if value[6:8] in {"19", "20"} else Kind.CREDIT_CODE
    return Kind.CREDIT_CODE if CREDIT_BEGINS.match(value) and value[2:8].isdigit() else None


def _passes(kind: Kind, value: str) -> bool:
    try:
        return _identity_passes(value) if kind == Kind.IDENTITY_NUMBER else _credit_code_passes(value)
    except ValidationError:
        return False


def _identity_passes(value: str) -> bool:
    """Check digit and day of birth. Not the place: the codes of places come and go, numbers stay."""
    if len(value) != EIGHTEEN_LONG or not value[:17].isdecimal() or ric.calc_check_digit(value) != value[17]:
        return False
    return bool(ric.get_birth_date(value))


def _credit_code_passes(value: str) -> bool:
    if not (CREDIT_ALPHABET.fullmatch(value) and CREDIT_BEGINS.match(value)):
        return False
    return bool(uscc.validate(value))


def kind_of_number(value: str) -> Kind | None:
    """Tell whether a typed number is an identity number or a credit code; None for any other document's."""
    value = value.strip().upper()
    return _kind_of(value, "") if re.fullmatch(r"[0-9A-Z]{18}", value) else None


def normalised(kind: Kind, text: str) -> str:
    """Return the value that a number of this kind has when `text` was read for it."""
    value = re.sub(r"\s", "", text)
    return value.upper() if kind in (Kind.IDENTITY_NUMBER, Kind.CREDIT_CODE) else value


def check_of(kind: Kind, value: str) -> Check:
    """Say what the check digit of a number says; kinds without one have none."""
    if kind not in (Kind.IDENTITY_NUMBER, Kind.CREDIT_CODE):
        return Check.NONE
    return Check.PASSED if _passes(kind, value) else Check.FAILED


def _suggested(kind: Kind, value: str) -> str:
    """Return the one value that passes with a single confused character replaced; empty when none or several do."""
    pairs = [*CONFUSED.items(), *((likely, read) for read, likely in CONFUSED.items())]
    candidates = {
        value[:place] + other + value[place + 1 :]
        for place, letter in enumerate(value)
        for read, other in pairs
        if letter == read
    }
    passing = [candidate for candidate in candidates if _passes(kind, candidate)]
    return passing[0] if len(passing) == 1 else ""


def _phones(row: RowText) -> Found:
    for match in MOBILE.finditer(row.text):
        yield _field(row, Kind.PHONE, re.sub(r"\D", "", match.group(1)), match.span()), range(*match.span())
    for match in LANDLINE.finditer(row.text):
        yield (
            _field(row, Kind.PHONE, f"{match.group(1)}-{match.group(2)}", match.span()),
            range(*match.span()),
        )


def _dates(row: RowText) -> Found:
    for match in WRITTEN_DATE.finditer(row.text):
        yield _date(row, match, *(int(part) for part in match.groups()))
    for match in DOTTED_DATE.finditer(row.text):
        year, _mark, month, day = match.groups()
        yield _date(row, match, int(year), int(month), int(day))
    for match in SPELLED_DATE.finditer(row.text):
        year, month, day = match.groups()
        yield _date(row, match, int("".join(_DIGITS[c] for c in year)), _spelled(month), _spelled(day))


def _date(row: RowText, match: re.Match[str], year: int, month: int, day: int) -> tuple[Field, range]:
    try:
        dt.date(year, month, day)
        check = Check.PASSED
    except ValueError:
        check = Check.FAILED
    return _field(row, Kind.DATE, f"{year:04}-{month:02}-{day:02}", match.span(), check), range(*match.span())


def _spelled(number: str) -> int:
    """Return 1 to 99 written in Chinese, such as 二十三."""
    tens, ten, ones = number.rpartition("十")
    return (int(_DIGITS[tens]) if tens else int(bool(ten))) * 10 + (int(_DIGITS[ones]) if ones else 0)


def _certificates(row: RowText) -> Found:
    for pattern in (PROPERTY, FOOD_LICENCE):
        for match in pattern.finditer(row.text):
            value = match.group().replace(" ", "")
            yield _field(row, Kind.CERTIFICATE_NUMBER, value, match.span()), range(*match.span())
    for match in LABELLED.finditer(row.text):
        if OTHERS_NUMBER.search(row.text[: match.end(1)]) or not _numbered(match.group(2)):
            continue
        span = match.span(2)
        yield _field(row, Kind.CERTIFICATE_NUMBER, match.group(2), span, label=match.group(1)), range(*span)


def _certificates_below(row: RowText, rows: Sequence[RowText]) -> Iterator[tuple[int, Field, range]]:
    """Yield what stands below a heading, with its row's place in `rows`, down to the first that is no number."""
    for part in row.parts:
        if not HEADING.fullmatch(part.text) or OTHERS_NUMBER.search(part.text):
            continue
        for place, under in below(part, rows):
            if not (CERTIFICATE_CELL.fullmatch(under.text) and _numbered(under.text)):
                break
            span = under.begins, under.begins + len(under.text)
            field = _field(rows[place], Kind.CERTIFICATE_NUMBER, under.text, span, label=part.text)
            yield place, field, range(*span)


def _numbered(text: str) -> bool:
    return sum(letter.isdigit() for letter in text) >= FEWEST_CERTIFICATE_DIGITS


def _field(
    row: RowText,
    kind: Kind,
    value: str,
    span: tuple[int, int],
    check: Check = Check.NONE,
    suggestion: str = "",
    label: str = "",
) -> Field:
    line, start, end, box, confidence = row.locate(*span)
    label = label or _label_before(row.text, span[0])
    return Field(
        kind, value, row.text[slice(*span)], label, line, start, end, box, confidence, check, suggestion
    )


def _label_before(text: str, start: int) -> str:
    """Return the last run of Chinese before a place, up to a space or colon: what a form prints as its label."""
    match = re.search(r"([\u4e00-\u9fff()]{2,12})[ :]*$", text[:start])
    return match.group(1) if match else ""
