"""Safe before or after the deploy: new columns with defaults, which the old code does not read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("measurements", "0001_raw_files_and_datasets")]

    operations = [
        migrations.AddField(
            model_name="measurement",
            name="attempts",
            field=models.PositiveSmallIntegerField(
                default=0,
                help_text="How often a worker began to read it; a file that kills its reader is given up.",
            ),
        ),
        migrations.AddField(
            model_name="measurement",
            name="queued_at",
            field=models.DateTimeField(
                null=True, help_text="When the sweep last handed it to the broker again."
            ),
        ),
    ]
