from django.apps import AppConfig


class SamplesConfig(AppConfig):
    name = "samples"
    verbose_name = "Samples: what was made"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from samples import auditing

        auditing.begin()
