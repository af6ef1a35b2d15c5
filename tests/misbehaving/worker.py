"""A Celery application whose worker knows the misbehaving methods too."""

from config.celery import app as app
from tests.misbehaving import release

app.loader.import_default_modules()
release()
