"""Making the sample files: print each paper, stamp it, capture it, write it as the device would."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, TiffImagePlugin

from config.demo.samples import wear
from config.demo.samples.seals import round_seal, stamp
from config.demo.samples.story import Story, tell
from config.demo.samples.typesetting import drawn, set_papers

_PAPERS = (
    "application",
    "changes",
    "identity_front",
    "identity_back",
    "licence",
    "household_home",
    "household_member",
    "certificate",
    "certificate_copy",
    "authorisation",
    "contract",
)
_DPI = 300
_PHONE_PIXELS = (3264, 2448)
_MILLIMETRES = 25.4


@dataclass(frozen=True)
class Sample:
    """One sample file.

    `material` is the name of the checklist row of 建筑业企业资质证书变更 it belongs to; `fields` what a
    reader must find on it: name, id_number, uscc, phone, certificate, company.
    """

    path: Path
    what: str
    material: str
    pages: int
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Desk:
    """What every maker needs: where to, the story, the printed papers and this seed's dice."""

    out: Path
    story: Story
    papers: dict[str, Image.Image]
    dice: np.random.Generator

    def fields(self, *names: str) -> dict[str, str]:
        return {name: self.story.words[name] for name in names}

    def press(self, paper: str, name: str, at: tuple[float, float], **looks: str) -> None:
        """Stamp a seal (42 mm) with its centre at `at` millimetres from the paper's top left corner."""
        page = self.papers[paper]
        dots = page.height / (297 if page.height > page.width else 210)
        plate = round_seal(name, diameter=round(42 * dots), **looks)
        stamp(page, plate, (round(at[0] * dots), round(at[1] * dots)), self.dice)


def make_samples(out_dir: Path, seed: int = 1) -> list[Sample]:
    """Write the sample files of one invented case into `out_dir` (made if missing), in checklist order."""
    out_dir.mkdir(parents=True, exist_ok=True)
    story = tell(seed)
    words = story.words | {"instalments": _instalments()}
    desk = _Desk(out_dir, story, _printed(words), np.random.default_rng(seed))
    _stamp_everything(desk)
    return [make(desk) for make in _MAKERS]


def _printed(words: dict[str, str]) -> dict[str, Image.Image]:
    pages = drawn(set_papers(_PAPERS, words), _DPI)
    names = [*_PAPERS[:-1], "contract-1", "contract-2", "contract-3"]
    return dict(zip(names, pages, strict=True))


def _instalments() -> str:
    rows = []
    for number in range(1, 7):
        year, month = divmod(number - 1, 2)
        rows.append(
            f'<tr><td class="centre">{number}</td><td class="centre">{2026 + year}年{(1, 7)[month]}月10日前</td>'
            f'<td class="right">93000.00</td><td></td></tr>'
        )
    return "\n".join(rows)


def _stamp_everything(desk: _Desk) -> None:
    company = desk.story.company
    code = "3310" + str(desk.dice.integers(10**8, 10**9))
    desk.press("application", company, (154, 236), code=code)
    desk.press("changes", company, (150, 176), code=code)
    desk.press("licence", "台州市市场监督管理局", (233, 166))
    desk.press("household_home", "浙江省公安厅", (80, 106), middle="户口专用章")
    desk.press("household_home", "诸暨市公安局暨阳派出所", (146, 106), middle="户口专用章")
    desk.press("household_member", "诸暨市公安局暨阳派出所", (112, 140), middle="户口专用章")
    desk.press("certificate", "台州市住房和城乡建设局", (216, 172))
    desk.press("certificate_copy", "台州市住房和城乡建设局", (150, 212))
    desk.press("authorisation", company, (146, 200), code=code)
    desk.press("contract-3", "台州市汀禾物业管理有限公司", (128, 104))
    desk.press("contract-3", company, (132, 152), code=code)


def _application(desk: _Desk) -> Sample:
    path = desk.out / "01-application-form.jpg"
    page = wear.scanned(desk.papers["application"], desk.dice)
    page.save(path, "JPEG", quality=82, dpi=(_DPI, _DPI))
    return Sample(
        path,
        "申请表第 1 页，彩色扫描，企业红章压住签名",
        "申请表",
        1,
        desk.fields("name", "id_number", "uscc", "phone", "company", "certificate"),
    )


def _changes(desk: _Desk) -> Sample:
    path = desk.out / "02-application-changes-skewed.jpg"
    page = wear.scanned(desk.papers["changes"], desk.dice, skew=-2.3, noise=4.5)
    page.save(path, "JPEG", quality=72, dpi=(_DPI, _DPI))
    return Sample(
        path, "申请表第 2 页，放歪的扫描件，红章压字", "申请表", 1, desk.fields("name", "phone", "company")
    )


def _identity_front(desk: _Desk) -> Sample:
    path = desk.out / "03-identity-card-front.jpg"
    _scan_at(desk, "identity_front", 200, gray=True).save(path, "JPEG", quality=78, dpi=(200, 200))
    return Sample(path, "居民身份证复印件（人像面），灰度", "居民身份证", 1, desk.fields("name", "id_number"))


def _identity_back(desk: _Desk) -> Sample:
    path = desk.out / "04-identity-card-back.jpg"
    _scan_at(desk, "identity_back", 200).save(path, "JPEG", quality=80, dpi=(200, 200))
    return Sample(path, "居民身份证复印件（国徽面）", "居民身份证", 1, desk.fields("name"))


