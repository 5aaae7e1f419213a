"""Scratch folders of training runs."""

import os
from pathlib import Path

from pipeline.train import outputs
from pipeline.train.checkpoint import exclusive


def make_run(scratch: Path, name: str, age: int) -> Path:
    folder = scratch / name
    folder.mkdir()
    (folder / "lock").touch()
    os.utime(folder / "lock", (1e9 - age, 1e9 - age))
    return folder


def test_old_runs_are_removed_unless_another_process_writes_them(tmp_path):
    present = make_run(tmp_path, "present", 0)
    runs = [make_run(tmp_path, f"run{age}", age) for age in range(1, outputs.RUNS + 4)]
    (tmp_path / "features").mkdir()
    with exclusive(present), exclusive(runs[-1]):
        outputs.prune_runs(present)
        assert {path.name for path in tmp_path.iterdir()} == {
            "present",
            "features",
            *(run.name for run in runs[: outputs.RUNS]),
            runs[-1].name,
        }
    outputs.prune_runs(present)
    assert not runs[-1].exists()
