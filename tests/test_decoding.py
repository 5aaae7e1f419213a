"""Decoding: every format is read, with its orientation, transparency and colour profile."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from encoded_images import LIMIT, chunk, encode, pixels, png_with
from PIL import Image, ImageCms

from pipeline import decoding
from pipeline.decoding import NEEDS_HEIF, RejectedError, decode, image_format, refusal, to_rgb, upright
from pipeline.images import to_square


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_come_back(picture, kind):
    assert np.array_equal(pixels(encode(picture, kind)), picture)


@pytest.mark.parametrize(
    "options", [{"kind": "WEBP", "lossless": True}, {"kind": "AVIF", "quality": 100, "subsampling": "4:4:4"}]
)
def test_newer_formats_come_back(picture, options):
    assert np.abs(pixels(encode(picture, **options)).astype(int) - picture).mean() < 2


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 30}])
def test_jpeg_is_what_pillow_decodes(picture, options):
    data = encode(picture, "JPEG", **options)
    with Image.open(io.BytesIO(data)) as reference:
        # Two builds of libjpeg-turbo may round one level differently.
        assert np.abs(pixels(data).astype(int) - np.asarray(reference)).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_orientation_is_undone(picture, orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    turn = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: p.transpose(1, 0, 2)[::-1],
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: p.transpose(1, 0, 2)[:, ::-1],
    }[orientation]
    data = encode(np.ascontiguousarray(turn(picture)), kind, exif=exif, quality=95)
    upright, (width, height) = decode(data, LIMIT)
    assert upright.shape == picture.shape
    assert (width, height) == (60, 40)
    assert np.abs(upright.astype(int) - picture).mean() < 6


def test_modes_become_rgb(picture):
    image = Image.fromarray(picture)
    gray = image.convert("L")
    for data, expected, tolerance in (
        (encode(gray, "PNG"), np.asarray(gray.convert("RGB")), 0),
        (encode(gray, "JPEG", quality=98), np.asarray(gray.convert("RGB")), 4),
        (encode(image.convert("P", palette=Image.Palette.ADAPTIVE), "GIF"), picture, 60),
        (encode(image.convert("CMYK"), "JPEG", quality=98), picture, 12),
        (encode(image.convert("1"), "PNG"), np.asarray(image.convert("1").convert("RGB")), 0),
    ):
        found = pixels(data)
        assert found.shape == picture.shape
        assert np.abs(found.astype(int) - expected).max() <= tolerance


def test_transparency_lies_over_white(picture):
    alpha = np.linspace(0, 255, picture.shape[1]).astype(np.uint8)
    image = Image.fromarray(np.dstack([picture, np.broadcast_to(alpha, picture.shape[:2])]))
    share = alpha[None, :, None] / 255
    expected = picture * share + 255 * (1 - share)
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True})):
        assert np.abs(pixels(encode(image, kind, **options)) - expected).max() <= 1.01
    palette = Image.fromarray(picture).convert("P", palette=Image.Palette.ADAPTIVE, colors=8)
    clear = pixels(encode(palette, "PNG", transparency=0))
    assert (clear[np.asarray(palette) == 0] == 255).all()


def test_sixteen_bits_become_eight():
    values = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    for kind in ("PNG", "TIFF"):
        found = pixels(encode(Image.fromarray(values), kind))
        assert np.array_equal(found[:, :, 0], np.rint(values / 257).astype(np.uint8))
        assert (found == found[:, :, :1]).all()
    colour = cv2.imencode(".png", np.dstack([values] * 3))[1].tobytes()
    assert np.abs(pixels(colour)[:, :, 0].astype(int) - values / 257).max() <= 1


def test_first_frame_of_an_animation(picture):
    frames = [Image.fromarray(picture), Image.fromarray(255 - picture)]
    for kind, tolerance in (("PNG", 0), ("WEBP", 10), ("GIF", 40)):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, **options)
        assert np.abs(pixels(data).astype(int) - picture).mean() <= tolerance


#: Columns: red, green and blue primaries in XYZ under D50.
SRGB_D50 = np.array([[0.4360, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])


P3_D50 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])


def display_p3() -> bytes:
    """The profile of sRGB with the primaries of Display P3; both have the same tone curve."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), P3_D50.T, strict=True):
        entry = profile.index(name)
        offset = int.from_bytes(profile[entry + 4 : entry + 8], "big")
        profile[offset + 8 : offset + 20] = struct.pack(">3i", *(round(value * 65536) for value in xyz))
    return bytes(profile)


def p3_to_srgb(colour: tuple[int, int, int]) -> np.ndarray:
    """The conversion by the definition of both colour spaces."""
    encoded = np.array(colour) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.linalg.inv(SRGB_D50) @ P3_D50 @ linear, 0, 1)
    return 255 * np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF", "JPEG"])
