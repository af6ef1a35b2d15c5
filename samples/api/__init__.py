"""Samples over REST, one module per noun."""

from samples.api.auth import LoginView, LogoutView
from samples.api.exposures import ExposureViewSet
from samples.api.preparations import PreparationViewSet
from samples.api.projects import ProjectViewSet
from samples.api.recipes import RecipeViewSet
from samples.api.samples import SampleViewSet

__all__ = [
    "ExposureViewSet",
    "LoginView",
    "LogoutView",
    "PreparationViewSet",
    "ProjectViewSet",
    "RecipeViewSet",
    "SampleViewSet",
]
