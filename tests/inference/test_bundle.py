"""Content of an exported bundle, and protection against untrusted bundles."""

import hashlib
import io
import json
import re
import resource
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from pipeline.errors import Kind, UserError
from pipeline.inference.backends import OnnxBackend, TorchBackend
from pipeline.inference.bundle import GRAPHS, HASHES, read_bundle, write_bundle
from pipeline.inference.export import OPSET, compare
from pipeline.inference.onnx_check import check_graph


def test_an_export_has_a_description(tiny_bundle: Path) -> None:
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
    trained, exported = TorchBackend(tiny_model, device="cpu"), OnnxBackend(tiny_bundle)
    assert compare(trained, exported, direction).max_abs <= 1e-4
    images = np.random.default_rng(1).uniform(-1, 1, (2, 3, 32, 32)).astype(np.float32)
    other = next(name for name in GRAPHS if name != direction)
    assert np.abs(trained.run(images, direction) - exported.run(images, other)).max() > 0.01


def test_a_bundle_of_cut_has_one_graph_and_no_other_may_be_added_or_missing(
    tiny_bundle: Path, one_way_bundle: Path, tmp_path: Path
) -> None:
    facts, graphs = read_bundle(one_way_bundle)
    assert facts.directions == tuple(graphs) == ("human2anime",)
    backend = OnnxBackend(one_way_bundle)
    assert backend.run(np.zeros((1, 3, 32, 32), np.float32), "human2anime").shape == (1, 3, 32, 32)
    added = _change(
        one_way_bundle, tmp_path / "a.zip", lambda m: m.update({GRAPHS["anime2human"]: m["human2anime.onnx"]})
    )
    missing = _change(tiny_bundle, tmp_path / "b.zip", lambda members: members.pop("anime2human.onnx"))
    for path in (added, missing):
        with pytest.raises(UserError) as caught:
            read_bundle(path)
        assert (caught.value.kind, caught.value.subject) == (Kind.DAMAGED, str(path))


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
    path = _change(tiny_bundle, tmp_path / "b.zip", _flip, rehash=False)
    with pytest.raises(UserError, match=r"human2anime\.onnx") as caught:
        read_bundle(path)
    assert (caught.value.kind, caught.value.subject) == (Kind.DAMAGED, str(path))


@pytest.mark.parametrize(
    ("change", "member"),
    [
        (lambda members: members.update({"../../evil.py": b"boo"}), "LICENSE"),
        (lambda members: members.pop("LICENSE"), "LICENSE"),
        (lambda members: members.update({"model.json": b"{}"}), "model.json"),
        (lambda members: members.update({"model.json": b'{"resolution": 1e9'}), "model.json"),
        (lambda members: _describe(members, detectors={}), "model.json"),
        (lambda members: _describe(members, detectors={"human": "dlib"}), "model.json"),
        (lambda members: _describe(members, detectors={"human": ["dlib"], "anime": "x"}), "model.json"),
        (lambda members: _describe(members, resolution=-1), "model.json"),
        (lambda members: members.update({"model_card.md": b"0" * (2**20 + 1)}), "model_card.md"),
        (lambda members: members.update({"anime2human.onnx": b""}), "anime2human.onnx"),
        (lambda members: members.update({"anime2human.onnx": b"\xff" * 99}), "anime2human.onnx"),
        (lambda members: members.update({"anime2human.onnx": bytes(2**20)}), "anime2human.onnx"),
        (lambda members: members.update({"anime2human.onnx": b"\x08\0" * 2**19}), "anime2human.onnx"),
    ],
)
def test_a_changed_bundle_is_refused(
    tiny_bundle: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], member: str
) -> None:
    path = _change(tiny_bundle, tmp_path / "b.zip", change)
    with pytest.raises(UserError, match=re.escape(member)) as caught:
        read_bundle(path)
    assert (caught.value.kind, caught.value.subject) == (Kind.DAMAGED, str(path))


def _describe(members: dict[str, bytes], **keys: object) -> None:
    members["model.json"] = json.dumps({**json.loads(members["model.json"]), **keys}).encode()


def test_zip_of_zeros_is_refused_early(tiny_bundle: Path, tmp_path: Path) -> None:
    """500 MB of zeros in a file of 0.5 MB: neither inflated nor walked through."""
    path = _change(
        tiny_bundle, tmp_path / "b.zip", lambda members: members.update({"anime2human.onnx": bytes(5 * 10**8)})
    )
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError) as caught:
        read_bundle(path)
    assert caught.value.kind == Kind.DAMAGED
    assert time.process_time() - start < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 2**10  # kB


