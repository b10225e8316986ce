from zoneinfo import ZoneInfo

from django.db import migrations, models


def count_from_acceptance(apps, schema_editor):
    """A running promise that was never paused was counted from its acceptance."""
    rows = apps.get_model("ingest", "Handling").objects.filter(
        deadline__isnull=False, decided_at__isnull=True, noticed_at__isnull=True, accepted_at__isnull=False
    )
    for handling in rows.select_related("case__item"):
        handling.counted_from = handling.accepted_at.astimezone(ZoneInfo("Asia/Shanghai")).date()
        handling.counted_days = handling.case.item.promised_days
        handling.save(update_fields=["counted_from", "counted_days"])


class Migration(migrations.Migration):

    dependencies = [
        ('ingest', '0004_notice_promises_and_the_desk'),
    ]

    operations = [
        migrations.AddField(
            model_name='handling',
            name='counted_days',
            field=models.SmallIntegerField(blank=True, null=True, verbose_name='计时工作日'),
        ),
        migrations.AddField(
            model_name='handling',
            name='counted_from',
            field=models.DateField(blank=True, null=True, verbose_name='计时起始日期'),
        ),
        migrations.RunPython(count_from_acceptance, migrations.RunPython.noop),
    ]
