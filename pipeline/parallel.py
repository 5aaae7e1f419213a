"""Ordered parallel map, on the cores of this machine or on a Ray cluster: equal results, bounded memory.

The number of processes depends on the machine, not on params: `ANIMEMORPH_WORKERS`, by default all cores.
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

from .errors import bad_value, unavailable
from .progress import progress_bar

#: Tasks in progress per worker: enough that none waits, few enough to bound the memory of results.
_AHEAD = 3
#: Seconds before worker processes are started: a short job ends before they would be ready.
_ALONE_SECONDS = 1.0

#: Starts one task, a function and a chunk of items, and returns a callable that waits for the result.
type Submit = Callable[[Callable[[Any], Any], tuple[Any, ...]], Callable[[], list[Any]]]
#: Returns the number of tasks that can run at once.
type Width = Callable[[], int]


def workers() -> int:
    """Return the number of worker processes: `ANIMEMORPH_WORKERS`, or the cores that this process may use."""
    text = os.environ.get("ANIMEMORPH_WORKERS", "")
    if not text:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise bad_value("ANIMEMORPH_WORKERS", text, "a whole number >= 1")
    return int(text)


def map_ordered[Item, Result](
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    executor: Literal["local", "ray"] = "local",
    label: str,
    total: int,
    chunk: int = 16,
) -> Iterator[Result]:
    """Yield `function(item)` for each item, in the order of the items, with a progress bar.

    Items are read and results are kept only a few chunks ahead, however many there are. Worker processes start only if
    the job takes longer than one second. Exceptions of `function` are raised here.

    Args:
        function: Picklable.
        items: Picklable items.
        executor: Processes of this machine, or a running Ray cluster.
        label: Text of the progress bar.
        total: Number of items.
        chunk: Items per task.

    Raises:
        UserError: A worker process was killed, or there is no Ray cluster.
    """
    items = iter(items)
    with progress_bar(total=total, desc=label, unit="item") as bar:
        if executor == "local":
            alone_until = time.monotonic() + _ALONE_SECONDS
            while workers() == 1 or time.monotonic() < alone_until:
                try:
                    item = next(items)
                except StopIteration:
                    return
                yield function(item)
                bar.update()
        for result in _map_chunks(function, itertools.batched(items, chunk), executor):
            yield result
            bar.update()


def _map_chunks[Item, Result](
    function: Callable[[Item], Result], chunks: Iterator[tuple[Item, ...]], executor: str
) -> Iterator[Result]:
    first = next(chunks, None)
    if first is None:
        return
    with _ray() if executor == "ray" else _processes(workers()) as (submit, width):
        pending: deque[Callable[[], list[Result]]] = deque([submit(function, first)])
        while True:
            for batch in itertools.islice(chunks, max(0, width() * _AHEAD - len(pending))):
                pending.append(submit(function, batch))
            if not pending:
                return
            yield from pending.popleft()()


def _apply[Item, Result](function: Callable[[Item], Result], items: tuple[Item, ...]) -> list[Result]:
    return [function(item) for item in items]


@contextmanager
def _processes(count: int) -> Iterator[tuple[Submit, Width]]:
    # Spawned: a forked copy of a process with threads (OpenCV, torch) can hang.
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_start_worker)
    try:
        yield lambda function, items: pool.submit(_apply, function, items).result, lambda: count
    except BrokenProcessPool:
        fix = f"Set ANIMEMORPH_WORKERS to less than {count} and run the same command again"
        raise unavailable("a worker process", "it was killed, probably for lack of memory", fix) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """Prepare a worker process: one thread, and exit when the parent exits, even by kill -9."""
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
def _ray() -> Iterator[tuple[Submit, Width]]:
    _use_ray_token()
    try:
        import ray
    except ImportError:
        raise unavailable("the executor ray", "it is not installed", "Run `uv sync --extra cluster`") from None
    try:
        # Ray copies the code: the machines of the cluster need its dependencies, not the project.
        code = {"py_modules": [str(Path(__file__).parent)]}
        ray.init(address="auto", ignore_reinit_error=True, log_to_driver=False, runtime_env=code)
    except ConnectionError:
        fix = "Run `ray start --head`, or set RAY_ADDRESS and the token RAY_AUTH_TOKEN of the cluster"
        raise unavailable("the executor ray", "no Ray cluster answers", fix) from None
    apply: Any = ray.remote(_apply)
    # The width is asked for again for each chunk: nodes may join and die.
    yield (
        lambda function, items: partial(ray.get, apply.remote(function, items)),
        lambda: max(1, int(ray.cluster_resources().get("CPU", 1))),
    )


def _use_ray_token() -> None:
    """Let Ray authenticate with the user's token, as `ray start` does by default."""
    named = os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH")
    if named or Path(os.path.expanduser("~/.ray/auth_token")).is_file():  # noqa: PTH111 - no error without a home
        os.environ.setdefault("RAY_AUTH_MODE", "token")
