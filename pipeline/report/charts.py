"""Draw charts as SVG with Vega-Lite; colours are CSS variables of the page.

The SVG depends only on its data, not on time, random IDs or installed fonts.
"""

from typing import Any

import pandas as pd
import vl_convert
from markupsafe import Markup

VEGA_LITE = "6.4"
#: Version of Vega-Lite that DVC's plots use.
DVC_VEGA_LITE = "5.21"
#: CSS variables of style.css, with values for light and dark mode.
SERIES = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)", "var(--series-5)"]
#: Pixels. Small charts are readable on a phone, and wide pages show several in a row.
WIDTH, HEIGHT = 270, 150

_CONFIG: dict[str, Any] = {
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--soft)",
        "titleColor": "var(--soft)",
        "titleFontWeight": "normal",
        "gridColor": "var(--grid)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "labelFontSize": 11,
        "titleFontSize": 11,
    },
    "axisX": {"grid": False},
    "title": {"color": "var(--ink)", "fontSize": 13, "anchor": "start", "fontWeight": 600, "offset": 8},
    "legend": {
        "labelColor": "var(--soft)",
        "labelFontSize": 11,
        "orient": "top",
        "title": None,
        "offset": 4,
        "columns": 2,
        "labelLimit": 0,
    },
}


def lines(points: pd.DataFrame, *, title: str) -> Markup:
    """Draw `value` by `epoch`, a line per value of the column `series` in order of first appearance."""
    names = list(dict.fromkeys(points["series"]))
    positions = sorted(points["epoch"].unique().tolist())
    # The default axis would label two epochs 1, 2, 2 because it rounds 1.5.
    ticks: dict[str, Any] = {"values": positions} if len(positions) <= 6 else {"tickMinStep": 1, "tickCount": 6}
    return _draw(
        points[["epoch", "value", "series"]],
        title,
        mark={"type": "line", "strokeWidth": 2, "point": {"size": 40 if len(positions) == 1 else 12}},
        encoding={
            "x": {"field": "epoch", "type": "quantitative", "axis": {**ticks, "format": "d"}},
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "scale": {"zero": points["value"].nunique() == 1, "nice": True},
                "axis": {"tickCount": 5},
            },
            "color": _colours("series", names),
        },
    )


def stacked_bars(counts: pd.DataFrame, *, title: str, x: str, y: str, series: str) -> Markup:
    """Draw horizontal bars of column `x`, one per value of `y`, stacked by `series`; order as in the table."""
    names = list(dict.fromkeys(counts[series]))
    order = {name: index for index, name in enumerate(names)}
    table = counts[[x, y, series]].assign(order=counts[series].map(order))
    return _draw(
        table,
        title,
        height=34 * counts[y].nunique(),
        mark={"type": "bar", "stroke": "var(--page)", "strokeWidth": 1},
        encoding={
            "x": {"field": x, "type": "quantitative", "title": None, "axis": {"tickCount": 5}},
            "y": {"field": y, "type": "nominal", "title": None, "sort": list(dict.fromkeys(counts[y]))},
            "color": _colours(series, names),
            "order": {"field": "order", "type": "quantitative"},
        },
    )


def grouped_bars(shares: pd.DataFrame, *, title: str, x: str, y: str) -> Markup:
    """Draw a group of vertical bars per value of column `x`, one per value of the column `series`, of height `y`."""
    names = list(dict.fromkeys(shares["series"]))
    return _draw(
        shares[[x, y, "series"]],
        title,
        mark={"type": "bar"},
        encoding={
            "x": {"field": x, "type": "nominal", "title": None, "sort": list(dict.fromkeys(shares[x]))},
            "xOffset": {"field": "series", "sort": names},
            "y": {"field": y, "type": "quantitative", "title": None, "axis": {"tickCount": 4, "format": "%"}},
            "color": _colours("series", names),
        },
    )


def histogram(values: pd.Series, *, title: str, colour: int = 0) -> Markup:
    """Draw a histogram of `values`."""
    return _draw(
        pd.DataFrame({"value": values.dropna().astype(float)}),
        title,
        height=90,
        mark={"type": "bar", "color": SERIES[colour]},
        encoding={
            "x": {"field": "value", "type": "quantitative", "bin": {"maxbins": 24}, "title": None},
            "y": {"aggregate": "count", "type": "quantitative", "title": None, "axis": {"tickCount": 4}},
        },
    )


def intervals(table: pd.DataFrame, *, title: str) -> Markup:
    """Draw a dot and its interval per row: columns `label`, `value`, `low`, `high` (may be missing)."""
    encoding: dict[str, dict[str, Any]] = {
        "y": {"field": "label", "type": "nominal", "title": None, "sort": table["label"].tolist()},
        "x": {
            "field": "value",
            "type": "quantitative",
            "title": None,
            "scale": {"zero": False},
            "axis": {"tickCount": 5},
        },
    }
    layer: list[dict[str, Any]] = [
        {
            "mark": {"type": "rule", "strokeWidth": 2, "color": SERIES[0], "opacity": 0.5},
            "encoding": {**encoding, "x": {**encoding["x"], "field": "low"}, "x2": {"field": "high"}},
        },
        {"mark": {"type": "point", "filled": True, "size": 60, "color": SERIES[0], "opacity": 1}, "encoding": encoding},
    ]
    return _draw(table, title, height=22 * len(table), layer=layer)


def dvc_plots_script() -> str:
    """Return the JavaScript that the page of `dvc plots show` needs offline."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=DVC_VEGA_LITE)


def _colours(series: str, names: list[str]) -> dict[str, Any]:
    scale = {"domain": names, "range": [SERIES[index % len(SERIES)] for index in range(len(names))]}
    return {"field": series, "type": "nominal", "scale": scale, "legend": {} if len(names) > 1 else None}


def _draw(table: pd.DataFrame, title: str, height: int = HEIGHT, **marks: Any) -> Markup:
    values = table.astype(object).where(table.notna(), None).to_dict("records")
    spec = {
        "title": title,
        "width": WIDTH,
        "height": height,
        "background": None,
        "config": _CONFIG,
        "data": {"values": values},
        **marks,
    }
    # Vega escapes the texts in the SVG.
    return Markup(vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE, allowed_base_urls=[]))  # noqa: S704
