"""Tiny inputs in the real formats, for every room."""

import os
from collections.abc import Callable
from pathlib import Path

# One thread a process: two spinning thread pools on two cores are many times slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

import cv2
import hypothesis
import numpy as np
import pandas as pd
import pytest

from pipeline.faces import write_table

pytest_plugins = ["encoded_images", "inference_fixtures"]

# No timed assertions: a busy machine is no bug. The same code gets the same examples; for others, run
# `pytest --hypothesis-profile=search`.
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture
def real_data() -> Path:
    """Folder with real photos and anime faces next to the checkout; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("no real photos next to this checkout")
    return SHARED


def drawn_face(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw a cartoon head, uint8 RGB [size, size, 3]: pixels with structure, different for every call."""
    image = np.full((size, size, 3), rng.integers(60, 256, 3), np.uint8)
    skin, hair, eye = (tuple(int(v) for v in rng.integers(low, 256, 3)) for low in (150, 0, 0))
    centre = (size // 2, size * 11 // 20)
    cv2.circle(image, (size // 2, size // 2), size * 2 // 5, hair, -1)
    cv2.ellipse(image, centre, (size // 4, size // 3), 0, 0, 360, skin, -1)
    for x in (size * 2 // 5, size * 3 // 5):
        cv2.circle(image, (x, size // 2), max(1, size // 16), eye, -1)
    cv2.ellipse(image, (size // 2, size * 7 // 10), (size // 10, size // 30 + 1), 0, 0, 360, (160, 40, 40), -1)
    noise = rng.normal(0, 4, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def png() -> Callable[..., bytes]:
    """Return a function that makes the bytes of a small PNG, another one for every number."""

    def make(seed: int, size: int = 24) -> bytes:
        return cv2.imencode(".png", drawn_face(np.random.default_rng(seed), size))[1].tobytes()

    return make


@pytest.fixture
def tiny_faces() -> Callable[..., pd.DataFrame]:
    """Return a function that writes a pixel store and a table with every stage's columns, and returns the table."""

    def write(folder: Path, domain: str = "human", n: int = 20, size: int = 32, seed: int = 0) -> pd.DataFrame:
        rng = np.random.default_rng([seed, len(domain), n])
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.stack([drawn_face(rng, size) for _ in range(n)])
        np.save(folder / "faces.npy", pixels)
        scale = 1 / size
        eyes_and_mouth = np.array([[0.4, 0.5, 1], [0.6, 0.5, 1], [0.42, 0.7, 1], [0.5, 0.72, 1], [0.58, 0.7, 1]])
        table = pd.DataFrame(
            {
                "face_id": [f"{domain}-{index:016x}" for index in range(n)],
                "row": np.arange(n, dtype=np.int64),
                "domain": domain,
                "source": [f"{domain}/{index}.png" for index in range(n)],
                "sha256": [f"{index:064x}" for index in range(n)],
                "width": size,
                "height": size,
                "year": pd.array([2011 + index % 9 for index in range(n)], dtype="Int64"),
                "gender": pd.array(["female", "male"] * (n // 2) + ["female"] * (n % 2), dtype="string"),
                "gender_origin": pd.array(["source"] * n, dtype="string"),
                "age": pd.array([20.0 + index for index in range(n)], dtype="Float64"),
                "identity": pd.array([None] * n, dtype="Int64"),
                "score": 0.9,
                "box": [[0.1 * size, 0.1 * size, 0.9 * size, 0.9 * size]] * n,
                "keypoints": [(eyes_and_mouth * [size, size, 1]).ravel().tolist()] * n,
                "schema": "celeba5",
                "n_faces": 1,
                "yaw": 0.0,
                "pitch": 0.0,
                "roll": 0.0,
                "sharpness": 100.0,
                "align": [[scale, 0.0, 0.0, 0.0, scale, 0.0]] * n,
                "detector": "celeba",
                "aligned": False,
                "status": "kept",
                "reason": "",
                "duplicate_of": pd.array([None] * n, dtype="string"),
                "cluster": pd.array([None] * n, dtype="Int64"),
                "split": (["train"] * (n * 7 // 10) + ["val"] * (n * 3 // 20) + ["test"] * n)[:n],
            }
        )
        write_table(table, folder / "faces.parquet")
        return table

    return write
