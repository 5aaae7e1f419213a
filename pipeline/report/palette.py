"""The chart of hair colours: outputs next to real faces."""

from markupsafe import Markup

from . import charts
from .results import DIRECTION_NAMES, Results

TABLE = "evaluate/palette.csv"
COLUMNS = ("direction", "colour", "outputs", "real")


def describe(results: Results) -> list[Markup]:
    """Return a chart for each direction; no chart if the stage `evaluate` found no hair colours."""
    if not results.exists(TABLE):
        return []
    table = results.csv(TABLE, *COLUMNS)
    drawn = []
    for direction, part in table.groupby("direction", sort=False):
        part = part[(part["outputs"] > 0) | (part["real"] > 0)]
        bars = part.melt(["colour"], ["outputs", "real"], "series", "share")
        title = f"Hair colours, {DIRECTION_NAMES[str(direction)]}"
        drawn.append(charts.grouped_bars(bars.replace({"real": "real faces"}), title=title, x="colour", y="share"))
    return drawn
