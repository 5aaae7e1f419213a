"""The page in a process of its own."""

import json
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest


class Server:
    """`animemorph app` in a process of its own."""

    def __init__(self, bundle: Path, cwd: Path) -> None:
        command = [sys.executable, "-c", "from pipeline.cli import app; app()", "app", "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--model", str(bundle)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        self.address, self.cwd = found[0], cwd
        self.said: list[str] = []
        threading.Thread(target=lambda: self.said.extend(self.process.stdout or []), daemon=True).start()

    def post(self, data: bytes, query: str = "", **headers: str) -> tuple[int, dict]:
        request = urllib.request.Request(f"{self.address}/api/translate?{query}", data=data, method="POST")
        request.add_header("Content-Type", "application/octet-stream")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=200) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@pytest.fixture(scope="module")
def server(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    running = Server(tiny_bundle, folder)
    yield running
    running.process.terminate()
    running.process.wait(30)
    assert list(folder.iterdir()) == []
    assert running.said == []
