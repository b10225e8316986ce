"""The door of uploaded files: on disk, no larger than said, and, where nobody else asks, checked for viruses."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile

from ingest.examining import check_clean
from ingest.piecewise import check_size
from storage.errors import Refused
from storage.scratch import scratch


@contextmanager
def paper_on_disk(file: UploadedFile[bytes]) -> Iterator[Path]:
    """A scan or photo. What takes it in (`ingest.examining.examine`) asks about viruses once it knows what it is."""
    check_size(file.size or 0)
    with _on_disk(file) as path:
        yield path


@contextmanager
def table_on_disk(file: UploadedFile[bytes], *, most_bytes: int, too_large: Refused) -> Iterator[Path]:
    """A workbook or text file: a statement, a contract, a list. Raises `too_large`, or what `check_clean` raises."""
    if (file.size or 0) > most_bytes:
        raise too_large
    with _on_disk(file) as path:
        check_clean(path)
        yield path


@contextmanager
def passing_on_disk(file: UploadedFile[bytes]) -> Iterator[Path]:
    """A file that is looked at in a limited child and kept nowhere: there is nothing to protect from it."""
    with _on_disk(file) as path:
        yield path


@contextmanager
def _on_disk(file: UploadedFile[bytes]) -> Iterator[Path]:
    """The file's path; small ones that Django kept in memory are written out first."""
    if isinstance(file, TemporaryUploadedFile):
        yield Path(file.temporary_file_path())
        return
    with scratch("upload") as folder:
        path = folder / "file"
        with path.open("wb") as copy:
            for block in file.chunks():
                copy.write(block)
        yield path
