"""Keeps the engines' libraries from calling out or taking more threads than they were given; import it before them."""

from __future__ import annotations

import logging
import os
import sys

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_THREAD_LIMIT")
"""Read by the numeric libraries and by Tesseract's own process; one reader is one thread, more readers are processes."""


def silence_telemetry() -> None:
    """Make `import openvino_telemetry` fail, whereupon OpenVINO uses the stub it ships for that case.

    Importing OpenVINO otherwise writes a client number into the home directory and reports the import.
    """
    if (
        "openvino" in sys.modules
        and "openvino_telemetry" in sys.modules
        and sys.modules["openvino_telemetry"]
    ):
        raise RuntimeError("openvino was imported before its usage reports were turned off")
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # None is how Python marks "not importable"


def limit_threads() -> None:
    """Let every library that reads its limit from the environment use one thread, unless an operator chose otherwise."""
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, "1")


logging.getLogger("RapidOCR").setLevel(logging.WARNING)
silence_telemetry()
limit_threads()
