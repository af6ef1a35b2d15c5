from django.apps import AppConfig


class FrontendConfig(AppConfig):
    name = "frontend"
    verbose_name = "Vitrine"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from frontend import exchange

        exchange.connect()
