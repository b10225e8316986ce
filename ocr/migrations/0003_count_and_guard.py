"""Readings that were there before: which one counts, what waits for a person; from now on none is changed."""

from typing import Any

from django.db import migrations

from ocr.safeguards import READING_GUARDS
from storage.append_only import install, remove


def count(apps: Any, schema_editor: Any) -> None:
    """The newest reading of each page counts."""
    reading_model, review_model = apps.get_model("ocr", "Reading"), apps.get_model("ocr", "Review")
    newest = dict(reading_model.objects.order_by("read_at", "pk").values_list("page_id", "pk"))
    for reading in reading_model.objects.filter(pk__in=newest.values()).iterator(chunk_size=200):
        waiting = {number for number, line in enumerate(reading.lines) if line["uncertain"]}
        waiting |= {field["line"] for field in reading.fields if not field["certain"]}
        review_model.objects.create(
            page_id=reading.page_id, reading=reading, open=len(waiting), chosen_at=reading.read_at
        )


class Migration(migrations.Migration):
    dependencies = [("ocr", "0002_review")]

    operations = [
        migrations.RunPython(count, migrations.RunPython.noop),
        migrations.RunPython(install(READING_GUARDS), remove(READING_GUARDS)),
    ]
