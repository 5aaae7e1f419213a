"""The command line's front."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app


def test_help_names_the_commands() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for command in ("translate", "export", "app"):
        assert f"  {command} " in result.output


def test_help_waits_for_nothing_heavy() -> None:
    code = "import sys; import pipeline.cli; print([n for n in sys.argv[1:] if n in sys.modules])"
    heavy = ["torch", "numpy", "cv2", "onnxruntime", "pandas", "PIL", "dlib", "pydantic", "starlette"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_users_mistake_is_one_sentence_and_code_1() -> None:
    result = CliRunner().invoke(app, ["translate", "no-such-photo.jpg"])
    assert result.exit_code == 1
    assert result.output == "error: no-such-photo.jpg does not exist: check the name.\n"


@pytest.mark.parametrize(("command", "package"), [("audit", "dvc"), ("compare", "pandas")])
def test_a_command_of_the_pipeline_without_its_packages_is_one_sentence(command: str, package: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; from pipeline.cli import app; app()"
    done = subprocess.run([sys.executable, "-c", code, command], capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: this needs the package {package}")
    assert line.endswith("install animemorph[pipeline].")


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(app, ["export", "-o", str(tmp_path / "file" / "model.zip")])
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(f"error: {tmp_path / 'file'}")


def test_a_full_disk_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*words: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pipeline.inference.export.export", full)
    result = CliRunner().invoke(app, ["export", "-o", "never-written.zip"])
    assert (result.exit_code, result.stderr) == (
        1,
        "error: the disk: No space left on device: make room, or name another place.\n",
    )


def test_a_wrong_option_is_code_2() -> None:
    assert CliRunner().invoke(app, ["translate", "photo.jpg", "--size", "3"]).exit_code == 2
    assert CliRunner().invoke(app, ["no-such-command"]).exit_code == 2
