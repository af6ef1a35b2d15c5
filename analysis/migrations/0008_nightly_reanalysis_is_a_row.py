"""The nightly reanalysis becomes a row that people edit, instead of a setting that overwrites their edits."""

from django.db import migrations

TASK = "analysis.tasks.reanalyse_outdated"


def add(apps, schema_editor):
    PeriodicTask = apps.get_model("django_celery_beat", "PeriodicTask")
    CrontabSchedule = apps.get_model("django_celery_beat", "CrontabSchedule")
    if PeriodicTask.objects.filter(task=TASK).exists():
        return
    crontab, _ = CrontabSchedule.objects.get_or_create(
        minute="30", hour="2", day_of_week="*", day_of_month="*", month_of_year="*", timezone="UTC"
    )
    PeriodicTask.objects.create(name="reanalyse what is outdated", task=TASK, crontab=crontab)


class Migration(migrations.Migration):
    dependencies = [
        ("analysis", "0007_literature_readings"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
