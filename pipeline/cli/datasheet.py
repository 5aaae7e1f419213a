"""Datasheet of a set of drawn faces (T. Gebru et al., Datasheets for Datasets, 2021)."""

from collections.abc import Sequence

import pandas as pd

from ..drawing import OPTIONS

_TEMPLATE = """# Drawn anime faces

{count} anime portraits with exact landmarks, head pose and attributes.

## What it is

PNG files of {size} x {size} pixels and one table, as `labels.csv` and `labels.parquet`, with one row per file.

| columns | content |
| --- | --- |
| `file` | name of the picture |
| `truth_00_x`, `truth_00_y` … `truth_27_y` | 28 landmarks in pixels, schema hysts28 |
| `drawn_yaw`, `drawn_pitch`, `drawn_roll` | head pose in degrees |
| `gender`, `age_group`, `skin`, `hair` … | attributes; `*_rgb` are their colours |

The centre of the first pixel is at 0.5, 0.5. Left is the left of the picture.

## How it was made

Drawn by AnimeMorph's procedural renderer from random numbers. It contains no photo of a person and no artist's work.
Command: `animemorph draw --count {count} --seed {seed} --size {size}{options}`. Renderer: {renderer}.

## Licence

CC0 1.0: https://creativecommons.org/publicdomain/zero/1.0/

## Distributions

{shares}
## Known gaps

* One face per picture, from the chest upwards; no hands, no other people, no objects in front of the face.
* Gender has two values. Attributes describe the drawing, not a person.
* Head angles are normally distributed around the frontal view; there are no profiles and no views from behind.
* Hairstyles, hats and clothes come from short lists. They include head coverings of few cultures.
* Landmarks are those of the drawn geometry, even if hair or a hat hides them.

Do not use it to judge or to recognise people.
"""


def datasheet(table: pd.DataFrame, seed: int, size: int, options: Sequence[str], renderer: str) -> str:
    """Return the datasheet of a set as Markdown.

    Args:
        table: One row per face, as `pipeline.download.drawn.draw_faces` returns it.
        seed: Random seed of the set.
        size: Side of the pictures in pixels.
        options: Further options of the command that drew the set.
        renderer: Hash of the renderer's code.
    """
    shares = ""
    for name in OPTIONS:
        column = "age_group" if name == "age" else name
        if column in table:
            counted = table[column].value_counts(normalize=True)
            values = ", ".join(f"{value} {share:.1%}" for value, share in counted.items())
            shares += f"* {column}: {values}\n"
    for name in ("drawn_yaw", "drawn_pitch", "drawn_roll"):
        shares += f"* {name}: mean {table[name].mean():.1f}°, standard deviation {table[name].std(ddof=0):.1f}°\n"
    return _TEMPLATE.format(
        count=len(table),
        size=size,
        seed=seed,
        options="".join(f" {option}" for option in options),
        renderer=renderer[:12],
        shares=shares,
    )
