"""The blind index over what stands on pages: an inverted index of PostgreSQL, or FTS5 on SQLite, over keyed digests."""

from collections.abc import Sequence

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from ingest.models import Page
from ocr.grams import digests
from ocr.standing import Standing

CREATE = {
    "postgresql": (
        "CREATE TABLE ocr_grams (page_id bigint PRIMARY KEY, grams integer[] NOT NULL)",
        "CREATE INDEX ocr_grams_inverted ON ocr_grams USING gin (grams)",
    ),
    "sqlite": ("CREATE VIRTUAL TABLE ocr_grams USING fts5(grams, tokenize = 'ascii')",),
}
DROP = "DROP TABLE ocr_grams"


def put(page: Page, standing: Standing) -> None:
    """Let the page be found by what stands on it now. Call inside the transaction of the change."""
    grams = digests((line.text for line in standing.printed), settings.INDEX_KEY)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "INSERT INTO ocr_grams (page_id, grams) VALUES (%s, %s)"
                " ON CONFLICT (page_id) DO UPDATE SET grams = excluded.grams",
                [page.pk, grams],
            )
        else:
            cursor.execute("DELETE FROM ocr_grams WHERE rowid = %s", [page.pk])
            cursor.execute("INSERT INTO ocr_grams (rowid, grams) VALUES (%s, %s)", [page.pk, _words(grams)])


def narrowed(pages: QuerySet[Page], parts: Sequence[str]) -> QuerySet[Page]:
    """The pages on which every part may stand; none where the parts hold nothing that can be asked for."""
    grams = digests(parts, settings.INDEX_KEY)
    if not grams:
        return pages.none()
    if connection.vendor == "postgresql":
        found = RawSQL("SELECT page_id FROM ocr_grams WHERE grams @> %s::integer[]", [grams])
    else:
        found = RawSQL("SELECT rowid FROM ocr_grams WHERE ocr_grams MATCH %s", [_words(grams)])
    return pages.filter(pk__in=found)


def _words(grams: Sequence[int]) -> str:
    """Digests as words of FTS5: letters and digits only, so that none is taken for an operator."""
    return " ".join(f"g{gram & 0xFFFFFFFF:08x}" for gram in grams)
