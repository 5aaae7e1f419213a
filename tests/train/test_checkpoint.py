"""Checkpoints: whole, atomic, checked, pruned, one writer."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tiny_run import hashes

from pipeline.errors import Kind, UserError
from pipeline.train.checkpoint import KEEP, Checkpoints, _encode, _flatten, _unflatten, _write, exclusive


def state(value: float) -> dict:
    return {"progress": {"step": 3, "sums": {}, "lr": 2e-4}, "networks": {"a": {"0.weight": torch.full((2, 3), value)}}}


leaves = st.one_of(
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.text(),
    st.lists(st.floats(allow_nan=False)),
    st.integers(0, 3).map(lambda n: torch.arange(n * 2.0).reshape(n, 2)),
)
names = st.text("abc.0_", min_size=1, max_size=5)


@examples(deadline=None)
@given(st.recursive(st.dictionaries(names, leaves), lambda inner: st.dictionaries(names, inner | leaves)))
def test_any_state_comes_back(content: dict):
    def plain(value: object) -> object:
        if isinstance(value, torch.Tensor):
            return ("tensor", list(value.shape), value.tolist())
        return {key: plain(inner) for key, inner in value.items()} if isinstance(value, dict) else value

    tensors, rest = _flatten(content)
    assert plain(_unflatten(tensors, rest)) == plain(content)


def test_newest_is_read_and_older_ones_are_dropped_but_for_pinned(tmp_path: Path):
    checkpoints = Checkpoints(tmp_path)
    for serial in range(6):
        checkpoints.save(serial, state(serial), pinned={1})
    assert checkpoints.newest()["networks"]["a"]["0.weight"][0, 0] == 5
    assert checkpoints.newest()["progress"] == {"step": 3, "sums": {}, "lr": 2e-4}
    assert sorted(int(path.stem[:9]) for path in checkpoints.paths()) == [1, 4, 5]
    assert checkpoints.at(1)["networks"]["a"]["0.weight"][0, 0] == 1
    assert checkpoints.at(2) is None
    assert KEEP == 2


@pytest.mark.parametrize("damage", ["truncated", "one bit", "empty"])
def test_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, state(1), set())
    newest = checkpoints.save(2, state(2), set())
    content = bytearray(newest.read_bytes())
    if damage == "truncated":
        del content[-5:]
    elif damage == "one bit":
        content[-1] ^= 1
    else:
        content.clear()
    newest.write_bytes(content)
    found = checkpoints.newest()
    (record,) = caplog.records
    assert record.args is not None
    assert record.args[0] == newest
    assert found["networks"]["a"]["0.weight"][0, 0] == 1
    assert not newest.exists()


def test_equal_states_give_equal_bytes_whatever_the_order_of_their_making():
    first = {"a": torch.ones(3), "b": {"c": torch.zeros(2), "d": "text"}}
    text = "".join(["te", "xt"])
    assert _encode(first) == _encode({"a": torch.ones(3), "b": {"c": torch.zeros(2), "d": text}})


def test_full_disk_keeps_the_checkpoint_before_and_names_the_file(tmp_path: Path):
    """The kernel refuses the write, as it does on a full disk; a limit on file size needs no disk of its own."""
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, state(1), set())
    before = hashes(tmp_path)
    big = {"networks": {"a": torch.zeros(100_000)}}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OSError, match="000000002-") as error:
            checkpoints.save(2, big, set())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(tmp_path) in error.value.filename
    assert hashes(tmp_path) == before


def test_no_space_left_is_a_user_error(tmp_path: Path):
    """/dev/full answers every write with ENOSPC."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    code = (
        "import os; from pathlib import Path; from stages import run\n"
        "from pipeline.train.checkpoint import _write\n"
        f"target = Path({str(tmp_path)!r}) / 'state.safetensors'\n"
        "os.symlink('/dev/full', target.with_name(f'.{target.name}.{os.getpid()}.partial'))\n"
        "run(lambda: _write(bytes(40000), target))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().startswith(f"error: no space left while writing '{tmp_path}/state.safetensors'")
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_killed_writer_are_removed(tmp_path: Path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / ".000000002-abc.safetensors.123.partial").write_bytes(b"half")
    with exclusive(tmp_path):
        assert Checkpoints(tmp_path / "checkpoints").newest() is None
    assert list((tmp_path / "checkpoints").iterdir()) == []


HOLDER = (
    "import sys, time; from pathlib import Path; from pipeline.train.checkpoint import exclusive\n"
    "with exclusive(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(600)\n"
)


def test_second_trainer_is_refused_until_the_first_is_dead(tmp_path: Path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError) as error, exclusive(tmp_path):
            pass
        assert (error.value.kind, error.value.subject) == (Kind.CONFLICT, str(tmp_path))
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with exclusive(tmp_path):
            pass


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PR_SET_PDEATHSIG is Linux's")
def test_trainer_does_not_outlive_its_parent():
    trainer = (
        "import os, time; from pipeline.train.checkpoint import die_with_parent\n"
        "die_with_parent(); print(os.getpid(), flush=True); time.sleep(600)\n"
    )
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {trainer!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as dvc:
        child = psutil.Process(int(dvc.stdout.readline()))
        dvc.kill()
        dvc.wait()
        assert psutil.wait_procs([child], timeout=30)[1] == []


def test_written_state_is_atomic(tmp_path: Path):
    _write(_encode(state(1)), tmp_path / "deep" / "state.safetensors")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["state.safetensors"]
