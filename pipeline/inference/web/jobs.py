"""Jobs of the web page for its worker process."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TranslateJob:
    """One photo to translate.

    Attributes:
        data: Bytes of the image file.
        size: Pixels, side of the results.
        seed: Random seed of the noise.
        anyway: Translate the central square if no face is found.
        max_pixels: A larger photo is refused.
        max_faces: Number of faces to translate, the largest first.
        style: Name of a style of the model; None: its first.
    """

    data: bytes
    size: int
    seed: int
    anyway: bool
    max_pixels: int
    max_faces: int
    style: str | None = None


@dataclass(frozen=True)
class DrawJob:
    """One person to draw.

    Attributes:
        styles: Names of styles of the renderer.
        size: Pixels, side of the drawings.
        person: Measured attributes.
        changes: Attributes that replace measured ones.
    """

    styles: tuple[str, ...]
    size: int
    person: dict[str, Any]
    changes: dict[str, Any]


Job = TranslateJob | DrawJob
