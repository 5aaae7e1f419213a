"""Pixels: bytes to RGB, and stored faces to the crops that networks see."""

import io
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

#: The only decoders that are ever tried: others start programs or read other files.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
Image.init()

# decode() has a limit of its own, given by the caller, and looks at it before any pixel is decoded.
Image.MAX_IMAGE_PIXELS = None


type Fit = Literal["crop", "pad", "stretch"]


class RejectedError(Exception):
    """A file that gives no picture; the message is the reason in a few words."""


def decode(data: bytes, max_pixels: int, at_least: int | None = None) -> tuple[np.ndarray, tuple[int, int]]:
    """Decode a file's bytes to uint8 RGB [H, W, 3], and its full width and height; RejectedError says why not.

    The picture stands upright (EXIF orientation), transparency lies over white, 16 bits become 8, of an animation the
    first frame is taken, colour profiles are ignored. With `at_least`, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its
    size as long as the shorter side stays at least twice as many pixels: libjpeg then skips most of the arithmetic, and
    the final reduction still averages over several pixels.
    """
    if not data:
        raise RejectedError("zero bytes")
    plain = _plain_jpeg(data)
    if plain:
        width, height = plain
        _check_size(width, height, max_pixels)
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), _reduction(min(width, height), at_least))
        if picture is not None:
            return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB, dst=picture), plain
    return _decode_any(data, max_pixels, at_least)


def to_square(image: np.ndarray, size: int, fit: Fit = "crop") -> np.ndarray:
    """Resize uint8 RGB [H, W, 3] to [size, size, 3]: averaged over areas when smaller, cubic when larger.

    `crop` cuts the middle square out, `pad` adds white on both sides, `stretch` squashes.
    """
    height, width = image.shape[:2]
    if fit == "crop":
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        image = image[top : top + side, left : left + side]
    elif fit == "pad" and height != width:
        side = max(height, width)
        top, left = (side - height) // 2, (side - width) // 2
        image = cv2.copyMakeBorder(
            image, top, side - height - top, left, side - width - left, cv2.BORDER_CONSTANT, value=(255, 255, 255)
        )
    height, width = image.shape[:2]
    if width > size or height > size:
        image = _shrink(image, min(width, size), min(height, size))
    if image.shape[:2] != (size, size):
        image = cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(image)


