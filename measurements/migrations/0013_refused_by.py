"""Which reader, of which version, could not read a file. With the deploy: old code leaves the column out."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("measurements", "0012_upload_project")]

    operations = [
        migrations.AddField(
            model_name="measurement",
            name="refused_by",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Reader and version that could not read it; empty: no reader did.",
                max_length=80,
            ),
            preserve_default=False,
        ),
    ]
