"""Pages, plans and seals that the dossier tests share: drawn here, so that what stands on them is known."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from dossier.appearance import Appearance
from dossier.authority import LocalAuthority
from dossier.contents import Box, DossierPlan, Level, MaterialPlan, PagePlan, Point, RecordEntry, TextLine
from dossier.fonts import installed_typefaces
from dossier.seal_image import draw_seal
from dossier.sign import seal_pdf, system_clock
from dossier.signers import Pkcs12Seal, Seal
from dossier.trust import Trust, read_certificates

MADE = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
WINDOW = "诸暨市行政服务中心通办专窗"
OFFICE = "台州市住房和城乡建设局"
LINES = (
    "本人申请办理建筑业企业资质变更登记",
    "统一社会信用代码：91330681MA2XW00000",
    "（一）身份证明\\复印件（第2页）",
)
SIZE = (1240, 1754)


def draw_page(
    path: Path, *, lines: tuple[str, ...] = LINES, rotation: int = 0, mode: str = "RGB", dpi: int = 150
) -> PagePlan:
    """A page with text, stored so that it must be turned `rotation` degrees clockwise to stand upright."""
    upright = Image.new(mode, SIZE, 1 if mode == "1" else "white")
    pen = ImageDraw.Draw(upright)
    file = installed_typefaces().body
    font = ImageFont.truetype(str(file.path), 40, index=file.index)
    read: list[tuple[str, Box]] = []
    for index, line in enumerate(lines):
        x, y = 120, 160 + 90 * index
        pen.text((x, y), line, font=font, fill=0 if mode in ("1", "L") else "black")
        left, top, right, bottom = pen.textbbox((x, y), line, font=font)
        read.append((line, ((left, top), (right, top), (right, bottom), (left, bottom))))
    stored = upright.rotate(rotation, expand=True) if rotation else upright
    kind = {".jpg": "JPEG", ".png": "PNG", ".tif": "TIFF"}[path.suffix]
    extra = {"quality": 80} if kind == "JPEG" else {"compression": "group4"} if kind == "TIFF" else {}
    stored.save(path, kind, dpi=(dpi, dpi), **extra)
    return PagePlan(
        path=path,
        media_type=f"image/{kind.lower()}",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        width=stored.width,
        height=stored.height,
        dpi=dpi,
        rotation=rotation,
        captured_by="clerk",
        captured_at=MADE,
        lines=tuple(TextLine(text, _as_stored(box, rotation), 0.99) for text, box in read),
        reader="test",
        reader_version="1",
    )


def _as_stored(box: Box, rotation: int) -> Box:
    """A box of the upright page in the pixels of the stored one."""
    width, height = SIZE

    def turn(point: Point) -> Point:
        x, y = point
        return {0: (x, y), 90: (y, width - x), 180: (width - x, height - y), 270: (height - y, x)}[rotation]

    first, second, third, fourth = box
    return turn(first), turn(second), turn(third), turn(fourth)


def plan_of(*pages: PagePlan, case_number: str = "330681-2026-000001", **changes: Any) -> DossierPlan:
    values: dict[str, Any] = {
        "case_number": case_number,
        "version": 1,
        "item": "建筑业企业资质变更（企业名称、注册地址、法定代表人、技术负责人等事项的跨省通办）",
        "applicant": "诸暨市暨通建筑有限公司",
        "office": OFFICE,
        "window": WINDOW,
        "qr_text": "TB1-D-AB-ABCDEFGHIJKLMNOP-ABCDEFGHIJKLMNOPQRST",
        "made_at": MADE,
        "facts": (("办理模式", "收受分离"),),
        "materials": (MaterialPlan("资质变更申请表", pages),) if pages else (),
        "record": (RecordEntry(MADE, "clerk", "窗口核验材料后提交"),),
        "level": "B-LTA",
    }
    return DossierPlan(**(values | changes))


class SealOffice:
    """A local authority with a window's and an office's seal."""

    def __init__(self, folder: Path) -> None:
        now = system_clock()
        self.authority = LocalAuthority(folder, now=now)
        self.window = self.key("window", WINDOW)
        self.office = self.key("office", OFFICE)
        self.trust = Trust(
            roots=read_certificates(self.authority.roots_file),
            others=(self.authority.issuing_certificate,),
            revocation_lists=lambda moment: self.authority.revocation_lists(now=moment),
        )
        self.offline = Trust(roots=self.trust.roots)

    def key(self, code: str, holder: str) -> Pkcs12Seal:
        made = self.authority.seal(code, holder=holder, organisation="测试机构", now=system_clock())
        return Pkcs12Seal(made.path, made.passphrase)

    def seal(
        self,
        source: Path,
        target: Path,
        field: str,
        *,
        signer: Seal | None = None,
        level: Level = Level.ARCHIVED,
        **more: Any,
    ) -> Path:
        seal_pdf(
            source=source,
            target=target,
            signer=signer or self.window,
            timestamper=self.authority.timestamper(system_clock),
            level=level,
            field=field,
            appearance=more.pop("appearance", Appearance(draw_seal(WINDOW))),
            trust=self.trust,
            **more,
        )
        return target