def _licence(desk: _Desk) -> Sample:
    path = desk.out / "05-business-licence-sideways.jpg"
    page = _scan_at(desk, "licence", 250).transpose(Image.Transpose.ROTATE_90)
    page.save(path, "JPEG", quality=84, dpi=(250, 250))
    return Sample(
        path, "营业执照副本，横放扫描（转了 90 度）", "营业执照", 1, desk.fields("uscc", "name", "company")
    )


def _household_home(desk: _Desk) -> Sample:
    path = desk.out / "06-household-register-home.png"
    page = _scan_at(desk, "household_home", 200)
    page.save(path, "PNG", dpi=(200, 200))
    return Sample(path, "户口簿首页，PNG 扫描件，两枚户口专用章", "户口簿", 1, desk.fields("name"))


def _household_member(desk: _Desk) -> Sample:
    path = desk.out / "07-household-register-member.jpg"
    _scan_at(desk, "household_member", 300, skew=0.9).save(path, "JPEG", quality=80, dpi=(300, 300))
    return Sample(path, "户口簿常住人口登记卡", "户口簿", 1, desk.fields("name", "id_number", "company"))


def _certificate(desk: _Desk) -> Sample:
    path = desk.out / "08-qualification-certificate-photo.heic"
    photo = wear.photographed(desk.papers["certificate"], desk.dice, size=_PHONE_PIXELS)
    picture = pillow_heif.from_pillow(photo)
    picture.info["exif"] = _phone_exif()
    picture.save(path, quality=70, enc_params={"preset": "superfast"})
    return Sample(
        path,
        "资质证书正本，手机照片（HEIC，带拍摄位置）",
        "资质证书",
        1,
        desk.fields("uscc", "company", "certificate"),
    )


def _certificate_copy(desk: _Desk) -> Sample:
    path = desk.out / "09-qualification-certificate-copy-seal.jpg"
    wear.scanned(desk.papers["certificate_copy"], desk.dice, skew=0.4).save(
        path, "JPEG", quality=76, dpi=(_DPI, _DPI)
    )
    return Sample(
        path,
        "资质证书副本，发证机关红章压住日期",
        "资质证书",
        1,
        desk.fields("uscc", "company", "certificate"),
    )


def _authorisation(desk: _Desk) -> Sample:
    path = desk.out / "10-authorisation-letter.jpg"
    wear.scanned(desk.papers["authorisation"], desk.dice, skew=-0.5, noise=3).save(
        path, "JPEG", quality=85, dpi=(_DPI, _DPI)
    )
    return Sample(
        path,
        "授权委托书，企业红章压住落款",
        "授权委托书",
        1,
        desk.fields("name", "id_number", "uscc", "agent", "agent_id", "agent_phone", "company"),
    )


def _statement(desk: _Desk) -> Sample:
    path = desk.out / "11-company-statement.pdf"
    pdf = set_papers(("statement",), desk.story.words)
    path.write_bytes(pdf)
    return Sample(
        path,
        "企业情况说明，办公软件导出的 PDF（文字，不是图像）",
        "企业情况说明",
        len(drawn(pdf, 20)),
        desk.fields("uscc", "company", "certificate", "name"),
    )


def _contract(desk: _Desk) -> Sample:
    path = desk.out / "12-lease-contract.tiff"
    pages = [
        wear.bilevel(desk.papers[f"contract-{number}"], desk.dice, skew=skew)
        for number, skew in ((1, 0.3), (2, -0.4), (3, 0.15))
    ]
    pages[0].save(
        path, "TIFF", compression="group4", dpi=(_DPI, _DPI), save_all=True, append_images=pages[1:]
    )
    return Sample(
        path,
        "房屋租赁合同，三页黑白 TIFF（传真压缩）",
        "其他佐证材料",
        len(pages),
        desk.fields("company", "uscc", "name"),
    )


def _scan_at(desk: _Desk, paper: str, dpi: int, *, skew: float = 0.0, gray: bool = False) -> Image.Image:
    """Scan a paper at a lower resolution than it was printed."""
    page = desk.papers[paper]
    size = (round(page.width * dpi / _DPI), round(page.height * dpi / _DPI))
    return wear.scanned(page.resize(size, Image.Resampling.LANCZOS), desk.dice, skew=skew, gray=gray)


def _phone_exif() -> bytes:
    """What a phone writes: its make, when, and where (a public square in Zhuji)."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Sample"
    exif[ExifTags.Base.Model] = "Phone 1"
    exif[ExifTags.Base.DateTime] = "2026:03:08 09:41:00"
    rational = TiffImagePlugin.IFDRational
    exif[ExifTags.IFD.GPSInfo] = {
        ExifTags.GPS.GPSLatitudeRef: "N",
        ExifTags.GPS.GPSLatitude: (rational(29), rational(42), rational(5190, 100)),
        ExifTags.GPS.GPSLongitudeRef: "E",
        ExifTags.GPS.GPSLongitude: (rational(120), rational(14), rational(3480, 100)),
    }
    return exif.tobytes()


_MAKERS: tuple[Callable[[_Desk], Sample], ...] = (
    _application,
    _changes,
    _identity_front,
    _identity_back,
    _licence,
    _household_home,
    _household_member,
    _certificate,
    _certificate_copy,
    _authorisation,
    _statement,
    _contract,
)
