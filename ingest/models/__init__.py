"""One application, its handlings, its materials page by page, and the paper they came from."""

from ingest.models.answers import ReviewAnswer
from ingest.models.cases import NO_DEADLINE, ON_THE_DESK, Case, Handling
from ingest.models.enquiries import EnquiryBrake
from ingest.models.identity import IdentityCheck
from ingest.models.materials import Material, Original, OriginalStop, Page, SourceFile
from ingest.models.stacks import Stack, StackPage

__all__ = [
    "NO_DEADLINE",
    "ON_THE_DESK",
    "Case",
    "EnquiryBrake",
    "Handling",
    "IdentityCheck",
    "Material",
    "Original",
    "OriginalStop",
    "Page",
    "ReviewAnswer",
    "SourceFile",
    "Stack",
    "StackPage",
]
