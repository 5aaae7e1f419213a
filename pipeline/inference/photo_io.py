"""A photo's bytes to pixels and back, with a sentence for everything that is no photo."""

import io

import numpy as np
from PIL import Image

from ..decoding import NEEDS_HEIF, RejectedError, decode, to_rgb, upright
from ..errors import UserError

MAX_PIXELS = 100_000_000
#: Suffixes a picture can be written with.
WRITABLE = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}

_REASONS = {
    "zero bytes": "the file is empty: give a photo",
    "not an image": "this is not a picture that can be read: give a JPEG, PNG, WebP, GIF, BMP or TIFF file",
    "truncated": "the picture is cut off: get the whole file",
    "damaged": "the picture is damaged: get it again",
    NEEDS_HEIF: "HEIC photos need the package pillow-heif: install animemorph[heif], or save the photo as JPEG",
    "too many scans": "the picture would take too long to decode: save it as JPEG again",
    "too many segments": "the picture would take too long to decode: save it as JPEG again",
}


def read_photo(data: bytes, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode a photo's bytes to uint8 RGB [H, W, 3], upright; UserError says in a sentence why it cannot be done."""
    try:
        return decode(data, max_pixels)[0]
    except RejectedError as error:
        if str(error) == "too large":
            sentence = f"the picture has more than {max_pixels // 10**6} million pixels: make it smaller first"
        else:
            sentence = _REASONS.get(str(error), f"the picture cannot be used ({error}): give a JPEG or PNG file")
        raise UserError(sentence + ".") from error


def pixels_of(image: Image.Image, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Turn any PIL image into uint8 RGB [H, W, 3], upright; UserError when its file is damaged, too large or empty."""
    if image.width * image.height > max_pixels:
        raise UserError(f"the picture has more than {max_pixels // 10**6} million pixels: make it smaller first.")
    if image.width == 0 or image.height == 0:
        raise UserError("the picture has no pixels: give a photo.")
    try:
        return np.array(to_rgb(upright(image)))
    except RejectedError as error:
        raise UserError(f"the picture cannot be used ({error}): convert it to RGB first.") from error
    except (OSError, ValueError, SyntaxError) as error:  # PIL reads a file's pixels only now
        raise UserError(f"the picture is damaged ({error}): get it again.") from error


def write_photo(picture: np.ndarray, suffix: str = ".png") -> bytes:
    """Encode uint8 RGB [H, W, 3]: pixels only, nothing of the input's metadata. Equal pixels, equal bytes."""
    buffer = io.BytesIO()
    kind = WRITABLE[suffix]
    Image.fromarray(picture).save(buffer, kind, **({} if kind == "PNG" else {"quality": 95}))
    return buffer.getvalue()
