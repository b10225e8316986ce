"""`check ours|pyhanko SEALED.pdf`: verification of every signature and timestamp of a file."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature, async_validate_pdf_timestamp

from bench.work.seals import trust
from dossier.sign import system_clock
from dossier.verify import Status, verify


def main(words: Sequence[str]) -> dict[str, object]:
    ways = {"ours": _by_us, "pyhanko": _by_pyhanko}
    begun = time.monotonic()
    ways[words[0]](Path(words[1]))
    return {"seconds": time.monotonic() - begun}


def _by_us(path: Path) -> None:
    verdict = verify(path, trust=trust(), moment=system_clock())
    if verdict.status is not Status.VALID:
        raise RuntimeError(f"we do not find it valid: {verdict.reasons}")


def _by_pyhanko(path: Path) -> None:
    with path.open("rb") as file:
        asyncio.run(_all_signatures(PdfFileReader(file)))


async def _all_signatures(reader: PdfFileReader) -> None:
    for signature in reader.embedded_signatures:
        context = trust().context(moment=system_clock())
        if signature.sig_object_type == "/DocTimeStamp":
            valid = (await async_validate_pdf_timestamp(signature, context)).intact
        else:
            valid = (await async_validate_pdf_signature(signature, context, context)).intact
        if not valid:
            raise RuntimeError("pyHanko does not find it intact")
