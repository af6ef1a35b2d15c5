"""Addresses under /api/v1/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from measurements.api import (
    AttachmentViewSet,
    BatchViewSet,
    DatasetViewSet,
    FileViewSet,
    FormatsView,
    InboxRuleViewSet,
    InboxViewSet,
    InstrumentViewSet,
    MeasurementViewSet,
    RawUploadView,
    TechniquesView,
    UploadsView,
    UploadView,
)

router = SimpleRouter()
router.register("measurements", MeasurementViewSet)
router.register("datasets", DatasetViewSet)
router.register("files", FileViewSet)
router.register("instruments", InstrumentViewSet)
router.register("attachments", AttachmentViewSet)
router.register("inbox", InboxViewSet, basename="waiting")
router.register("inbox-rules", InboxRuleViewSet)
router.register("batches", BatchViewSet, basename="manifest")

urlpatterns = [
    path("techniques/", TechniquesView.as_view(), name="techniques"),
    path("uploads/", UploadsView.as_view(), name="resumable-uploads"),
    path("uploads/<uuid:pk>/", UploadView.as_view(), name="resumable-upload"),
    path("uploads/<path:filename>", RawUploadView.as_view(), name="raw-upload"),  # folders may be in its name
    path("formats/", FormatsView.as_view(), name="formats"),
    path("", include(router.urls)),
]
