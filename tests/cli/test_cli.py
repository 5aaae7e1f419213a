"""The command line's front."""

import errno
import os
import signal
import subprocess
import sys
import time
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


def test_user_error_is_one_line_and_code_1() -> None:
    result = CliRunner().invoke(app, ["translate", "no-such-photo.jpg"])
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert line.startswith("error: ")
    assert "no-such-photo.jpg" in line


@pytest.mark.parametrize(("command", "package"), [("audit", "dvc"), ("compare", "pandas")])
def test_command_of_the_pipeline_without_its_packages_names_the_package(command: str, package: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; from pipeline.cli import app; app()"
    done = subprocess.run([sys.executable, "-c", code, command], capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: the package '{package}'")
    assert line.endswith("animemorph[pipeline].")


def test_output_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(app, ["export", "-o", str(tmp_path / "file" / "model.zip")])
    assert result.exit_code == 1
    line = result.stderr.splitlines()[-1]
    assert line.startswith("error: ")
    assert str(tmp_path / "file") in line
    assert "space" not in line


def test_full_disk_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*words: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pipeline.inference.export.export", full)
    result = CliRunner().invoke(app, ["export", "-o", "never-written.zip"])
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: no space left")


def in_shell(line: str, cwd: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell line in which $ANIMEMORPH is the command and $1 … are files."""
    command = f'ANIMEMORPH() {{ "{sys.executable}" -c "from pipeline.cli import app; app()" "$@"; }}; {line}'
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    words = ["bash", "-o", "pipefail", "-c", command, "bash", *map(str, files)]
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=200)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("ANIMEMORPH --help >&-", 0),
        ("ANIMEMORPH --help <&-", 0),
        ("ANIMEMORPH --help 2>&-", 0),
        ("ANIMEMORPH --help >/dev/full", 1),
        ("ANIMEMORPH translate missing.jpg 2>/dev/full", 1),
        ("ANIMEMORPH translate missing.jpg 2>&-", 1),
        ("ANIMEMORPH translate - -o x.png --model $2 <&-", 1),
        ("ANIMEMORPH translate $1 -o x.png --model $2 <&- >&- 2>&-", 0),
        ("ANIMEMORPH translate $1 $1 $2 -o y --model $2 2>/dev/full", 1),
        ("ANIMEMORPH translate $1 -o - --model $2 >&-", 1),
        ("ANIMEMORPH translate $1 -o - --model $2 | true", 1),
        ("ANIMEMORPH --help | true", None),
    ],
)
def test_closed_full_and_broken_streams(
    line: str, code: int | None, portrait: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    if "/dev/full" in line and not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    done = in_shell(line, tmp_path, portrait, tiny_bundle)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    if code is not None:
        assert done.returncode == code, done.stderr
    if "-o x.png" in line and code == 0:
        assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("delay", [0.05, 0.3, 0.8, 1.5])
@pytest.mark.parametrize("code", ["from pipeline.cli import app; app()", "import stages, stages.train"])
def test_interrupt_during_imports_prints_no_traceback(
    code: str, delay: float, portrait: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    """Start after the interpreter itself: what Python does before our first line cannot be caught."""
    ready = "import sys, os; import pipeline.errors; os.write(1, b'.'); "
    words = ["translate", str(portrait), "-o", str(tmp_path / "x.png"), "--model", str(tiny_bundle)]
    with subprocess.Popen(
        [sys.executable, "-c", ready + code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=100)
    assert b"Traceback" not in errors
    assert process.returncode in (0, 130, -signal.SIGINT)


def test_a_wrong_option_is_code_2() -> None:
    assert CliRunner().invoke(app, ["translate", "photo.jpg", "--size", "3"]).exit_code == 2
    assert CliRunner().invoke(app, ["no-such-command"]).exit_code == 2
