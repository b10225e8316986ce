"""批次: what a notice promised to publish, and by when; how much of it is in the catalogue is counted, not kept."""

from django.db import models

from registry.models.places import Region
from registry.terms import Scope


class CatalogueBatch(models.Model):
    """One list that a region announced. Items belong to it by its name and region (`ServiceItem.batch`)."""

    region = models.ForeignKey(
        Region, on_delete=models.PROTECT, related_name="batches", verbose_name="清单所属区划"
    )
    name = models.CharField("批次", max_length=60)
    scope = models.CharField("通办范围", max_length=16, choices=Scope.choices())
    position = models.PositiveSmallIntegerField("次序", default=1)
    announced = models.PositiveIntegerField("公布项数", null=True, blank=True)
    due_on = models.DateField("公布或落地期限", null=True, blank=True)
    source = models.CharField("依据", max_length=200)

    class Meta:
        verbose_name = verbose_name_plural = "事项批次"
        ordering = ["region", "position"]
        constraints = [
            models.UniqueConstraint(fields=["region", "name"], name="registry_batch_once"),
            models.UniqueConstraint(fields=["region", "position"], name="registry_batch_order"),
        ]

    def __str__(self) -> str:
        return self.name
