"""Safe before or after the deploy: empty for what was read before, which is then drawn from itself."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("measurements", "0008_fixity_quota_and_backups")]

    operations = [
        migrations.AddField(
            model_name="dataset",
            name="overview",
            field=models.BinaryField(
                null=True, help_text="Of a large dataset or a map, what a page draws: measurements.overview."
            ),
        ),
    ]
