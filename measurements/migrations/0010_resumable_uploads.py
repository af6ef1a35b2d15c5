import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import measurements.models.uploads


class Migration(migrations.Migration):
    dependencies = [
        ("measurements", "0009_overview_of_large_datasets"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Upload",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("size_bytes", models.BigIntegerField()),
                (
                    "received_bytes",
                    models.BigIntegerField(default=0, help_text="Flushed to disk: a power cut spares them."),
                ),
                ("said", models.JSONField(default=dict, help_text="What its sender says about it, as text.")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "active_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        help_text="When the last bytes were acknowledged.",
                    ),
                ),
                ("expires_at", models.DateTimeField(default=measurements.models.uploads.expiry)),
                (
                    "writer",
                    models.UUIDField(
                        null=True, help_text="The request that may add bytes; a newer one takes over."
                    ),
                ),
                (
                    "receipt",
                    models.JSONField(
                        null=True, help_text="What was answered when the measurement was there."
                    ),
                ),
                (
                    "given_up_at",
                    models.DateTimeField(null=True, help_text="When its bytes were removed, unfinished."),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="uploads",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["created_at"],
                "indexes": [models.Index(fields=["expires_at"], name="upload_expiry")],
                "constraints": [
                    models.CheckConstraint(
                        name="upload_received_within_size",
                        condition=Q(received_bytes__gte=0) & Q(received_bytes__lte=F("size_bytes")),
                    )
                ],
            },
        ),
    ]
