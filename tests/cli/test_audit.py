"""`animemorph audit` against real DVC projects."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.audit import audit
from pipeline.errors import Kind, UserError

STAGES = """\
stages:
  folder:
    cmd: mkdir -p data/folder/deep && echo one > data/folder/a.txt && echo two > data/folder/deep/b.txt
    outs: [data/folder]
  file:
    cmd: cat data/folder/a.txt data/folder/deep/b.txt > data/file.txt
    deps: [data/folder]
    outs: [data/file.txt]
  numbers:
    cmd: echo 1 > data/numbers.json
    outs: [{data/numbers.json: {cache: false}}]
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A DVC project with three stages, run."""
    root = tmp_path_factory.mktemp("finished")
    (root / "dvc.yaml").write_text(STAGES)
    for words in (["init", "--no-scm", "-q"], ["repro", "-q"]):
        subprocess.run(
            [sys.executable, "-m", "dvc", *words], cwd=root, check=True, env=os.environ | {"DVC_NO_ANALYTICS": "1"}
        )
    return root


@pytest.fixture
def project(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "project")


def test_a_sound_project_has_no_findings(project):
    result = audit(project)
    assert result.findings == []
    # Cache: the list of the folder, its two files, the file. Workspace: the same three files and the numbers.
    assert result.files == 4 + 4


def cached(project, text):
    """Path of the cache object that holds `text`."""
    return next(path for path in (project / ".dvc" / "cache").rglob("*") if path.is_file() and path.read_text() == text)


def overwrite(path, content):
    """Change what a file holds and leave its mode as it was: a read-only object of the cache is one that DVC trusts."""
    mode = path.stat().st_mode
    path.chmod(mode | stat.S_IWUSR)
    path.write_bytes(content)
    path.chmod(mode)


def test_one_flipped_byte_in_the_cache_is_found_although_dvc_does_not_see_it(project):
    victim = cached(project, "two\n")
    overwrite(victim, b"twp\n")
    status = subprocess.run([sys.executable, "-m", "dvc", "status"], cwd=project, capture_output=True, text=True)
    assert "up to date" in status.stdout
    assert [(finding.path, finding.problem) for finding in audit(project).findings] == [(victim, "damaged")]


def test_a_deleted_cache_object_is_missing(project):
    victim = cached(project, "one\n")
    victim.unlink()
    assert [(finding.path, finding.problem) for finding in audit(project).findings] == [(victim, "missing")]


@pytest.mark.parametrize("name", ["data/folder/deep/b.txt", "data/file.txt", "data/numbers.json"])
def test_changed_and_deleted_outputs_are_named(project, name):
    overwrite(project / name, b"changed")
    (finding,) = audit(project).findings
    assert (finding.path, finding.problem) == (project / name, "damaged")
    (project / name).unlink()
    (finding,) = audit(project).findings
    assert (finding.path, finding.problem) == (project / name, "missing")
    assert "dvc checkout" in finding.advice


def test_an_unexpected_file_in_an_output_folder_is_named(project):
    (project / "data/folder/extra.txt").write_text("hello")
    (finding,) = audit(project).findings
    assert (finding.path.name, finding.problem) == ("extra.txt", "unexpected")


def test_a_damaged_folder_list_is_one_finding(project):
    victim = next((project / ".dvc" / "cache").rglob("*.dir"))
    overwrite(victim, b"[]")
    assert [(finding.path, finding.problem) for finding in audit(project).findings] == [(victim, "damaged")]


def test_a_folder_without_outputs_is_refused(tmp_path):
    with pytest.raises(UserError) as error:
        audit(tmp_path)
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(tmp_path))
    (tmp_path / "dvc.yaml").write_text(STAGES)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=tmp_path, check=True)
    with pytest.raises(UserError) as error:
        audit(tmp_path)
    assert (error.value.kind, error.value.subject) == (Kind.MISSING, str(tmp_path / "dvc.lock"))


def test_the_command_lists_what_is_damaged_and_fails(project, monkeypatch):
    from typer.testing import CliRunner

    from pipeline.cli import app

    monkeypatch.chdir(project)
    sound = CliRunner().invoke(app, ["audit"])
    assert sound.exit_code == 0, sound.output
    Path("data/file.txt").unlink()
    damaged = CliRunner().invoke(app, ["audit"])
    assert damaged.exit_code == 1
    assert "missing" in damaged.output and "file.txt" in damaged.output
