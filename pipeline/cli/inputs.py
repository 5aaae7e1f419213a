"""Which files a command line means, and what each result is called."""

import glob
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError

#: HEIC cannot be read, but whoever gives a folder of such photos must hear of it.
PHOTOS = frozenset(
    {".avif", ".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
VIDEOS = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm"})


@dataclass(frozen=True)
class Job:
    """One input and the file its result goes to; a photo with several faces adds `-2`, `-3` … to the name."""

    source: Path | None  #: None: standard input
    target: Path | None  #: None: standard output

    @property
    def video(self) -> bool:
        """Whether the input is a video, by its name."""
        return self.source is not None and self.source.suffix.lower() in VIDEOS


def plan(inputs: list[str], output: str) -> list[Job]:
    """Turn a command line's inputs and `-o` into jobs, in a fixed order.

    Args:
        inputs: files, folders (searched to the bottom), patterns with `*`, or `-` for standard input.
        output: a folder; a file with a picture's or a video's suffix, for a single input; `-` for standard output.

    Raises:
        UserError: an input does not exist, or several inputs would go to one file.
    """
    if "" in (*inputs, output):  # as a path it would mean the folder one is in
        raise UserError("the name of an input or of -o is empty: name a file or a folder.")
    sources: list[tuple[Path | None, Path]] = []
    for name in inputs:
        sources += _expand(name, Path(output))
    unique = {str(source): (source, relative) for source, relative in sources}
    sources = list(unique.values())
    if not sources:
        raise UserError(f"{shown(inputs[0])} holds no photo and no video: name a folder or a file that does.")
    single = output == "-" or Path(output).suffix.lower() in PHOTOS | VIDEOS
    if single and not Path(output).is_dir():
        if len(sources) > 1:
            raise UserError(
                f"{len(sources)} inputs cannot go to the single file {shown(output)}: name a folder with -o."
            )
        return [Job(sources[0][0], None if output == "-" else Path(output))]
    # photo.jpg and photo.png in one folder must not meet in photo.png.
    stems = Counter(relative.with_suffix("") for _, relative in sources)
    jobs = []
    for source, relative in sources:
        suffix = ".mp4" if relative.suffix.lower() in VIDEOS else ".png"
        kept = relative.with_suffix("") if stems[relative.with_suffix("")] == 1 else relative
        jobs.append(Job(source, Path(output) / kept.with_name(kept.name + suffix)))
    targets = Counter(job.target for job in jobs)
    for job in jobs:
        if targets[job.target] > 1:
            raise UserError(f"two inputs would both become {shown(job.target)}: translate them one after the other.")
    return jobs


def _expand(name: str, output: Path) -> list[tuple[Path | None, Path]]:
    """Return (file, its path below the output folder) for each file that one input means."""
    if name == "-":
        return [(None, Path("stdin"))]
    path = Path(name)
    if path.is_dir():
        return _walk(path, output.resolve())
    if path.is_file():
        return [(path, Path(path.name))]
    if glob.has_magic(name):
        found = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute patterns
        matches = [Path(match) for match in found if Path(match).is_file()]
        if matches:
            return [(match, Path(match.name)) for match in matches]
        raise UserError(f"{shown(name)} matches no file: check the pattern.")
    raise UserError(f"{shown(name)} does not exist: check the name.")


def _walk(folder: Path, output: Path) -> list[tuple[Path | None, Path]]:
    found: list[tuple[Path | None, Path]] = []
    for place, folders, files in os.walk(folder):
        # `translate .` for the second time must not take the results of the first for photos.
        folders[:] = sorted(name for name in folders if Path(place, name).resolve() != output)
        for file in sorted(files):
            path = Path(place) / file
            if path.exists() and not path.is_file():
                continue  # reading a pipe would wait for ever
            if path.suffix.lower() in PHOTOS | VIDEOS and not file.startswith("."):
                found.append((path, path.relative_to(folder)))
    return found


def shown(name: object) -> str:
    """Make a file's name safe to print: one line, no control characters, whatever bytes the disk holds."""
    text = str(name).encode("utf-8", "backslashreplace").decode()
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
