"""Addresses of the pages. The words in them are what people read aloud to each other."""

from django.contrib.auth import views as auth
from django.urls import URLPattern, path

from frontend.views import (
    dashboards,
    exchange,
    explore,
    figures,
    home,
    instruments,
    jobs,
    measurements,
    passwords,
    people,
    plans,
    recipes,
    samples,
    upload,
)

urlpatterns: list[URLPattern] = [
    path("", home.home, name="home"),
    path("welcome/", people.welcome, name="welcome"),
    # samples and recipes
    path("samples/", samples.sample_list, name="samples"),
    path("samples/plan/", plans.plan, name="sample-plan"),
    path("samples/<str:code>/", samples.sample, name="sample"),
    path("samples/<str:code>/made/", samples.made, name="sample-made"),
    path("samples/<str:code>/values/", samples.value_enter, name="value-enter"),
    path("materials/new/", plans.material_create, name="material-create"),
    path("recipes/", recipes.recipe_list, name="recipes"),
    path("recipes/<int:pk>/", recipes.recipe, name="recipe"),
    path("import/", exchange.import_page, name="import"),
    path("import/template/", exchange.template_file, name="import-template"),
    path("export/", exchange.export_file, name="export"),
    # measurements
    path("measurements/", measurements.measurement_list, name="measurements"),
    path("measurements/<int:pk>/", measurements.measurement, name="measurement"),
    path("measurements/<int:pk>/runs/", measurements.run_again, name="measurement-run"),
    path("measurements/<int:pk>/change/", measurements.change, name="measurement-change"),
    path("upload/", upload.upload, name="upload"),
    path("inbox/", upload.inbox, name="inbox"),
    path("inbox/assign/", upload.inbox_assign, name="inbox-assign"),
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/retry/", jobs.retry, name="jobs-retry"),
    # figures
    path("explore/", explore.explore, name="explore"),
    path("dashboards/", dashboards.dashboards, name="dashboards"),
    path("figures/explore.json", figures.explore, name="explore-figure"),
    path("figures/measurements/<int:pk>.json", figures.measurement, name="measurement-figure"),
    path("figures/runs/<int:pk>.json", figures.run, name="run-figure"),
    path("instruments/", instruments.instrument_list, name="instruments"),
    path("instruments/new/", instruments.instrument_create, name="instrument-create"),
    path("instruments/<int:pk>/", instruments.instrument, name="instrument"),
    path("instruments/<int:pk>/tokens/", instruments.token_create, name="instrument-token"),
    path(
        "instruments/<int:pk>/tokens/<str:key>/revoke/",
        instruments.token_revoke,
        name="instrument-token-revoke",
    ),
    # projects and people
    path("projects/new/", people.project_create, name="project-create"),
    path("projects/<slug:slug>/", people.project, name="project"),
    path("projects/<slug:slug>/members/<int:pk>/", people.membership, name="membership"),
    path("account/", people.account, name="account"),
    path("accounts/login/", people.LoginView.as_view(), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    *passwords.urlpatterns,
]
