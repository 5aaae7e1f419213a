"""Bundle of an exported model: a zip with the generators as ONNX, `model.json`, model card, licence and hashes.

A bundle may come from an untrusted source. Names, sizes and hashes are checked, nothing is unpacked to disk, and
`onnx_check` checks the graphs before they are loaded.
"""

import hashlib
import zipfile
import zlib
from pathlib import Path

from pydantic import ValidationError

from ..errors import damaged_file
from ..files import atomic_file
from .model_info import Direction, ModelInfo
from .onnx_check import check_graph

GRAPHS: dict[Direction, str] = {"human2anime": "human2anime.onnx", "anime2human": "anime2human.onnx"}
TEXTS = ("model.json", "model_card.md", "LICENSE")
HASHES = "sha256.txt"
MAX_BYTES = 512 * 2**20  # of one graph; the generators of the study have 32 MiB
MAX_TEXT_BYTES = 2**20
#: Maximum size of a graph divided by the size of the file. Weights hardly compress, so more means that it is no model.
MAX_RATIO = 20


def write_bundle(path: Path, graphs: dict[Direction, bytes], texts: dict[str, str]) -> None:
    """Write a bundle atomically; equal contents give equal bytes."""
    members = {GRAPHS[direction]: data for direction, data in graphs.items()}
    members |= {name: text.encode() for name, text in texts.items()}
    hashes = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in members.items())
    with atomic_file(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**members, HASHES: hashes.encode()}.items():
            # The date of a ZipInfo is fixed: equal models give equal bytes.
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def read_bundle(path: Path) -> tuple[ModelInfo, dict[Direction, bytes]]:
    """Read and check a bundle.

    Returns:
        The description of the model, and one ONNX file per direction.

    Raises:
        UserError: The file is not a bundle, a member is missing, unexpected, too large or does not match its hash, or a
            graph has layers that our networks do not have.
    """
    fix = "Export the model again with `animemorph export`"
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(path, archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise damaged_file(path, f"it is not a bundle ({error})", fix) from error
    listed = members[HASHES].decode("ascii", "replace").splitlines()
    for name, data in members.items():
        if name != HASHES and f"{hashlib.sha256(data).hexdigest()}  {name}" not in listed:
            raise damaged_file(path, f"{name} does not match its hash", fix)
    try:
        facts = ModelInfo.model_validate_json(members["model.json"])
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the file"
        raise damaged_file(path, f"model.json does not describe a model ({key}: {first['msg']})", fix) from error
    graphs = {direction: members[name] for direction, name in GRAPHS.items() if name in members}
    if tuple(graphs) != facts.directions:
        raise damaged_file(path, f"it must contain the generators of model {facts.model}", fix)
    for direction, graph in graphs.items():
        try:
            check_graph(graph)
        except ValueError as error:
            raise damaged_file(path, f"{GRAPHS[direction]}: {error}", fix) from error
    return facts, graphs


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, bytes]:
    names = [info.filename for info in archive.infolist()]
    expected = sorted([*GRAPHS.values(), *TEXTS, HASHES])
    fix = "Export the model again with `animemorph export`"
    if sorted(names) not in (expected, [name for name in expected if name != GRAPHS["anime2human"]]):
        raise damaged_file(path, f"it must contain exactly {', '.join(expected)}", fix)
    inflated = MAX_RATIO * path.stat().st_size + MAX_TEXT_BYTES
    members = {}
    for info in archive.infolist():
        limit = min(MAX_BYTES, inflated) if info.filename.endswith(".onnx") else MAX_TEXT_BYTES
        with archive.open(info) as stream:
            data = stream.read(limit + 1)  # the size in the zip header may be wrong
        if len(data) > limit:
            raise damaged_file(path, f"{info.filename} has more than {limit / 2**20:.0f} MiB", fix)
        members[info.filename] = data
    return members
