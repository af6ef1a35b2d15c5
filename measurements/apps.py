from django.apps import AppConfig


class MeasurementsConfig(AppConfig):
    name = "measurements"
    verbose_name = "Measurements: what was measured"
    default_auto_field = "django.db.models.BigAutoField"
