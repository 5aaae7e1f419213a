"""The report: one HTML file that needs nothing else."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.params import Params
from pipeline.reporting import dataset, failures, progress, provenance, quality, samples, slices
from pipeline.reporting.results import Results


def environment(autoescape: bool) -> Environment:
    """Return the templates of this room; a name that no context holds is an error."""
    return Environment(
        loader=PackageLoader("pipeline.reporting"),
        autoescape=autoescape,  # noqa: S701 - the Markdown page escapes by itself
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def describe(results: Results, params: Params) -> dict[str, Any]:
    """Read all that a report tells, as the context of its templates."""
    return {
        "profile": params.profile,
        "samples": samples.describe(results, params.report.samples),
        "quality": quality.describe(results),
        "slices": slices.describe(results),
        "failures": failures.describe(results),
        "data": dataset.describe(results),
        "training": progress.describe(results),
        "provenance": provenance.describe(results, params),
    }


def render(context: dict[str, Any]) -> str:
    """Return the HTML page for what `describe` returned."""
    return environment(autoescape=True).get_template("page.html").render(**context)
