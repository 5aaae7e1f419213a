"""`stages/run.sh`: a stage runs with the project's Python, however DVC was started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).parents[2] / "stages" / "run.sh"
#: What a shell without an active environment has. A system Python may be there; the project's packages are not.
BARE = {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")}
STAGE = "import pathlib, sys\npathlib.Path('out').write_text('\\n'.join([sys.prefix, *sys.argv[1:]]))\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "Größe und Maß"
    (root / "stages").mkdir(parents=True)
    (root / "stages" / "run.sh").write_bytes(LAUNCHER.read_bytes())
    (root / "stages" / "__init__.py").touch()
    (root / "stages" / "split.py").write_text(STAGE)
    return root


def launch(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the launcher below three shells: it looks for a Python among its three nearest ancestors."""
    command = ["sh", "stages/run.sh", "split", "a b"]
    for _ in range(3):
        command = ["sh", "-c", '"$@"; exit $?', "sh", *command]
    return subprocess.run(command, cwd=folder, env=BARE | environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("environment", [{}, {"UV_PROJECT_ENVIRONMENT": sys.prefix}, {"VIRTUAL_ENV": "gone"}])
def test_run_without_activation(project: Path, environment: dict[str, str]) -> None:
    if "UV_PROJECT_ENVIRONMENT" not in environment:
        (project / ".venv").symlink_to(sys.prefix)
    result = launch(project, **environment)
    assert result.returncode == 0, result.stderr
    prefix, *arguments = (project / "out").read_text().splitlines()
    assert Path(prefix).resolve() == Path(sys.prefix).resolve()
    assert arguments == ["a b"]


def test_run_in_temporary_copy_finds_environment_of_project(project: Path) -> None:
    (project / ".venv").symlink_to(sys.prefix)
    copy = project / ".dvc" / "tmp" / "exps" / "copy"
    copy.mkdir(parents=True)
    (project / "stages").rename(copy / "stages")
    assert launch(copy).returncode == 0
    assert (copy / "out").exists()


def test_run_without_any_environment(project: Path) -> None:
    result = launch(project)
    assert result.returncode == 1
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert not (project / "out").exists()


def test_dvc_without_activation(project: Path) -> None:
    (project / "dvc.yaml").write_text("stages: {split: {cmd: sh stages/run.sh split, outs: [out]}}\n")
    for arguments in (["init", "--no-scm", "--quiet"], ["repro", "-s", "split"]):
        command = [sys.executable, "-m", "dvc", *arguments]
        result = subprocess.run(command, cwd=project, env=BARE, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stderr
    assert (project / "out").read_text() == sys.prefix
