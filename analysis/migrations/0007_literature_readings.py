import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Safe before the deploy: both columns have defaults that the old code does not need to know."""

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("analysis", "0006_quick_inputs_and_packed_curves"),
    ]

    operations = [
        migrations.AddField(
            model_name="value",
            name="doubtful",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The transcription of the source is in doubt (OCR).",
            ),
        ),
        migrations.AddField(
            model_name="value",
            name="extracted_by",
            field=models.ForeignKey(
                blank=True,
                help_text="Who read the number in the publication.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
