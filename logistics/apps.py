"""The logistics room as Django sees it."""

from django.apps import AppConfig


class LogisticsConfig(AppConfig):
    """物流."""

    name = "logistics"
    verbose_name = "物流"
