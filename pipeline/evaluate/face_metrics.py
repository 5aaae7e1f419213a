"""Metrics of faces in the outputs: detection, open eyes, landmark error, attribute faithfulness, hair palette."""

import numpy as np
import pandas as pd

from ..features import faithfulness
from ..landmarks.face_geometry import FaceGeometry, detected_faces, known_faces
from ..landmarks.translated_faces import expected_parts, input_and_output_colours
from .confidence_intervals import correlation_interval
from .kept_attributes import add_kept_attributes
from .metrics import MetricTable
from .translation import Translation

#: Columns of `palette.csv`.
PALETTE_COLUMNS = ["direction", "colour", "outputs", "real"]


def add_face_metrics(translation: Translation, metrics: MetricTable, rows: pd.DataFrame) -> pd.DataFrame:
    """Add the metrics of the detected faces to `metrics` and `rows`; return the hair palette of the direction."""
    direction, source, target = translation.direction, translation.source, translation.target
    detector = translation.detectors[target]
    size = translation.outputs.shape[1]
    inputs = known_faces(translation.splits[source].test, size)
    outputs = None
    if detector is None:
        for name in ("face_detection_rate", "open_eyes_rate", "landmark_nme", "faithfulness.pose"):
            metrics.miss(name, direction, f"no detector of {target} faces reads images")
    else:
        outputs = detected_faces(detector, translation.outputs, f"faces in {direction}")
        real = detected_faces(detector, translation.splits[target].test_images, f"faces in {target} test")
        _add_detection(outputs, real, direction, metrics, rows)
        expected = expected_parts(inputs.parts, source, target, size)
        rows["landmark_nme"] = landmark_nme(expected, outputs.parts)
        metrics.add_mean("landmark_nme", direction, rows["landmark_nme"].dropna().to_numpy())
        n = min(len(expected), len(real.parts))
        random_pair = landmark_nme(expected[:n], real.parts[:n])
        metrics.add_mean("random_pair.landmark_nme", direction, random_pair[np.isfinite(random_pair)])
        _add_pose(inputs, outputs, direction, metrics)
    _add_colours(translation, inputs, metrics, rows)
    if target == "anime":
        add_kept_attributes(translation, inputs, metrics, rows)
    return _add_palette(translation, inputs, metrics)


def _add_detection(
    outputs: FaceGeometry, real: FaceGeometry, direction: str, metrics: MetricTable, rows: pd.DataFrame
) -> None:
    """Add the rates of detected faces and of faces with two open eyes."""
    rows["face_detected"] = outputs.detected
    rows["open_eyes"] = outputs.open_eyes
    for prefix, faces in (("", outputs), ("real_vs_real.", real)):
        metrics.add_mean(f"{prefix}face_detection_rate", direction, faces.detected)
        metrics.add_mean(f"{prefix}open_eyes_rate", direction, faces.open_eyes)


def _add_pose(inputs: FaceGeometry, outputs: FaceGeometry, direction: str, metrics: MetricTable) -> None:
    """Add the correlations of yaw, roll and mouth opening, and the mean errors of yaw and roll in degrees."""
    for name in ("yaw", "roll", "mouth_opening"):
        before, after = getattr(inputs, name), getattr(outputs, name)
        add_correlation(metrics, f"faithfulness.{name}", direction, before, after)
        if name != "mouth_opening":
            error = np.abs(before - after)
            metrics.add_mean(f"faithfulness.{name}_error", direction, error[np.isfinite(error)])


def _add_colours(translation: Translation, inputs: FaceGeometry, metrics: MetricTable, rows: pd.DataFrame) -> None:
    """Add the correlations of the colours of hair, skin and background between inputs and outputs."""
    split = translation.splits[translation.source]
    before, after = input_and_output_colours(
        translation.inputs, translation.outputs, split.test_masks, inputs, translation.source, translation.target
    )
    for r, region in enumerate(faithfulness.REGIONS):
        for c, channel in enumerate(faithfulness.CHANNELS):
            name = f"faithfulness.{region}_{channel}"
            add_correlation(metrics, name, translation.direction, before[:, r, c], after[:, r, c])
        rows[f"{region}_colour_error"] = np.linalg.norm(before[:, r] - after[:, r], axis=1)


def _add_palette(translation: Translation, inputs: FaceGeometry, metrics: MetricTable) -> pd.DataFrame:
    """Add the overlap of the hair colours of outputs and real faces; return the shares of each colour."""
    direction, target = translation.direction, translation.target
    split = translation.splits[target]
    size = translation.outputs.shape[1]
    expected = expected_parts(inputs.parts, translation.source, target, size)
    colours = {
        "outputs": hair_colours(translation.outputs, expected, target),
        "real": hair_colours(split.test_images, known_faces(split.test, size).parts, target),
        "train": hair_colours(split.train_images, known_faces(split.train, size).parts, target),
    }
    try:
        palettes = {name: faithfulness.palette(each) for name, each in colours.items()}
    except ValueError as error:
        metrics.miss("hair_palette_overlap", direction, str(error))
        return pd.DataFrame(columns=PALETTE_COLUMNS)
    for prefix, name in (("", "outputs"), ("real_vs_real.", "train")):
        overlap = faithfulness.palette_overlap(palettes[name], palettes["real"])
        metrics.add(f"{prefix}hair_palette_overlap", direction, overlap, len(colours[name]))
    return pd.DataFrame(
        [
            {"direction": direction, "colour": name, "outputs": share, "real": palettes["real"][name]}
            for name, share in palettes["outputs"].items()
        ],
        columns=PALETTE_COLUMNS,
    )


def hair_colours(images: np.ndarray, parts: np.ndarray, domain: str) -> np.ndarray:
    """Return the median CIELAB colour of the hair above the eyes, L, a, b [n, 3], NaN where unknown."""
    colours = np.full((len(images), 3), np.nan)
    everywhere = np.ones(images.shape[1:3], dtype=bool)
    for index in np.flatnonzero(np.isfinite(parts).all(axis=(1, 2))):
        hair = faithfulness.landmark_regions(parts[index], everywhere, domain)["hair"]
        colours[index] = faithfulness.region_colours(images[index], hair[None].astype(np.float32))[0]
    return colours


def landmark_nme(expected: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return the normalised mean error (NME): mean error of eyes and mouth divided by the expected eye distance.

    Args:
        expected: Expected eyes and mouth, [n, 3, 2].
        found: Eyes and mouth of the outputs, [n, 3, 2].

    Returns:
        [n], NaN if one of them has no face.
    """
    eye_distance = np.linalg.norm(expected[:, 1] - expected[:, 0], axis=1)
    error = np.linalg.norm(found - expected, axis=2).mean(axis=1)
    return np.where(eye_distance > 0, error / np.where(eye_distance > 0, eye_distance, 1), np.nan)


def add_correlation(metrics: MetricTable, name: str, direction: str, a: np.ndarray, b: np.ndarray) -> None:
    """Add the correlation of two measurements [n] with its interval."""
    try:
        value, n = faithfulness.correlation(a, b)
    except ValueError as error:
        metrics.miss(name, direction, str(error))
        return
    metrics.add(name, direction, value, n, correlation_interval(value, n))