def _network(*nodes: onnx.NodeProto, name: str = "images", **initializers: np.ndarray) -> bytes:
    """Return a graph from `name` to `translated`, float32 [n, 3, h, w]."""
    shape = ["n", 3, "h", "w"]
    graph = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("translated", TensorProto.FLOAT, ["n", "c", "i", "j"])],
        initializer=[onnx.numpy_helper.from_array(value, key) for key, value in initializers.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString()


TANH = helper.make_node("Tanh", ["images"], ["translated"])
HUGE = np.array([1, 1, 400, 400], np.float32)
SMALL = np.array([1, 1, 1 / 400, 1 / 400], np.float32)


def test_graph_of_our_layers_passes_its_first_run(tiny_bundle: Path, tmp_path: Path) -> None:
    graph = _network(TANH)
    OnnxBackend(_change(tiny_bundle, tmp_path / "b.zip", lambda members: members.update({"anime2human.onnx": graph})))


@pytest.mark.parametrize(
    "graph",
    [
        pytest.param(_network(helper.make_node("Tanh", ["x"], ["translated"]), name="x"), id="name of the input"),
        pytest.param(
            _network(helper.make_node("Add", ["images", "w"], ["translated"]), w=np.full(1, np.nan, np.float32)),
            id="NaN",
        ),
        pytest.param(
            _network(helper.make_node("Add", ["images", "w"], ["translated"]), w=np.full(1, 9, np.float32)), id="range"
        ),
        pytest.param(
            _network(
                helper.make_node("Resize", ["images", "", "s"], ["translated"], mode="nearest"),
                s=np.float32([1, 1, 2, 2]),
            ),
            id="other size",
        ),
        pytest.param(
            _network(
                helper.make_node("Resize", ["images", "", "s"], ["large"], mode="nearest"),
                helper.make_node("Resize", ["large", "", "t"], ["small"], mode="nearest"),
                helper.make_node("Tanh", ["small"], ["translated"]),
                s=HUGE,
                t=SMALL,
            ),
            id="2 GB between two layers",
        ),
        pytest.param(
            _network(
                helper.make_node("Add", ["images", "w"], ["a"]),
                helper.make_node("Tanh", ["a"], ["translated"]),
                w=np.zeros((1, 3, 48, 48), np.float32),
            ),
            id="another resolution",
        ),
    ],
)
def test_graph_of_another_meaning_is_refused_on_loading(tiny_bundle: Path, tmp_path: Path, graph: bytes) -> None:
    path = _change(tiny_bundle, tmp_path / "b.zip", lambda members: members.update({"anime2human.onnx": graph}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError) as caught:
        OnnxBackend(path)
    assert (caught.value.kind, caught.value.subject) == (Kind.DAMAGED, str(path))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 2**10  # kB


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    for name, data in {"empty": b"", "text": b"hello" * 99, "cut": b"PK\x03\x04" + b"\0" * 40}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError) as caught:
            read_bundle(tmp_path / name)
        assert (caught.value.kind, caught.value.subject) == (Kind.DAMAGED, str(tmp_path / name))


def test_what_cannot_be_read_is_named(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object) -> None:
        raise PermissionError(13, "Permission denied")  # tests may run as root, whom no mode keeps out

    monkeypatch.setattr(zipfile, "ZipFile", refuse)
    with pytest.raises(OSError, match="Permission denied"):  # the command line says which file
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
        (_external(), "another file"),
        (_hidden(), "another file"),
        (_loop(), "inside a layer"),
        (_graph([helper.make_node("Loop", ["images"], ["translated"])]), "a layer 'Loop'"),
        (_graph([helper.make_node("ConstantOfShape", ["images"], ["translated"])]), "a layer 'ConstantOfShape'"),
        (_graph([helper.make_node("Relu", ["images"], ["translated"], domain="com.evil")]), "not standard ONNX"),
        (_graph([helper.make_node("Relu", ["images"], ["translated"])] * 2001), "more than 2000 layers"),
        (_unseen(), "not an ONNX model"),
    ],
)
def test_a_graph_that_could_do_more_than_translate_is_refused(graph: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_graph(graph)


def test_our_layers_pass() -> None:
    check_graph(_graph([helper.make_node("Relu", ["images"], ["translated"])]))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_judged_and_never_crash(data: bytes) -> None:
    try:
        check_graph(data)
    except ValueError:
        return
    assert onnx.load_from_string(data).HasField("graph")


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damaged_graphs_are_judged_and_never_crash(data: st.DataObject) -> None:
    graph = bytearray(_external())
    for _ in range(data.draw(st.integers(1, 4))):
        graph[data.draw(st.integers(0, len(graph) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(graph[: data.draw(st.integers(0, len(graph)))])
    try:
        check_graph(damaged)
    except ValueError:
        return
    assert b"passwd" not in damaged or not onnx.load_from_string(damaged).graph.initializer[0].external_data


def test_a_bundle_with_an_unusable_graph_is_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    graph = _graph([helper.make_node("Conv", ["images", "nowhere"], ["translated"])])
    path = _change(tiny_bundle, tmp_path / "b.zip", lambda members: members.update({"anime2human.onnx": graph}))
    with pytest.raises(UserError, match=r"anime2human\.onnx") as caught:
        OnnxBackend(path)
    assert (caught.value.kind, caught.value.subject) == (Kind.DAMAGED, str(path))


def test_a_lying_size_is_not_believed(tiny_bundle: Path, tmp_path: Path) -> None:
    """The reader limits a member that inflates to more than its stated size."""
    buffer = io.BytesIO(tiny_bundle.read_bytes())
    data = bytearray(buffer.getvalue())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (5).to_bytes(4, "little")
    (tmp_path / "lie.zip").write_bytes(data)
    with pytest.raises(UserError):
        read_bundle(tmp_path / "lie.zip")
