"""Every address of Vitrine: each app declares its own, `/api/v1/` gathers what they register."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from config.health import healthz, readyz
from config.metrics import metrics

api = [
    path("", include("measurements.urls")),  # first: every file of every instrument comes this way
    path("", include("samples.urls")),
    path("", include("analysis.urls")),
]

urlpatterns = [
    path("api/v1/", include(api)),
    path("", include("frontend.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="api-docs"),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
]
