"""Render the report as one self-contained HTML file, and the model card."""

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..params import Params
from . import data, external_set, failures, metrics, palette, provenance, samples, subgroups, training_curves, warnings
from .results import Results


def describe(results: Results, params: Params) -> dict[str, Any]:
    """Read the outputs of the stages as the context of the templates.

    Raises:
        UserError: An output of an earlier stage is missing, damaged or does not match the others.
    """
    return {
        "profile": params.profile,
        "samples": samples.describe(results, params.report.samples_per_direction),
        "metrics": metrics.describe(results),
        "palettes": palette.describe(results),
        "warnings": warnings.describe(results),
        "subgroups": subgroups.describe(results),
        "failures": failures.describe(results),
        "external": external_set.describe(results),
        "data": data.describe(results),
        "training": training_curves.describe(results),
        "provenance": provenance.describe(results, params),
    }


def html(context: dict[str, Any]) -> str:
    """Return the report for the context that `describe` returned."""
    return _templates(autoescape=True).get_template("page.html").render(context)


def model_card(context: dict[str, Any]) -> str:
    """Return the model card, Markdown, for the context that `describe` returned."""
    card = _templates(autoescape=False).get_template("model_card.md").render(context)
    return re.sub(r"\n{3,}", "\n\n", card)


def _templates(autoescape: bool) -> Environment:
    """Return the environment of the templates; an undefined name is an error."""
    templates = Environment(
        loader=PackageLoader(__package__),
        autoescape=autoescape,  # noqa: S701 - the filter `cell` escapes Markdown
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["cell"] = _cell
    return templates


def _cell(text: object) -> str:
    """Escape text from a data source for a cell of a Markdown table."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", " ".join(str(text).split()))
