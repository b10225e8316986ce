"""A page without text may be tried again by the same engine; each try is a reading of its own."""

from django.db import migrations, models

from ocr.safeguards import READING_GUARDS
from storage.append_only import install, remove


class Migration(migrations.Migration):

    dependencies = [
        ('ocr', '0006_pages_carried_on_and_pictures'),
    ]

    operations = [
        # SQLite writes the table anew for a column, and its triggers with it; PostgreSQL keeps both.
        migrations.RunPython(remove(READING_GUARDS), install(READING_GUARDS)),
        migrations.RemoveConstraint(
            model_name='reading',
            name='ocr_reading_once',
        ),
        migrations.AddField(
            model_name='reading',
            name='attempt',
            field=models.PositiveSmallIntegerField(default=1, verbose_name='第几次尝试'),
        ),
        migrations.AddConstraint(
            model_name='reading',
            constraint=models.UniqueConstraint(fields=('page', 'engine', 'engine_version', 'settings_digest', 'finders', 'attempt'), name='ocr_reading_once'),
        ),
        migrations.RunPython(install(READING_GUARDS), remove(READING_GUARDS)),
    ]
