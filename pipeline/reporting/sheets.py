"""Pictures of many faces on one sheet."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

MARGIN = 4
CAPTION = 14


def contact_sheet(images: Sequence[np.ndarray], captions: Sequence[str] | None = None, columns: int = 8) -> Image.Image:
    """Lay uint8 RGB pictures of one size [H, W, 3] out in rows of `columns`, each above its caption, on white."""
    if not images:
        return Image.new("RGB", (8 * MARGIN, 8 * MARGIN), "white")
    height, width = images[0].shape[:2]
    columns = min(columns, len(images))
    cell_width, cell_height = width + MARGIN, height + MARGIN + (CAPTION if captions else 0)
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * cell_width + MARGIN, rows * cell_height + MARGIN), "white")
    draw = ImageDraw.Draw(sheet)
    for index, image in enumerate(images):
        left, top = MARGIN + index % columns * cell_width, MARGIN + index // columns * cell_height
        sheet.paste(Image.fromarray(image), (left, top))
        if captions:
            draw.text((left, top + height), captions[index][: width // 6], fill="black")
    return sheet