def _shrink(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Make a picture smaller without aliasing.

    OpenCV's averaging over areas takes longer than decoding where the ratio is no whole number. Up to 2, a slight blur
    before linear interpolation takes a third of it, and photos come out as with Pillow's bilinear filter (47 dB).
    """
    ratio = max(image.shape[1] / width, image.shape[0] / height)
    if ratio >= 2:
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    deviation = np.sqrt((ratio**2 - 1) / 6)  # a triangle of radius `ratio` has this much more variance than one of 1
    blurred = cv2.GaussianBlur(image, (3, 3), deviation) if deviation > 0 else image
    return cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)


def square_matrix(width: int, height: int, size: int, fit: Fit = "crop") -> np.ndarray:
    """Return the [2, 3] map of points that goes with `to_square`; the first pixel's centre is at 0.5, 0.5."""
    if fit == "stretch":
        return np.array([[size / width, 0, 0], [0, size / height, 0]])
    side = min(width, height) if fit == "crop" else max(width, height)
    scale = size / side
    # Whole pixels are cut off or added, as to_square does.
    left, top = (
        ((width - side) // 2, (height - side) // 2)
        if fit == "crop"
        else (-((side - width) // 2), -((side - height) // 2))
    )
    return np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])


class PixelWriter:
    """Write `faces.npy` picture by picture, uint8 [N, size, size, 3], without knowing N beforehand."""

    def __init__(self, path: Path, size: int) -> None:
        self._shape = (size, size, 3)
        self._stream = path.open("wb")
        self.count = 0
        self._write_header()

    def append(self, picture: np.ndarray) -> None:
        """Add one uint8 [size, size, 3] picture; ValueError when it is something else."""
        if picture.shape != self._shape or picture.dtype != np.uint8:
            raise ValueError(f"{picture.dtype} {picture.shape} is not uint8 {self._shape}")
        self._stream.write(np.ascontiguousarray(picture).data)
        self.count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.seek(0)
        self._write_header()
        self._stream.close()

    def _write_header(self) -> None:
        # NumPy pads the header so that its length does not change when the first axis grows.
        np.lib.format.write_array_header_1_0(
            self._stream, {"descr": "|u1", "fortran_order": False, "shape": (self.count, *self._shape)}
        )


def crop_aligned(image: np.ndarray, align: np.ndarray, size: int) -> np.ndarray:
    """Warp uint8 RGB [H, W, 3] by a similarity to uint8 RGB [size, size, 3], antialiased.

    `align` [2, 3] maps the picture's pixels (the first pixel's centre is at 0.5, 0.5) to the unit square. What lies
    outside of the picture is mirrored. Training, evaluation and inference all read pixels through this function.
    """
    matrix = np.asarray(align, dtype=np.float64).reshape(2, 3) * size
    shrink = 1 / np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    oversample = max(1, int(np.ceil(shrink)))
    matrix = matrix * oversample
    # OpenCV counts from the first pixel's centre.
    matrix[:, 2] += matrix[:, :2].sum(axis=1) * 0.5 - 0.5
    side = size * oversample
    warped = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    if oversample == 1:
        return warped
    return cv2.resize(warped, (size, size), interpolation=cv2.INTER_AREA)


def inside_photo(align: np.ndarray, size: int, stored: int | tuple[int, int]) -> np.ndarray:
    """Return the mask of the pixels of an aligned crop that lie inside the stored picture.

    `crop_aligned` mirrors the picture beyond its edges. Nothing may be measured or learnt on mirrored pixels.

    Args:
        align: Similarity [2, 3] from the pixels of the stored picture to the unit square, as in `crop_aligned`.
        size: Side of the crop in pixels.
        stored: Side of the stored picture in pixels, or its height and width.

    Returns:
        bool [size, size]: true where the centre of the pixel lies inside the stored picture.
    """
    height, width = (stored, stored) if isinstance(stored, int) else stored
    matrix = np.asarray(align, dtype=np.float64).reshape(2, 3)
    back = np.linalg.inv(matrix[:, :2])
    centres = (np.arange(size) + 0.5) / size
    # x and y in the stored picture of each pixel of the crop, from its column and its row.
    x, y = (
        (back[i, 0] * (centres - matrix[0, 2]))[None, :] + (back[i, 1] * (centres - matrix[1, 2]))[:, None]
        for i in (0, 1)
    )
    return (x >= 0) & (x <= width) & (y >= 0) & (y <= height)


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise RejectedError("too large")


def _reduction(side: int, at_least: int | None) -> int:
    """Choose OpenCV's flag for decoding a JPEG whose shorter side is `side`."""
    if at_least is not None:
        for factor, flag in (
            (8, cv2.IMREAD_REDUCED_COLOR_8),
            (4, cv2.IMREAD_REDUCED_COLOR_4),
            (2, cv2.IMREAD_REDUCED_COLOR_2),
        ):
            if side // factor >= 2 * at_least:
                return flag
    return cv2.IMREAD_COLOR


def _plain_jpeg(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a whole baseline or progressive JPEG in gray or YCbCr without EXIF; None otherwise.

    OpenCV decodes such a file straight away. It would fill the missing part of a truncated file with gray instead of
    refusing it, hence the look at its end.
    """
    if not data.startswith(b"\xff\xd8\xff") or not data.endswith(b"\xff\xd9"):
        return None
    position = 2
    while position + 9 < len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker in (0xE1, 0xEE):  # EXIF may turn the picture, Adobe's marker may change its colours
            return None
        if marker in (0xC0, 0xC1, 0xC2):
            height = int.from_bytes(data[position + 5 : position + 7], "big")
            width = int.from_bytes(data[position + 7 : position + 9], "big")
            return (width, height) if data[position + 9] in (1, 3) and width and height else None
        if not 0xC4 <= marker <= 0xFE:
            return None
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None


def _decode_any(data: bytes, max_pixels: int, at_least: int | None) -> tuple[np.ndarray, tuple[int, int]]:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            _check_size(width, height, max_pixels)
            if at_least is not None and image.mode in ("RGB", "L"):
                image.draft(image.mode, (2 * at_least, 2 * at_least))  # of use to JPEG alone
            image.load()
            turned = image.getexif().get(0x0112, 1) >= 5  # orientations that swap width and height
            picture = np.array(to_rgb(ImageOps.exif_transpose(image)), dtype=np.uint8)
            return picture, (height, width) if turned else (width, height)
    except RejectedError:
        raise
    except UnidentifiedImageError:
        raise RejectedError("not an image") from None
    except Exception as error:  # on hostile bytes the decoders raise nearly anything
        message = str(error).lower()
        raise RejectedError("truncated" if "truncat" in message or "premature" in message else "damaged") from None


def to_rgb(image: Image.Image) -> Image.Image:
    """Turn a picture of any mode into RGB: transparency over white, 16 bits to 8; RejectedError for floating point."""
    if image.mode.startswith("I"):  # 16 bits, gray
        values = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
        return Image.fromarray(((values + 128) // 257).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise RejectedError("floating-point pixels")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")
