"""Decode and encode photos."""

import io

import numpy as np
from PIL import Image

from ..decoding import NEEDS_HEIF, RejectedError, decode, to_rgb, upright
from ..errors import Kind, UserError

MAX_PIXELS = 100_000_000
#: Suffix of an output file -> format.
WRITABLE = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}

_REASONS = {
    "zero bytes": "the file is empty. Use a photo",
    "not an image": "the file cannot be read as a picture. Use a JPEG, PNG, WebP, GIF, BMP or TIFF file",
    "truncated": "the picture is truncated. Copy the complete file again",
    "damaged": "the picture is damaged. Copy the file again",
    NEEDS_HEIF: "HEIC photos need the package pillow-heif. Install animemorph[heif], or save the photo as JPEG",
    "too many scans": "the picture takes too long to decode. Save it as JPEG again",
    "too many segments": "the picture takes too long to decode. Save it as JPEG again",
}


def _refused(message: str, kind: Kind) -> UserError:
    return UserError(f"{message}.", kind=kind, subject="photo")


def _too_large(max_pixels: int) -> UserError:
    limit = max_pixels // 10**6
    return _refused(f"the picture has more than {limit} million pixels. Make it smaller", Kind.BAD_VALUE)


def read_photo(data: bytes, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode the bytes of a photo.

    Args:
        data: Image file.
        max_pixels: A larger photo is refused.

    Returns:
        uint8 RGB [H, W, 3], upright.

    Raises:
        UserError: The file is not a photo, damaged or too large.
    """
    try:
        return decode(data, max_pixels)[0]
    except RejectedError as error:
        reason = str(error)
        if reason == "too large":
            raise _too_large(max_pixels) from error
        message = _REASONS.get(reason, f"the picture cannot be used ({reason}). Use a JPEG or PNG file")
        raise _refused(message, Kind.UNAVAILABLE if reason == NEEDS_HEIF else Kind.DAMAGED) from error


def pil_to_rgb(image: Image.Image, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Convert a PIL image of any mode.

    Args:
        image: Image; its file is read if it is still open.
        max_pixels: A larger image is refused.

    Returns:
        uint8 RGB [H, W, 3], upright.

    Raises:
        UserError: The image is empty or too large, or its file is damaged.
    """
    if image.width * image.height > max_pixels:
        raise _too_large(max_pixels)
    if image.width == 0 or image.height == 0:
        raise _refused("the picture has no pixels. Use a photo", Kind.BAD_VALUE)
    try:
        return np.array(to_rgb(upright(image)))
    except RejectedError as error:
        raise _refused(f"the picture cannot be used ({error}). Convert it to RGB", Kind.BAD_VALUE) from error
    except (OSError, ValueError, SyntaxError) as error:  # PIL reads the pixels of a file here
        raise _refused(f"the picture is damaged ({error}). Copy the file again", Kind.DAMAGED) from error


def write_photo(picture: np.ndarray, suffix: str = ".png") -> bytes:
    """Encode uint8 RGB [H, W, 3] without any metadata; equal pixels give equal bytes."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, WRITABLE[suffix], **({} if suffix == ".png" else {"quality": 95}))
    return buffer.getvalue()
