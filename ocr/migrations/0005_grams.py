"""The blind index over what stands on pages; `manage.py index_pages` fills it with readings that were there before."""

from typing import Any

from django.db import migrations

from ocr.page_index import CREATE, DROP


def create(apps: Any, schema_editor: Any) -> None:
    for statement in CREATE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(DROP)


class Migration(migrations.Migration):
    dependencies = [("ocr", "0004_suggested")]

    operations = [migrations.RunPython(create, drop)]
