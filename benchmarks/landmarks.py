"""How well and how fast the embedded detectors find faces: the tables of docs/landmarks.md.

    uv run python -m benchmarks.landmarks [faces per set]

Sets: generated humans and avatars (the demo), and, where `../shared/data` is next to the project, real selfies and
anime faces; all as stored by default, 128 px. Each is searched as it is, mirrored, turned, darkened and noised; then
pictures without a face. `shift` is the median distance between the points and the transformed points of the original
picture, in eye distances. `roll` is the median change of roll.
"""

import io
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import skimage
from PIL import Image

from pipeline.download import demo_humans, not_faces
from pipeline.drawing import draw
from pipeline.landmarks import Detection, create_detector
from pipeline.landmarks.pose import head_pose
from pipeline.landmarks.schemas import SCHEMAS

SHARED = Path("../shared/data")
SIZE, SEED = 128, 0
DETECTORS = {"human": "dlib", "anime": "animeface"}
#: Pictures that ship with scikit-image and show no face: text, plants, walls, things, a cat.
THINGS = ("page", "text", "grass", "gravel", "brick", "coins", "coffee", "moon", "rocket", "motorcycle_left", "chelsea")


def turned(image: np.ndarray, degrees: float) -> np.ndarray:
    """Turn clockwise about the centre; the corners are mirrored pixels."""
    matrix = turning(degrees)
    return cv2.warpAffine(image, matrix, image.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)


def turning(degrees: float) -> np.ndarray:
    """Matrix [2, 3] of `turned`, for pixels counted from their centres."""
    return cv2.getRotationMatrix2D(((SIZE - 1) / 2, (SIZE - 1) / 2), -degrees, 1)


def noised(image: np.ndarray, deviation: float) -> np.ndarray:
    """Add Gaussian noise, in levels of 255."""
    random = np.random.default_rng(int(image.sum()))
    return np.clip(image + random.normal(0, deviation, image.shape), 0, 255).round().astype(np.uint8)


CONDITIONS = {
    "as it is": lambda image: image,
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "rotated 15°": lambda image: turned(image, 15),
    "rotated 30°": lambda image: turned(image, 30),
    "brightness x 0.3": lambda image: (image * 0.3).astype(np.uint8),
    "noise of 25 levels": lambda image: noised(image, 25),
    "blurred, sigma 2 px": lambda image: cv2.GaussianBlur(image, (0, 0), 2),
}


def sets(count: int) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield name, domain and pictures of each set of faces."""
    yield "generated humans", "human", np.stack(list(demo_humans.generate(SEED, range(count), SIZE)))
    yield "drawn faces", "anime", np.stack([draw(SEED, index, SIZE).picture for index in range(count)])
    if SHARED.is_dir():
        yield "selfies", "human", archive(SHARED / "selfie2anime_human_128.zip", count)
        yield "anime frames", "anime", archive(SHARED / "selfie2anime_anime_128.zip", count)


def archive(path: Path, count: int) -> np.ndarray:
    """Read the first pictures of a zip, by name."""
    with zipfile.ZipFile(path) as members:
        names = sorted(members.namelist())[:count]
        return np.stack([np.asarray(Image.open(io.BytesIO(members.read(name))).convert("RGB")) for name in names])


def things(count: int) -> np.ndarray:
    """Cut squares out of the pictures without faces, at random places and sizes."""
    random, found = np.random.default_rng(SEED), []
    for index in range(count):
        path = next((Path(skimage.__file__).parent / "data").glob(f"{THINGS[index % len(THINGS)]}.*"))
        picture = np.asarray(Image.open(path).convert("RGB"))
        side = int(random.integers(min(picture.shape[:2]) // 3, min(picture.shape[:2])))
        top, left = (int(random.integers(0, length - side + 1)) for length in picture.shape[:2])
        cut = picture[top : top + side, left : left + side]
        found.append(cv2.resize(cut, (SIZE, SIZE), interpolation=cv2.INTER_AREA))
    return np.stack(found)


def compare(before: list[list[Detection]], after: list[list[Detection]], condition: str) -> tuple[float, float]:
    """Return the medians of shift and roll over the pictures in which both found a face."""
    shifts, rolls = [], []
    for old, new in zip(before, after, strict=True):
        if not (old and new):
            continue
        schema = SCHEMAS[old[0].schema]
        expected, found = old[0].keypoints.copy(), new[0].keypoints
        if condition == "mirrored":
            expected = schema.flip(expected, SIZE)
        elif condition.startswith("rotated"):
            matrix = turning(float(condition.split()[1].rstrip("°")))
            expected[:, :2] = (expected[:, :2] - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
        shifts.append(np.linalg.norm(found[:, :2] - expected[:, :2], axis=1).mean() / schema.interocular(expected))
        poses = head_pose(old[0].keypoints, schema.name), head_pose(found, schema.name)
        if poses[0] and poses[1]:
            rolls.append(poses[1].roll - poses[0].roll)
    return float(np.median(shifts)), float(np.median(rolls))


def main(count: int = 100) -> None:
    """Print the tables in Markdown."""
    cv2.setNumThreads(1)
    detectors = {domain: create_detector(name) for domain, name in DETECTORS.items()}
    print("| set | detector | condition | found | several | shift | roll | pictures/s |\n" + "|---" * 8 + "|")
    for name, domain, images in sets(count):
        plain: list[list[Detection]] = []
        for condition, change in CONDITIONS.items():
            changed = np.stack([change(image) for image in images])
            start = time.process_time()
            found = detectors[domain].detect(changed)
            rate = len(changed) / (time.process_time() - start)
            plain = plain or found
            shift, roll = compare(plain, found, condition)
            hits, several = sum(map(bool, found)), sum(len(faces) > 1 for faces in found)
            print(
                f"| {name} | {DETECTORS[domain]} | {condition} | {hits}/{len(images)} | {several} | {shift:.3f} "
                f"| {roll:+.1f}° | {rate:.0f} |",
                flush=True,
            )
    print("\n| no face | " + " | ".join(DETECTORS.values()) + " |\n|---|---|---|")
    empty = {
        kind.__name__: np.stack([kind(np.random.default_rng([SEED, i]), SIZE) for i in range(count)])
        for kind in not_faces.KINDS
    }
    for kind, images in {**empty, "text, plants, walls, things, a cat": things(count)}.items():
        seen = [sum(map(bool, detector.detect(images))) for detector in detectors.values()]
        print(f"| {kind} | " + " | ".join(f"{hit}/{len(images)}" for hit in seen) + " |", flush=True)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
