"""Atomic writes: no reader sees half a file, whatever happens while it is written."""

import hashlib
import json
import os

import pytest

from pipeline.errors import Kind, UserError
from pipeline.files import atomic_file, atomic_folder, scratch_folder, sha256, write_json


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with atomic_file(path) as partial:
        partial.write_text("half")
        assert not path.exists()
        assert partial.parent == path.parent
    assert path.read_text() == "half"
    assert names(path.parent) == ["file.txt"]


def test_a_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_file(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_a_failure_leaves_the_old_folder(tmp_path):
    path = tmp_path / "out"
    path.mkdir()
    (path / "old").write_text("old")
    with pytest.raises(RuntimeError), atomic_folder(path) as partial:
        (partial / "new").write_text("new")
        raise RuntimeError
    assert names(path) == ["old"]
    assert names(tmp_path) == ["out"]


def test_a_folder_is_replaced_whole(tmp_path):
    path = tmp_path / "deep" / "out"
    for content in ("one", "two"):
        with atomic_folder(path) as partial:
            (partial / content).write_text(content)
    assert names(path) == ["two"]
    assert names(path.parent) == ["out"]


def test_what_dvc_linked_read_only_is_replaced(tmp_path):
    cached, path = tmp_path / "cached", tmp_path / "out" / "file.txt"
    cached.write_text("old")
    path.parent.mkdir()
    os.link(cached, path)
    cached.chmod(0o444)
    with atomic_file(path) as partial:
        partial.write_text("new")
    assert path.read_text() == "new"
    assert cached.read_text() == "old"


def test_leftovers_of_a_killed_run_are_cleared(tmp_path):
    leftover = tmp_path / f".out.{os.getpid()}.partial"
    leftover.mkdir()
    (leftover / "half").write_text("half")
    with atomic_folder(tmp_path / "out") as partial:
        (partial / "new").write_text("new")
    assert names(tmp_path / "out") == ["new"]
    assert names(tmp_path) == ["out"]


def test_json_is_readable_and_holds_numbers_only(tmp_path):
    path = tmp_path / "metrics.json"
    write_json({"é": 1.5, "n": {"x": 1}}, path)
    assert json.loads(path.read_text(encoding="utf-8")) == {"é": 1.5, "n": {"x": 1}}
    for bad in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON"):
            write_json({"x": bad}, path)
    assert json.loads(path.read_text(encoding="utf-8")) == {"é": 1.5, "n": {"x": 1}}


def test_sha256(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 5000)
    assert sha256(path) == hashlib.sha256(bytes(range(256)) * 5000).hexdigest()


def test_scratch_belongs_to_a_fingerprint(tmp_path, monkeypatch):
    monkeypatch.setenv("ANIMEMORPH_SCRATCH", str(tmp_path / "scratch"))
    one = scratch_folder("train", {"lr": 1, "noise": True})
    assert one.is_dir()
    assert one.parent == tmp_path / "scratch"
    assert scratch_folder("train", {"noise": True, "lr": 1}) == one
    assert scratch_folder("train", {"lr": 1, "noise": False}) != one


@pytest.mark.parametrize("length", [200, 240, 255])
def test_names_of_full_length_can_be_written(tmp_path, length):
    path = tmp_path / ("n" * length)
    with atomic_file(path) as partial:
        partial.write_text("whole")
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("below", ["", "deeper"])
def test_scratch_that_is_a_file_is_refused(tmp_path, monkeypatch, below):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ANIMEMORPH_SCRATCH", str(tmp_path / "file" / below))
    with pytest.raises(UserError) as error:
        scratch_folder("job")
    assert error.value.kind is Kind.UNAVAILABLE
    assert str(tmp_path / "file") in error.value.subject
