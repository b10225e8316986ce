"""Names of people and firms, found beside or below the labels that forms and certificates print."""

import re
from collections.abc import Iterator, Sequence

from ocr.fields.columns import below
from ocr.fields.values import Field, Kind
from ocr.fields.view import Part, RowText

LABELS = (
    "法定代表人(负责人)", "法定代表人或负责人", "法定代表人姓名", "法定代表人", "申请人姓名", "申请人名称", "申请单位名称",
    "申请单位", "申请人", "委托代理人", "代理人姓名", "代理人", "代办人姓名", "代办人", "委托人", "受托人", "经办人",
    "经营者姓名", "经营者", "联系人姓名", "联系人", "投资人", "负责人", "户主姓名", "户主", "持证人", "权利人",
    "所有权人", "承租人", "出租人", "单位名称", "企业名称", "机构名称", "公司名称", "字号名称", "姓名",
)  # fmt: skip
_LABEL = "|".join(re.escape(label) for label in LABELS)
BESIDE = re.compile(
    rf"(?<![\u4e00-\u9fff])({_LABEL}) ?(?:\((?:签字|签章|签名|盖章|签字或盖章)\) ?)?(:| ) ?(\S+)"
)
JOINED = re.compile(r"(?<![\u4e00-\u9fff])(姓名|户主|经营者|法定代表人)([\u4e00-\u9fff]{2,4})$")
HEADING = re.compile(rf"(?:{_LABEL})(?:姓名)?")

OTHER_LABEL = re.compile(
    r"(?:电话|手机|号码?|代码|日期|时间|名称|姓名|性别|民族|住址|地址|住所|职务|职业|关系|签字|签名|签章|盖章|意见|备注|事项|序号|承诺|类型|情况|信息)$"
)
"""What forms print next to a label when that label heads a column or was left empty."""

PERSON = re.compile(r"[\u4e00-\u9fff]{2,4}|[\u4e00-\u9fff]{1,8}[·•][\u4e00-\u9fff]{1,10}")
FIRM = re.compile(
    r"[\u4e00-\u9fff0-9A-Za-z()]{3,40}(?:公司|合作社|事务所|工作室|经营部|商行|酒店|医院|学校|幼儿园|中心|协会|厂|店|馆|局|社)"
)
SPACED = re.compile(r"([\u4e00-\u9fff]) +([\u4e00-\u9fff])")

SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟"
    "汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严"
    "牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫"
    "查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边应楼裘寿斯宣骆郦孟"
)
"""Common first letters of Chinese names; asked only where no mark separates the label from the name."""


def find_names(rows: Sequence[RowText]) -> Iterator[Field]:
    """Yield names beside labels, and below labels that head a column."""
    for number, row in enumerate(rows):
        beside = list(_beside(row))
        yield from beside
        named = {field.label for field in beside}
        for part in row.parts:
            if HEADING.fullmatch(part.text) and part.text not in named:
                yield from _below(part, rows[number + 1 :])


def _beside(row: RowText) -> Iterator[Field]:
    for match in BESIDE.finditer(row.text):
        end = match.end(3)
        value = match.group(3)
        if spaced := SPACED.fullmatch(row.text[match.start(3) :].split(":")[0].rstrip()):
            value, end = spaced.group(1) + spaced.group(2), match.start(3) + spaced.end()
        if is_name(value):
            yield _field(row, match.group(1), value, match.start(3), end)
    for part in row.parts:
        joined = JOINED.search(part.text)
        if joined and joined.group(2)[0] in SURNAMES and is_name(joined.group(2)):
            start, end = (part.begins + place for place in joined.span(2))
            yield _field(row, joined.group(1), joined.group(2), start, end)


def _below(heading: Part, rows: Sequence[RowText]) -> Iterator[Field]:
    """Yield the names that stand under a column's heading, down to the first row where something else stands there."""
    for place, part in below(heading, rows):
        if not is_name(part.text):
            return
        yield _field(rows[place], heading.text, part.text, part.begins, part.begins + len(part.text))


def is_name(text: str) -> bool:
    """Say whether the text can be a person's or a firm's name; another label is none."""
    if HEADING.fullmatch(text) or OTHER_LABEL.search(text):
        return False
    return bool(PERSON.fullmatch(text) or FIRM.fullmatch(text))


def _field(row: RowText, label: str, value: str, start: int, end: int) -> Field:
    line, first, last, box, confidence = row.locate(start, end)
    return Field(Kind.NAME, value, row.text[start:end], label, line, first, last, box, confidence)
