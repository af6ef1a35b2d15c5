"""An upload view as the manuals show it: DRF's MultiPartParser, a FileField, hashlib over the chunks.

    python -m benchmarks.anchors.plain_drf      makes tables and a user, prints a token
    gunicorn benchmarks.anchors.plain_drf:application

PLAIN_FSYNC=1 adds what such a view lacks: the bytes are on disk before the answer.
"""

from __future__ import annotations

import hashlib
import os

import django
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

_database = conninfo_to_dict(os.environ["PLAIN_DATABASE_URL"])
settings.configure(
    SECRET_KEY="of no importance",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    MEDIA_ROOT=os.environ["PLAIN_MEDIA"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework.authtoken",
    ],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _database["dbname"],
            "USER": _database.get("user", ""),
            "HOST": _database.get("host", ""),
            "PORT": _database.get("port", ""),
            "CONN_MAX_AGE": 600,
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    },
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.parsers import MultiPartParser  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


class Upload(models.Model):
    sample = models.CharField(max_length=40)
    file = models.FileField(upload_to="uploads")
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()

    class Meta:
        app_label = "plain"

    def __str__(self) -> str:
        return self.sha256


class UploadSerializer(serializers.ModelSerializer):
    class Meta:
        model = Upload
        fields = ["id", "sample", "file", "sha256", "size"]
        read_only_fields = ["sha256", "size"]


class UploadView(APIView):
    parser_classes = [MultiPartParser]

    def post(self, request: Request) -> Response:
        form = UploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        file = form.validated_data["file"]
        sha256 = hashlib.sha256()
        for chunk in file.chunks():
            sha256.update(chunk)
        upload = form.save(sha256=sha256.hexdigest(), size=file.size)
        if os.environ.get("PLAIN_FSYNC"):
            with open(upload.file.path, "rb") as stored:
                os.fsync(stored.fileno())
        return Response(UploadSerializer(upload).data, status=201)


urlpatterns = [path("api/v1/measurements/", UploadView.as_view())]
application = get_wsgi_application()


def prepare() -> str:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from rest_framework.authtoken.models import Token

    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Upload)
    return str(Token.objects.create(user=User.objects.create_user("benchmark")).key)


if __name__ == "__main__":
    print(prepare())
