"""One function over many items, on this machine's cores or on a Ray cluster: same order, same results, bounded memory.

How many processes work is a matter of the machine, never of the params: `ANIMEMORPH_WORKERS`, by default all cores.
"""

import itertools
import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from .errors import UserError

#: Tasks under way per worker: enough that none waits, few enough that results do not pile up.
_AHEAD = 3
_ALONE_SECONDS = 1.0

type Submit = Callable[..., Callable[[], Any]]


def workers() -> int:
    """Return how many processes may work: `ANIMEMORPH_WORKERS`, or the cores this process may use."""
    text = os.environ.get("ANIMEMORPH_WORKERS", "")
    if not text:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise UserError(f"ANIMEMORPH_WORKERS is {text!r}: set it to a whole number of at least 1, or unset it.")
    return int(text)


def map_ordered[Item, Result](
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    engine: Literal["local", "ray"] = "local",
    label: str,
    total: int,
    chunk: int = 16,
) -> Iterator[Result]:
    """Yield `function(item)` for each item, in the items' order, behind a progress bar.

    `function` and the items must be picklable; `chunk` items travel together. Items are drawn and results kept only a
    few chunks ahead, however many there are. A short job is done before other processes would have started: they are
    called in when the first second is over. What `function` raises is raised here. UserError when a worker dies or the
    Ray cluster is not there.
    """
    items = iter(items)
    with tqdm(total=total, desc=label, unit="", mininterval=0.5) as bar:
        if engine == "local":
            alone_until = time.monotonic() + _ALONE_SECONDS
            while workers() == 1 or time.monotonic() < alone_until:
                try:
                    item = next(items)
                except StopIteration:
                    return
                yield function(item)
                bar.update()
        for result in _map_chunks(function, itertools.batched(items, chunk), engine):
            yield result
            bar.update()


def _map_chunks[Item, Result](
    function: Callable[[Item], Result], chunks: Iterator[tuple[Item, ...]], engine: str
) -> Iterator[Result]:
    first = next(chunks, None)
    if first is None:
        return
    with _ray() if engine == "ray" else _processes(workers()) as (submit, width):
        pending: deque[Callable[[], list[Result]]] = deque([submit(_apply, function, first)])
        while True:
            for batch in itertools.islice(chunks, width * _AHEAD - len(pending)):
                pending.append(submit(_apply, function, batch))
            if not pending:
                return
            yield from pending.popleft()()


def _apply[Item, Result](function: Callable[[Item], Result], items: tuple[Item, ...]) -> list[Result]:
    return [function(item) for item in items]


@contextmanager
def _processes(count: int) -> Iterator[tuple[Submit, int]]:
    # Spawned: a forked copy of a process that has threads (OpenCV, torch) can hang.
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_start_worker)
    try:
        yield lambda function, *args: pool.submit(function, *args).result, count
    except BrokenProcessPool:
        raise UserError(
            "a worker process was killed, most likely for lack of memory: set ANIMEMORPH_WORKERS to less than "
            f"{count} and run the same command again."
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """Prepare a worker: one thread each, and an end when the parent ends, even by kill -9."""
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import cv2  # after the environment is set

    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _ray() -> Iterator[tuple[Submit, int]]:
    try:
        import ray
    except ImportError:
        raise UserError("engine is ray, which is not installed: run `uv sync --extra cluster`.") from None
    try:
        # The code travels along: the cluster's machines need the packages it imports, not the project.
        code = {"py_modules": [str(Path(__file__).parent)]}
        ray.init(address="auto", ignore_reinit_error=True, log_to_driver=False, runtime_env=code)
    except ConnectionError:
        raise UserError(
            "engine is ray, but no Ray cluster is running: run `ray start --head`, or set RAY_ADDRESS."
        ) from None
    call = ray.remote(_call)

    def submit(function: Callable[..., Any], *args: Any) -> Callable[[], Any]:
        return partial(ray.get, call.remote(function, *args))

    yield submit, max(1, int(ray.cluster_resources().get("CPU", 1)))


def _call(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)
