"""The room under the name that administrators read."""

from django.apps import AppConfig


class DossierConfig(AppConfig):
    name = "dossier"
    verbose_name = "卷宗"
