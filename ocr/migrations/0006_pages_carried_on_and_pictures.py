"""What a page says of its neighbours; pages that could not be read wait for a person, those from before as well."""

from typing import Any

from django.db import migrations, models


def let_unread_pages_wait(apps: Any, schema_editor: Any) -> None:
    """Until now a page without text was in nobody's queue."""
    apps.get_model("ocr", "Review").objects.exclude(reading__failure="").update(open=1)


class Migration(migrations.Migration):

    dependencies = [
        ('ocr', '0005_grams'),
    ]

    operations = [
        migrations.AddField(
            model_name='review',
            name='begins_within',
            field=models.BooleanField(default=False, verbose_name='开头承接上页'),
        ),
        migrations.AddField(
            model_name='review',
            name='breaks_off',
            field=models.BooleanField(default=False, verbose_name='末尾未完'),
        ),
        migrations.AddField(
            model_name='review',
            name='image_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='确认作为图像的时间'),
        ),
        migrations.AddField(
            model_name='review',
            name='image_by',
            field=models.CharField(blank=True, max_length=100, verbose_name='确认作为图像的人'),
        ),
        migrations.AddField(
            model_name='review',
            name='printed_number',
            field=models.PositiveSmallIntegerField(default=0, verbose_name='印刷页码'),
        ),
        migrations.AddField(
            model_name='review',
            name='printed_total',
            field=models.PositiveSmallIntegerField(default=0, verbose_name='印刷总页数'),
        ),
        migrations.RunPython(let_unread_pages_wait, migrations.RunPython.noop),
    ]
