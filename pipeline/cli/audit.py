"""Check outputs and cache against the hashes that DVC recorded, because DVC never hashes a cached object again."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo

from ..errors import Kind, UserError, damaged_file
from ..progress import progress_bar


@dataclass(frozen=True)
class Finding:
    """A file with a problem: its path, the problem (missing, damaged, unexpected) and how to fix it."""

    path: Path
    problem: str
    advice: str


@dataclass(frozen=True)
class Audit:
    """Number of checked files, and the problems."""

    files: int
    findings: list[Finding]


@dataclass(frozen=True)
class _Output:
    """One output of the pipeline: its path in the workspace and the MD5 recorded for it (`….dir` for a folder)."""

    path: Path
    md5: str
    cached: bool


def audit(root: Path) -> Audit:
    """Hash all files that `dvc.lock` in `root` names, in the cache and in the workspace, each once.

    Raises:
        UserError: `root` is not a DVC project, or no stage has been run in it.
    """
    outputs, cache = _outputs(root)
    if not outputs:
        lock = root / "dvc.lock"
        raise UserError(f"{str(lock)!r} lists no outputs. Run `dvc repro` first.", kind=Kind.MISSING, subject=lock)
    expected_files = dict(_expected_files(outputs, cache))
    findings = [finding for path, expected in _progress(expected_files) if (finding := _check(path, expected, cache))]
    unexpected = [
        Finding(path, "unexpected", f"it is not part of the output: delete it, or run `dvc checkout {output.path}`")
        for output in outputs
        if output.path.is_dir()
        for path in sorted(output.path.rglob("*"))
        if path.is_file() and path not in expected_files and _readable(output, cache)
    ]
    return Audit(len(expected_files), findings + unexpected)


def _outputs(root: Path) -> tuple[list[_Output], Path]:
    try:
        with Repo(str(root)) as repo:
            known = [
                _Output(Path(out.fs_path), out.hash_info.value, out.use_cache)
                for out in repo.index.outs
                if out.hash_info and out.hash_info.name == "md5" and out.protocol == "local"
            ]
            cache = Path(repo.cache.local.path)
    except DvcException as error:
        problem = " ".join(str(error).split()).rstrip(".")
        raise damaged_file(root, problem, "Run this command inside the project") from error
    return sorted(known, key=lambda output: output.path), cache


def _expected_files(outputs: list[_Output], cache: Path) -> Iterator[tuple[Path, str]]:
    """Yield every file that must exist and its MD5: objects of the cache, then files of the workspace."""
    for output in outputs:
        if output.cached:
            yield _object_path(cache, output.md5), output.md5
        if not output.md5.endswith(".dir"):
            yield output.path, output.md5
            continue
        for entry in _listing(_object_path(cache, output.md5)):
            if output.cached:
                yield _object_path(cache, entry["md5"]), entry["md5"]
            yield output.path / entry["relpath"], entry["md5"]


def _object_path(cache: Path, md5: str) -> Path:
    return cache / md5[:2] / md5[2:]


def _readable(output: _Output, cache: Path) -> bool:
    return bool(_listing(_object_path(cache, output.md5)))


def _listing(path: Path) -> list[dict[str, str]]:
    """List the files of a folder; empty if the cached list is missing or damaged, which `_check` reports."""
    try:
        entries = json.loads(path.read_bytes())
        return [{"md5": str(entry["md5"]), "relpath": str(entry["relpath"])} for entry in entries]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _progress(expected_files: dict[Path, str]) -> Iterator[tuple[Path, str]]:
    sizes = {path: path.stat().st_size if path.is_file() else 0 for path in expected_files}
    with progress_bar(total=sum(sizes.values()), desc="audit", unit="B", unit_scale=True) as bar:
        for path, expected in expected_files.items():
            yield path, expected
            bar.update(sizes[path])


def _check(path: Path, expected: str, cache: Path) -> Finding | None:
    in_cache = path.is_relative_to(cache)
    if not path.is_file():
        advice = "`dvc pull` or `dvc repro -f` restores it" if in_cache else f"`dvc checkout {path}` restores it"
        return Finding(path, "missing", advice)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False))
    if digest.hexdigest() == expected.removesuffix(".dir"):
        return None
    advice = "delete it, then `dvc pull` or `dvc repro -f`" if in_cache else f"delete it, then `dvc checkout {path}`"
    return Finding(path, "damaged", advice)