@pytest.mark.parametrize("colour", [(200, 120, 90), (60, 90, 160), (128, 128, 128), (60, 200, 90)])
def test_colour_profile_is_applied(kind, colour):
    options = {"lossless": True} if kind == "WEBP" else {} if kind in ("PNG", "TIFF") else {"quality": 100}
    data = encode(np.full((40, 40, 3), colour, np.uint8), kind, icc_profile=display_p3(), **options)
    for at_least in (None, 10):
        assert decode(data, LIMIT, at_least)[0][10, 10] == pytest.approx(p3_to_srgb(colour), abs=3)


def test_colour_profile_is_applied_below_transparency():
    image = Image.new("RGBA", (8, 8), (200, 120, 90, 255))
    image.putpixel((0, 0), (200, 120, 90, 0))
    found = pixels(encode(image, "PNG", icc_profile=display_p3()))
    assert found[4, 4] == pytest.approx(p3_to_srgb((200, 120, 90)), abs=2)
    assert (found[0, 0] == 255).all()


def test_images_of_python_callers_are_converted_too():
    image = Image.new("RGB", (8, 8), (200, 120, 90))
    image.info["icc_profile"] = display_p3()
    assert np.asarray(to_rgb(image))[0, 0] == pytest.approx(p3_to_srgb((200, 120, 90)), abs=2)


@pytest.mark.parametrize(
    "profile", [b"\0" * 200, b"x", b"", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()]
)
def test_srgb_and_unreadable_profiles_change_nothing(picture, profile):
    assert np.array_equal(pixels(encode(picture, "PNG", icc_profile=profile)), picture)


def test_profile_of_another_colour_space_changes_nothing(picture):
    gray = Image.fromarray(picture).convert("L")
    data = encode(gray, "PNG", icc_profile=display_p3())
    assert np.array_equal(pixels(data), np.asarray(gray.convert("RGB")))


def test_large_metadata_cost_nothing(picture):
    noise = np.random.default_rng(0).bytes(1_200_000)
    profile = display_p3() + noise  # as large as those of printers
    texts = [chunk(b"zTXt", b"note\0\0" + zlib.compress(noise)), chunk(b"iTXt", b"x\0\1\0\0\0" + zlib.compress(noise))]
    assert np.array_equal(pixels(png_with(picture, *texts)), picture)
    assert np.array_equal(pixels(png_with(picture, *texts * 40)), picture)
    colour = np.full((40, 60, 3), (200, 120, 90), np.uint8)
    found = pixels(png_with(colour, chunk(b"iCCP", b"big\0\0" + zlib.compress(profile))))
    assert found[20, 20] == pytest.approx(p3_to_srgb((200, 120, 90)), abs=2)


def test_orientation_of_unknown_type_is_none():
    image = Image.new("RGB", (4, 3))
    image.getexif()[0x0112] = "6"
    assert upright(image).size == (4, 3)


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (HEIC, "HEIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", ""),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\xff\x0a\xfa\x1f", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"8BPS\0\1", "Photoshop"),
        (b"P6 2 2 255\n", "PPM"),
        (b"Python", ""),
        (b"PK\3\4", ""),
        (b"RIFF\0\0\0\0AVI ", ""),
        (b"", ""),
    ],
)
def test_content_names_the_format(head, name):
    assert image_format(head) == name


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF"])
def test_own_files_are_recognised(picture, kind):
    data = encode(picture, kind)
    assert image_format(data[: decoding.HEAD_BYTES]) == kind
    assert refusal(data[: decoding.HEAD_BYTES]) == ""


def test_unsupported_formats_are_named(monkeypatch):
    monkeypatch.setattr(decoding, "HEIF", False)
    monkeypatch.setattr(decoding.features, "check", lambda name: False)
    for data, reason in (
        (HEIC, NEEDS_HEIF),
        (b"\0\0\0\x1cftypavif", decoding.NEEDS_AVIF),
        (b"\xff\x0a\xfa\x1f", "JPEG XL is not supported"),
    ):
        with pytest.raises(RejectedError, match=f"^{reason}$"):
            decode(data, LIMIT)


def test_heic_is_read_with_the_extra(picture):
    pytest.importorskip("pillow_heif")
    data = encode(cv2.resize(picture, (120, 80)), "HEIF", quality=95, icc_profile=display_p3())
    assert image_format(data[: decoding.HEAD_BYTES]) == "HEIF"
    plain = encode(cv2.resize(picture, (120, 80)), "PNG", icc_profile=display_p3())
    assert np.abs(pixels(data).astype(int) - pixels(plain)).mean() < 4


@pytest.mark.parametrize("exif", [False, True])
def test_reduced_decoding_is_close_to_full_decoding(real_or_smooth, exif):
    """The shortcut costs no quality: 40 dB and more against decoding everything."""
    options = {"exif": Image.Exif()} if exif else {}
    data = encode(real_or_smooth, "JPEG", quality=92, **options)
    reduced, size = decode(data, 10**8, at_least=64)
    assert size == real_or_smooth.shape[1::-1]
    assert 128 <= min(reduced.shape[:2]) < 256
    short, full = to_square(reduced, 64).astype(float), to_square(decode(data, 10**8)[0], 64).astype(float)
    assert 10 * np.log10(255**2 / np.mean((short - full) ** 2)) > 40
