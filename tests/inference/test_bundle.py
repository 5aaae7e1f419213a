"""Bundles: what an export holds, and that a stranger's bundle can do no harm."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from pipeline.errors import UserError
from pipeline.inference.backends import OnnxGenerators, TorchGenerators
from pipeline.inference.bundle import GRAPHS, HASHES, _check_graph, read_bundle, write_bundle
from pipeline.inference.export import OPSET, compare


def test_an_export_says_what_it_is(tiny_bundle: Path) -> None:
    facts, graphs = read_bundle(tiny_bundle)
    assert (facts.resolution, facts.noise_std, facts.detectors["human"]) == (32, 0.1, "dlib")
    for graph in graphs.values():
        model = onnx.load_from_string(graph)
        onnx.checker.check_model(model, full_check=True)
        assert [opset.version for opset in model.opset_import] == [OPSET]
        shape = [axis.dim_param or axis.dim_value for axis in model.graph.input[0].type.tensor_type.shape.dim]
        assert shape[0] == "batch"
        assert shape[1] == 3
        assert all(isinstance(side, str) for side in shape[2:])
    with zipfile.ZipFile(tiny_bundle) as archive:
        assert b"MIT" in archive.read("LICENSE")
        assert archive.read("model_card.md").startswith(b"#")


def test_an_export_tells_nothing_about_the_machine(tiny_bundle: Path) -> None:
    _, graphs = read_bundle(tiny_bundle)
    for graph in graphs.values():
        assert str(Path(__file__).parents[2]).encode() not in graph
        assert b".py" not in graph


@pytest.mark.parametrize("direction", list(GRAPHS))
def test_parity_with_pytorch(tiny_model: Path, tiny_bundle: Path, direction: str) -> None:
    """Largest difference in [-1, 1] below 1e-4 (measured: 2e-6); other weights are far away, so the test can fail."""
    trained, exported = TorchGenerators(tiny_model, device="cpu"), OnnxGenerators(tiny_bundle)
    assert compare(trained, exported, direction).max_abs <= 1e-4
    images = np.random.default_rng(1).uniform(-1, 1, (2, 3, 32, 32)).astype(np.float32)
    other = next(name for name in GRAPHS if name != direction)
    assert np.abs(trained.run(images, direction) - exported.run(images, other)).max() > 0.01


def test_equal_contents_give_equal_bytes(tmp_path: Path) -> None:
    texts = {"model.json": "{}", "model_card.md": "#", "LICENSE": "MIT"}
    for name in ("a", "b"):
        write_bundle(tmp_path / name, dict.fromkeys(GRAPHS, b"graph"), texts)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def _change(bundle: Path, path: Path, change: Callable[[dict[str, bytes]], None], rehash: bool = True) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if rehash:
        listed = [name for name in members if name != HASHES]
        lines = [f"{hashlib.sha256(members[name]).hexdigest()}  {name}\n" for name in listed]
        members[HASHES] = "".join(lines).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def _flip(members: dict[str, bytes]) -> None:
    data = bytearray(members["human2anime.onnx"])
    data[len(data) // 2] ^= 1
    members["human2anime.onnx"] = bytes(data)


def test_a_changed_weight_is_noticed(tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"human2anime\.onnx does not match its hash"):
        read_bundle(_change(tiny_bundle, tmp_path / "b.zip", _flip, rehash=False))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda members: members.update({"../../evil.py": b"boo"}), "must hold exactly"),
        (lambda members: members.pop("LICENSE"), "must hold exactly"),
        (lambda members: members.update({"model.json": b"{}"}), "not a model's description"),
        (lambda members: members.update({"model.json": b'{"resolution": 1e9'}), "not a model's description"),
        (lambda members: members.update({"model_card.md": b"0" * (2**20 + 1)}), "larger than 1 MiB"),
        (lambda members: members.update({"anime2human.onnx": b""}), "not an ONNX model"),
        (lambda members: members.update({"anime2human.onnx": b"\xff" * 99}), "is refused"),
    ],
)
def test_a_changed_bundle_is_refused(
    tiny_bundle: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        read_bundle(_change(tiny_bundle, tmp_path / "b.zip", change))


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    for name, data in {"empty": b"", "text": b"hello" * 99, "cut": b"PK\x03\x04" + b"\0" * 40}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError, match="is not a bundle"):
            read_bundle(tmp_path / name)


def test_what_cannot_be_read_is_named(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object) -> None:
        raise PermissionError(13, "Permission denied")  # tests may run as root, whom no mode keeps out

    monkeypatch.setattr(zipfile, "ZipFile", refuse)
    with pytest.raises(UserError, match=r"tiny\.zip cannot be read \(Permission denied\)"):
        read_bundle(tiny_bundle)


def _graph(nodes: list[onnx.NodeProto], **parts: object) -> bytes:
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, "h", "w"])
    result = helper.make_tensor_value_info("translated", TensorProto.FLOAT, ["n", 3, "h", "w"])
    graph = helper.make_graph(nodes, "g", [image], [result], **parts)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString()


def _external() -> bytes:
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../../etc/passwd"
    return _graph([helper.make_node("Add", ["images", "w"], ["translated"])], initializer=[tensor])


def _hidden() -> bytes:
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    tensor.data_location = TensorProto.EXTERNAL
    return _graph([helper.make_node("Add", ["images"], ["translated"], value=tensor)])


def _loop() -> bytes:
    body = helper.make_graph([], "body", [], [])
    return _graph([helper.make_node("Add", ["images", "images"], ["translated"], body=body)])


def _unseen() -> bytes:
    """Hide a graph under the field 7 + 2**29: onnxruntime keeps 32 bits of a key, reads 7, and joins both graphs."""
    result = helper.make_tensor_value_info("extra", TensorProto.FLOAT, ["n", 3, "h", "w"])
    evil = helper.make_graph([helper.make_node("Exp", ["images"], ["extra"])], "g", [], [result]).SerializeToString()
    key = bytes([0xBA, 0x80, 0x80, 0x80, 0x10])
    return _graph([helper.make_node("Relu", ["images"], ["translated"])]) + key + bytes([len(evil)]) + evil


@pytest.mark.parametrize(
    ("graph", "sentence"),
    [
        (_external(), "point to another file"),
        (_hidden(), "point to another file"),
        (_loop(), "a graph inside a layer"),
        (_graph([helper.make_node("Loop", ["images"], ["translated"])]), "a layer 'Loop'"),
        (_graph([helper.make_node("ConstantOfShape", ["images"], ["translated"])]), "a layer 'ConstantOfShape'"),
        (_graph([helper.make_node("Relu", ["images"], ["translated"], domain="com.evil")]), "not standard ONNX"),
        (_graph([helper.make_node("Relu", ["images"], ["translated"])] * 2001), "more than 2000 layers"),
        (_unseen(), "not an ONNX model"),
    ],
)
def test_a_graph_that_could_do_more_than_translate_is_refused(graph: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        _check_graph(graph)


def test_our_layers_pass() -> None:
    _check_graph(_graph([helper.make_node("Relu", ["images"], ["translated"])]))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_judged_and_never_crash(data: bytes) -> None:
    try:
        _check_graph(data)
    except ValueError:
        return
    assert onnx.load_from_string(data).HasField("graph")


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damaged_graphs_are_judged_and_never_crash(data: st.DataObject) -> None:
    graph = bytearray(_external())
    for _ in range(data.draw(st.integers(1, 4))):
        graph[data.draw(st.integers(0, len(graph) - 1))] = data.draw(st.integers(0, 255))
    try:
        _check_graph(bytes(graph[: data.draw(st.integers(0, len(graph)))]))
    except ValueError:
        return


def test_a_bundle_with_an_unusable_graph_ends_in_a_sentence(tiny_bundle: Path, tmp_path: Path) -> None:
    graph = _graph([helper.make_node("Conv", ["images", "nowhere"], ["translated"])])
    path = _change(tiny_bundle, tmp_path / "b.zip", lambda members: members.update({"anime2human.onnx": graph}))
    with pytest.raises(UserError, match=r"anime2human\.onnx cannot be loaded"):
        OnnxGenerators(path)


def test_a_lying_size_is_not_believed(tiny_bundle: Path, tmp_path: Path) -> None:
    """A member that inflates to more than the directory says is cut off by the reader, not by trust."""
    buffer = io.BytesIO(tiny_bundle.read_bytes())
    data = bytearray(buffer.getvalue())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (5).to_bytes(4, "little")
    (tmp_path / "lie.zip").write_bytes(data)
    with pytest.raises(UserError):
        read_bundle(tmp_path / "lie.zip")
