"""Make the pictures of the README and the docs with the shipped model.

    uv run python docs/pictures/make.py
    uv run python docs/pictures/make.py styles.jpg video.webp

The people are generated with a random seed that no training uses, so the model has not seen them.
"""

import argparse
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from tqdm import tqdm

from benchmarks import video_flicker
from pipeline.download.demo_humans import generate
from pipeline.drawing import STYLES
from pipeline.images import crop_aligned
from pipeline.inference import NoFaceError, Translator
from pipeline.inference.backends import BUNDLE, PRETRAINED
from pipeline.inference.composition import paste
from pipeline.inference.portrait import draw_person, find_people

HERE = Path(__file__).parent
SEED = video_flicker.SEED
SIDE = 256  # px, one portrait in a picture
#: People of the pictures, by index, chosen by eye for different gender, age, skin, hair and hats.
HERO = (2, 5, 34, 19, 31, 12, 17, 41)
GALLERY = (2, 19, 34)
DRAWN = (*GALLERY, 0, 55)
PASTED = (2, 5, 19, 41)
FILMED = 2
#: Each second frame of the video is shown, so that the file stays small.
STEP = 2


@cache
def person(index: int, size: int = 256) -> np.ndarray:
    """Return a generated photo of a person, uint8 RGB [size, size, 3]."""
    (photo,) = generate(SEED, (index,), size)
    return np.asarray(photo)


def people(indices: tuple[int, ...]) -> list[Image.Image]:
    """Return generated photos of people, 256 px."""
    return [Image.fromarray(person(index)) for index in tqdm(indices, desc="people", leave=False)]


@cache
def translator(style: str | None = None) -> Translator:
    """Return the shipped model, whatever was trained here."""
    return Translator(PRETRAINED / BUNDLE, style)


def photo_crop(photo: Image.Image) -> Image.Image:
    """Return the part of a photo that the network sees."""
    pixels = np.asarray(photo)
    (face,) = translator().faces(pixels, most=1)
    return Image.fromarray(crop_aligned(pixels, face.align, SIDE))


def table(rows: list[list[Image.Image]], captions: list[str] | None = None, side: int = SIDE) -> Image.Image:
    """Lay out pictures in rows, with a caption above each column."""
    top = 20 if captions else 0
    sheet = Image.new("RGB", (len(rows[0]) * side, len(rows) * side + top), "white")
    for number, caption in enumerate(captions or []):
        ImageDraw.Draw(sheet).text((number * side + side // 2, top // 2), caption, fill="black", anchor="mm")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            sheet.paste(picture.resize((side, side), Image.Resampling.LANCZOS), (x * side, top + y * side))
    return sheet


def hero() -> Image.Image:
    """Return photos of different people above their translations."""
    photos = people(HERO)
    return table([[photo_crop(photo) for photo in photos], [translator().translate(photo) for photo in photos]])


def styles() -> Image.Image:
    """Return a few people, one row each: the photo, then its translation in every style."""
    names = translator().facts.styles
    rows = [[photo_crop(photo), *(translator(name).translate(photo) for name in names)] for photo in people(GALLERY)]
    return table(rows, ["photo", *names])


def drawn() -> Image.Image:
    """Return a few people, one row each: the photo, then the drawn portrait in every style."""
    rows = []
    for photo in people(DRAWN):
        (one, *_) = find_people(np.asarray(photo))
        rows.append([photo, *(Image.fromarray(draw_person(one.attributes, name, SIDE).picture) for name in STYLES)])
    return table(rows, ["photo", *STYLES])


def pasted() -> Image.Image:
    """Return a few people, one column each: the photo, the face pasted into it, and the painted photo."""
    columns = []
    for photo in people(PASTED):
        pixels = np.asarray(photo)
        faces = translator().faces(pixels, most=1)
        columns.append([photo, *(Image.fromarray(paste(pixels, faces, painted)) for painted in (False, True))])
    return table([list(row) for row in zip(*columns, strict=True)])


def video() -> list[Image.Image]:
    """Return the frames of a synthetic clip next to those of its translation."""
    photo, anime = video_flicker.translated(translator(), video_flicker.clip(person(FILMED, video_flicker.PHOTO)))
    pairs = list(zip(photo, anime, strict=True))[::STEP]
    return [Image.fromarray(np.hstack(pair)) for pair in tqdm(pairs, desc="video", leave=False)]


def candidates(count: int) -> Image.Image:
    """Return many people and their translations, to choose from."""
    rows = []
    photos = people(tuple(range(count)))
    for start in range(0, count, 12):
        pairs = []
        for photo in photos[start : start + 12]:
            try:
                pairs.append((photo_crop(photo), translator().translate(photo)))
            except NoFaceError:
                pairs.append((photo, Image.new("RGB", (SIDE, SIDE), "white")))
        rows += [[pair[0] for pair in pairs], [pair[1] for pair in pairs]]
    return table(rows)


PICTURES: dict[str, Callable[[], Image.Image | list[Image.Image]]] = {
    "hero.jpg": hero,
    "styles.jpg": styles,
    "drawn.jpg": drawn,
    "pasted.jpg": pasted,
    "video.webp": video,
}


def main() -> None:
    """Make the named pictures, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(PICTURES)}; default: all")
    names = parser.parse_args().names or list(PICTURES)
    if unknown := [name for name in names if name not in PICTURES]:
        parser.error(f"unknown picture {unknown[0]!r}. Use one of {', '.join(PICTURES)}.")
    for name in tqdm(names, desc="pictures"):
        made = PICTURES[name]()
        if isinstance(made, list):
            duration = 1000 * STEP // video_flicker.RATE
            made[0].save(HERE / name, save_all=True, append_images=made[1:], duration=duration, loop=0, quality=60)
        else:
            made.save(HERE / name, quality=88)


if __name__ == "__main__":
    main()
