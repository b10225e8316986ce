"""File intake: every foreign file is opened in a limited child process and leaves it as plain pages.

Engines below this room's services: values and paths only, no Django.
"""

from ingest.inspect.findings import FoundCode, Inspection, PageImage, PageSource, Sheet, TextLine, Verdict
from ingest.inspect.inspecting import inspect_file
from ingest.inspect.pool import Pool, shared_pool
from ingest.inspect.viewing import NotDrawn, view_of

__all__ = [
    "FoundCode",
    "Inspection",
    "NotDrawn",
    "PageImage",
    "PageSource",
    "Pool",
    "Sheet",
    "TextLine",
    "Verdict",
    "inspect_file",
    "shared_pool",
    "view_of",
]
