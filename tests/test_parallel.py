"""Workers are real processes here; what they run is found below by its name."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import zipfile

import psutil
import pytest

from pipeline import parallel
from pipeline.errors import Kind, UserError
from pipeline.parallel import map_ordered, workers


def square(number: int) -> int:
    time.sleep(0.002 * (number % 3))  # so that later ones are ready first
    return number * number


def fail_at_seven(number: int) -> int:
    if number == 7:
        raise ValueError("seven")
    return number


def die(number: int) -> int:
    if parallel.multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def threads_and_process(_: int) -> tuple[int, int, str | None]:
    import cv2

    return os.getpid(), cv2.getNumThreads(), os.environ.get("OMP_NUM_THREADS")


@pytest.fixture
def at_once(monkeypatch):
    """Call other processes in from the first item."""
    monkeypatch.setattr(parallel, "_ALONE_SECONDS", 0.0)


@pytest.mark.parametrize("count", ["1", "2"])
def test_results_come_in_order(monkeypatch, at_once, count):
    monkeypatch.setenv("ANIMEMORPH_WORKERS", count)
    found = list(map_ordered(square, range(50), label="squares", total=50, chunk=4))
    assert found == [number * number for number in range(50)]


def test_processes_join_after_a_second_alone(monkeypatch):
    monkeypatch.setenv("ANIMEMORPH_WORKERS", "2")
    monkeypatch.setattr(parallel, "_ALONE_SECONDS", 0.05)
    numbers = range(3000)
    assert list(map_ordered(square, numbers, label="squares", total=3000, chunk=100)) == [n * n for n in numbers]


def test_workers_have_one_thread_each(monkeypatch, at_once):
    monkeypatch.setenv("ANIMEMORPH_WORKERS", "2")
    found = list(map_ordered(threads_and_process, range(20), label="threads", total=20, chunk=1))
    assert os.getpid() not in {process for process, _, _ in found}
    assert {(threads, omp) for _, threads, omp in found} == {(1, "1")}


def test_nothing_to_do(at_once):
    assert list(map_ordered(square, [], label="none", total=0)) == []


def test_items_are_drawn_only_a_little_ahead(monkeypatch, at_once):
    monkeypatch.setenv("ANIMEMORPH_WORKERS", "2")
    drawn = 0

    def numbers():
        nonlocal drawn
        for number in range(1000):
            drawn += 1
            yield number

    results = map_ordered(square, numbers(), label="few", total=1000, chunk=5)
    for _ in range(10):
        next(results)
    assert drawn <= 10 + 5 * 2 * 3 + 5
    results.close()


@pytest.mark.parametrize("count", ["1", "2"])
def test_error_of_the_function_arrives(monkeypatch, at_once, count):
    monkeypatch.setenv("ANIMEMORPH_WORKERS", count)
    with pytest.raises(ValueError, match="seven"):
        list(map_ordered(fail_at_seven, range(20), label="seven", total=20, chunk=2))


def test_killed_worker_is_refused(monkeypatch, at_once):
    monkeypatch.setenv("ANIMEMORPH_WORKERS", "2")
    with pytest.raises(UserError) as error:
        list(map_ordered(die, range(20), label="die", total=20))
    assert (error.value.kind, error.value.subject) == (Kind.UNAVAILABLE, "a worker process")


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_wrong_number_of_workers_is_refused(monkeypatch, text):
    monkeypatch.setenv("ANIMEMORPH_WORKERS", text)
    with pytest.raises(UserError) as error:
        workers()
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, "ANIMEMORPH_WORKERS")


def test_all_cores_by_default(monkeypatch):
    monkeypatch.delenv("ANIMEMORPH_WORKERS", raising=False)
    assert workers() >= 1


def test_workers_end_with_a_killed_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent("""
            import time
            from pipeline import parallel

            if __name__ == "__main__":
                parallel._ALONE_SECONDS = 0
                for _ in parallel.map_ordered(time.sleep, [0] + [300] * 9, label="sleep", total=10, chunk=1):
                    print("ready", flush=True)
        """)
    )
    environment = {**os.environ, "ANIMEMORPH_WORKERS": "2", "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    assert len(children) >= 2
    parent.kill()
    parent.wait()
    _, outlived = psutil.wait_procs(children, timeout=60)
    assert not outlived


def test_ray_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError) as error:
        list(map_ordered(square, range(5), executor="ray", label="ray", total=5))
    assert (error.value.kind, error.value.subject) == (Kind.UNAVAILABLE, "the executor ray")


@pytest.fixture
def cluster():
    """A Ray cluster of one machine that ends with the test. Its folder lies high up: names of sockets must be short."""
    ray = pytest.importorskip("ray")
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        ray.init(num_cpus=2, include_dashboard=False, _temp_dir=folder)
        yield
        ray.shutdown()


@pytest.mark.slow
def test_ray_gives_what_local_gives(cluster, png, tmp_path):
    from functools import partial

    from pipeline.params import Resize
    from pipeline.resize import store

    assert list(map_ordered(partial(pow, 2), range(40), executor="ray", label="powers", total=40)) == [
        2**n for n in range(40)
    ]
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for number in range(60):
            archive.writestr(f"{number}.png", png(number, 150) if number % 7 else b"no image")
    names = [f"{number}.png" for number in range(60)]
    counts = {"human": None, "anime": None, "external_test": None}
    stored = {}
    for executor in ("local", "ray"):
        params = Resize.model_validate({"size": 64, "max_images": counts, "executor": executor})
        stored[executor] = store(tmp_path / "x.zip", names, tmp_path / f"{executor}.npy", params)
    assert stored["local"] == stored["ray"]
    assert len(stored["ray"].accepted) == 51
    assert (tmp_path / "local.npy").read_bytes() == (tmp_path / "ray.npy").read_bytes()
