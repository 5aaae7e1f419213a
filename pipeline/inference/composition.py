"""Results with several pictures: a sheet of the translations of a photo, and the photo with its faces replaced."""

import numpy as np

from ..images import crop_aligned, inside_photo, resize
from .blending import paste_face
from .enlarging import enlarge, enlarge_to_photo
from .painting import paint
from .translator import Face


def grid(photo: np.ndarray, variants: list[list[Face]], size: int) -> np.ndarray:
    """Return a sheet with a row per face: photo, anime face in each style, and reconstructions that exist.

    Args:
        photo: uint8 RGB [H, W, 3].
        variants: The same n faces in each style.
        size: Pixels, side of a cell.

    Returns:
        uint8 RGB [n * size, cells * size, 3].
    """
    rows = []
    for styles in zip(*variants, strict=True):
        cells = [enlarge(face.anime, size) for face in styles]
        cells += [resize(face.back, size, size) for face in styles if face.back is not None]
        rows.append(np.hstack([crop_aligned(photo, styles[0].align, size), *cells]))
    return np.vstack(rows)


def paste(photo: np.ndarray, faces: list[Face], painted: bool = False) -> np.ndarray:
    """Paste the anime faces into a copy of the photo, with a soft rim in matching colours; the largest on top.

    Args:
        photo: uint8 RGB [H, W, 3].
        faces: Its faces.
        painted: Paint the rest of the photo in the colours of the drawings, with flat areas and outlines.

    Returns:
        uint8 RGB [H, W, 3].
    """
    result = photo.copy()
    if painted:
        size, shape = len(faces[0].crop), (photo.shape[0], photo.shape[1])
        crops, drawn = np.stack([face.crop for face in faces]), np.stack([face.anime for face in faces])
        result = paint(photo, crops, drawn, np.stack([inside_photo(face.align, size, shape) for face in faces]))
    for face in reversed(faces):
        paste_face(result, enlarge_to_photo(face.anime, face.align), face.align)
    return result
