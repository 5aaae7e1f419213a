"""A Ray cluster of two nodes on this machine: the bytes of one process, also when a worker and a node die."""

import contextlib
import secrets
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import psutil
import pytest
from PIL import Image

from pipeline import resize
from pipeline.landmarks import detection
from pipeline.landmarks.detection import find_faces
from pipeline.parallel import map_ordered
from pipeline.params import DomainLandmarks, Resize
from pipeline.train.accelerator import free_port

#: Ray reads it once per process.
TOKEN = secrets.token_hex(32)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@dataclass
class Node:
    """A `ray start` with its processes."""

    process: subprocess.Popen[bytes]

    def workers(self) -> list[psutil.Process]:
        """List the processes that run tasks."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if child.cmdline()[:1] in (["ray::_apply"], ["ray::IDLE"])]

    def kill(self) -> None:
        """End all processes of the node at once, as a power cut does."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        for process in (*children, self.process):
            process.kill()
        self.process.wait()


def start(folder: str, *words: str) -> Node:
    command = [str(Path(sys.executable).parent / "ray"), "start", "--block", "--num-cpus", "1", *words]
    command += ["--temp-dir", folder, "--object-store-memory", str(80 * 2**20), "--disable-usage-stats"]
    for name in ("dashboard-agent-listen", "dashboard-agent-grpc", "runtime-env-agent", "metrics-export"):
        command += [f"--{name}-port", str(free_port())]  # a busy node gives up waiting for ports of its own choice
    with (Path(folder) / "log").open("wb") as log:
        return Node(subprocess.Popen(command, stdout=log, stderr=log))


class Cluster:
    """A head node, and nodes that join it, each with a folder of its own."""

    def __init__(self, folders: Iterator[str]) -> None:
        import ray

        self.ray, self.folders = ray, folders
        port = free_port()
        self.address = f"{ray.util.get_node_ip_address()}:{port}"
        self.nodes = [start(next(folders), "--head", "--port", str(port), "--include-dashboard", "false")]

    def wait(self) -> None:
        """Wait until the head node answers."""
        for _ in range(100):
            time.sleep(1)
            with contextlib.suppress(ConnectionError, RuntimeError):
                self.ray.init(address=self.address, log_to_driver=False)
                self.ray.shutdown()
                return
            assert self.nodes[0].process.poll() is None
        pytest.fail("the head node did not start")

    def join(self) -> Node:
        """Start another node and wait until it has joined the cluster of the running driver.

        It joins after the driver has connected, because a driver ends with the node that it connected to.
        """
        self.nodes.append(start(next(self.folders), "--address", self.address))
        for _ in range(600):
            if sum(node["Alive"] for node in self.ray.nodes()) == len(self.nodes):
                return self.nodes[-1]
            assert self.nodes[-1].process.poll() is None
            time.sleep(0.5)
        pytest.fail("a node did not join")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A cluster of one node so far. Names of sockets are limited, so its folders have short ones."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")  # before ray is imported
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    ray = pytest.importorskip("ray")
    with contextlib.ExitStack() as stack:
        temporary = (tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) for _ in range(2))
        running = Cluster(stack.enter_context(folder) for folder in temporary)
        monkeypatch.setenv("RAY_ADDRESS", running.address)
        try:
            running.wait()
            yield running
        finally:
            ray.shutdown()
            for node in running.nodes:
                if node.process.poll() is None:
                    node.kill()


def test_resize_survives_the_death_of_a_worker_and_of_a_node(
    cluster: Cluster, png, tmp_path: Path, monkeypatch
) -> None:
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        for number in range(300):
            archive.writestr(f"{number}.png", png(number, 150) if number % 7 else b"no image")
    names = [f"{number}.png" for number in range(300)]

    def resized(executor: Literal["local", "ray"]) -> resize.Resized:
        counts = {"human": None, "anime": None, "external_test": None}
        params = Resize.model_validate({"size": 128, "max_images": counts, "executor": executor})
        return resize.store(tmp_path / "faces.zip", names, tmp_path / f"{executor}.npy", params)

    def results(*arguments, **options):
        second: Node | None = None
        for count, result in enumerate(map_ordered(*arguments, **options), start=1):
            yield result
            if count == 20:
                second = cluster.join()
            if count == 60:
                cluster.nodes[0].workers()[0].kill()
            if second and second.workers() and count >= 120:
                second.kill()
                second = None

    local = resized("local")
    monkeypatch.setattr(resize, "map_ordered", results)
    assert resized("ray") == local
    assert cluster.nodes[1].process.poll() is not None
    assert len(local.accepted) == 257
    assert (tmp_path / "ray.npy").read_bytes() == (tmp_path / "local.npy").read_bytes()


def test_landmarks_on_two_nodes(cluster: Cluster, group: np.ndarray, tmp_path: Path, monkeypatch) -> None:
    people = [group[:, start : start + 256] for start in range(0, 1024, 256)]
    faces = np.stack([np.asarray(Image.fromarray(face).resize((128, 128))) for face in people])
    exposures = np.linspace(0.6, 1, 64)[:, None, None, None, None]
    np.save(tmp_path / "faces.npy", (faces * exposures).astype(np.uint8).reshape(-1, 128, 128, 3))
    table = pd.DataFrame({"row": np.arange(256)})
    params = DomainLandmarks(detector="dlib", face_detector=None, weights=None, batch_size=16)
    monkeypatch.setenv("ANIMEMORPH_SCRATCH", str(tmp_path / "local"))
    alone = find_faces(table, tmp_path / "faces.npy", params, "local", "local")
    monkeypatch.setenv("ANIMEMORPH_SCRATCH", str(tmp_path / "ray"))
    joined: list[Node] = []

    def results(function, items, **options):
        for result in map_ordered(function, items, **options):
            if not joined:
                joined.append(cluster.join())
            yield result

    monkeypatch.setattr(detection, "map_ordered", results)
    together = find_faces(table, tmp_path / "faces.npy", params, "ray", "ray")
    assert (alone["n_faces"] == 1).sum() > 200
    pd.testing.assert_frame_equal(alone, together, check_exact=True)
    assert joined[0].workers()
