"""One of each slip, filled with people whose data must not show."""

from datetime import UTC, date, datetime, timedelta

from registry.paper.kinds import SlipKind, number_of
from registry.paper.slips import (
    Acceptance,
    BilledLine,
    DeliveryProof,
    Dispute,
    DisputedLine,
    Handbook,
    HandbookAnswer,
    HandbookExample,
    HandedLine,
    Handover,
    LegAmount,
    MaterialLine,
    MissingLine,
    Notice,
    OfficeAmount,
    PackedLine,
    PackingList,
    Receipt,
    Refusal,
    Settlement,
    Shortfall,
    Slip,
    Trace,
)
from registry.tokens import Keyring, Purpose, mint, write

NOW = datetime(2026, 3, 10, 17, 30, tzinfo=UTC)
"""Already 11 March at Shanghai."""

RING = Keyring.of(["secret of the slip tests"])
SECRETS = ("331002199003077736", "19900307", "13812345678", "1288号", "1501室")

MATERIALS = (
    MaterialLine(name="企业资质申请表", form="原件", original=True, copies=2, pages=12),
    MaterialLine(name="营业执照副本", form="复印件", pages=1, remark="与原件核对无误"),
    MaterialLine(name="技术负责人业绩证明", form="电子件", pages=5, deferred_until=date(2026, 4, 1)),
)

_APPLICANT = {
    "case_number": "TB330681202603110007",
    "issuer": "诸暨市行政服务中心通办专窗",
    "item_name": "建筑业企业资质核准",
    "item_code": "TZ-ZJ-001",
    "applicant_name": "欧阳建国",
    "applicant_id_number": "331002199003077736",
    "applicant_phone": "13812345678",
    "window": "诸暨市行政服务中心通办专窗",
    "office": "台州市住房和城乡建设局",
    "enquiry_phone": "0576-88519876",
}

_ADDRESS = "福建省莆田市荔城区镇海街道文献东路1288号世纪花园3号楼2单元1501室"


