"""Fit the discriminants that name the style of a reference drawing, and measure them on other people.

uv run python -m benchmarks.fit_styles            # fit and measure, 2 minutes on one core
uv run python -m benchmarks.fit_styles --measure  # measure only
"""

import argparse
from typing import Any

import numpy as np

from pipeline.drawing import STYLES, draw, draw_in_style
from pipeline.files import atomic_file
from pipeline.inference.reference import WEIGHTS, find_drawn_face, style_scores, style_statistics
from pipeline.progress import progress_bar

#: Seeds of the people: to fit, and to measure.
FIT, MEASURE = 9001, 77
#: People; each is drawn in every style.
FITTED, MEASURED = 100, 30
#: Share of the identity in the covariance, because it has more entries than there are drawings.
SHRINKAGE = 0.3
#: Attributes of a random drawing that describe the person.
PERSON = (
    *("gender", "age", "skin", "hair", "hairstyle", "fringe", "eye", "eye_shape", "expression", "glasses", "beard"),
    *("wrinkles", "jaw", "chin", "face_length", "hair_volume", "hair_flare", "parting", "smile", "mouth_open"),
    "eye_open",
)


def person(seed: int, index: int) -> dict[str, Any]:
    """Return the attributes of a random person, with random colours of clothes and background."""
    drawn, rng = draw(seed, index, 16), np.random.default_rng([seed, index])
    yaw, pitch, _ = drawn.pose
    return {
        **{name: drawn.attributes[name] for name in PERSON if name in drawn.attributes},
        "yaw": float(np.clip(yaw, -20, 20)),
        "pitch": float(np.clip(pitch, -8, 8)),
        **{name: rng.integers(20, 245, 3).tolist() for name in ("cloth_colour", "background_colour")},
    }


def drawings(seed: int, count: int, size: int = 256, **fixed: Any) -> tuple[np.ndarray, np.ndarray, int]:
    """Draw people in every style and find their faces as those of references.

    Args:
        seed: Seed of the people.
        count: Number of people.
        size: px, side of the drawings.
        **fixed: Choices that replace those of person and style.

    Returns:
        The faces, uint8 RGB [n, 128, 128, 3], the number of the style of each, and the number of drawings without one.
    """
    faces, numbers, missed = [], [], 0
    for index in progress_bar(range(count), desc=f"people {seed}", unit="person"):
        for number, style in enumerate(STYLES):
            picture = draw_in_style(style, size, framing="portrait", **person(seed, index) | fixed).picture
            face = find_drawn_face(picture)
            if face is None:
                missed += 1
                continue
            faces.append(face)
            numbers.append(number)
    return np.stack(faces), np.array(numbers), missed


def fit(statistics: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit a linear discriminant analysis with a common covariance, shrunk towards a multiple of the identity.

    Args:
        statistics: [n, k].
        numbers: Number of the style of each row, [n].

    Returns:
        Weights [styles, k] and biases [styles].
    """
    mean, spread = statistics.mean(axis=0), statistics.std(axis=0) + 1e-6
    scaled = (statistics - mean) / spread
    centres = np.stack([scaled[numbers == number].mean(axis=0) for number in range(len(STYLES))])
    rest = scaled - centres[numbers]
    covariance = rest.T @ rest / len(rest)
    size = len(covariance)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.trace(covariance) / size * np.eye(size)
    weights = np.linalg.solve(covariance, centres.T).T
    biases = -0.5 * (weights * centres).sum(axis=1)
    return weights / spread, biases - (weights / spread) @ mean


def main() -> None:
    """Fit unless told otherwise, then print the accuracy per style."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", action="store_true", help="Do not fit.")
    if not parser.parse_args().measure:
        # Each style has its own background, but a reference has any: only the figure shows its style.
        faces, numbers, _ = drawings(FIT, FITTED, background="plain")
        weights, biases = fit(style_statistics(faces), numbers)
        with atomic_file(WEIGHTS) as partial, partial.open("wb") as stream:
            np.savez(stream, styles=np.array(STYLES), weights=weights.astype(np.float32), biases=biases)
    faces, numbers, missed = drawings(MEASURE, MEASURED)
    scores = style_scores(faces)
    guessed = np.stack([scores[style] for style in STYLES]).argmax(axis=0)
    right = guessed == numbers
    print(
        f"{len(faces)} drawings of {MEASURED} people: {right.mean():.3f} in their own style, chance {1 / len(STYLES)}"
    )
    for number, style in enumerate(STYLES):
        own = guessed[numbers == number]
        confused = np.bincount(own[own != number], minlength=len(STYLES))
        other = f", most often taken for {STYLES[confused.argmax()]}" if confused.any() else ""
        print(f"  {style}: {(own == number).mean():.2f}{other}")
    print(f"no face found: {missed} of {missed + len(faces)}")


if __name__ == "__main__":
    main()
