"""Hostile and damaged images: they cost little, and the error names the reason."""

import struct
import warnings
import zlib

import hypothesis.strategies as st
import numpy as np
import pytest
from encoded_images import LIMIT, chunk, encode, pixels, png_with
from hostile_jpegs import decoy_size, many_scans
from hypothesis import given
from PIL import Image

from pipeline.decoding import RejectedError, decode


@pytest.mark.parametrize(
    "exif",
    [
        b"MM\0*\0\0\0\x08\xff\xff",  # 65535 entries, none of them there
        b"",
        b"not exif at all",
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x04\0\0\0abc\0\0\0\0\0",  # orientation "abc"
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x05\0\x01\0\0\0\x1a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",  # 0 / 0
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x63\0\0\0\0\0\0\0",  # 99
    ],
)
def test_odd_exif_costs_neither_picture_nor_warning(picture, exif):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(pixels(png_with(picture, chunk(b"eXIf", exif))), picture)
        data = encode(picture, "JPEG", quality=95)
        segment = b"Exif\0\0" + exif
        tagged = data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
        assert np.array_equal(pixels(tagged), pixels(data))


def test_scans_are_bounded_by_the_size_of_the_picture():
    with pytest.raises(RejectedError, match=r"^too many scans$"):
        decode(many_scans(6300, 6300, 200), 40_000_000)
    assert decode(many_scans(400, 400, 200), 40_000_000)[0].shape == (400, 400, 3)
    assert decode(many_scans(6300, 6300, 20), 40_000_000)[1] == (6300, 6300)


def test_progressive_photo_with_a_film_behind_it_is_read(picture):
    # Telephones append a film; its bytes look like any number of scans.
    data = encode(picture, "JPEG", progressive=True)
    assert np.array_equal(pixels(data + b"\xff\xda" * 10_000), pixels(data))


def test_size_is_the_one_that_the_decoder_uses():
    data = decoy_size(3000)
    with pytest.raises(RejectedError, match=r"^too large$"):
        decode(data, LIMIT)
    assert decode(data, 3000 * 3000)[1] == (3000, 3000)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff\xe5\x00\x02" * 500_000,  # empty segments
        b"\xff\xd8" + b"\xff" * 2_000_000,  # fill bytes
        b"GIF89a\x01\0\x01\0\0\0\0!\xfe" + b"\x01x" * 500_000,  # a comment in blocks of one byte
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", bytes([0, 0, 0, 9, 0, 0, 0, 9, 8, 2, 0, 0, 0]))
        + chunk(b"abCd", b"") * 200_000,
    ],
)
def test_segments_are_bounded(data):
    with pytest.raises(RejectedError, match=r"^too many segments$"):
        decode(data, LIMIT)


def test_ascii_pixels_are_bounded():
    with pytest.raises(RejectedError, match=r"^too large$"):
        decode(b"P3 2000 2000 255\n" + b"1 " * 9, 10**8)
    assert decode(b"P3 1 1 255\n1 2 3\n", 10**8)[0].tolist() == [[[1, 2, 3]]]


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
@pytest.mark.parametrize("missing", [1, 2, 3, 6])
def test_jpeg_without_its_last_bytes_is_read(real_or_smooth, options, missing):
    data = encode(real_or_smooth, "JPEG", quality=92, **options)
    whole = decode(data, LIMIT)[0]
    found, size = decode(data[:-missing], LIMIT)
    assert size == (640, 800)
    assert np.array_equal(found[:-18], whole[:-18])
    assert decode(data[:-missing], LIMIT, at_least=64)[0].shape == decode(data, LIMIT, at_least=64)[0].shape


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"}],
)
def test_jpeg_without_many_rows_is_truncated(real_or_smooth, options, share):
    data = encode(real_or_smooth, "JPEG", quality=92, **options)
    for at_least in (None, 64):
        with pytest.raises(RejectedError, match=r"^truncated$"):
            decode(data[: int(len(data) * share)], LIMIT, at_least)


def test_thumbnail_of_a_raw_photo_is_no_photo(picture):
    # Camera files (DNG, NEF …) are TIFF files whose first picture is a preview of reduced size.
    with pytest.raises(RejectedError, match=r"^raw photo$"):
        decode(encode(picture, "TIFF", tiffinfo={254: 1}), LIMIT)


def test_pillow_keeps_its_own_limit():
    assert Image.MAX_IMAGE_PIXELS is not None  # the library changes nothing for the program that imports it


def bomb(width: int, height: int) -> bytes:
    """A PNG of one colour whose header is true and whose data are a few kilobytes."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9999))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda p: b"", "zero bytes"),
        (lambda p: b"<html>no image</html>", "not an image"),
        (lambda p: b"\xff\xd8\xff", "not an image"),
        (lambda p: encode(Image.fromarray(p).convert("LAB"), "TIFF"), "LAB pixels"),
        (lambda p: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (lambda p: encode(p, "JPEG")[:-400], "truncated"),
        (lambda p: encode(p, "PNG")[:-400], "truncated"),
        (lambda p: encode(p, "WEBP")[:-40], "damaged"),
        (lambda p: encode(p, "GIF")[:-400], "truncated"),
        (lambda p: bomb(30_000, 30_000), "too large"),
        (lambda p: bomb(2**31 - 1, 2**31 - 1), "too large|not an image|damaged"),
        (lambda p: encode(np.zeros((1001, 1000, 3), np.uint8), "JPEG"), "too large"),
        (lambda p: encode(Image.fromarray(p[:, :, 0].astype(np.float32)), "TIFF"), "floating-point pixels"),
        (lambda p: encode(p, "PNG").replace(b"IDAT", b"JUNK", 1), "damaged|truncated|not an image"),
    ],
)
def test_unusable_files_say_why(picture, make, reason):
    with pytest.raises(RejectedError, match=f"^({reason})$"):
        decode(make(picture), LIMIT)


def test_limit_is_the_callers(picture):
    data = encode(np.zeros((1001, 1000, 3), np.uint8), "JPEG")
    assert decode(data, 1_001_000)[1] == (1000, 1001)


@given(
    st.binary(max_size=300),
    st.sampled_from(["", "JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM"]),
    st.integers(0, 400),
)
def test_any_bytes_give_a_picture_or_a_reason(data, kind, place):
    if kind:
        whole = encode(np.full((9, 7, 3), 99, np.uint8), kind)
        data = whole[:place] + data + whole[place + len(data) // 2 :]
    try:
        found, size = decode(data, LIMIT, at_least=16)
    except RejectedError as error:
        assert str(error)
    else:
        assert found.dtype == np.uint8
        assert found.ndim == 3
        assert found.shape[2] == 3
        assert size[0] * size[1] <= LIMIT
