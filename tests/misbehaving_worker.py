"""A Celery application whose worker knows the misbehaving methods too."""

import django

from config.celery import app

django.setup()

from tests.misbehaving import release  # noqa: E402

release()
__all__ = ["app"]
