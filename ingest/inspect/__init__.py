"""File intake: every foreign file is opened in a limited child process and leaves it as plain pages.

Engines below this room's services: values and paths only, no Django.
"""

from ingest.inspect.coding import NotCoded, coded
from ingest.inspect.findings import FoundCode, Inspection, PageImage, PageSource, Sheet, TextLine, Verdict
from ingest.inspect.inspecting import inspect_file
from ingest.inspect.matching import Match, Place, SignedPage, match_page
from ingest.inspect.pool import Pool, shared_pool
from ingest.inspect.setting import NotSet, pdf_beside
from ingest.inspect.unpacking import NotUnpacked, Unpacked, unpack
from ingest.inspect.viewing import NotDrawn, view_of

__all__ = [
    "FoundCode",
    "Inspection",
    "Match",
    "NotCoded",
    "NotDrawn",
    "NotSet",
    "NotUnpacked",
    "PageImage",
    "PageSource",
    "Place",
    "Pool",
    "Sheet",
    "SignedPage",
    "TextLine",
    "Unpacked",
    "Verdict",
    "coded",
    "inspect_file",
    "match_page",
    "pdf_beside",
    "shared_pool",
    "unpack",
    "view_of",
]
