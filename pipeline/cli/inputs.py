"""Input files of a command line, and the output file of each."""

import glob
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .. import decoding
from ..errors import Kind, UserError, bad_value, conflict, missing_file
from ..image_archive import IMAGE_SUFFIXES
from ..inference.media_type import HEAD_BYTES, is_video

#: Suffixes of pictures: a file in a folder that has one is an input even if it cannot be read, so that it is reported.
PHOTOS = IMAGE_SUFFIXES | {".dng", ".heic", ".heif", ".jp2", ".jxl", ".tga"}
VIDEOS = frozenset((".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm"))


@dataclass(frozen=True)
class Job:
    """One input and its output file; for a photo with several faces `-2`, `-3` … is added to the name.

    Attributes:
        source: Input file; None: standard input.
        target: Output file; None: standard output.
        video: Whether the content of the input is a video.
    """

    source: Path | None
    target: Path | None
    video: bool = False


@dataclass(frozen=True)
class Plan:
    """The jobs of a command line, and the suffixes of files in its folders that are neither photo nor video."""

    jobs: list[Job]
    ignored: Counter[str] = field(default_factory=Counter)


def plan(inputs: list[str], output: str) -> Plan:
    """Convert the inputs and the output of a command line to jobs, in a fixed order.

    Args:
        inputs: Files, folders (with all subfolders), patterns with `*`, or `-` for standard input.
        output: Folder; file with the suffix of a picture or video, for a single input; `-` for standard output.

    Raises:
        UserError: An input does not exist, or several inputs have the same output file.
    """
    for name, values in {"INPUT": inputs, "--output": [output]}.items():
        if "" in values:  # as a path, it is the current folder
            raise bad_value(name, "", "the name of a file or folder")
    ignored: Counter[str] = Counter()
    sources: list[tuple[Path | None, Path]] = []
    for name in inputs:
        sources += _expand(name, Path(output), ignored)
    sources = list({str(source): (source, relative) for source, relative in sources}.values())
    if not sources:
        text = f"no photo or video in '{printable(inputs[0])}'. Pass a file, or a folder that contains one."
        raise UserError(text, kind=Kind.MISSING, subject=inputs[0])
    videos = [source is not None and is_video(_head(source)) for source, _ in sources]
    single = output == "-" or Path(output).suffix.lower() in PHOTOS | VIDEOS
    if single and not Path(output).is_dir():
        if len(sources) > 1:
            raise conflict(printable(output), f"is one file for {len(sources)} inputs", "Pass a folder with --output")
        return Plan([Job(sources[0][0], None if output == "-" else Path(output), videos[0])], ignored)
    return Plan(_name_results(sources, videos, Path(output)), ignored)


def _name_results(sources: list[tuple[Path | None, Path]], videos: list[bool], output: Path) -> list[Job]:
    stems = Counter(relative.with_suffix("") for _, relative in sources)
    jobs = []
    for (source, relative), video in zip(sources, videos, strict=True):
        # photo.jpg and photo.png of one folder must not both become photo.png.
        kept = relative.with_suffix("") if stems[relative.with_suffix("")] == 1 else relative
        jobs.append(Job(source, output / kept.with_name(kept.name + (".mp4" if video else ".png")), video))
    targets = Counter(job.target for job in jobs)
    for job in jobs:
        if targets[job.target] > 1:
            raise conflict(
                printable(job.target), "is the output of two inputs", "Translate them into two folders with --output"
            )
    return jobs


def _expand(name: str, output: Path, ignored: Counter[str]) -> list[tuple[Path | None, Path]]:
    """Return each file of an input and the path of its result in the output folder."""
    if name == "-":
        return [(None, Path("stdin"))]
    path = Path(name)
    if path.is_dir():
        return _walk(path, output.resolve(), ignored)
    if path.is_file():
        return [(path, Path(path.name))]
    if glob.has_magic(name):
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute patterns
        files = [Path(match) for match in matches if Path(match).is_file()]
        if files:
            return [(file, Path(file.name)) for file in files]
        text = f"the pattern '{printable(name)}' matches no file. Check the pattern."
        raise UserError(text, kind=Kind.MISSING, subject=name)
    raise missing_file(printable(name), "Check the name")


def _walk(folder: Path, output: Path, ignored: Counter[str]) -> list[tuple[Path | None, Path]]:
    files: list[tuple[Path | None, Path]] = []
    for parent, folders, names in os.walk(folder):
        # A second `translate .` must not translate the results of the first.
        folders[:] = sorted(name for name in folders if Path(parent, name).resolve() != output)
        for name in sorted(names):
            path = Path(parent) / name
            if name.startswith(".") or (path.exists() and not path.is_file()):
                continue  # reading a named pipe would block
            head = _head(path)
            if path.suffix.lower() in PHOTOS | VIDEOS or decoding.image_format(head) or is_video(head):
                files.append((path, path.relative_to(folder)))
            else:
                ignored[path.suffix.lower() or "no suffix"] += 1
    return files


def _head(path: Path) -> bytes:
    """Return the first bytes of a file; empty if it cannot be read, which is reported when it is translated."""
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except OSError:
        return b""


def printable(name: object) -> str:
    """Return a file name on one line, without control characters and with invalid bytes escaped."""
    text = str(name).encode("utf-8", "backslashreplace").decode()
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
