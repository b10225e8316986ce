"""What a scale shows at a window or an office: the latest reading alone, for the bag that lies on it."""

from django.db import models
from django.db.models import Q

from logistics.rules.parcels import Party


class ScaleReading(models.Model):
    """The latest weight of one place; the next one takes its place. What was sealed keeps its own weight."""

    place_kind = models.CharField("地点", max_length=10, choices=Party.choices())
    place_id = models.PositiveBigIntegerField("地点编号")
    weight_g = models.PositiveIntegerField("重量（克）")
    by_label = models.CharField("来源", max_length=100)
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "电子秤读数"
        constraints = [
            models.UniqueConstraint(fields=["place_kind", "place_id"], name="logistics_scale_of_place"),
            models.CheckConstraint(condition=Q(weight_g__gt=0), name="logistics_scale_weight"),
        ]

    def __str__(self) -> str:
        return f"{self.place_kind}/{self.place_id}"
