"""Which ingest rows the database itself keeps as they were written (see `storage.append_only`)."""

from storage.append_only import Guards

TALK_GUARDS: Guards = {"ingest_message": ("", ()), "ingest_retraction": ("", ())}
"""A message is never edited: it is taken back by a row of its own."""
PROBLEM_GUARDS: Guards = {"ingest_problementry": ("", ()), "ingest_rating": ("", ())}
"""What was asked, answered and graded stays as it was written."""
