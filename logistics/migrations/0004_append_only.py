"""Charges, ledger, statements, settlements, custody and tracking stay as they were written."""

from django.db import migrations

from logistics.postage.safeguards import POSTAGE_GUARDS, ROAD_GUARDS
from storage.append_only import install, remove

GUARDS = {**POSTAGE_GUARDS, **ROAD_GUARDS}


class Migration(migrations.Migration):
    dependencies = [("logistics", "0003_postage_exceptions")]

    operations = [migrations.RunPython(install(GUARDS), remove(GUARDS))]
