"""How personal data looks where it need not be full: lists, labels, slips that leave the house.

Pure functions, each idempotent: what is already masked stays as it is. The measure is the rule for courier
waybills: at least one character of the name and six digits of the phone are hidden, and an address ends
before the door.
"""

import re

MASK = "*"

COMPOUND_SURNAMES = frozenset(
    re.findall(
        "..",
        "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台皇甫宗政濮阳公冶"
        "太叔申屠公孙慕容仲孙钟离长孙宇文司徒鲜于司空令狐百里呼延东郭南门西门公西第五梁丘左丘",
    )
)
_ORGANISATIONS = (
    "公司", "集团", "厂", "店", "商行", "银行", "合作社", "医院", "学校", "学院", "大学", "幼儿园", "中心", "局", "委员会",
    "办公室", "政府", "协会", "基金会", "事务所", "工作室", "经营部",
)  # fmt: skip
_MOBILE = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")
_DOOR = re.compile(
    r"[0-9０-９A-Za-z一二三四五六七八九十百零〇]+\s*[-—#]?\s*(?:号|幢|栋|座|单元|室|楼|层|弄|组|房|户)|[0-9０-９]"
)
_ADMINISTRATIVE = re.compile(
    r"(?:.{2,8}?(?:省|自治区))?(?:.{2,8}?(?:市|自治州|盟))?(?:.{1,8}?(?:区|县|市|旗))?(?:.{1,8}?(?:镇|乡|街道))?"
)
_IDENTITY = re.compile(
    r"(?<![0-9A-Za-z])[1-9](?:[ -]?[0-9]){5}(?:[ -]?(?:19|20))(?:[ -]?[0-9]){2}"
    r"(?:[ -]?(?:0[1-9]|1[0-2]))(?:[ -]?(?:0[1-9]|[12][0-9]|3[01]))(?:[ -]?[0-9]){3}[ -]?[0-9Xx](?![0-9A-Za-z])"
)
_OLD_IDENTITY = re.compile(
    r"(?<![0-9A-Za-z])[1-9][0-9]{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}(?![0-9A-Za-z])"
)
_WRITTEN_MOBILE = re.compile(r"(?<![0-9A-Za-z])(?:\+?86[ -]?)?1[3-9](?:[ -]?[0-9]){9}(?![0-9])")
_WIDE_DIGITS = str.maketrans("０１２３４５６７８９Ｘｘ－　", "0123456789Xx- ")
"""One character for one, so that a place in the folded text is the same place in the text."""


def mask_name(name: str) -> str:
    """“张三”→“张*”, “张三丰”→“张**”, “欧阳询”→“欧阳*”: the surname and nothing else.

    The name of a company or public body is no personal data and stays.
    """
    name = name.strip()
    if not name or is_organisation(name):
        return name
    kept = name[:2] if name[:2] in COMPOUND_SURNAMES and len(name) > 2 else name[0]
    if len(name) == len(kept):
        return kept if kept == MASK else MASK
    return kept + MASK * min(2, len(name) - len(kept))


def is_organisation(name: str) -> bool:
    """Whether a name is that of a company or public body, by its length and last word."""
    return len(name) >= 5 and name.endswith(_ORGANISATIONS)


def mask_phone(phone: str) -> str:
    """“13812345678”→“1******5678”: the last four digits stay so that people can tell two phones apart.

    Separators and a leading `+` are kept in place; of a number with fewer than ten digits the last two stay.
    """
    phone = phone.strip()
    positions = [index for index, char in enumerate(phone) if char.isdigit() or char == MASK]
    total = len(positions)
    if total >= 11 and phone[0] == "1":
        shown = {positions[0], *positions[-4:]}
    elif total >= 10:
        shown = set(positions[-4:])
    else:
        shown = set(positions[-2:]) if total > 2 else set()
    return "".join(
        MASK if index in positions and index not in shown else char for index, char in enumerate(phone)
    )


def mask_phones_in(text: str) -> str:
    """Mobile numbers inside a sentence, such as a courier's scan text, are masked where they stand."""
    return _MOBILE.sub(lambda found: mask_phone(found.group()), text)


def is_mobile(phone: str) -> bool:
    """Whether a number belongs to a person's mobile rather than to a desk."""
    return _MOBILE.search(re.sub(r"[\s-]", "", phone)) is not None


def mask_id_number(number: str) -> str:
    """“331002199003077736”→“331***********7736”: province, city and the tail; birthday and sex are hidden.

    Shorter documents (passports, permits) keep the first and the last two characters.
    """
    number = number.strip()
    head, tail = (3, 4) if len(number) >= 15 else (1, 2)
    if len(number) <= head + tail:
        return MASK * len(number)
    return number[:head] + MASK * (len(number) - head - tail) + number[-tail:]


def mask_address(address: str) -> str:
    """“浙江省诸暨市暨阳街道浣纱路12号3单元501室”→“浙江省诸暨市暨阳街道浣纱路****”: nothing from the door on.

    An address in which no door number is recognised ends after its last administrative part, and one without
    any keeps its first third.
    """
    address = address.strip()
    if not address or address.endswith(MASK * 4):
        return address
    door = _DOOR.search(address)
    if door is not None and door.start() > 0:
        return address[: door.start()].rstrip("，, ") + MASK * 4
    place = _ADMINISTRATIVE.match(address)
    known = place.end() if place is not None else 0
    return address[: known or max(1, len(address) // 3)] + MASK * 4


def numbers_of_persons_in(text: str) -> tuple[str, ...]:
    """What numbers of persons a free text holds, in words; mistyped check digits and groups of digits count too."""
    folded = text.translate(_WIDE_DIGITS)
    without = _OLD_IDENTITY.sub(MASK, _IDENTITY.sub(MASK, folded))
    found = []
    if without != folded:
        found.append("身份证件号码")
    if _WRITTEN_MOBILE.search(without):
        found.append("手机号码")
    return tuple(found)


def mask_numbers_in(text: str) -> str:
    """Identity numbers and mobile numbers inside a text, masked where they stand; all else stays as written."""
    folded = text.translate(_WIDE_DIGITS)
    for pattern, head, tail in ((_IDENTITY, 3, 4), (_OLD_IDENTITY, 3, 4), (_WRITTEN_MOBILE, 0, 4)):
        for match in pattern.finditer(folded):
            hidden = range(match.start() + head, match.end() - tail)
            text = "".join(
                MASK if place in hidden and folded[place].isdigit() else char
                for place, char in enumerate(text)
            )
        folded = text.translate(_WIDE_DIGITS)
    return text
