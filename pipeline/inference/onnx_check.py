"""Check of an untrusted ONNX graph: its layers before it is loaded, then one small run in a process with limits."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ..errors import damaged_file
from .model_info import Direction, ModelInfo

MAX_LAYERS = 2000  # of one graph; the study's generators have about 100
MAX_FIELDS = 200_000  # protobuf fields that are read of one file; ours have some thousands
#: Layers of an export of our generators. Anything else (loops, file access, custom code) is refused.
LAYERS = frozenset(
    (
        *("Add", "BatchNormalization", "Cast", "Concat", "Conv", "ConvTranspose", "Gather", "InstanceNormalization"),
        *(
            "Gemm",
            "LayerNormalization",
            "LeakyRelu",
            "Mul",
            "Pad",
            "ReduceMax",
            "ReduceMean",
            "Relu",
            "Reshape",
            "Resize",
        ),
        *("Shape", "Sigmoid", "Slice", "Split", "Tanh", "Transpose", "Unsqueeze"),
    )
)
#: Seconds for the first run of both graphs, with the start of the process.
TRIAL_SECONDS = 60
_TRIAL = Path(__file__).with_name("onnx_trial.py")

# ONNX is protobuf. These are the numbers of the fields of onnx.proto3 that are checked; onnxruntime has no parser for
# Python.
_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_OP, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_TENSORS = 5, (6, 11), 10
_TENSOR_EXTERNAL, _TENSOR_LOCATION = 13, 14


def check_graph(data: bytes) -> None:
    """Check an ONNX file before it is loaded.

    Raises:
        ValueError: It has a layer that our networks do not have, a subgraph, a function, or data in another file.
    """
    graphs = 0
    budget = iter(range(MAX_FIELDS))
    for field, value in _fields(data, budget):
        if field == _MODEL_FUNCTIONS:
            raise ValueError("it defines functions")
        if field == _MODEL_GRAPH:
            graphs += 1
            _check_layers(_message(value), budget)
    if graphs != 1:
        raise ValueError("it is not an ONNX model")


def _check_layers(graph: memoryview, budget: Iterator[int]) -> None:
    layers = 0
    for field, value in _fields(graph, budget):
        if field == _GRAPH_SPARSE:
            raise ValueError("it has sparse weights")
        if field == _GRAPH_INITIALIZER:
            _check_tensor(_message(value), budget)
        if field == _GRAPH_NODE:
            layers += 1
            if layers > MAX_LAYERS:
                raise ValueError(f"it has more than {MAX_LAYERS} layers")
            for part, content in _fields(_message(value), budget):
                text = bytes(content[:64]).decode("utf-8", "replace") if isinstance(content, memoryview) else ""
                if part == _NODE_OP and text not in LAYERS:
                    raise ValueError(f"it has a layer {text[:40]!r}, which our networks do not have")
                if part == _NODE_DOMAIN and text not in ("", "ai.onnx"):
                    raise ValueError(f"it has a layer of {text[:40]!r}, which is not standard ONNX")
                if part == _NODE_ATTRIBUTE:
                    _check_attribute(_message(content), budget)


def _check_attribute(attribute: memoryview, budget: Iterator[int]) -> None:
    for field, value in _fields(attribute, budget):
        if field in _ATTRIBUTE_GRAPHS:
            raise ValueError("it has a graph inside a layer")
        if field in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
            _check_tensor(_message(value), budget)


def _check_tensor(tensor: memoryview, budget: Iterator[int]) -> None:
    for field, value in _fields(tensor, budget):
        if field == _TENSOR_EXTERNAL or (field == _TENSOR_LOCATION and value != 0):
            raise ValueError("its weights are in another file")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("it is not an ONNX model")
    return value


def _fields(data: bytes | memoryview, budget: Iterator[int]) -> Iterator[tuple[int, int | memoryview]]:
    """Yield (field number, value) of one protobuf message: varints as int, everything else as bytes."""
    view, at = memoryview(data), 0
    while at < len(view):
        if next(budget, None) is None:
            raise ValueError(f"it has more than {MAX_FIELDS} fields")
        key, at = _varint(view, at)
        # No field has the number 0. Other parsers drop the bits above 32 and would read another field.
        if not 8 <= key < 2**32:
            raise ValueError("it is not an ONNX model")
        kind = key & 7
        if kind == 0:
            number, at = _varint(view, at)
            yield key >> 3, number
            continue
        if kind == 2:
            length, at = _varint(view, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError("it is not an ONNX model")
        if at + length > len(view):
            raise ValueError("it is cut off")
        yield key >> 3, view[at : at + length]
        at += length


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(view) and shift < 64:
        byte = view[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at
    raise ValueError("it is cut off")


def run_once(path: Path, facts: ModelInfo, graphs: dict[Direction, bytes]) -> None:
    """Run the graphs of a bundle once on a small input, in a process with limited memory and time.

    Args:
        path: Bundle, for the error.
        facts: Description of the model.
        graphs: ONNX files.

    Raises:
        UserError: A graph cannot be loaded, has other inputs or outputs than our networks, returns values that are not
            pixels, or needs more memory or time than any of our networks.
    """
    header = {
        "resolution": facts.resolution,
        "channels": facts.channels,
        "graphs": [[name, facts.styled(name), len(graph)] for name, graph in graphs.items()],
    }
    message = json.dumps(header).encode() + b"\n" + b"".join(graphs.values())
    fix = "Export the model again with `animemorph export`"
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(_TRIAL)], input=message, capture_output=True, timeout=TRIAL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise damaged_file(path, f"its first run took longer than {TRIAL_SECONDS} s", fix) from None
    if done.returncode == 0:
        return
    reason = done.stdout.decode("utf-8", "replace").strip() or "its first run needs too much memory or time"
    raise damaged_file(path, " ".join(reason.split())[:300], fix)
