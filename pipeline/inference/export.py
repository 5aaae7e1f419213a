"""`animemorph export`: a trained model as one bundle that runs without PyTorch."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import Kind, UserError, missing_file, unavailable
from ..files import atomic_file
from ..progress import progress_bar
from .backends import PRETRAINED, TRAINED, OnnxBackend, TorchBackend
from .bundle import MAX_TEXT_BYTES, write_bundle
from .model_info import Direction, ModelInfo

OPSET = 18
#: Largest difference to PyTorch that is allowed, for values in [-1, 1].
PARITY = 1e-4
#: The same for weights stored in 16 bits: a level of 255 is 0.0078, and rounding adds up over the layers.
HALF_PARITY = 0.1
#: Downsampling factor of a generator: both sides of its input must be a multiple of it.
STRIDES = {"resnet": 4, "unet": 8, "styled_unet": 16, "dcgan": 16}


@dataclass(frozen=True)
class Parity:
    """Difference between onnxruntime and PyTorch on the same input, both in [-1, 1]."""

    max_abs: float
    psnr: float  #: dB over the value range 2


def export(folder: Path | None, output: Path, half: bool = False, seed: int = 0) -> dict[Direction, Parity]:
    """Write the bundle of a training folder and compare it with PyTorch; `half` stores weights in 16 bits.

    Returns:
        The differences over random images of three sizes and batches.

    Raises:
        UserError: The model does not exist, PyTorch or onnx is not installed, or the graphs differ from PyTorch.
    """
    # A wheel contains the shipped model only as a bundle, which needs no export.
    weights = "generator_human2anime.safetensors"
    folder = folder or next((path for path in (TRAINED, PRETRAINED) if (path / weights).is_file()), TRAINED)
    if not (folder / "model.json").is_file():
        raise missing_file(folder / "model.json", "Train with `dvc repro`, or pass a training folder")
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        problem, fix = "onnx or onnxscript is not installed", "Install animemorph[pipeline,export]"
        raise unavailable("the export", problem, fix) from None
    trained = TorchBackend(folder, device="cpu")
    stride = STRIDES[trained.model.config.network]
    graphs: dict[Direction, bytes] = {}
    for direction in progress_bar(trained.facts.directions, desc="export", unit="network"):
        model = _graph(getattr(trained.model, direction), trained.facts, direction, stride)
        graphs[direction] = (halve(model) if half else model).SerializeToString(deterministic=True)
    with atomic_file(output) as partial:
        write_bundle(partial, graphs, _texts(folder))
        exported = OnnxBackend(partial, trusted=True)
        parities = {direction: compare(trained, exported, direction, stride, seed) for direction in graphs}
        for direction, parity in parities.items():
            limit = HALF_PARITY if half else PARITY
            if not parity.max_abs <= limit:
                difference = f"{direction} differs from PyTorch by {parity.max_abs:.2g}, at most {limit:g} is allowed"
                text = f"{difference}. Nothing was written. Report this model."
                raise UserError(text, kind=Kind.FAILED, subject=direction)
    return parities


def compare(
    trained: TorchBackend, exported: OnnxBackend, direction: Direction, stride: int = 4, seed: int = 0
) -> Parity:
    """Run both on random images: the trained size, twice and half as large, one side longer, batches of 1 to 3."""
    rng = np.random.default_rng(seed)
    side = trained.facts.resolution
    worst, squares = 0.0, []
    for batch, height, width in ((1, side, side), (3, side, side + stride), (2, side * 2, side * 2)):
        images = rng.uniform(-1, 1, (batch, trained.facts.channels, height, width)).astype(np.float32)
        images[:, 3:] = images[:, 3:] > 0
        style = max(0, len(trained.facts.styles) - 1)
        difference = trained.run(images, direction, style) - exported.run(images, direction, style)
        worst = max(worst, float(np.abs(difference).max()))
        squares.append(float(np.square(difference, dtype=np.float64).mean()))
    mean = float(np.mean(squares))
    return Parity(worst, float(10 * np.log10(4 / mean)) if mean else float("inf"))


def _graph(network: Any, facts: ModelInfo, direction: Direction, stride: int) -> Any:
    """Export one generator: `images` to `translated`, float32 [batch, 3, rows * stride, columns * stride].

    For a masked model, `images` have a fourth channel, for a model with landmarks also their heatmaps. A model with
    styles has a second input, `style`, int64 [batch].
    """
    import torch

    batch = torch.export.Dim("batch", min=1, max=4096)
    rows = torch.export.Dim("rows", min=1, max=4096 // stride)
    columns = torch.export.Dim("columns", min=1, max=4096 // stride)
    # Two different sides and a batch above 1, so that nothing is specialised to the example.
    channels, side = facts.channels, facts.resolution
    example: tuple[Any, ...] = (torch.zeros(2, channels, side, side + stride),)
    names, shapes = ["images"], [{0: batch, 2: stride * rows, 3: stride * columns}]
    if facts.styled(direction):
        example, names, shapes = (*example, torch.zeros(2, dtype=torch.long)), [*names, "style"], [*shapes, {0: batch}]
    return to_onnx(network, example, names, "translated", tuple(shapes))


def to_onnx(network: Any, example: tuple[Any, ...], names: list[str], output: str, shapes: tuple[Any, ...]) -> Any:
    """Convert a network to a checked ONNX model without paths of source files.

    Args:
        network: The module.
        example: One input of each argument.
        names: Names of the inputs.
        output: Name of the output.
        shapes: Per input, axis -> `torch.export.Dim` of axes with any length.
    """
    import onnx
    import torch

    program = torch.onnx.export(
        network,
        example,
        dynamo=True,
        opset_version=OPSET,
        input_names=names,
        output_names=[output],
        dynamic_shapes=shapes,
        external_data=False,
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    # The exporter adds paths of source files to every layer. They are private and differ between machines.
    del model.metadata_props[:]
    graph = model.graph
    for part in (*graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        del part.metadata_props[:]
    del graph.metadata_props[:]
    model.producer_name, model.producer_version, model.doc_string = "animemorph", "", ""
    onnx.checker.check_model(model)
    return model


def halve(model: Any) -> Any:
    """Store large weights in 16 bits and convert them when the model is loaded: half the bytes, the same speed."""
    import onnx
    from onnx import numpy_helper

    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) >= 1024:
            name = tensor.name
            weights = numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(weights, f"{name}.half"))
            casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    return model


def _texts(folder: Path) -> dict[str, str]:
    facts = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    description = json.dumps(facts, indent=2, allow_nan=False) + "\n"
    return {"model.json": description, "model_card.md": _card(folder), "LICENSE": _licence()}


def _card(folder: Path) -> str:
    """Return the model card of the folder, of the report next to it, or a short default."""
    for path in (folder / "model_card.md", folder.parent / "report" / "model_card.md"):
        if path.is_file() and path.stat().st_size <= MAX_TEXT_BYTES:
            return path.read_text(encoding="utf-8")
    return (
        "# AnimeMorph model\n\nThis model has no card; model.json describes it. It translates photos of faces into\n"
        "anime faces. Do not use it to identify people, or for portraits of people who did not agree.\n"
    )


def _licence() -> str:
    from importlib.metadata import PackageNotFoundError, files

    local = Path(__file__).parents[2] / "LICENSE"
    if local.is_file():
        return local.read_text(encoding="utf-8")
    try:
        found = [path for path in files("animemorph") or [] if path.name == "LICENSE"]
    except PackageNotFoundError:
        found = []
    return found[0].read_text() if found else "MIT\n"