def one_of_each() -> dict[SlipKind, Slip]:
    """Every kind, numbered and with a code."""
    slips: list[Slip] = [
        Acceptance(
            **_APPLICANT,
            mode="受审分离",
            accepted_at=NOW,
            promised_days=15,
            deadline=date(2026, 4, 1),
            delivery="邮寄",
            delivery_address=_ADDRESS,
            materials=MATERIALS,
        ),
        Receipt(**_APPLICANT, mode="收受分离", received_at=NOW, materials=MATERIALS),
        Notice(
            **_APPLICANT,
            noticed_at=NOW,
            supplement_by=date(2026, 3, 20),
            missing=(
                MissingLine(
                    name="企业资质申请表", fault="缺少签字。", demand="签字后提交，联系13812345678。"
                ),
                MissingLine(name="职称证书", fault="未提交。", demand="提交原件。"),
            ),
        ),
        Shortfall(
            **_APPLICANT,
            told_at=NOW,
            missing=(
                MissingLine(name="户口簿", fault="缺少", demand="请提交原件，不少于 2 页。"),
                MissingLine(name="其他", fault="电话13812345678停机", demand="请按要求补正。"),
            ),
        ),
        Refusal(**_APPLICANT, decided_at=NOW, reasons=("不属于本机关职权范围。",), court="椒江区人民法院"),
        DeliveryProof(
            **_APPLICANT,
            documents=("资质证书（正本）", "资质证书（副本）"),
            method="邮寄",
            delivered_at=NOW,
            recipient="本人",
            carrier="中国邮政速递物流 EMS",
            waybill="1012345678901",
            address=_ADDRESS,
            traces=(Trace(at=NOW - timedelta(days=1), words="派件中，揽投员电话13812345678"),),
            rating_link=f"https://tongban.zhuji.gov.cn/rate/{write(Purpose.RATING, 'A2' * 8, RING).text}",
        ),
        PackingList(
            issuer="诸暨市行政服务中心通办专窗",
            parcel_number="JJ202603-00042",
            leg="申请材料寄出",
            sender="诸暨市行政服务中心通办专窗",
            sender_contact="王小明",
            receiver="台州市住房和城乡建设局",
            packed_at=NOW,
            contents=(
                PackedLine(
                    case_number="TB330681202603110007", applicant_name="欧阳建国", name="申请表", copies=2
                ),
                PackedLine(case_number="TB330681202603110008", applicant_name="张三", name="职称证书"),
            ),
        ),
        settlement(lines=3),
        Dispute(
            issuer="台州市行政服务中心",
            centre="台州市行政服务中心",
            carrier="中国邮政速递物流股份有限公司台州市分公司",
            month="2026-02",
            statement_lines=171,
            statement_amount=311450,
            statement_sha256="0f" * 32,
            lines=(
                DisputedLine(
                    row=7,
                    waybill="1012345678901",
                    difference="计费重量超出",
                    ours="320 克",
                    theirs="1500 克，联系13812345678",
                    stake=200,
                    claimed=200,
                    reason="与称重不符",
                ),
                DisputedLine(
                    row=0,
                    difference="合计与明细不符",
                    ours="10.00",
                    theirs="11.00",
                    stake=100,
                    claimed=100,
                    reason="请更正合计",
                ),
            ),
            total=300,
            answer_by=date(2026, 4, 1),
        ),
        Handbook(
            issuer="台州市行政服务中心",
            edition="2025年11月版",
            answers=(
                HandbookAnswer(
                    chapter="材料不同",
                    item="建筑业企业资质核准",
                    question="章程要原件还是复印件？",
                    answer="复印件加盖公章即可，联系13812345678。",
                ),
                HandbookAnswer(chapter="其他", question="周末收件吗？", answer="不收。"),
            ),
            examples=(
                HandbookExample(
                    title="一次收件，两地同办",
                    item="建筑业企业资质核准",
                    place="诸暨市行政服务中心通办专窗",
                    situation="企业在外地迁址。",
                    solution="窗口代办。",
                    effect="少跑一趟。",
                ),
            ),
        ),
        Handover(
            issuer="诸暨市行政服务中心通办专窗",
            list_number="H202603110001",
            sender="诸暨市行政服务中心通办专窗",
            carrier="中国邮政速递物流 EMS",
            collector="欧阳建国",
            signed_at=NOW,
            signature="M100 200L400 120L800 300M500 90L520 310",
            lines=(
                HandedLine(parcel_number="P2026031100001", waybill="1012345678901", originals=2, weight=320),
                HandedLine(parcel_number="P2026031100002", waybill="1012345678902", originals=1, weight=95),
            ),
        ),
    ]
    return {
        slip.kind: slip.model_copy(
            update={
                "number": number_of(slip.kind, 12, NOW),
                "code": mint(Purpose.SLIP, RING, entropy=lambda count: bytes(range(count))).text,
            }
        )
        for slip in slips
    }


def settlement(*, lines: int) -> Settlement:
    """A month of one centre and one carrier."""
    return Settlement(
        issuer="台州市行政服务中心",
        centre="台州市行政服务中心",
        carrier="中国邮政速递物流股份有限公司台州市分公司",
        account_tail="3456",
        month="2026-02",
        offices=(
            OfficeAmount(
                office="台州市住房和城乡建设局", parcels=131, billed=231450, disputed=1200, payable=230250
            ),
            OfficeAmount(office="台州市公安局", parcels=40, billed=80000, corrections=-1550, payable=78450),
        ),
        legs=(
            LegAmount(leg="申请材料寄出", parcels=100, payable=200000),
            LegAmount(leg="审批结果寄出", parcels=71, payable=108700),
        ),
        lines=tuple(
            BilledLine(
                day=date(2026, 2, 1 + index % 28),
                waybill=str(1012345678901 + index),
                office="台州市住房和城乡建设局",
                leg="申请材料寄出",
                weight=350 + index,
                amount=1200 + index,
            )
            for index in range(lines)
        ),
        total=308700,
        prepared_by="李会计",
    )
