"""Generators of a trained model, run by PyTorch from a training folder or by onnxruntime from a bundle."""

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import ValidationError

from ..errors import Kind, UserError, damaged_file, missing_file, unavailable
from .bundle import read_bundle
from .model_info import Direction, ModelInfo
from .onnx_check import run_once

if TYPE_CHECKING:
    import onnxruntime

TRAINED = Path("data/train")
#: The shipped model: a training folder, and next to it the same model as a bundle, which needs no PyTorch.
PRETRAINED = Path(__file__).parents[1] / "pretrained"
BUNDLE = "animemorph.zip"


class TorchBackend:
    """Generators from a training folder: safetensors and `model.json`."""

    def __init__(self, folder: Path, device: str | None = None) -> None:
        """Load on `device`, by default the one named by `ANIMEMORPH_DEVICE` (auto, cpu, cuda, mps).

        Raises:
            UserError: PyTorch is not installed, the device does not exist, or the model in the folder is incomplete or
                damaged.
        """
        if importlib.util.find_spec("torch") is None:
            fix = "Install animemorph[pipeline], or export the model as a bundle"
            raise unavailable(f"the model {str(folder)!r}", "PyTorch is not installed", fix)
        import torch

        from ..devices import choose
        from ..networks.model import load_model

        self._torch = torch
        self._device = choose(device or os.environ.get("ANIMEMORPH_DEVICE", "auto"))
        self.model = load_model(folder, device=self._device)
        self.facts = ModelInfo.model_validate(self.model.config.model_dump())

    def run(self, images: np.ndarray, direction: Direction, style: int = 0) -> np.ndarray:
        """Translate images.

        Args:
            images: float32 [b, facts.channels, R, R]: RGB in [-1, 1]; if `facts.masked`, the mask of the pixels inside
                the photo (1, others 0); the heatmaps of the output's landmarks.
            direction: Direction of the translation.
            style: Number of the style, for a model with styles.

        Returns:
            float32 [b, 3, R, R] in [-1, 1].
        """
        network = getattr(self.model, direction)
        inputs = [self._torch.from_numpy(images).to(self._device)]
        if self.facts.styled(direction):
            inputs.append(self._torch.full((len(images),), style, device=self._device))
        with self._torch.inference_mode():
            return network(*inputs).float().cpu().numpy()


def start_session(graph: bytes) -> "onnxruntime.InferenceSession":
    """Load a trusted or checked ONNX file for the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # Busy-waiting threads make a loaded machine many times slower.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, ["CPUExecutionProvider"])


class OnnxBackend:
    """Generators from a bundle that `animemorph export` wrote, run without PyTorch."""

    def __init__(self, bundle: Path, trusted: bool = False) -> None:
        """Check and load a bundle.

        Args:
            bundle: Zip file.
            trusted: Skip the test run in a process with limits, which takes about half a second.

        Raises:
            UserError: The file is not a bundle, is damaged, or has layers that our networks do not have.
        """
        self.facts, graphs = read_bundle(bundle)
        if not trusted:
            run_once(bundle, self.facts, graphs)
        self._sessions = {direction: start_session(graph) for direction, graph in graphs.items()}

    def run(self, images: np.ndarray, direction: Direction, style: int = 0) -> np.ndarray:
        """Translate images, as `TorchBackend.run` does."""
        inputs = {"images": images}
        if self.facts.styled(direction):
            inputs["style"] = np.full(len(images), style, dtype=np.int64)
        (result,) = self._sessions[direction].run(None, inputs)
        return np.asarray(result)


def load_generators(model: Path | None = None) -> TorchBackend | OnnxBackend:
    """Load a model.

    Args:
        model: Training folder or bundle; None: `data/train` if it exists, else the shipped model.

    Raises:
        UserError: There is no such model, or it cannot be loaded.
    """
    if model is None:
        candidates = (TRAINED / "model.json", PRETRAINED / BUNDLE, PRETRAINED / "model.json")
        path = next((path for path in candidates if path.is_file()), None)
        if path is None:
            text = "no model found. Train one with `dvc repro`, or pass a training folder or a bundle."
            raise UserError(text, kind=Kind.MISSING, subject="model")
        model = path.parent if path.name == "model.json" else path
    if model.is_dir():
        if not (model / "model.json").is_file():
            raise missing_file(model / "model.json", f"Pass a training folder such as {TRAINED}, or a bundle")
        try:
            return TorchBackend(model)
        except ValidationError as error:
            problem = f"it does not describe a model ({error.errors()[0]['msg']})"
            raise damaged_file(model / "model.json", problem, "Restore it or train again") from error
    if not model.is_file():
        raise missing_file(model, f"Pass a training folder such as {TRAINED}, or a bundle")
    return OnnxBackend(model, trusted=model == PRETRAINED / BUNDLE)
