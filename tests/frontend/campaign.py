"""A small array of composites with published and simulated values, for pages and figures."""

from __future__ import annotations

from analysis.models import Publication, Value
from samples.models import Material, Project, Sample, User
from samples.services import plan_composite

LOADINGS = (0.05, 0.25)
TEMPERATURES_C = (250, 275, 300)
PUBLISHED = {(0.05, 275): 0.813}
# Everything else is simulated: what is not a number of the paper must not look like one.
SIMULATED = {
    (0.05, 250): (0.535, 0.004),
    (0.05, 300): (0.527, 0.004),
    (0.25, 250): (0.187, 0.002),
    (0.25, 275): (0.302, 0.002),
    (0.25, 300): (0.188, 0.002),
}


def code(loading: float, temperature_c: float) -> str:
    return f"VT-{round(loading * 100):02d}-{temperature_c:g}"


def grow(user: User, project: Project, perovskite: Material, glass: Material) -> dict[str, Sample]:
    paper = Publication.objects.create(
        key="Li2023", title="Interfacial alloying", doi="10.1038/s41467-023-43247-6"
    )
    model = Publication.objects.create(key="simulation", title="A forward model")
    samples = {}
    for loading in LOADINGS:
        for temperature_c in TEMPERATURES_C:
            sample = plan_composite(
                user=user,
                project=project,
                name=f"{loading} at {temperature_c}",
                components=[(perovskite, loading), (glass, 1 - loading)],
                milling={"rpm": 800, "duration_min": 60},
                sintering={"segments": [{"target_c": temperature_c, "ramp_c_per_min": 20, "hold_min": 0}]},
                quench={"medium": "liquid_nitrogen"},
                code=code(loading, temperature_c),
            )
            samples[sample.code] = sample
    for place, value in PUBLISHED.items():
        _value(samples[code(*place)], value, None, Value.Origin.PUBLISHED, paper, place="Fig. 2a")
    for place, (value, sigma) in SIMULATED.items():
        _value(samples[code(*place)], value, sigma, Value.Origin.SIMULATED, model)
    return samples


def _value(
    sample: Sample, value: float, sigma: float | None, origin: str, source: Publication, place: str = ""
) -> None:
    Value.objects.create(
        sample=sample,
        property="plqy",
        value=value,
        sigma=sigma,
        unit="1",
        origin=origin,
        publication=source,
        place=place,
    )
