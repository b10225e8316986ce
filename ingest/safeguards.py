"""Which ingest rows the database itself keeps as they were written (see `storage.append_only`)."""

from storage.append_only import Guards

TALK_GUARDS: Guards = {"ingest_message": ("", ()), "ingest_retraction": ("", ())}
"""A message is never edited: it is taken back by a row of its own."""
PROBLEM_GUARDS: Guards = {"ingest_problementry": ("", ()), "ingest_rating": ("", ())}
"""What was asked, answered and graded stays as it was written."""
RESULT_GUARDS: Guards = {
    "ingest_resultfile": ("", ("id", "handling_id", "name", "stored_id", "attached_by", "attached_at"))
}
"""What an office issued stays what it was; that it was taken back or fetched is written beside it."""
