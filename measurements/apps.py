from django.apps import AppConfig


class MeasurementsConfig(AppConfig):
    name = "measurements"
    verbose_name = "Measurements: what was measured"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from measurements import moves, receivers  # noqa: F401  it listens to itself

        moves.connect()
