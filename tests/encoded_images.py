"""Encoded pictures for the tests of decoding: a conftest plugin with two pictures, and functions that encode."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline.decoding import decode

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


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(picture: np.ndarray, *chunks: bytes) -> bytes:
    plain = encode(picture, "PNG")
    return plain[:33] + b"".join(chunks) + plain[33:]  # after IHDR


@pytest.fixture
def real_or_smooth() -> np.ndarray:
    rng = np.random.default_rng(1)
    base = cv2.resize(rng.integers(0, 256, (20, 16, 3), dtype=np.uint8), (640, 800), interpolation=cv2.INTER_CUBIC)
    cv2.circle(base, (300, 400), 150, (230, 200, 180), -1)
    return np.clip(base + rng.normal(0, 3, base.shape), 0, 255).astype(np.uint8)
