"""Samples over REST, one module per noun."""

from samples.api.auth import LoginView, LogoutView
from samples.api.projects import ProjectViewSet
from samples.api.samples import SampleViewSet

__all__ = ["LoginView", "LogoutView", "ProjectViewSet", "SampleViewSet"]
