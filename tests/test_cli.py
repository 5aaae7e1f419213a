"""The command line's front."""

import subprocess
import sys

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


def test_a_wrong_option_is_code_2() -> None:
    assert CliRunner().invoke(app, ["translate", "photo.jpg", "--size", "3"]).exit_code == 2
    assert CliRunner().invoke(app, ["no-such-command"]).exit_code == 2
