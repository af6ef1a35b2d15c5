"""Shares of a composition, as pages write them."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from frontend import formatting
from frontend.templatetags.vitrine import written
from samples.composition import Share

register = template.Library()

NO_SIGMA_BELOW = 1e-12  # a pure substance is exactly itself


@register.simple_tag
def share(part: Share) -> SafeString:
    """`25.000 ± 0.012 %`, or without a sigma where a balance's was not recorded."""
    sigma = part.sigma if part.sigma is not None and part.sigma > NO_SIGMA_BELOW else None
    fraction = part.fraction if sigma is not None else float(f"{part.fraction:.4g}")
    return written(formatting.quantity(fraction, sigma, "1", as_percent=True))


@register.filter
def points(difference: float) -> str:
    """A difference of mass fractions in weight percent."""
    return formatting.with_unit(float(f"{100 * difference:.2g}"), "wt %")
