"""The page in a process of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from PIL import Image


class Server:
    """`animemorph app` in a process of its own."""

    def __init__(self, bundle: Path, cwd: Path, before: str = "") -> None:
        command = [sys.executable, "-c", f"{before}\nfrom pipeline.cli import app\napp()", "app", "--port", "0"]
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
        return self.send("translate?" + query, data, **({"Content_Type": "application/octet-stream"} | headers))

    def draw(self, data: bytes | dict, **headers: str) -> tuple[int, dict]:
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        return self.send("draw", body, **({"Content_Type": "application/json"} | headers))

    def facts(self) -> dict:
        with urllib.request.urlopen(f"{self.address}/api/facts") as answer:
            return dict(json.load(answer))

    def send(self, path: str, data: bytes, **headers: str) -> tuple[int, dict]:
        request = urllib.request.Request(f"{self.address}/api/{path}", data=data, method="POST")
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


@pytest.fixture(scope="module")
def browser(portrait: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """Debian's Chromium with a camera that shows the portrait."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("these tests need Debian's Chromium: apt-get install chromium")
    camera = tmp_path_factory.mktemp("camera") / "camera.y4m"
    with av.open(str(camera), "w", format="yuv4mpegpipe") as output:
        video = output.add_stream("wrapped_avframe", rate=10)
        video.width, video.height, video.pix_fmt = 256, 256, "yuv420p"
        for index in range(5):
            frame = av.VideoFrame.from_image(Image.open(portrait)).reformat(format="yuv420p")
            frame.pts = index
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    flags = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    flags += (
        "--disable-component-update --disable-sync --use-fake-device-for-media-stream --use-fake-ui-for-media-stream"
    )
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(
            executable_path=chromium, args=[*flags.split(), f"--use-file-for-fake-video-capture={camera}"]
        )
        yield instance
        instance.close()
