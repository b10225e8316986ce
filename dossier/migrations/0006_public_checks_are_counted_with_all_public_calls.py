# What goes are counts of ten minutes: who calls during the upgrade begins a new one.

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('dossier', '0005_arrival_comparisons'),
    ]

    operations = [
        migrations.DeleteModel(
            name='PublicCheck',
        ),
    ]
