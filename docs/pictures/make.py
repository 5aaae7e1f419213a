"""Make the pictures of the README and the docs with the shipped model: `uv run python docs/pictures/make.py`.

The people are generated with a random seed that no training uses, so the model has not seen them.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from tqdm import tqdm

from pipeline.download.demo_humans import generate
from pipeline.inference import NoFaceError, Translator

HERE = Path(__file__).parent
SEED = 20261127  # of the people
SIDE = 192  # px, one portrait in a picture
#: People of the pictures, by index, chosen by eye for different gender, age, skin and hair.
HERO = (2, 5, 34, 19, 31, 12, 17, 41)
GALLERY = (2, 19, 34)


def people(indices: tuple[int, ...]) -> list[Image.Image]:
    """Return generated photos of people, 256 px."""
    return [Image.fromarray(face) for face in tqdm(generate(SEED, indices, 256), desc="people", total=len(indices))]


def photo_crop(translator: Translator, photo: Image.Image) -> Image.Image:
    """Return the part of a photo that the network sees."""
    (face,) = translator.faces(np.asarray(photo), most=1)
    return Image.fromarray(face.crop).resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def table(rows: list[list[Image.Image]], captions: list[str] | None = None) -> Image.Image:
    """Lay out portraits in rows, with a caption above each column."""
    top = 20 if captions else 0
    sheet = Image.new("RGB", (len(rows[0]) * SIDE, len(rows) * SIDE + top), "white")
    for number, caption in enumerate(captions or []):
        ImageDraw.Draw(sheet).text((number * SIDE + SIDE // 2, top // 2), caption, fill="black", anchor="mm")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            sheet.paste(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (x * SIDE, top + y * SIDE))
    return sheet


def hero() -> Image.Image:
    """Return photos of different people above their translations."""
    translator = Translator()
    photos = people(HERO)
    return table([[photo_crop(translator, photo) for photo in photos], [translator.translate(p) for p in photos]])


def styles() -> Image.Image:
    """Return a few people, one row each: the photo, then its translation in every style."""
    names = Translator().facts.styles
    translators = [Translator(style=name) for name in names]
    rows = [
        [photo_crop(translators[0], photo), *(translator.translate(photo) for translator in translators)]
        for photo in people(GALLERY)
    ]
    return table(rows, ["photo", *names])


def candidates(count: int) -> Image.Image:
    """Return many people and their translations, to choose from."""
    translator, rows = Translator(), []
    photos = people(tuple(range(count)))
    for start in range(0, count, 12):
        pairs = []
        for photo in photos[start : start + 12]:
            try:
                pairs.append((photo_crop(translator, photo), translator.translate(photo)))
            except NoFaceError:
                pairs.append((photo, Image.new("RGB", (SIDE, SIDE), "white")))
        rows += [[pair[0] for pair in pairs], [pair[1] for pair in pairs]]
    return table(rows)


if __name__ == "__main__":
    hero().save(HERE / "hero.jpg", quality=88)
    styles().save(HERE / "styles.jpg", quality=88)
