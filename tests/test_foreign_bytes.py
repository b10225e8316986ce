"""Files of strangers are opened in limited children alone: who may open anything at all is a short list."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.shared import ROOT

ROOMS = ("config", "dossier", "ingest", "logistics", "ocr", "registry", "storage", "workers")
OPENERS = {
    *("Image.open", "ImageFile.Parser", "JpegImagePlugin.JpegImageFile", "ImageCms.profileToProfile"),
    *("pillow_heif.open_heif", "pillow_heif.register_heif_opener", "cv2.imread", "cv2.imdecode"),
    *("pikepdf.open", "pikepdf.Pdf.open", "Pdf.open", "PdfDocument", "pypdfium2.PdfDocument"),
    *("PdfFileReader", "FrugalReader", "IncrementalPdfFileWriter", "PdfReader"),
    *("zipfile.ZipFile", "ZipFile", "tarfile.open", "etree.iterparse", "etree.parse", "ElementTree.parse"),
}
IN_THE_CHILD = {
    f"ingest/inspect/{name}.py"
    for name in (
        "archival",
        "beside",
        "child",
        "coded",
        "jpeg",
        "pdf",
        "pdf_drawing",
        "pictures",
        "pixels",
        "quality",
        "raw",
        "registering",
        "tiff",
        "views",
    )
}
OUR_OWN_MAKING = {
    "dossier/assemble/slips.py": "slips that were printed here, and PDFs that a child has just written anew",
    "dossier/bundle/archive.py": "writes an archive",
    "dossier/bundle/evidence.py": "an archived dossier, compared with its record when it was fetched",
    "dossier/clean.py": "a paper that was made here and is about to be sealed",
    "dossier/excerpt.py": "an archived dossier",
    "dossier/services/leafing.py": "an archived dossier",
    "dossier/sign.py": "a dossier or paper that was made here",
    "dossier/stamp.py": "an archived dossier",
    "registry/paper/compact.py": "what was just typeset here",
}
WITH_LIMITS_OF_THEIR_OWN = {
    "dossier/verify/frugal.py": "strangers' files in the limited process of dossier.verify.child; here only our own",
    "dossier/verify/pages.py": "as above",
    "dossier/verify/seals.py": "as above",
    "registry/sheets/workbooks.py": "tables, not papers: entries are counted by what they declare, before any is unpacked",
    "registry/sheets/xlsx.py": "as above",
    "registry/sheets/xlsx_parts.py": "as above",
}
PLAY = ROOT / "config" / "demo"
"""Makes papers and looks at what became of them; not part of what serves."""

PROCESSES = """
import importlib, pkgutil, sys
import django
django.setup()
import config.celery, config.urls, dossier.gathering, ocr.warming, workers.running
for app in ("config", "dossier", "ingest", "logistics", "ocr", "registry", "storage", "workers"):
    package = importlib.import_module(app)
    for found in pkgutil.walk_packages(package.__path__, app + "."):
        if ".management.commands." in found.name and ".demo" not in found.name:
            importlib.import_module(found.name)
print(*sys.modules)
"""


def names_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute | ast.Name):
            yield ast.unparse(node)


def opening() -> set[str]:
    """The modules that name anything which opens a file of a foreign format."""
    return {
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if not path.is_relative_to(PLAY) and OPENERS.intersection(names_in(path))
    }


def test_nobody_opens_files_but_the_child_and_who_made_them() -> None:
    assert opening() == IN_THE_CHILD | set(OUR_OWN_MAKING) | set(WITH_LIMITS_OF_THEIR_OWN)


def test_what_opens_strangers_files_is_loaded_by_no_process_of_ours() -> None:
    """The web, the workers, the readers of a command: none so much as imports what the child is made of."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    said = subprocess.run(
        [sys.executable, "-c", PROCESSES],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    loaded = {f"{name.replace('.', '/')}.py" for name in said.split()}
    assert "ingest/inspect/asking.py" in loaded
    assert loaded & IN_THE_CHILD == set()
    assert "ingest.codes" not in said.split()
