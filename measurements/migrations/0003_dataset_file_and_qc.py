"""Safe before or after the deploy: new columns with defaults, which the old code does not read."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("measurements", "0002_reading_attempts")]

    operations = [
        migrations.AddField(
            model_name="dataset",
            name="file",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="datasets",
                to="measurements.rawfile",
            ),
        ),
        migrations.AddField(
            model_name="dataset",
            name="qc",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(),
                default=list,
                help_text="What is odd about the numbers, in sentences.",
                size=None,
            ),
        ),
    ]
