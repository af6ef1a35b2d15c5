"""What an address asks of a view: which samples, and the choices of its figure."""

from __future__ import annotations

from django.http import QueryDict

from analysis import explore
from analysis.api.explore import filters_in
from analysis.explore.axes import FACTORS
from frontend.figures import Figure
from samples.models import Project

TEMPERATURE = "sintering_temperature_c"


def filters_of(query: QueryDict, figure: Figure, project: Project | None) -> explore.Filters:
    """Raises rest_framework's ValidationError with a sentence. A choice of the figure is no filter, even
    where it is called like a factor."""
    own = {option.name for option in figure.options}
    plain = QueryDict(mutable=True)
    for name in query:
        if name not in own and (name in FACTORS or "__" in name or name == "origin"):
            plain.setlist(name, query.getlist(name))
    if project is not None:
        plain["project"] = project.slug
    return filters_in(plain)


def options_of(query: QueryDict, figure: Figure) -> dict[str, str]:
    """Each choice as the address says it, or the first one."""
    said = {option.name: query.get(option.name, "") for option in figure.options}
    return {
        option.name: said[option.name] if said[option.name] in dict(option.choices) else option.choices[0][0]
        for option in figure.options
    }
