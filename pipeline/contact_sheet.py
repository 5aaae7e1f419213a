"""Contact sheet: a grid of captioned pictures."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

#: MARGIN, FRAME: pixels, space between pictures and width of a frame. CAPTION, TITLE: pixels, font sizes.
MARGIN, FRAME, CAPTION, TITLE = 6, 3, 12, 20
INK = "#222222"


def contact_sheet(
    images: Sequence[np.ndarray],
    captions: Sequence[str] | None = None,
    columns: int = 8,
    *,
    title: str = "",
    frames: Sequence[str | None] | None = None,
) -> Image.Image:
    """Arrange pictures in rows on white, each above its caption.

    Args:
        images: uint8 RGB [H, W, 3], all of one size.
        captions: One per picture; one that is wider than its picture is cut with an ellipsis.
        columns: Pictures per row.
        title: Text above the grid.
        frames: Colours of frames around the pictures; None: no frame.
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
