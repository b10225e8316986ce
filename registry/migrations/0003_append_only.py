"""The audit trail stays as it was written; only the mark that an event was relayed may change."""

from django.db import migrations

from registry.safeguards import EVENT_GUARDS
from storage.append_only import install, remove


class Migration(migrations.Migration):
    dependencies = [("registry", "0002_slip_kind_dispute")]

    operations = [migrations.RunPython(install(EVENT_GUARDS), remove(EVENT_GUARDS))]
