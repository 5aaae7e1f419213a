"""A model as one file to hand on: a zip with both generators as ONNX, its description, card, licence and hashes.

A bundle may come from anybody, so reading one trusts nothing: names, sizes and hashes are checked, nothing is unpacked
to disk, and a graph may hold only the layers that an export of our networks writes and no reference to another file.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from ..errors import UserError
from ..files import atomic_file
from .model_info import Direction, Facts

GRAPHS: dict[Direction, str] = {"human2anime": "human2anime.onnx", "anime2human": "anime2human.onnx"}
TEXTS = ("model.json", "model_card.md", "LICENSE")
HASHES = "sha256.txt"
MAX_BYTES = 512 * 2**20  # of one graph; the study's generators have 32 MiB
MAX_TEXT_BYTES = 2**20
MAX_LAYERS = 2000  # of one graph; the study's generators have about 100

#: What an export of our generators consists of. Anything else (loops, file access, custom code) is refused.
LAYERS = frozenset(
    (
        *("Add", "BatchNormalization", "Cast", "Concat", "Conv", "ConvTranspose", "Gather", "InstanceNormalization"),
        *("LeakyRelu", "Mul", "Pad", "Relu", "Reshape", "Resize", "Shape", "Sigmoid", "Slice", "Tanh", "Transpose"),
        "Unsqueeze",
    )
)


def write_bundle(path: Path, graphs: dict[Direction, bytes], texts: dict[str, str]) -> None:
    """Write a bundle atomically; equal contents give equal bytes."""
    members = {GRAPHS[direction]: data for direction, data in graphs.items()}
    members |= {name: text.encode() for name, text in texts.items()}
    hashes = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in members.items())
    with atomic_file(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**members, HASHES: hashes.encode()}.items():
            # A fixed date: the time of writing is no part of a model.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)


def read_bundle(path: Path) -> tuple[Facts, dict[Direction, bytes]]:
    """Read and check a bundle; returns the model's facts and one ONNX file per direction.

    Raises:
        UserError: it is no bundle, misses or adds a member, is too large, does not match its hashes, or a graph holds
            anything but our layers.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(path, archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise UserError(f"{path} is not a bundle ({error}): write one with `animemorph export`.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): check the file and who may read it.") from error
    listed = members[HASHES].decode("ascii", "replace").splitlines()
    for name, data in members.items():
        if name != HASHES and f"{hashlib.sha256(data).hexdigest()}  {name}" not in listed:
            raise UserError(f"{path}: {name} does not match its hash: the bundle was damaged or changed.")
    try:
        facts = Facts.model_validate_json(members["model.json"])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UserError(f"{path}: model.json is not a model's description ({where}: {first['msg']}).") from error
    graphs = {direction: members[name] for direction, name in GRAPHS.items()}
    for direction, graph in graphs.items():
        try:
            _check_graph(graph)
        except ValueError as error:
            raise UserError(f"{path}: {GRAPHS[direction]} is refused: {error}.") from error
    return facts, graphs


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, bytes]:
    names = [info.filename for info in archive.infolist()]
    expected = sorted([*GRAPHS.values(), *TEXTS, HASHES])
    if sorted(names) != expected:
        raise UserError(f"{path} is not a bundle: it must hold exactly {', '.join(expected)}.")
    members = {}
    for info in archive.infolist():
        limit = MAX_BYTES if info.filename.endswith(".onnx") else MAX_TEXT_BYTES
        with archive.open(info) as stream:
            data = stream.read(limit + 1)  # the size that the zip states may be a lie
        if len(data) > limit:
            raise UserError(
                f"{path}: {info.filename} is larger than {limit // 2**20} MiB: it is not one of our models."
            )
        members[info.filename] = data
    return members


# --- ONNX is protobuf. These are the field numbers of onnx.proto3 that matter; onnxruntime brings no parser to Python.
_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_OP, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_TENSORS = 5, (6, 11), 10
_TENSOR_EXTERNAL, _TENSOR_LOCATION = 13, 14


def _check_graph(data: bytes) -> None:
    """ValueError when an ONNX file holds another layer than ours, a subgraph, a function or data outside of itself."""
    graphs = 0
    for field, value in _fields(data):
        if field == _MODEL_FUNCTIONS:
            raise ValueError("it defines functions of its own")
        if field == _MODEL_GRAPH:
            graphs += 1
            _check_layers(_message(value))
    if graphs != 1:
        raise ValueError("it is not an ONNX model")


def _check_layers(graph: memoryview) -> None:
    layers = 0
    for field, value in _fields(graph):
        if field == _GRAPH_SPARSE:
            raise ValueError("it holds sparse weights")
        if field == _GRAPH_INITIALIZER:
            _check_tensor(_message(value))
        if field == _GRAPH_NODE:
            layers += 1
            if layers > MAX_LAYERS:
                raise ValueError(f"it holds more than {MAX_LAYERS} layers")
            for part, content in _fields(_message(value)):
                text = bytes(content).decode("utf-8", "replace") if isinstance(content, memoryview) else ""
                if part == _NODE_OP and text not in LAYERS:
                    raise ValueError(f"it holds a layer {text[:40]!r}, which our networks do not have")
                if part == _NODE_DOMAIN and text not in ("", "ai.onnx"):
                    raise ValueError(f"it holds a layer of {text[:40]!r}, which is not standard ONNX")
                if part == _NODE_ATTRIBUTE:
                    _check_attribute(_message(content))


def _check_attribute(attribute: memoryview) -> None:
    for field, value in _fields(attribute):
        if field in _ATTRIBUTE_GRAPHS:
            raise ValueError("it holds a graph inside a layer")
        if field in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
            _check_tensor(_message(value))


def _check_tensor(tensor: memoryview) -> None:
    for field, value in _fields(tensor):
        if field == _TENSOR_EXTERNAL or (field == _TENSOR_LOCATION and value != 0):
            raise ValueError("its weights point to another file")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("it is not an ONNX model")
    return value


def _fields(data: bytes | memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield (field number, value) of one protobuf message: varints as int, everything else as bytes."""
    view, at = memoryview(data), 0
    while at < len(view):
        key, at = _varint(view, at)
        if key >= 2**32:  # other readers drop the bits above and would see another field
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


def describe(facts: dict[str, object]) -> str:
    """Text of a bundle's `model.json`."""
    return json.dumps(facts, indent=2, allow_nan=False) + "\n"
