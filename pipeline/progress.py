"""Progress and messages of long jobs: a bar in a terminal, one line every 30 seconds in a log file."""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

#: Seconds between two lines in a log file. A job that takes less time writes nothing.
LINE_SECONDS = 30.0
_LINE = "{desc}: {percentage:.0f} % ({n_fmt}/{total_fmt} {unit}) after {elapsed}, {remaining} left{postfix}"
_LINE_WITHOUT_TOTAL = "{desc}: {n_fmt} {unit} after {elapsed}{postfix}"


class ProgressLines(tqdm):  # type: ignore[type-arg]
    """A bar that writes whole lines, for output that is not a terminal."""

    #: Value of `n` in the last line.
    written: float = -1

    def display(self, msg: str | None = None, pos: int | None = None) -> None:  # noqa: ARG002 (tqdm's signature)
        """Write the current state as one line, once."""
        if msg is None and self.n == self.written:
            return
        self.written = self.n
        self.fp.write((msg or str(self)) + "\n")
        self.fp.flush()

    def close(self) -> None:
        """Write the last line if there was one before. tqdm's own `close` would add an empty line."""
        if not self.disable:
            self.disable = True
            self._decr_instances(self)  # type: ignore[attr-defined]
            if self.written >= 0:
                self.display()


class ProgressBar(tqdm):  # type: ignore[type-arg]
    """A bar in a terminal."""


class ConsoleHandler(logging.Handler):
    """Write log messages to standard error, above the bars of a terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record as one line."""
        if sys.stderr.isatty():
            ProgressBar.write(self.format(record), file=sys.stderr)
        else:
            print(self.format(record), file=sys.stderr, flush=True)


@contextmanager
def log_messages(file: Path) -> Iterator[None]:
    """Write the messages of the library to standard error and append them to `file`."""
    logger = logging.getLogger(__package__)
    handlers = [ConsoleHandler(), logging.FileHandler(file, encoding="utf-8")]
    handlers[0].setFormatter(logging.Formatter("%(message)s"))
    handlers[1].setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    level = logger.level
    logger.setLevel(logging.INFO)
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.setLevel(level)
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()


def progress_bar(
    iterable: Iterable[Any] | None = None,
    *,
    desc: str,
    unit: str,
    hidden: bool = False,
    line_seconds: float = LINE_SECONDS,
    **options: Any,
) -> ProgressBar | ProgressLines:
    """Return the progress of a job on standard error.

    Args:
        iterable: Items to iterate over; None: the caller calls `update`.
        desc: Name of the job.
        unit: Unit of `total`, such as "face".
        hidden: Whether to write nothing, as with TQDM_DISABLE=1.
        line_seconds: Seconds between two lines if standard error is no terminal.
        options: Further arguments of tqdm, such as `total`, `initial`, `leave` and `unit_scale`.
    """
    if hidden:
        options["disable"] = True
    if sys.stderr.isatty():
        return ProgressBar(
            iterable, desc=desc, unit=unit, file=sys.stderr, mininterval=0.5, dynamic_ncols=True, **options
        )
    total = options["total"] if iterable is None or "total" in options else getattr(iterable, "__len__", lambda: None)()
    options |= {"total": total, "leave": True, "bar_format": _LINE if total else _LINE_WITHOUT_TOTAL}
    # `delay`: the first line is written after `line_seconds`, so a shorter job writes none.
    options |= {"mininterval": line_seconds, "miniters": 1, "delay": line_seconds, "dynamic_ncols": False}
    return ProgressLines(iterable, desc=desc, unit=unit, file=sys.stderr, **options)
