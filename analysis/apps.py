from django.apps import AppConfig


class AnalysisConfig(AppConfig):
    name = "analysis"
    verbose_name = "Analysis: what it means"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from analysis import (
            audit,
            exchange,
            receivers,  # noqa: F401  measurements may not import this room, so we listen
        )

        exchange.connect()
        audit.connect()
