"""RapidOCR's own ways: what it computes with, and that it never calls out."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from threading import Event, Thread, get_native_id

import pytest

from ocr.engines.quiet import OPT_OUTS
from ocr.engines.rapidocr import DETECTION_MODEL, RECOGNITION_MODEL, RapidOcr, models_folder
from ocr.engines.sessions import best_backend
from ocr.reading import read_page
from tests.ocr.paper import LETTER, Paper
from tests.shared import ROOT


@pytest.mark.parametrize(
    ("flags", "backend"),
    [
        ("fpu avx2 avx512f avx512_bf16", "openvino"),
        ("fpu amx_bf16 amx_tile", "openvino"),
        ("fpu avx2 avx512f avx512_vnni", "onnxruntime"),
    ],
)
def test_the_processor_chooses(tmp_path: Path, flags: str, backend: str) -> None:
    description = tmp_path / "cpuinfo"
    description.write_text(f"processor : 0\nflags\t\t: {flags}\n")

    assert best_backend(description) == backend


def test_an_unknown_processor_gets_the_portable_one(tmp_path: Path) -> None:
    assert best_backend(tmp_path / "absent") == "onnxruntime"


def test_models_lie_in_the_installed_package() -> None:
    assert (models_folder() / DETECTION_MODEL).stat().st_size > 9_000_000
    assert (models_folder() / RECOGNITION_MODEL).stat().st_size > 20_000_000


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_both_backends_read_the_same_and_say_which_they_are(backend: str) -> None:
    engine = RapidOcr("openvino" if backend == "openvino" else "onnxruntime")

    assert engine.precision.startswith(backend)
    assert read_page(Paper().letter().pixels(), engine).text.replace(",", "，").split("\n") == list(LETTER)


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_a_reader_is_not_bound_to_a_core(backend: str) -> None:
    """Bound readers all choose the same core: two of them would be as slow as one, whatever the machine has."""
    engine = RapidOcr("openvino" if backend == "openvino" else "onnxruntime")
    page, reader, free = Paper().letter().pixels(), get_native_id(), os.sched_getaffinity(0)
    seen: list[set[int]] = []
    done = Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(os.sched_getaffinity(reader))
            done.wait(0.001)

    watcher = Thread(target=watch)
    watcher.start()
    try:
        read_page(page, engine)
    finally:
        done.set()
        watcher.join()

    assert seen
    assert all(cores == free for cores in seen)


def test_another_backend_is_another_digest(rapid: RapidOcr) -> None:
    other = RapidOcr("onnxruntime" if rapid.backend == "openvino" else "openvino")

    assert other.settings_digest != rapid.settings_digest


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_a_start_in_a_fresh_home_calls_nobody_and_leaves_nothing(tmp_path: Path, backend: str) -> None:
    """Nothing is connected, sent or looked up and no usage report prepared, from the first import to the first text."""
    page = Paper().letter().save(tmp_path / "page.png")
    home = tmp_path / "home"
    home.mkdir()
    script = """
        import json, sys
        calls, out = [], ("socket.connect", "socket.send", "socket.get", "subprocess.", "os.posix_spawn")
        ours = "ingest.inspect.child"  # the limited process that unpacks the page
        sys.addaudithook(lambda event, args: calls.append(event) if event.startswith(out) and ours not in str(args) else None)
        from pathlib import Path
        from ocr.engines.choice import make_engine
        from ocr.reading import read_page
        engine = make_engine("rapidocr", sys.argv[2])
        text = read_page(Path(sys.argv[1]), engine).text
        reporters = [name for name in sys.modules if name.startswith("openvino_telemetry") and sys.modules[name]]
        print(json.dumps({"calls": calls, "reporters": reporters, "lines": text.count(chr(10)) + 1}))
    """
    # What would silence the libraries by itself is taken away: the product has to do it.
    environment = {key: value for key, value in os.environ.items() if key not in {"CI", *OPT_OUTS}}
    answer = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(page), backend],
        cwd=ROOT,
        env=environment | {"HOME": str(home)},
        check=True,
        capture_output=True,
        text=True,
    )

    assert json.loads(answer.stdout) == {"calls": [], "reporters": [], "lines": len(LETTER)}
    assert not [path for path in home.rglob("*") if path.is_file()]
