"""Errors that a user can cause: what is wrong, the value, what to do."""

import errno
import sys
from enum import StrEnum
from os import PathLike
from types import TracebackType
from typing import Any


class Kind(StrEnum):
    """Kind of an error, so that callers and tests need not parse the message."""

    MISSING = "missing"  # a file, folder, column or key does not exist
    DAMAGED = "damaged"  # a file exists but does not have the expected format
    BAD_VALUE = "bad value"  # a parameter, option or label is outside its range or unknown
    CONFLICT = "conflict"  # two inputs contradict each other, or another process uses the same files
    TOO_FEW = "too few"  # not enough images, faces or runs
    UNAVAILABLE = "unavailable"  # a package, device, network or server cannot be used
    NO_SPACE = "no space"  # the disk is full
    FAILED = "failed"  # training diverged, a subprocess ended with an error


class UserError(Exception):
    """An error that the user can fix.

    Attributes:
        kind: What went wrong.
        subject: The key, path or option that the error is about, as the user wrote it.
    """

    def __init__(self, message: str, *, kind: Kind = Kind.FAILED, subject: str | PathLike[str] = "") -> None:
        """Build the error from one sentence: what is wrong, the value, what to do."""
        super().__init__(message)
        self.kind = kind
        self.subject = str(subject)


def missing_file(path: str | PathLike[str], fix: str) -> UserError:
    """Return the error for a file or folder that does not exist; `fix` is an imperative clause without a period."""
    return UserError(f"{str(path)!r} does not exist. {fix}.", kind=Kind.MISSING, subject=path)


def damaged_file(path: str | PathLike[str], problem: str, fix: str) -> UserError:
    """Return the error for a file that cannot be read: `problem` says what is wrong with it."""
    return UserError(f"cannot read {str(path)!r}: {problem}. {fix}.", kind=Kind.DAMAGED, subject=path)


def bad_value(key: str, value: Any, expected: str, fix: str = "") -> UserError:
    """Return the error for a value outside its range; `expected` completes "must be …"."""
    hint = f" {fix}." if fix else ""
    return UserError(f"{key!r} must be {expected}, got {value!r}.{hint}", kind=Kind.BAD_VALUE, subject=key)


def unavailable(what: str, problem: str, fix: str) -> UserError:
    """Return the error for a package, device or server that cannot be used."""
    return UserError(f"cannot use {what}: {problem}. {fix}.", kind=Kind.UNAVAILABLE, subject=what)


def too_few(what: str, found: int, needed: int, fix: str) -> UserError:
    """Return the error for a set that is too small."""
    return UserError(
        f"too few {what}: {found} found, at least {needed} needed. {fix}.", kind=Kind.TOO_FEW, subject=what
    )


def conflict(subject: str | PathLike[str], problem: str, fix: str) -> UserError:
    """Return the error for two inputs that contradict each other."""
    return UserError(f"{str(subject)!r} {problem}. {fix}.", kind=Kind.CONFLICT, subject=subject)


def one_way(model: str) -> UserError:
    """Return the error for the direction that a model with one generator does not have."""
    return conflict("anime2human", f"is not a direction of model {model}", "Use a model with both directions")


def user_message(error: BaseException) -> str | None:
    """Return what to print for an error that the user can fix; None for a bug, which keeps its traceback."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError):
        name = "" if error.filename is None else f" {str(error.filename)!r}"
        if error.errno == errno.ENOSPC:
            return (
                f"no space left while writing{name or ' the output'}. Free disk space and run the same command again."
            )
        return f"cannot access{name}: {error.strerror}. Check the path and its permissions." if name else None
    if isinstance(error, ModuleNotFoundError):  # `pip install animemorph` brings only what translating needs
        package = (error.name or "").split(".")[0]
        if package not in ("", "stages", __name__.split(".")[0]):
            return f"the package {package!r} is not installed. Install animemorph[pipeline]."
    return None


def is_interrupt(error: BaseException | None) -> bool:
    """Return whether Ctrl-C caused an error. Compiled modules turn an interrupted import into an ImportError."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, KeyboardInterrupt):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def hide_interrupt_traceback(message: str) -> None:
    """Print `message` instead of a traceback when Ctrl-C ends the process, also while modules are imported."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if is_interrupt(error):
            print(message, file=sys.stderr)
        else:
            sys.__excepthook__(kind, error, trace)

    sys.excepthook = hook
