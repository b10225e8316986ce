"""The text of a dossier in pdf.js, which is what Firefox and most reading rooms in a browser show PDFs with."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route

from dossier.assemble import assemble
from tests.dossier.paper import LINES, draw_page, plan_of
from tests.dossier.test_assemble import FIRST_SCAN

LIBRARY = Path("/usr/share/javascript/pdf/build")
SITE = "http://pdfjs.localhost/"
READ = """
async () => {
  const { getDocument, GlobalWorkerOptions } = globalThis.pdfjsLib;
  GlobalWorkerOptions.workerSrc = '/pdf.worker.js';
  const pdf = await getDocument({ url: '/dossier.pdf', isEvalSupported: false }).promise;
  const titles = (items) => items.flatMap((item) => [item.title, ...titles(item.items)]);
  const pages = [];
  for (let number = 1; number <= pdf.numPages; number++) {
    const content = await (await pdf.getPage(number)).getTextContent();
    pages.push(content.items.map((item) => item.str + (item.hasEOL ? '\\n' : '')).join(''));
  }
  return { pages, labels: await pdf.getPageLabels(), outline: titles(await pdf.getOutline()),
           title: (await pdf.getMetadata()).metadata.get('dc:title') };
}
"""


@pytest.fixture
def in_pdfjs(browser: Browser) -> Any:
    if not (LIBRARY / "pdf.js").exists():
        pytest.skip("pdf.js is not installed (Debian: libjs-pdf)")

    def read(path: Path) -> dict[str, Any]:
        page = browser.new_page()

        def answer(route: Route) -> None:
            name = route.request.url.removeprefix(SITE)
            if not name:
                route.fulfill(body="<!doctype html><script src=/pdf.js></script>", content_type="text/html")
            elif name == "dossier.pdf":
                route.fulfill(path=path, content_type="application/pdf")
            else:
                route.fulfill(path=LIBRARY / name, content_type="text/javascript")

        page.route(SITE + "**", answer)
        page.goto(SITE)
        found: dict[str, Any] = page.evaluate(READ)
        page.close()
        return found

    return read


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_every_line_is_copied_and_found_as_it_was_read(in_pdfjs: Any, tmp_path: Path, rotation: int) -> None:
    rare = tuple("".join(chr(0x4E00 + 37 * (25 * row + place)) for place in range(25)) for row in range(8))
    texts = (*LINES, *rare)
    page = draw_page(tmp_path / "a.jpg", lines=texts, rotation=rotation)
    found = in_pdfjs(assemble(plan_of(page), tmp_path / "out.pdf").path)
    read = [line for line in found["pages"][FIRST_SCAN - 1].split("\n") if line]
    assert read == list(texts)


def test_the_pages_around_the_scans_read_cleanly_too(in_pdfjs: Any, tmp_path: Path) -> None:
    plan = plan_of(draw_page(tmp_path / "a.jpg"))
    found = in_pdfjs(assemble(plan, tmp_path / "out.pdf").path)
    cover = re.sub(r"\s", "", found["pages"][0])
    for words in (plan.item, plan.applicant, plan.office, plan.case_number):
        assert words in cover
    assert plan.materials[0].name in "".join(found["outline"])
    assert len(found["labels"]) == len(found["pages"])
    assert plan.case_number in found["title"]
