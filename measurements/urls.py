"""Addresses under /api/v1/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from measurements.api import (
    AttachmentViewSet,
    DatasetViewSet,
    FileViewSet,
    FormatsView,
    InstrumentViewSet,
    MeasurementViewSet,
    TechniquesView,
)

router = SimpleRouter()
router.register("measurements", MeasurementViewSet)
router.register("datasets", DatasetViewSet)
router.register("files", FileViewSet)
router.register("instruments", InstrumentViewSet)
router.register("attachments", AttachmentViewSet)

urlpatterns = [
    path("", include(router.urls)),
    path("techniques/", TechniquesView.as_view(), name="techniques"),
    path("formats/", FormatsView.as_view(), name="formats"),
]
