"""An object store and a signing authority of the simulation's own, made for one run in a temporary folder and gone after it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.test import override_settings

from config.embedded import load_or_make
from config.services.embedded import private_seaweed, running
from storage.services import prepare_buckets


@contextmanager
def throw_away_store() -> Iterator[None]:
    """What is stored and sealed meanwhile is so there, and read by the quicker engine. Raises ServiceFailed when it does not start."""
    with tempfile.TemporaryDirectory(prefix="tongban-simulation-") as folder:
        embedded = load_or_make(Path(folder))
        with (
            running([private_seaweed(Path(folder), embedded)]),
            override_settings(
                S3_ENDPOINT=f"http://127.0.0.1:{embedded.s3_port}",
                S3_ACCESS_KEY=embedded.s3_access_key,
                S3_SECRET_KEY=embedded.s3_secret_key,
                S3_ADDRESSING="path",
                AUTHORITY_DIR=Path(folder) / "authority",
                TRUST_ROOTS="",
                TSA_URL="",
                CLAMAV="",
                OCR_ENGINE="tesseract",
                S3_LOCK_MODE="OFF",  # retention is counted by the store's clock, which is not the simulation's
            ),
        ):
            prepare_buckets()
            yield
