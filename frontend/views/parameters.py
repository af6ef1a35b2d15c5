"""With which parameters a project's new measurements are analysed: managers edit them, members read them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path

from analysis import methods
from analysis.models import ProjectParams
from analysis.services.parameters import set_defaults, settled
from frontend import runs
from frontend.access import login_required
from frontend.scope import scope
from samples.models import Project


@login_required
def parameters(request: HttpRequest, slug: str) -> HttpResponse:
    project = get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
    rows = {
        row.method: row for row in ProjectParams.objects.filter(project=project).select_related("changed_by")
    }
    wanted = {key: settled(loaded, rows.get(key)) for key, loaded in methods.registry().items()}
    submitted, wrong = "", None
    if request.method == "POST":
        submitted = request.POST.get("method", "")
        given = {
            name: value
            for name, value in request.POST.items()
            if name not in ("method", "csrfmiddlewaretoken")
        }
        try:
            set_defaults(project, submitted, given, user=request.user)
        except methods.ParamsError as error:
            wrong, wanted[submitted] = error, given
        except KeyError as error:
            messages.error(request, str(error.args[0]))
            return redirect("project-defaults", slug)
        else:
            messages.success(
                request,
                "New measurements are analysed with them. What was analysed with the earlier ones is "
                "outdated now: Reanalysis asks it again.",
            )
            return redirect("project-defaults", slug)
    context = {
        "project": project,
        "forms": [(form, rows.get(form.method)) for form in runs.default_forms(wanted, submitted, wrong)],
        "manages": scope(request).manages(project.pk),
    }
    return render(request, "people/parameters.html", context, status=422 if wrong else 200)


urlpatterns: list[URLPattern] = [
    path("projects/<slug:slug>/parameters/", parameters, name="project-defaults"),
]
