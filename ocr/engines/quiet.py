"""Keeps the engines' libraries from calling out and from taking more than one thread; imported before them."""

from __future__ import annotations

import os
import sys


class ImportedTooEarly(RuntimeError):
    """OpenVINO was imported before its reports were turned off: import `ocr.engines.quiet` first."""


THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_THREAD_LIMIT")
"""Read by the numeric libraries and by Tesseract's process: one reader is one thread, more are processes."""


OPT_OUTS = ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED")
"""onnxruntime's switch under its newer and its older name, read once when the library starts.

Without it version 1.32 writes a device number and an upload queue under ~/.cache and sends events to its maker;
its `disable_telemetry_events` comes too late for the first ones.
"""


def silence_telemetry() -> None:
    """Turn off the usage reports of both libraries before either is imported."""
    for name in OPT_OUTS:
        os.environ[name] = "1"
    # OpenVINO reports its import through this package, and uses a stub of its own where it cannot be imported.
    if sys.modules.get("openvino_telemetry") is not None:
        raise ImportedTooEarly
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # how Python marks "not importable"


def limit_threads() -> None:
    """Let what reads its limit from the environment use one thread, unless an operator chose otherwise."""
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, "1")


silence_telemetry()
limit_threads()
