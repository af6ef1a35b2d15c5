from django.urls import include, path
from rest_framework.routers import SimpleRouter

from samples.api import (
    ExposureViewSet,
    LoginView,
    LogoutView,
    PreparationViewSet,
    ProjectViewSet,
    RecipeViewSet,
    SampleViewSet,
)
from samples.api.designs import DesignViewSet
from samples.api.exchange import ExportView, ImportView, TemplateView
from samples.api.history import HistoryView
from samples.api.labels import LabelsView
from samples.api.materials import LocationViewSet, LotViewSet, MaterialViewSet
from samples.api.people import AcceptView, InvitationViewSet, ShareLinkViewSet
from samples.api.stock import CompositionView, LineageView, PlaceView, StockEntryViewSet, WeighOutViewSet
from samples.history import NOUNS

router = SimpleRouter()
router.register("samples", SampleViewSet)
router.register("preparations", PreparationViewSet)
router.register("exposures", ExposureViewSet)
router.register("projects", ProjectViewSet)
router.register("invitations", InvitationViewSet)
router.register("share-links", ShareLinkViewSet)
router.register("recipes", RecipeViewSet)
router.register("designs", DesignViewSet)
router.register("materials", MaterialViewSet)
router.register("lots", LotViewSet)
router.register("locations", LocationViewSet)
router.register("stock-entries", StockEntryViewSet)
router.register("weigh-outs", WeighOutViewSet)

urlpatterns = [
    path("auth/login/", LoginView.as_view(), name="api-login"),
    path("auth/logout/", LogoutView.as_view(), name="api-logout"),
    path("import/", ImportView.as_view(), name="api-import"),
    path("import/template/", TemplateView.as_view(), name="api-import-template"),
    path("export/", ExportView.as_view(), name="api-export"),
    path("labels/", LabelsView.as_view(), name="api-labels"),
    path("invitations/accept/", AcceptView.as_view(), name="api-invitation-accept"),
    *(path(f"{noun}/<str:key>/history/", HistoryView.as_view(noun=noun)) for noun in NOUNS),
    path("samples/<str:code>/composition/", CompositionView.as_view(), name="api-composition"),
    path("samples/<str:code>/lineage/", LineageView.as_view(), name="api-lineage"),
    path("samples/<str:code>/place/", PlaceView.as_view(), name="api-place"),
    path("", include(router.urls)),
]
