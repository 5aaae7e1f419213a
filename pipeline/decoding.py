"""Decoding of image files: untrusted bytes to upright sRGB pixels, in bounded memory and time.

The stage `resize`, `animemorph translate` and the web page all read pictures through `decode`.
"""

import contextlib
import functools
import io
import warnings
import zlib

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError, features

try:
    from pillow_heif import register_heif_opener
except ImportError:  # the extra `heif` is not installed
    HEIF = False
else:
    register_heif_opener()
    HEIF = True

#: Allowed Pillow decoders. Others can run external programs or open other files.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", *(["HEIF"] if HEIF else []))
Image.init()

#: Bytes at the start of a file from which its format is recognised.
HEAD_BYTES = 64
_MAGIC = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "TIFF"),
    **dict.fromkeys((b"\xff\x0a", b"\0\0\0\x0cJXL "), "JPEG XL"),
    **dict.fromkeys((b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  "), "JPEG 2000"),
    b"8BPS": "Photoshop",
    b"DDS ": "DDS",
    b"v/1\x01": "OpenEXR",
    b"#?RADIANCE": "Radiance HDR",
    b"qoif": "QOI",
}
#: Reasons of RejectedError that name what to install.
NEEDS_HEIF = "HEIC needs the package pillow-heif"
NEEDS_AVIF = "AVIF needs a Pillow with AVIF support"

#: Bytes per block for the JPEG decoder. It reads at most this many after the limit of scans.
_JPEG_BLOCK = 8192
#: A scan of a progressive JPEG may cost 0.4 kB and visit every pixel. Encoders write about 10 scans. 2e9 visits are
#: about a second of CPU.
_MAX_SCANS, _MAX_SCANNED_PIXELS = 32, 2_000_000_000
#: Calls of `read` by a decoder, at most. Each segment or chunk needs several, and many empty chunks would cost minutes.
_MAX_READS = 300_000
#: Pixels of an ASCII PPM, at most, because Pillow reads it in Python.
_MAX_ASCII_PIXELS = 2_000_000
#: Bytes of a colour profile, at most. The largest in use, those of printers, have 3 million.
_MAX_PROFILE = 16 * 1024**2
#: Levels of 255. A colour profile that changes no colour by more is sRGB with other rounding, and is not applied.
_SAME_COLOUR = 3
#: Share of its pixels that a JPEG may lack at its end.
_MAX_MISSING = 0.05
#: EXIF orientation -> operation that turns the picture upright.
_ORIENTATION = 0x0112
#: TIFF tag of the kind of a picture; 1: a smaller copy of another one.
_SUBFILE = 254
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class RejectedError(Exception):
    """A file that cannot be decoded; the message is the reason in a few words."""


def image_format(head: bytes) -> str:
    """Return the name of the image format of a file by its first `HEAD_BYTES` bytes; empty when it is no image."""
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            return name
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "PPM"
    if head[4:8] == b"ftyp":
        if head[8:12] in (b"avif", b"avis"):
            return "AVIF"
        if head[8:12] in (b"mif1", b"msf1"):
            return "AVIF" if b"avif" in head else "HEIF"
        if head[8:12] in (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis"):
            return "HEIF"
    return ""


def refusal(head: bytes) -> str:
    """Return why a file that starts with `head` cannot be read as an image; empty when it may be read."""
    name = image_format(head)
    if not head:
        return "zero bytes"
    if not name:
        return "not an image"
    if name == "HEIF" and not HEIF:
        return NEEDS_HEIF
    if name == "AVIF" and not features.check("avif"):
        return NEEDS_AVIF
    return "" if name in FORMATS else f"{name} is not supported"


def decode(data: bytes, max_pixels: int, at_least: int | None = None) -> tuple[np.ndarray, tuple[int, int]]:
    """Decode the bytes of an image file to upright sRGB pixels.

    EXIF orientation and colour profile are applied, transparent pixels are blended with white, and 16 bits are reduced
    to 8. Of an animation, the first frame is read. Unreadable metadata are ignored. A JPEG that lacks only its last
    bytes is read. `max_pixels` and the size of the file limit memory and CPU time.

    Args:
        data: The file.
        max_pixels: A larger picture is rejected before any pixel is decoded. Pillow's own limit holds too.
        at_least: Pixels. A JPEG may be decoded at 1/2, 1/4 or 1/8 of its size as long as the shorter side keeps at
            least twice as many: libjpeg then skips most of the arithmetic, and the final reduction still averages.

    Returns:
        uint8 RGB [H, W, 3], and the full width and height of the upright picture.

    Raises:
        RejectedError: The file cannot be decoded; the message is the reason.
    """
    if reason := refusal(data[:HEAD_BYTES]):
        raise RejectedError(reason)
    try:
        with warnings.catch_warnings(action="ignore"):  # Pillow warns of damaged metadata
            try:
                return _decode(data, max_pixels, at_least)
            except OSError as error:
                if not data.startswith(b"\xff\xd8") or "truncated" not in str(error):
                    raise
                return _decode_without_end(data, max_pixels, at_least)
    except RejectedError:
        raise
    except (Image.DecompressionBombError, MemoryError):
        raise RejectedError("too large") from None
    except UnidentifiedImageError:
        raise RejectedError("not an image") from None
    except Exception as error:  # on hostile bytes the decoders raise nearly anything
        message = str(error).lower()
        raise RejectedError("truncated" if "truncat" in message or "premature" in message else "damaged") from None


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert a picture of any mode to sRGB: colour profile applied, transparency over white, 16 bits to 8.

    Raises:
        RejectedError: The pixels are floating-point or in a colour space without a conversion.
    """
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):  # 16 bits, gray
        values = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
        image = Image.fromarray(((values + 128) // 257).astype(np.uint8))
    elif image.mode == "F":
        raise RejectedError("floating-point pixels")
    elif image.mode in ("LAB", "HSV"):
        raise RejectedError(f"{image.mode} pixels")
    kind = image.mode if image.mode in ("CMYK", "L") else "L" if image.mode == "LA" else "RGB"
    if not image.has_transparency_data:
        return _to_srgb(image if image.mode == kind else image.convert(kind), profile)
    image = image.convert("RGBA")
    alpha = image.getchannel("A")
    colours = _to_srgb(image.convert(kind), profile)
    colours.putalpha(alpha)
    return Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours).convert("RGB")


def upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation of a picture; without a readable one, return the picture as it is."""
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except Exception:  # damaged metadata are ignored
        return image
    method = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if method is None else image.transpose(method)


class _Reader(io.BytesIO):
    """The bytes of a file for a decoder, with a limit on the work that they can cause."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.max_scans: float | None = None  # of a JPEG; None: scans are not counted
        self._reads = self._scans = 0
        self._last = b""

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads += 1
        if self._reads > _MAX_READS:
            raise RejectedError("too many segments")
        data = super().read(size)
        if self.max_scans is not None:
            # Inside compressed data, 0xff is always followed by another byte than that of a scan's marker.
            self._scans += (self._last + data).count(b"\xff\xda")
            self._last = data[-1:]
            if self._scans > self.max_scans:
                raise RejectedError("too many scans")
        return data


def _decode(data: bytes, max_pixels: int, at_least: int | None) -> tuple[np.ndarray, tuple[int, int]]:
    reader = _Reader(data)
    with _open(reader) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise RejectedError("too large")
        if image.format in ("JPEG", "MPO"):
            if at_least is not None and image.mode in ("RGB", "L"):
                image.draft(image.mode, (2 * at_least, 2 * at_least))
            reader.max_scans = max(_MAX_SCANS, _MAX_SCANNED_PIXELS // max(1, width * height))
            image.decodermaxblock = _JPEG_BLOCK  # type: ignore[attr-defined]
        elif image.format == "PPM" and width * height > _MAX_ASCII_PIXELS and data[1:2] in b"123":
            raise RejectedError("too large")
        elif image.format == "TIFF" and image.tag_v2.get(_SUBFILE) == 1:  # type: ignore[attr-defined]
            raise RejectedError("raw photo")  # of a camera: its first picture is a preview
        image.load()
        picture = to_rgb(upright(image))
        if (picture.width > picture.height) != (width > height):
            width, height = height, width
        return np.array(picture), (width, height)


def _open(reader: _Reader) -> Image.Image:
    """Open a picture lazily: its size is known, its pixels are not decoded."""
    try:
        return Image.open(reader, formats=FORMATS)
    except ValueError as error:
        if "MAX_TEXT" not in str(error) and "text chunks" not in str(error):
            raise
    # Pillow refuses texts and profiles of a PNG that inflate to more than a megabyte.
    png, profile = _without_texts(reader.getvalue())
    image = Image.open(_Reader(png), formats=FORMATS)
    image.info["icc_profile"] = profile
    return image


def _without_texts(png: bytes) -> tuple[bytes, bytes]:
    """Return a PNG without the chunks of texts and colour profile, and the profile (empty without a readable one)."""
    kept, profile, position = [png[:8]], b"", 8
    while position < len(png):
        kind = png[position + 4 : position + 8]
        end = position + 12 + int.from_bytes(png[position : position + 4], "big")
        if kind == b"iCCP":
            _, _, packed = png[position + 8 : end - 4].partition(b"\0")
            with contextlib.suppress(zlib.error):
                profile = zlib.decompressobj().decompress(packed[1:], _MAX_PROFILE)
        elif kind not in (b"zTXt", b"iTXt", b"tEXt"):
            kept.append(png[position:end])
        position = end
    return b"".join(kept), profile


def _decode_without_end(data: bytes, max_pixels: int, at_least: int | None) -> tuple[np.ndarray, tuple[int, int]]:
    """Decode a JPEG that lacks its last bytes, if they are less than a row of blocks.

    The decoder fills missing blocks with a constant. Two different fillings give the same picture, except for its last
    rows, where nothing else is missing.
    """
    data = data.rstrip(b"\xff")
    picture, size = _decode(data + b"\xff\xd9", max_pixels, at_least)
    other, _ = _decode(data + b"\x55" * 256 + b"\xff\xd9", max_pixels, at_least)
    different = (picture != other).any(axis=2)
    # Pixels: the height of a row of blocks, and a pixel for the interpolation of colours.
    last = 16 * max(different.shape) // max(size) + 2
    # The last row is at any edge, by the orientation.
    edges = (different[:-last], different[last:], different[:, :-last], different[:, last:])
    if all(edge.any() for edge in edges) or different.mean() > _MAX_MISSING:
        raise RejectedError("truncated")
    return picture, size


def _to_srgb(image: Image.Image, profile: object) -> Image.Image:
    """Convert a picture of mode L, RGB or CMYK to sRGB by its ICC profile, or without one if it is not usable."""
    if isinstance(profile, bytes) and profile:
        transform = _transform(profile, image.mode)
        if transform is not None:
            converted = ImageCms.applyTransform(image, transform)
            assert converted is not None
            return converted
    return image if image.mode == "RGB" else image.convert("RGB")


@functools.lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Build the conversion from a profile to sRGB; None where the profile is damaged, or is sRGB itself."""
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        levels = np.arange(0, 256, 51, dtype=np.uint8)
        colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(6, 36, 3)
        sample = Image.fromarray(colours if mode != "L" else colours[:, :, 0])
        if mode != "CMYK":
            converted = np.asarray(ImageCms.applyTransform(sample, transform)).astype(int)
            if np.abs(converted - np.asarray(sample.convert("RGB"))).max() <= _SAME_COLOUR:
                return None
        return transform
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
