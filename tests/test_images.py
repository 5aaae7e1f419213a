import io
import struct
import zlib

import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from PIL import Image

from pipeline.images import PixelWriter, RejectedError, crop_aligned, decode, inside_photo, square_matrix, to_square

LIMIT = 1_000_000


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A smooth picture without symmetry, uint8 RGB [40, 60, 3]."""
    small = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return cv2.resize(small, (60, 40), interpolation=cv2.INTER_CUBIC)


def encode(picture: np.ndarray | Image.Image, kind: str, **options: object) -> bytes:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def pixels(data: bytes) -> np.ndarray:
    return decode(data, LIMIT)[0]


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


def test_colour_profile_is_ignored(picture):
    data = encode(picture, "PNG", icc_profile=b"\0" * 200)
    assert np.array_equal(pixels(data), picture)


def bomb(width: int, height: int) -> bytes:
    """A PNG of one colour whose header is true and whose data are a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

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


@pytest.fixture
def real_or_smooth() -> np.ndarray:
    rng = np.random.default_rng(1)
    base = cv2.resize(rng.integers(0, 256, (20, 16, 3), dtype=np.uint8), (640, 800), interpolation=cv2.INTER_CUBIC)
    cv2.circle(base, (300, 400), 150, (230, 200, 180), -1)
    return np.clip(base + rng.normal(0, 3, base.shape), 0, 255).astype(np.uint8)


def test_crop_takes_the_middle_square():
    # CelebA: 178 x 218. A circle stays a circle.
    image = np.zeros((218, 178, 3), np.uint8)
    cv2.circle(image, (89, 109), 60, (255, 255, 255), -1)
    small = to_square(image, 128)[:, :, 0] > 127
    rows, columns = np.flatnonzero(small.any(1)), np.flatnonzero(small.any(0))
    assert abs(len(rows) - len(columns)) <= 1
    assert abs(len(rows) - 121 * 128 / 178) <= 2
    # Top and bottom rows are what is cut off.
    bars = np.zeros((218, 178, 3), np.uint8)
    bars[:20] = bars[-20:] = 255
    assert to_square(bars, 128).max() == 0


def test_pad_keeps_everything_over_white():
    padded = to_square(np.zeros((40, 80, 3), np.uint8), 80, "pad")
    assert (padded[:20] == 255).all()
    assert (padded[-20:] == 255).all()
    assert (padded[20:60] == 0).all()


def test_stretch_fills_the_square(picture):
    assert np.array_equal(
        to_square(picture, 20, "stretch"), cv2.resize(picture, (20, 20), interpolation=cv2.INTER_AREA)
    )


def test_reduction_averages():
    checkers = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)
    small = to_square(np.dstack([checkers] * 3), 32)
    assert np.abs(small.astype(int) - 128).max() <= 1  # picking pixels would give 0 or 255


@given(
    st.integers(1, 90), st.integers(1, 90), st.sampled_from([16, 33, 64]), st.sampled_from(["crop", "pad", "stretch"])
)
def test_any_shape_becomes_a_square(height, width, size, fit):
    image = np.full((height, width, 3), (10, 20, 30), np.uint8)
    square = to_square(image, size, fit)
    assert square.shape == (size, size, 3)
    assert square.flags.c_contiguous
    middle = square[size // 2, size // 2]
    assert (middle == (10, 20, 30)).all() or fit == "pad"


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize(("width", "height"), [(178, 218), (301, 200), (64, 64), (50, 31)])
def test_points_move_with_the_pixels(width, height, fit):
    """A blob's centre of mass in the stored picture is where square_matrix sends it."""
    x, y, size = width * 0.45, height * 0.55, 64
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    radius = min(width, height) / 10
    blob = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / radius**2) * 255
    small = 255 - to_square(np.dstack([255 - np.rint(blob)] * 3).astype(np.uint8), size, fit)[:, :, 0].astype(float)
    grid = np.arange(size) + 0.5
    found = np.array([(small.sum(0) * grid).sum(), (small.sum(1) * grid).sum()]) / small.sum()
    assert found == pytest.approx(square_matrix(width, height, size, fit) @ [x, y, 1], abs=0.25)


def test_whole_frame_is_read_back_unchanged():
    face = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert np.array_equal(crop_aligned(face, np.array([1 / 32, 0, 0, 0, 1 / 32, 0]), 32), face)


def test_pixel_writer_writes_what_numpy_reads(tmp_path):
    faces = np.random.default_rng(0).integers(0, 256, (7, 16, 16, 3), dtype=np.uint8)
    with PixelWriter(tmp_path / "faces.npy", 16) as writer:
        for face in faces:
            writer.append(face)
    assert np.array_equal(np.load(tmp_path / "faces.npy"), faces)
    np.save(tmp_path / "reference.npy", faces)
    assert (tmp_path / "faces.npy").stat().st_size == (tmp_path / "reference.npy").stat().st_size
    with PixelWriter(tmp_path / "none.npy", 16):
        pass
    assert np.load(tmp_path / "none.npy").shape == (0, 16, 16, 3)


def test_pixel_writer_refuses_another_shape(tmp_path):
    with PixelWriter(tmp_path / "faces.npy", 16) as writer:
        for wrong in (np.zeros((16, 17, 3), np.uint8), np.zeros((16, 16, 3), np.float32)):
            with pytest.raises(ValueError, match="is not uint8"):
                writer.append(wrong)


class TestInsidePhoto:
    def test_whole_picture_is_inside(self):
        assert inside_photo(np.array([[1 / 64, 0, 0], [0, 1 / 64, 0]]), 32, 64).all()

    def test_mask_marks_the_mirrored_part_of_a_crop(self):
        # The picture's left half lies on the crop's right half: everything left of it is mirrored.
        align = np.array([[1 / 64, 0, 0.5], [0, 1 / 64, 0]])
        expected = np.zeros((32, 32), bool)
        expected[:, 16:] = True
        assert (inside_photo(align, 32, 64) == expected).all()

    def test_mask_agrees_with_a_warped_picture_of_ones(self):
        turn, scale = np.deg2rad(25), 1 / 90
        align = np.array(
            [
                [scale * np.cos(turn), -scale * np.sin(turn), 0.25],
                [scale * np.sin(turn), scale * np.cos(turn), -0.1],
            ]
        )
        stored = np.full((60, 100), 255, np.uint8)
        matrix = align * 128
        matrix[:, 2] += matrix[:, :2].sum(axis=1) * 0.5 - 0.5
        warped = cv2.warpAffine(stored, matrix, (128, 128), flags=cv2.INTER_LINEAR, borderValue=0)
        mask = inside_photo(align, 128, (60, 100))
        assert 0.2 < mask.mean() < 0.9
        assert (mask == (warped >= 128)).mean() > 0.995
