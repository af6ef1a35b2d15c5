from django.urls import include, path
from rest_framework.routers import SimpleRouter

from analysis.api.calibrations import CalibrationViewSet
from analysis.api.comparing import CompareView
from analysis.api.declarations import MethodsView, PropertiesView
from analysis.api.explore import ExploreView
from analysis.api.literature import ConflictViewSet, PublicationViewSet, PublishedValueView
from analysis.api.parameters import ParametersView
from analysis.api.queue import QueueView
from analysis.api.reanalyses import NoticeViewSet, ReanalysisViewSet
from analysis.api.runs import RunViewSet
from analysis.api.values import ValueViewSet
from analysis.api.verifying import VerifyView
from analysis.api.webhooks import WebhookViewSet

router = SimpleRouter()
router.register("runs", RunViewSet)
router.register("values", ValueViewSet)
router.register("calibrations", CalibrationViewSet)
router.register("reanalyses", ReanalysisViewSet)
router.register("notices", NoticeViewSet)
router.register("publications", PublicationViewSet)
router.register("conflicts", ConflictViewSet)
router.register("webhooks", WebhookViewSet)

urlpatterns = [
    path("methods/", MethodsView.as_view(), name="methods"),
    path("properties/", PropertiesView.as_view(), name="properties"),
    path("explore/", ExploreView.as_view(), name="api-explore"),
    path("queue/", QueueView.as_view(), name="api-queue"),
    path("values/published/", PublishedValueView.as_view(), name="values-published"),
    path("runs/<int:pk>/verify/", VerifyView.as_view(), name="run-verify"),
    path("runs/<int:pk>/compare/", CompareView.as_view(), name="run-compare"),
    path("projects/<slug:slug>/parameters/", ParametersView.as_view(), name="project-parameters"),
    path("", include(router.urls)),
]
