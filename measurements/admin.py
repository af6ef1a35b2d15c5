"""For the site administrator: which machines there are. Measurements are behind project roles only."""

from django.contrib import admin

from measurements.models import Instrument


@admin.register(Instrument)
class InstrumentAdmin(admin.ModelAdmin):
    """Made on the instrument page, which also makes the service account; here only what describes it."""

    list_display = ["name", "model", "project", "location"]
    readonly_fields = ["project", "account", "created_at"]

    def has_add_permission(self, request: object) -> bool:
        return False
