from django.urls import include, path
from rest_framework.routers import SimpleRouter

from analysis.api.declarations import MethodsView, PropertiesView
from analysis.api.explore import ExploreView
from analysis.api.runs import RunViewSet
from analysis.api.values import ValueViewSet

router = SimpleRouter()
router.register("runs", RunViewSet)
router.register("values", ValueViewSet)

urlpatterns = [
    path("methods/", MethodsView.as_view(), name="methods"),
    path("properties/", PropertiesView.as_view(), name="properties"),
    path("explore/", ExploreView.as_view(), name="api-explore"),
    path("", include(router.urls)),
]
