"""Labels that the tests print."""

import numpy as np

from logistics.labels import Label, Party
from registry.tokens import Keyring, Purpose, mint

RING = Keyring.of(["secret of the label tests"])

SECRETS = (
    "欧阳建国",
    "建国",
    "13812345678",
    "1288号",
    "2单元",
    "1501室",
    "王小明",
    "小明",
    "13987654321",
    "33100000123456",
)
"""What no label may show: names, phones, doors and the whole account."""


def to_office(seed: int = 0, **changes: object) -> Label:
    """Materials from a window to an office, freight collect."""
    dice = np.random.default_rng(seed)
    values: dict[str, object] = {
        "carrier": "中国邮政速递物流 EMS",
        "waybill": "10" + "".join(map(str, dice.integers(0, 10, 11))),
        "code": mint(Purpose.PARCEL, RING, entropy=dice.bytes).text,
        "payment_term": "到付",
        "payer": "台州市行政服务中心",
        "account": "33100000123456",
        "sender": Party.organisation(
            name="诸暨市行政服务中心通办专窗",
            contact="王小明",
            phone="13987654321",
            address="浙江省绍兴市诸暨市暨阳街道东旺路88号行政服务中心一楼A区12号窗口",
        ),
        "receiver": Party.organisation(
            name="台州市住房和城乡建设局行政审批处",
            contact="王小明",
            phone="0576-88519876",
            address="浙江省台州市椒江区白云山南路233号台州市行政服务中心三楼",
        ),
        "leg": "申请材料寄出",
        "parcel_number": "JJ202611-00042",
        "cases": 2,
        "items": 9,
        "weight": 850,
        "routing": "台州 A3-椒江 021",
    }
    return Label(**{**values, **changes})  # type: ignore[arg-type]


def to_applicant(seed: int = 0) -> Label:
    """A result from an office to a person, paid by the sender's monthly account."""
    dice = np.random.default_rng(seed)
    return to_office(
        seed,
        carrier="顺丰速运",
        waybill="SF" + "".join(map(str, dice.integers(0, 10, 13))),
        payment_term="寄付月结",
        receiver=Party.person(
            name="欧阳建国",
            phone="13812345678",
            address="福建省莆田市荔城区镇海街道文献东路1288号世纪花园3号楼2单元1501室",
        ),
        leg="审批结果寄出",
        routing="594-LC-08",
        weight=None,
    )
