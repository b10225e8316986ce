import datetime
import django.db.models.functions.comparison
import storage.encryption
from django.db import migrations, models


def carry_over(apps, schema_editor):
    """What was asked before is a notice; what was decided and not yet sent lies on the office's desk."""
    handlings = apps.get_model("ingest", "Handling").objects
    asked = apps.get_model("registry", "Event").objects.filter(kind="handling.supplement_asked")
    for pk, at in asked.order_by("-pk").values_list("subject_id", "at"):
        handlings.filter(pk=pk).update(noticed_at=at)
    for handling in handlings.filter(state="supplement"):
        handling.notice = handling.reason
        handling.save(update_fields=["notice"])
    handlings.filter(state="decided", case__state__in=["accepted", "decided"]).update(unsent=True)
    if schema_editor.connection.vendor == "postgresql":
        # The index below is not made while checks of the rows that were changed wait for the end of the transaction.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):

    dependencies = [
        ('ingest', '0003_page_faults'),
        ('registry', '0004_catalogue_and_cooperation'),
    ]

    operations = [
        migrations.AddField(
            model_name='handling',
            name='notice',
            field=storage.encryption.EncryptedTextField(blank=True, verbose_name='一次性告知内容'),
        ),
        migrations.AddField(
            model_name='handling',
            name='noticed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='一次性告知时间'),
        ),
        migrations.AddField(
            model_name='handling',
            name='unsent',
            field=models.BooleanField(default=False, verbose_name='已决定、结果待寄出'),
        ),
        migrations.AddField(
            model_name='material',
            name='lapsed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='容缺承诺逾期时间'),
        ),
        migrations.AddField(
            model_name='material',
            name='promise_kept_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='容缺材料补齐时间'),
        ),
        migrations.AddField(
            model_name='material',
            name='reminded_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='容缺到期提醒时间'),
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='handling',
            index=models.Index(models.F('office'), django.db.models.functions.comparison.Coalesce(models.F('deadline'), models.Value(datetime.date(9999, 12, 31)), output_field=models.DateField()), models.F('id'), condition=models.Q(('state__in', ['pending', 'pre_review', 'accepted']), ('unsent', True), _connector='OR'), name='ingest_handling_desk'),
        ),
        migrations.AddIndex(
            model_name='material',
            index=models.Index(condition=models.Q(('deferred_until__isnull', False), ('promise_kept_at__isnull', True)), fields=['deferred_until'], name='ingest_promise_open'),
        ),
    ]
