"""Pictures of many faces on one sheet."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from pipeline.selection.verdicts import REASONS, measure

MARGIN = 6
CAPTION = 12  # px, height of the letters
TITLE = 20
FRAME = 3
INK, KEPT, DROPPED = "#222222", "#2e8b57", "#c0392b"

#: The most faces a sheet of one verdict shows.
SHOWN = 48
#: What a face failed, for its caption: the measure and how to print it.
CAPTIONS = {
    "wrong_year": ("year", "{:.0f}"),
    "low_score": ("score", "score {:.2f}"),
    "unclear_features": ("feature_score", "features {:.2f}"),
    "side_profile": ("yaw", "yaw {:+.0f}°"),
    "small": ("size", "{:.0f} px"),
    "blurry": ("sharpness", "sharpness {:.0f}"),
}


def contact_sheet(
    images: Sequence[np.ndarray],
    captions: Sequence[str] | None = None,
    columns: int = 8,
    *,
    title: str = "",
    frames: Sequence[str | None] | None = None,
) -> Image.Image:
    """Lay uint8 RGB pictures of one size [H, W, 3] out in rows of `columns` on white, each above its caption.

    A caption that is wider than its picture is cut with an ellipsis. `frames` are colours drawn around pictures.
    """
    height, width = images[0].shape[:2] if len(images) else (0, 0)
    columns = max(1, min(columns, len(images)))
    cell_width = width + MARGIN
    cell_height = height + MARGIN + (CAPTION + 5 if captions else 0)
    head = TITLE + 2 * MARGIN if title else 0
    title_font = ImageFont.load_default(TITLE)
    size = (
        max(columns * cell_width + MARGIN, int(title_font.getlength(title)) + 3 * MARGIN),
        head + -(-len(images) // columns) * cell_height + MARGIN,
    )
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN), title, fill=INK, font=title_font)
    font = ImageFont.load_default(CAPTION)
    for index, image in enumerate(images):
        left, top = MARGIN + index % columns * cell_width, head + MARGIN + index // columns * cell_height
        sheet.paste(Image.fromarray(image), (left, top))
        if frames and frames[index]:
            draw.rectangle((left, top, left + width - 1, top + height - 1), outline=frames[index], width=FRAME)
        if captions:
            text = _fitted(captions[index], font, width)
            draw.text((left + width // 2, top + height + 1), text, fill=INK, font=font, anchor="ma")
    return sheet


def _fitted(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


def verdict_sheets(judged: pd.DataFrame, pixels: np.ndarray) -> Iterator[tuple[str, Image.Image]]:
    """Yield a name and a contact sheet for the kept faces and for each reason that dropped some.

    `judged` is the filter's table, `pixels` uint8 RGB [N, S, S, 3]. A sheet shows at most `SHOWN` faces: of a threshold
    the whole range, worst first; of duplicates whole clusters, the one that is kept in green before its copies.
    """
    measures = measure(judged)
    for name in ("kept", *REASONS):
        group = judged[(judged["reason"] == name) if name != "kept" else (judged["verdict"] == "kept")]
        if not len(group):
            continue
        title = f"{name.replace('_', ' ')}: {len(group):,} of {len(judged):,} faces"
        captions: list[str] | None = None
        frames: list[str | None] | None = None
        if name == "duplicate":
            shown = judged[judged["cluster"].notna()].sort_values(["cluster", "verdict"], ascending=[True, False])
            shown = _evenly_by_cluster(shown)
            sharpness = measures["sharpness"][shown.index]
            captions = [f"sharpness {value:.0f}" for value in sharpness]
            title += " (green: kept instead)"
            frames = [KEPT if verdict == "kept" else DROPPED for verdict in shown["verdict"]]
        elif name in CAPTIONS:
            measured, pattern = CAPTIONS[name]
            values = measures[measured][group.index]
            far = -values.abs() if name == "side_profile" else values
            shown = _evenly(group.loc[far.sort_values(na_position="first", kind="stable").index])
            captions = [pattern.format(v) if not np.isnan(v) else "not measured" for v in values[shown.index]]
        else:
            shown = _evenly(group)
        images = [np.asarray(pixels[row]) for row in shown["row"]]
        yield name, contact_sheet(images, captions, title=title, frames=frames)


def _evenly(table: pd.DataFrame) -> pd.DataFrame:
    """Take up to `SHOWN` rows, evenly spread over the table, with its first and last."""
    return table.iloc[np.unique(np.linspace(0, len(table) - 1, min(SHOWN, len(table))).round().astype(int))]


def _evenly_by_cluster(table: pd.DataFrame) -> pd.DataFrame:
    """Take whole clusters, evenly spread over the table, up to `SHOWN` rows; of a huge one its first rows."""
    starts = np.flatnonzero(np.diff(table["cluster"].to_numpy(dtype=np.int64), prepend=-1))
    wanted = np.unique(np.linspace(0, len(starts) - 1, min(SHOWN // 2, len(starts))).round().astype(int))
    numbers = table["cluster"].iloc[starts[wanted]]
    return table[table["cluster"].isin(numbers)].groupby("cluster").head(8).head(SHOWN)
