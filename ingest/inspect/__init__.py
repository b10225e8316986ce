"""File intake: every foreign file is opened in a limited child process and leaves it as plain pages.

Engines below this room's services: values and paths only, no Django.
"""

from ingest.inspect.findings import Inspection, PageImage, PageSource, TextLine, Verdict
from ingest.inspect.inspecting import inspect_file
from ingest.inspect.pool import Pool, shared_pool

__all__ = [
    "Inspection",
    "PageImage",
    "PageSource",
    "Pool",
    "TextLine",
    "Verdict",
    "inspect_file",
    "shared_pool",
]
