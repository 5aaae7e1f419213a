"""Figures of the document: curves over the epochs as SVG, and example outputs of all models."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from PIL import Image

from ..contact_sheet import contact_sheet
from ..report.charts import lines
from .claims import CYCLEGAN
from .measures import total_losses

#: Colours that replace the CSS variables of the report's page.
COLOURS = {
    "page": "#ffffff",
    "ink": "#1d1b20",
    "soft": "#625d69",
    "line": "#d8d3dc",
    "grid": "#ece8ef",
    "series-1": "#2a6fdb",
    "series-2": "#e0559b",
    "series-3": "#12936c",
    "series-4": "#c98500",
    "series-5": "#6f5bd6",
}
#: Photos in the sheet of pictures.
COLUMNS = 8


def curves(histories: Mapping[tuple[str, int], pd.DataFrame]) -> dict[str, str]:
    """Draw the curves over the epochs, each the mean over the seeds.

    Args:
        histories: Content of `history.csv` by model and seed.

    Returns:
        SVG by name: losses, copies, diversity, distance.
    """
    if not histories:
        return {}
    losses = pd.concat(
        [
            total_losses(history).melt("epoch", var_name="series", value_name="value")
            for (model, _), history in histories.items()
            if model == CYCLEGAN
        ]
        or [pd.DataFrame(columns=["epoch", "series", "value"])]
    )
    figures = {"losses": (losses, f"Losses of the generators, {CYCLEGAN}")}
    for name, column, title in (
        ("copies", "val_near_duplicate_rate_human2anime", "Near-duplicates, validation photos"),
        ("diversity", "val_feature_diversity_ratio_human2anime", "Diversity of the outputs (real faces: 1)"),
        ("distance", "val_fd_human2anime", "Distance to anime faces, validation photos"),
    ):
        columns = [
            pd.DataFrame({"epoch": history["epoch"], "series": model, "value": history[column]})
            for (model, _), history in histories.items()
        ]
        figures[name] = (pd.concat(columns), title)
    drawn = {}
    for name, (points, title) in figures.items():
        means = points.groupby(["series", "epoch"], sort=False)["value"].mean().reset_index()
        if len(means):
            drawn[name] = _standalone(str(lines(means, title=title)))
    return drawn


def pictures(photos: np.ndarray, outputs: Mapping[str, np.ndarray]) -> Image.Image:
    """Arrange photos and the output of each model below them.

    Args:
        photos: uint8 RGB [n, R, R, 3].
        outputs: Outputs by model, uint8 RGB [n, R, R, 3].
    """
    count = min(COLUMNS, len(photos))
    rows: Sequence[tuple[str, np.ndarray]] = [("photo", photos), *outputs.items()]
    captions = [name for name, _ in rows for _ in range(count)]
    return contact_sheet([picture for _, row in rows for picture in row[:count]], captions, count)


def _standalone(svg: str) -> str:
    """Replace the CSS variables of the report's page by colours, on a white background."""
    for name, colour in COLOURS.items():
        svg = svg.replace(f"var(--{name})", colour)
    return svg.replace("<svg ", '<svg style="background:white" ', 1)
