"""The limited process that alone opens foreign files: one request a line in, pages and a verdict out."""

import json
import os
import resource
import signal
import traceback
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from ingest.inspect import limits
from ingest.inspect.beside import set_beside
from ingest.inspect.coded import write_coded
from ingest.inspect.kinds import HEAD_BYTES, TAIL_BYTES, MediaType, media_type_of, refuse_two_in_one
from ingest.inspect.pages import PageWriter
from ingest.inspect.pdf import take_pdf
from ingest.inspect.pictures import take_heic, take_jpeg, take_png, take_webp
from ingest.inspect.raw import write_raw
from ingest.inspect.tiff import take_tiff
from ingest.inspect.unacceptable import Unacceptable
from ingest.inspect.views import draw_view

_BESIDE_THE_WALL_CLOCK = 2  # the parent should be first to notice; the alarm works without a parent


def main() -> None:
    """Serve requests until the parent closes the pipe."""
    requests, answers = _take_over_pipes()
    limit_this_process()
    for line in requests:
        request = json.loads(line)
        _renew_allowance(request.get("seconds", limits.STEP_SECONDS))
        spent = _answer(request, answers)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if spent:
            return


def limit_this_process() -> None:
    """Memory, file size, core dumps and open files are limited for good; CPU time is renewed by page."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.CHILD_MEMORY_BYTES, limits.CHILD_MEMORY_BYTES))
    size = limits.MAX_FILE_BYTES + 64 * limits.MIB
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing too much becomes an OSError
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)


def _take_over_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the two pipes for ourselves: what a C library prints must not mix with the answers."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    return requests, answers


def _renew_allowance(seconds: float = limits.STEP_SECONDS) -> None:
    """Another page may cost as much as the first; the kernel kills whoever takes more CPU time, or `seconds` of any."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime) + 1 + limits.CHILD_CPU_SECONDS
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, hard))
    signal.setitimer(signal.ITIMER_REAL, seconds + _BESIDE_THE_WALL_CLOCK)


def _answer(request: dict[str, Any], answers: BinaryIO) -> bool:
    """Serve one request; True when this process should not be given another."""
    _say(answers, {"begun": True})
    refused: dict[str, Any] = {"figures": {}, "media_type": ""}
    try:
        verdict = _told(request, answers, refused)
    except Unacceptable as why:
        verdict = {**refused, "refused": why.code, "figures": why.figures}
    except MemoryError:
        verdict = {**refused, "refused": "too_heavy", "spent": True}
    except Exception as error:  # noqa: BLE001 - parsers raise anything on hostile bytes; told to the parent
        where = traceback.extract_tb(error.__traceback__)[-1]
        said = f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}"
        verdict = {**refused, "refused": "damaged", "unforeseen": said, "spent": True}
    _say(answers, verdict)
    return bool(verdict.get("spent", False))


def _told(request: dict[str, Any], answers: BinaryIO, refused: dict[str, Any]) -> dict[str, Any]:
    """The answer to each kind of question."""
    if "view" in request:
        return _view(request)
    if "unpack" in request:
        target = Path(request["folder"]) / limits.PIXELS
        return {"unpacked": write_raw(Path(request["path"]), target, side=request["unpack"])}
    if "code" in request:
        target = Path(request["folder"]) / limits.CODED
        return {"coded": write_coded(Path(request["path"]), target, step=_renew_allowance)}
    if "beside" in request:
        set_beside(Path(request["path"]), Path(request["beside"]), Path(request["folder"]) / limits.BESIDE)
        return {"set_beside": True}
    if "match" in request:
        return _match(request)
    return _inspect(request, answers, refused)


def _inspect(request: dict[str, Any], answers: BinaryIO, refused: dict[str, Any]) -> dict[str, Any]:
    """Pages of a foreign file, told one by one; `refused` learns the type as soon as it is known."""

    def announce(page: dict[str, Any]) -> None:
        _say(answers, {"page": page})
        _renew_allowance()

    pages = PageWriter(
        Path(request["folder"]),
        announce,
        most=request["most_pages"],
        read_codes=_read_codes if request["codes"] else None,
        separators=request["separators"],
        judged=request["judged"],
    )
    path = Path(request["path"])
    media_type, head, tail = _first_look(path)
    refused["media_type"] = media_type
    _check_file_size(path, media_type)
    refuse_two_in_one(media_type, head, tail)
    _take(media_type, path, pages, request["password"])
    return {
        "done": "repaired" if pages.repaired else "accepted",
        "media_type": media_type,
        "removed": pages.removed,
        "notes": pages.notes,
        "spent": request["codes"],  # the code reader's libraries stay loaded and take room from larger files
    }


def _view(request: dict[str, Any]) -> dict[str, Any]:
    """A kept page, drawn for the screen."""
    view = request["view"]
    draw_view(
        Path(request["path"]),
        Path(request["folder"]) / limits.VIEW,
        rotation=view["rotation"],
        size=tuple(view["size"]),
        part=tuple(view["part"]) if view["part"] else None,
    )
    return {"drawn": True}


def _match(request: dict[str, Any]) -> dict[str, Any]:
    """A rescanned page held against signed ones. Loaded on demand, as the code reader is."""
    registering = import_module("ingest.inspect.registering")
    pages = [
        registering.Signed(Path(page["path"]), page["alike"], page["otherwise"]) for page in request["match"]
    ]
    return {"registered": registering.register(Path(request["path"]), pages), "spent": True}


def _read_codes(path: Path) -> list[dict[str, Any]]:
    """Every code on a finished page. Loaded on demand: it takes 170 MB of addresses that inspection needs."""
    reader = import_module("ingest.codes")
    with Image.open(path) as picture:
        codes = reader.read_codes(picture, expect=[reader.QR])
    return [asdict(code) for code in codes[: limits.MOST_CODES] if 0 < len(code.text) <= limits.LONGEST_CODE]


def _take(media_type: MediaType, path: Path, pages: PageWriter, password: str | None) -> None:
    """One parser for each type."""
    if media_type == "application/pdf":
        take_pdf(path, pages, password=password)
    elif media_type == "image/tiff":
        take_tiff(path, pages)
    elif media_type == "image/jpeg":
        take_jpeg(path, pages)
    elif media_type == "image/png":
        take_png(path, pages)
    elif media_type == "image/webp":
        take_webp(path, pages)
    else:
        take_heic(path, pages)


def _first_look(path: Path) -> tuple[MediaType, bytes, bytes]:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return media_type_of(head), head, file.read()


def _check_file_size(path: Path, media_type: MediaType) -> None:
    many = media_type in ("application/pdf", "image/tiff")
    limit = limits.MAX_FILE_BYTES if many else limits.MAX_IMAGE_FILE_BYTES
    size = path.stat().st_size
    if size > limit:
        raise Unacceptable("file_too_large", megabytes=-(-size // limits.MIB), limit=limit // limits.MIB)


def _say(answers: BinaryIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message, ensure_ascii=True).encode() + b"\n")


if __name__ == "__main__":
    main()
