from django.urls import include, path
from rest_framework.routers import SimpleRouter

from samples.api import LoginView, LogoutView, ProjectViewSet, SampleViewSet

router = SimpleRouter()
router.register("samples", SampleViewSet)
router.register("projects", ProjectViewSet)

urlpatterns = [
    path("auth/login/", LoginView.as_view(), name="api-login"),
    path("auth/logout/", LogoutView.as_view(), name="api-logout"),
    path("", include(router.urls)),
]
