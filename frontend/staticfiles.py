"""Static files: ours, and plotly.min.js from inside the installed wheel. Nothing third-party is committed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

PLOTLY = "plotly.min.js"


class PlotlyFinder(BaseFinder):
    """Finds `vendor/plotly.min.js` without importing plotly."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        spec = find_spec("plotly")
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError("plotly is not installed: run `python3 manage.py up` once.")
        folder = Path(spec.origin).parent / "package_data"
        self.storage = FileSystemStorage(location=folder)
        self.storage.prefix = "vendor"  # collectstatic reads it

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        found = [self.storage.path(PLOTLY)] if path == f"vendor/{PLOTLY}" else []
        return found if find_all else (found[0] if found else [])

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, Storage]]:
        yield PLOTLY, self.storage


class VitrineStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Hashed names for ever-lasting caches; a name that only a vendor's source map uses is no error."""

    manifest_strict = False
