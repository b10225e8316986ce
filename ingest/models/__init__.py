"""One application, its handlings, its materials page by page, and the paper they came from."""

from ingest.models.answers import ReviewAnswer
from ingest.models.arrivals import Arrival
from ingest.models.cases import NO_DEADLINE, ON_THE_DESK, Case, Handling, overdue
from ingest.models.delays import Delay
from ingest.models.enquiries import EnquiryBrake
from ingest.models.identity import IdentityCheck
from ingest.models.materials import Material, Original, OriginalStop, Page, SourceFile
from ingest.models.platforms import Notice, Subscription
from ingest.models.problems import Example, HandbookEdition, HandbookEntry, Problem, ProblemEntry
from ingest.models.results import ResultFile
from ingest.models.satisfaction import Rating, RatingAsk
from ingest.models.stacks import Stack, StackPage
from ingest.models.talk import Message, Retraction, Thread, ThreadSeen
from ingest.models.tallies import MonthTally, TallyMark

__all__ = [
    "NO_DEADLINE",
    "ON_THE_DESK",
    "Arrival",
    "Case",
    "Delay",
    "EnquiryBrake",
    "Example",
    "HandbookEdition",
    "HandbookEntry",
    "Handling",
    "IdentityCheck",
    "Material",
    "Message",
    "MonthTally",
    "Notice",
    "Original",
    "OriginalStop",
    "Page",
    "Problem",
    "ProblemEntry",
    "Rating",
    "RatingAsk",
    "ResultFile",
    "Retraction",
    "ReviewAnswer",
    "SourceFile",
    "Stack",
    "StackPage",
    "Subscription",
    "TallyMark",
    "Thread",
    "ThreadSeen",
    "overdue",
]
