"""The LED mixer: a blue chip and up to two samples; the address holds every setting."""

from __future__ import annotations

from typing import Any

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode

from frontend import mixing
from frontend.access import login_required
from frontend.figures import _mixture
from frontend.formatting import NARROW, number
from frontend.plots import refused, sent
from frontend.scope import narrowed, scope
from measurements.models import Measurement
from measurements.techniques import Technique
from samples.models import Sample

MOST_SAMPLES = 500


@login_required
def mixer(request: HttpRequest) -> HttpResponse:
    measured = narrowed(Measurement.objects.all(), request).filter(
        technique=Technique.PL, status=Measurement.Status.READ, sample__voided_at=None
    )
    samples = (
        Sample.objects.filter(measurements__in=measured)
        .annotate(newest=Max("measurements__pk"))
        .order_by("-newest")
        .values("code", "notation")[:MOST_SAMPLES]
    )
    asked = request.GET.dict()
    found = mixing.mix(request.user, asked)
    context = {
        "samples": sorted(samples, key=lambda sample: sample["code"]),
        "blue": [_setting(slider, asked) for slider in (mixing.BLUE_NM, mixing.FWHM_NM, mixing.SHARES[0])],
        "parts": [
            {
                "name": name,
                "label": slider.label,
                "chosen": asked.get(name, ""),
                "share": _setting(slider, asked),
            }
            for name, slider in zip(mixing.SAMPLES, mixing.SHARES[1:], strict=True)
        ],
        "told": told(found),
        "figure_url": _address(asked, found),
    }
    return render(request, "mixer.html", context)


def _setting(slider: mixing.Slider, asked: dict[str, str]) -> dict[str, Any]:
    value = mixing.setting(slider, asked.get(slider.name))
    return {"is": slider, "value": f"{value:g}", "usual": f"{slider.usual:g}"}


def _address(asked: dict[str, str], found: mixing.Mix) -> str:
    """Of the figure: the settings that are ones, and samples that are really in it."""
    mixed_in = {part.name for part in found.parts}
    kept = {slider.name: asked[slider.name] for slider in mixing.SLIDERS if slider.name in asked}
    kept |= {name: asked[name] for name in mixing.SAMPLES if asked.get(name) in mixed_in}
    return f"{reverse('mixer-figure')}?{urlencode(kept)}"


@login_required
def figure(request: HttpRequest) -> HttpResponse:
    if scope(request).unknown:
        return refused("There is no such project among yours.", 404)
    found = mixing.mix(request.user, request.GET.dict())
    rows = told(found)
    sentence = ", ".join(f"{row['label']} {row['value']}" for row in rows) + "."
    total = sum(part.share for part in found.parts) or 1.0
    drawing = _mixture.draw(
        mixing.GRID_NM,
        [(part.words, part.share / total * part.energy) for part in found.parts],
        found.energy,
        found.xy,
        sentence,
        found.notes,
    )
    address = _address(request.GET.dict(), found)
    return sent(request, drawing, api=address, more={"mixed": {row["key"]: row["value"] for row in rows}})


def told(found: mixing.Mix) -> list[dict[str, str]]:
    """What the mixture is, in the words of the page; what is not defined says so."""
    x, y = found.xy or (None, None)
    rows = (
        ("x", "CIE x", f"{x:.4f}" if x is not None else "no light"),
        ("y", "CIE y", f"{y:.4f}" if y is not None else "no light"),
        (
            "kelvin",
            "Colour temperature",
            f"{number(round(found.kelvin))}{NARROW}K" if found.kelvin is not None else "not white enough",
        ),
        (
            "duv",
            "Duv",
            f"{found.duv:+.4f}".replace("-", "−") if found.duv is not None else "not defined",
        ),
    )
    return [{"key": key, "label": label, "value": value} for key, label, value in rows]


urlpatterns = [
    path("dashboards/mixer/", mixer, name="mixer"),
    path("figures/mixer.json", figure, name="mixer-figure"),
]
