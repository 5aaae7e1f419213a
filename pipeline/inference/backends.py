"""A trained pair of generators: run by PyTorch from a training folder, or by onnxruntime from a bundle."""

import importlib.util
import os
from pathlib import Path
from typing import Protocol

import numpy as np
from pydantic import ValidationError

from ..errors import UserError
from .bundle import read_bundle
from .model_info import Direction, Facts

TRAINED = Path("data/train")
#: The model that ships along: a training folder; where its bundle lies beside it, that one: it needs no PyTorch.
PRETRAINED = Path(__file__).parents[1] / "pretrained"
BUNDLE = "animemorph.zip"


class Generators(Protocol):
    """Both generators of one trained model."""

    facts: Facts

    def run(self, images: np.ndarray, direction: Direction, style: int = 0) -> np.ndarray:
        """Map float32 [b, 3, R, R] in [-1, 1] to the same of the other domain.

        Args:
            images: Where `facts.masked`, [b, 4, R, R]: the last channel is 1 inside the photo, else 0.
            direction: Direction of the translation.
            style: Number of the style, for a model with styles.
        """
        ...


class TorchGenerators:
    """Generators from a training folder: safetensors and `model.json`."""

    def __init__(self, folder: Path, device: str | None = None) -> None:
        """Load on `device`, by default the one named by `ANIMEMORPH_DEVICE` (auto, cpu, cuda, mps).

        Raises:
            UserError: PyTorch is not installed, there is no such device, or the folder does not hold a whole, unchanged
                model.
        """
        if importlib.util.find_spec("torch") is None:
            raise UserError(
                f"{folder} holds PyTorch weights and PyTorch is not installed: install animemorph[pipeline], "
                "or give --model a bundle written by `animemorph export`."
            )
        import torch

        from ..devices import choose
        from ..networks.model import load_model

        self._torch = torch
        self._device = choose(device or os.environ.get("ANIMEMORPH_DEVICE", "auto"))
        self.model = load_model(folder, device=self._device)
        self.facts = Facts.model_validate(self.model.config.model_dump())

    def run(self, images: np.ndarray, direction: Direction, style: int = 0) -> np.ndarray:
        """Map images to the other domain, see `Generators.run`."""
        network = getattr(self.model, direction)
        inputs = [self._torch.from_numpy(images).to(self._device)]
        if self.facts.styled(direction):
            inputs.append(self._torch.full((len(images),), style, device=self._device))
        with self._torch.inference_mode():
            result: np.ndarray = network(*inputs).float().cpu().numpy()
        return result


class OnnxGenerators:
    """Generators from a bundle that `animemorph export` wrote; no PyTorch involved."""

    def __init__(self, bundle: Path) -> None:
        """Check the bundle, which may come from anybody, and load it.

        Raises:
            UserError: it is not a bundle, is damaged, or holds anything but the layers that an export writes.
        """
        import onnxruntime

        self.facts, graphs = read_bundle(bundle)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        # Threads that spin while they wait make a busy machine many times slower.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._sessions = {}
        for direction, graph in graphs.items():
            try:
                self._sessions[direction] = onnxruntime.InferenceSession(graph, options, ["CPUExecutionProvider"])
            except Exception as error:  # onnxruntime's own classes derive from Exception alone
                reason = " ".join(str(error).split())[:200]
                raise UserError(f"{bundle}: {direction}.onnx cannot be loaded ({reason}): export it again.") from error

    def run(self, images: np.ndarray, direction: Direction, style: int = 0) -> np.ndarray:
        """Map images to the other domain, see `Generators.run`."""
        inputs = {"images": images}
        if self.facts.styled(direction):
            inputs["style"] = np.full(len(images), style, dtype=np.int64)
        (result,) = self._sessions[direction].run(None, inputs)
        return np.asarray(result)


def load_generators(model: Path | None = None) -> Generators:
    """Load a model: a training folder or a bundle; by default `data/train`, else the one that ships with AnimeMorph.

    Raises:
        UserError: there is no such model, or it cannot be loaded.
    """
    if model is None:
        candidates = (TRAINED / "model.json", PRETRAINED / BUNDLE, PRETRAINED / "model.json")
        found = next((path for path in candidates if path.is_file()), None)
        model = found.parent if found is not None and found.name == "model.json" else found
        if model is None:
            raise UserError("no model was found: train one with `dvc repro`, or name one with --model.")
    if model.is_dir():
        if not (model / "model.json").is_file():
            raise UserError(f"{model} holds no model.json: name a training folder such as {TRAINED}, or a bundle.")
        try:
            return TorchGenerators(model)
        except ValidationError as error:
            raise UserError(
                f"{model / 'model.json'} is not a model's description: {error.errors()[0]['msg']}."
            ) from error
    if not model.is_file():
        raise UserError(f"{model} is missing: name a training folder such as {TRAINED}, or a bundle.")
    return OnnxGenerators(model)
