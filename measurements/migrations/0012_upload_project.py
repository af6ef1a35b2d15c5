"""What is on its way counts against the quota of the project that it was promised from."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("measurements", "0011_content_key_first"), ("samples", "0011_products_by_index")]

    operations = [
        migrations.AddField(
            model_name="upload",
            name="project",
            field=models.ForeignKey(
                help_text="Whose quota its bytes were promised from; where they go is decided when they are "
                "here.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="samples.project",
            ),
        ),
    ]
