"""Every upload asks for its content key: with that column first, the constraint's index answers."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("measurements", "0010_resumable_uploads")]

    operations = [
        migrations.RemoveConstraint(model_name="measurement", name="measurement_same_bytes_once"),
        migrations.AddConstraint(
            model_name="measurement",
            constraint=models.UniqueConstraint(
                name="measurement_same_bytes_once",
                fields=["content_key", "project", "sample", "claimed_code", "technique"],
                nulls_distinct=False,
            ),
        ),
    ]
