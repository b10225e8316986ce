"""The manifest against the pages that are really there."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pikepdf

from dossier.fingerprint import fingerprint

MANIFEST_NAME = "manifest.json"
SCHEMA = "tongban-dossier/1"
MANIFEST_LIMIT = 64 << 20


class ManifestReport:
    """`state` is a sentence; `problems` are why the file does not match its own manifest."""

    def __init__(self) -> None:
        self.present = False
        self.problems: list[str] = []
        self.case_number = ""
        self.level = ""
        self.pages = 0

    @property
    def state(self) -> str:
        if not self.present:
            return "没有卷宗清单"
        return "；".join(self.problems) if self.problems else f"清单与 {self.pages} 页内容逐页一致"


def compare(path: Path) -> ManifestReport:
    """Read the newest revision and compare every page and image with the manifest.

    Raises pikepdf.PdfError and whatever a hostile file provokes; one page's image is in memory at a time.
    """
    report = ManifestReport()
    with pikepdf.open(path) as pdf:
        if MANIFEST_NAME not in pdf.attachments:
            return report
        content = pdf.attachments[MANIFEST_NAME].get_file()
        if content.size > MANIFEST_LIMIT:
            report.problems.append("卷宗清单过大")
            return report
        manifest = json.loads(content.read_bytes())
        if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
            return report
        report.present = True
        report.case_number = str(manifest.get("case_number", ""))
        report.level = str(manifest.get("level", ""))
        _compare_pages(pdf, manifest, report)
        _compare_attachments(pdf, manifest, report)
        if pdf.get_warnings():
            report.problems.append("文件结构有损坏或被改写的迹象")
    return report


def _compare_pages(pdf: pikepdf.Pdf, manifest: dict[str, Any], report: ManifestReport) -> None:
    listed = manifest["pages"]
    report.pages = len(pdf.pages)
    if len(pdf.pages) != len(listed):
        report.problems.append(f"清单列有 {len(listed)} 页，文件实有 {len(pdf.pages)} 页")
        return
    for page, entry in zip(pdf.pages, listed, strict=True):
        problem = _page_problem(page, entry)
        if problem:
            report.problems.append(f"第 {entry['page']} 页{problem}")


def _page_problem(page: pikepdf.Page, entry: dict[str, Any]) -> str:
    contents = page.obj.get("/Contents")
    if not isinstance(contents, pikepdf.Stream):
        return "的内容被替换或叠加"
    if hashlib.sha256(contents.read_bytes()).hexdigest() != entry["content_sha256"]:
        return "的内容与清单不符"
    image = entry.get("image")
    if image is None:
        return ""
    pictures = page.obj.get("/Resources", pikepdf.Dictionary()).get("/XObject", pikepdf.Dictionary())
    scan = pictures.get("/Scan")
    if not isinstance(scan, pikepdf.Stream):
        return "的图像缺失"
    if image["encoding"] == "Form":
        drawn = fingerprint(scan.read_bytes(), scan.get("/Resources", pikepdf.Dictionary()))
        return "" if drawn == image["stream_sha256"] else "的内容或字体与清单不符，可能被替换"
    if hashlib.sha256(scan.read_raw_bytes()).hexdigest() != image["stream_sha256"]:
        return "的图像与清单不符，可能被替换"
    return ""


def _compare_attachments(pdf: pikepdf.Pdf, manifest: dict[str, Any], report: ManifestReport) -> None:
    listed = {item["name"]: item["sha256"] for item in manifest["originals"]}
    present = {name for name in pdf.attachments if name != MANIFEST_NAME}
    if present - set(listed):
        report.problems.append("文件夹带了清单之外的附件")
    for name, digest in listed.items():
        if name not in present:
            report.problems.append("清单所列的采集原件缺失")
        elif hashlib.sha256(pdf.attachments[name].get_file().read_bytes()).hexdigest() != digest:
            report.problems.append("采集原件与清单不符")
