"""Reference drawing of a translation: its palette and its drawing style.

The idea of a translation guided by a reference is that of AniGAN (B. Li et al. 2021, arXiv:2102.12593) and GNR (M. J.
Chong and D. Forsyth 2021, arXiv:2106.06561), which train an encoder of the style. Here the model has named styles. The
nearest one is chosen by means and deviations of network features (X. Huang and S. Belongie 2017, arXiv:1703.06868), and
the colours are measured.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from ..errors import Kind
from ..features.perceptual import perceptual_features
from ..images import crop_aligned, resize
from ..landmarks import Detector, create_detector
from ..landmarks.alignment import similarity
from .face_finder import NoFaceError
from .recolouring import SIDE, Palette, measure_palette, recolour

#: px, longer side at which a face is searched in a larger drawing.
SEARCH_SIDE = 1024
#: Linear discriminants of the named styles, fitted by `benchmarks.fit_styles`: names, weights and biases.
WEIGHTS = Path(__file__).with_name("drawing_styles.npz")


@dataclass(frozen=True)
class Reference:
    """What a translation takes from a drawing.

    Attributes:
        style: Name of the nearest style of the model; None if the model has no styles that are known here.
        palette: Colours of hair, eyes and background.
    """

    style: str | None
    palette: Palette

    def recolour(self, face: np.ndarray) -> np.ndarray:
        """Give an aligned drawing, uint8 RGB [S, S, 3], the colours of the reference."""
        return recolour(face, self.palette)


def read_reference(drawing: np.ndarray, styles: tuple[str, ...]) -> Reference:
    """Measure the largest face of a drawing.

    Args:
        drawing: uint8 RGB [H, W, 3].
        styles: Names of the styles of the model.

    Returns:
        Palette and style.

    Raises:
        NoFaceError: No face was found in the drawing.
    """
    crop = find_drawn_face(drawing)
    if crop is None:
        text = "no face was found in the reference. Use a drawing that shows one from the front."
        raise NoFaceError(text, kind=Kind.TOO_FEW, subject="reference")
    scores = style_scores(crop[None])
    known = {name: float(scores[name][0]) for name in styles if name in scores}
    return Reference(max(known, key=lambda name: known[name]) if known else None, measure_palette(crop))


def find_drawn_face(drawing: np.ndarray) -> np.ndarray | None:
    """Return the aligned crop of the largest face of a drawing, uint8 RGB [128, 128, 3]; None without a face."""
    drawn, photographed = _detectors()
    scale = SEARCH_SIDE / max(drawing.shape[:2])
    if scale < 1:
        drawing = resize(drawing, *(max(1, round(side * scale)) for side in (drawing.shape[1], drawing.shape[0])))
    # The anime detector misses dark skin, which is bright in the red channel. The other one knows faces of photos, and
    # finds some of the drawings that are left.
    red = np.repeat(drawing[..., :1], 3, axis=2)
    for detector, picture in ((drawn, drawing), (drawn, red), (photographed, drawing)):
        for face in detector.detect(np.ascontiguousarray(picture)[None])[0]:
            align = similarity(face.keypoints, face.schema, "anime")
            if align is not None:
                return crop_aligned(drawing, np.asarray(align), SIDE)
    return None


def style_statistics(faces: np.ndarray) -> np.ndarray:
    """Return the mean and the standard deviation of each channel of the colours and of four levels of features.

    Args:
        faces: Aligned drawings, uint8 RGB [n, 128, 128, 3].

    Returns:
        float64 [n, 390].
    """
    network = perceptual_features(torch.device("cpu"))
    parts = []
    for start in range(0, len(faces), 16):
        images = torch.from_numpy(faces[start : start + 16]).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.inference_mode():
            levels = [images, *network(images)]
            found = [statistic for level in levels for statistic in (level.mean((2, 3)), level.std((2, 3)))]
        parts.append(torch.cat(found, dim=1).numpy())
    return np.concatenate(parts).astype(np.float64)


def style_scores(faces: np.ndarray) -> dict[str, np.ndarray]:
    """Return the log-likelihood of each named style, up to a constant of the drawing.

    Args:
        faces: Aligned drawings, uint8 RGB [n, 128, 128, 3].

    Returns:
        Name of the style -> float64 [n].
    """
    names, weights, biases = _discriminants()
    scores = style_statistics(faces) @ weights.T + biases
    return dict(zip(names, scores.T, strict=True))


@cache
def _discriminants() -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    with np.load(WEIGHTS) as stored:
        return tuple(str(name) for name in stored["styles"]), stored["weights"], stored["biases"]


@cache
def _detectors() -> tuple[Detector, Detector]:
    return create_detector("animeface"), create_detector("dlib")
