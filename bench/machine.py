"""What the figures were measured on: without it a reader cannot judge them."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("rapidocr", "openvino", "onnxruntime", "pyHanko", "pikepdf", "Django", "gunicorn", "openpyxl")
# What OpenVINO computes faster with, so two machines differ by more than their clocks.
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def describe() -> dict[str, object]:
    """Processor, memory, load when we began, and the versions of what does the work."""
    processor = _cpuinfo()
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": processor.get("model name", platform.machine()),
        "flags": [flag for flag in FLAGS if flag in processor.get("flags", "").split()],
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_at_start": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def in_words(machine: dict[str, object]) -> str:
    """One line for the head of the table."""
    return (
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gib']} GiB, "
        f"load at start {machine['load_at_start']}"
    )


def _cpuinfo() -> dict[str, str]:
    lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}
