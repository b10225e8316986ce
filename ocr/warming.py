"""Makes a process ready to read before it is asked to: its engine loaded and tried, its limited child started."""

from __future__ import annotations

import logging
import threading
import time

import cv2
import numpy as np

from ingest.inspect import shared_pool
from ocr.engines.process import engine_of_process
from ocr.reading import read_page
from ocr.red import Pixels

log = logging.getLogger("tongban.reading")

A4_AT_150_DPI = 1754, 1240


def begin_warming(engine: str, backend: str) -> threading.Thread:
    """Warm this process up in a thread of its own, so that its start does not wait for that.

    A page that comes meanwhile waits for the engine that is being loaded. What goes wrong is logged as an error; the
    process goes on with all its other work, and pages that need the engine say the same again.
    """
    thread = threading.Thread(target=_warm, args=(engine, backend), name="warming", daemon=True)
    thread.start()
    return thread


def _warm(engine: str, backend: str) -> None:
    begun = time.monotonic()
    try:
        with shared_pool().child():
            pass  # it starts on its own while the engine is being loaded here
        read_page(_some_print(), engine_of_process(engine, backend))
    except Exception:
        log.exception("the reader %s cannot be loaded: pages will not be read by this process", engine)
    else:
        log.info("the reader %s is ready after %.1f s", engine, time.monotonic() - begun)


def _some_print() -> Pixels:
    """A page with a line to read: networks are laid out when they meet their first picture of a size."""
    page = np.full(A4_AT_150_DPI, 255, np.uint8)
    cv2.putText(page, "1234567890", (120, 200), cv2.FONT_HERSHEY_SIMPLEX, 2.0, 0, 4)
    return page
