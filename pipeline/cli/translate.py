"""`animemorph translate`: photos and videos from the command line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from tqdm import tqdm

from ..errors import UserError
from ..files import atomic_file
from ..inference.photo_io import MAX_PIXELS, WRITABLE, read_photo, write_photo
from ..inference.translator import Translator, grid, paste, resize
from .inputs import Job, plan, shown

MAX_FILE_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Look:
    """What the command makes of a photo's faces; the fields are the options of the same name."""

    size: int
    seed: int
    paste: bool
    grid: bool
    largest: bool
    anyway: bool
    style: str | None = None

    def pictures(self, translator: Translator, photo: np.ndarray) -> list[np.ndarray]:
        """Translate one upright photo, uint8 RGB [H, W, 3], to the pictures to write, uint8 RGB."""
        faces = translator.faces(photo, self.seed, most=1 if self.largest else None, anyway=self.anyway, back=self.grid)
        if self.paste:
            return [paste(photo, faces)]
        if self.grid:
            if 3 * len(faces) * self.size**2 > MAX_PIXELS:
                raise UserError(
                    f"the grid of {len(faces)} faces would have more than {MAX_PIXELS // 10**6} million pixels: "
                    "lower --size, or add --largest."
                )
            return [grid(photo, faces, self.size)]
        return [resize(face.anime, self.size) for face in faces]


def translate(inputs: list[str], output: str, model: Path | None, look: Look, force: bool) -> int:
    """Translate every input; sentences about what was skipped go to standard error.

    Returns:
        The exit code: 0 when all were translated, 1 when none was, 3 when some were.

    Raises:
        UserError: nothing can be done at all: no such input, no model, an output of an unknown kind.
    """
    jobs = plan(inputs, output)
    for job in jobs:
        if job.target is not None and not job.video and job.target.suffix.lower() not in WRITABLE:
            raise UserError(f"{shown(job.target)}: a picture can be written as .png, .jpg or .webp.")
        if job.video and job.target is None:
            raise UserError("a video cannot go to standard output: name a file or a folder with -o.")
    translator = Translator(model, look.style)
    written = skipped = 0
    bar = tqdm(jobs, desc="translate", unit="file", disable=None if len(jobs) > 1 else True)
    for job in bar:
        try:
            written += _translate_one(translator, job, look, force)
        except UserError as error:
            skipped += 1
            bar.write(f"error: {_name(job)}: {error}", file=sys.stderr)
    if len(jobs) > 1 or written > 1:
        rest = f"; {skipped} of {len(jobs)} inputs were skipped" if skipped else ""
        print(f"{written} file{'s' * (written != 1)} written to {shown(output)}{rest}", file=sys.stderr)
    return 0 if not skipped else 1 if skipped == len(jobs) else 3


def _translate_one(translator: Translator, job: Job, look: Look, force: bool) -> int:
    """Translate one input; returns how many files were written."""
    _refuse_existing(job.target, force)
    if job.video:
        from ..inference.video import translate_video

        if look.grid:
            raise UserError("a video has no grid: leave --grid out.")
        assert job.source is not None and job.target is not None
        with _writing(job.target):
            clip = translate_video(translator, job.source, job.target, seed=look.seed, largest=look.largest)
        if clip.damaged:
            tqdm.write(f"note: {_name(job)}: damaged places of it could not be read and are missing.", file=sys.stderr)
        return 1
    photo = read_photo(_read(job))
    pictures = look.pictures(translator, photo)
    targets = list(_targets(job, len(pictures)))
    for target in targets:
        _refuse_existing(target, force)
    for target, picture in zip(targets, pictures, strict=True):
        with _writing(target):
            _write(target, picture)
    return len(targets)


def _refuse_existing(target: Path | None, force: bool) -> None:
    with _writing(target):  # a name may be too long, or its folder closed
        if target is not None and target.exists() and not force:
            raise UserError(f"{shown(target)} exists already: --force overwrites it.")


def _targets(job: Job, count: int) -> Iterator[Path | None]:
    if job.target is None and count > 1:
        raise UserError(f"{count} faces were found, and standard output takes one: add --largest, --grid or --paste.")
    for number in range(1, count + 1):
        if job.target is None or number == 1:
            yield job.target
        else:
            yield job.target.with_name(f"{job.target.stem}-{number}{job.target.suffix}")


def _read(job: Job) -> bytes:
    try:
        if job.source is None:
            return _limited(sys.stdin.buffer)
        with job.source.open("rb") as stream:
            return _limited(stream)
    except OSError as error:
        raise UserError(
            f"it cannot be read ({error.strerror or error}): check the file and who may read it."
        ) from error


def _limited(stream: BinaryIO) -> bytes:
    data = stream.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise UserError(f"it is larger than {MAX_FILE_BYTES // 2**20} MiB: make it smaller first.")
    return data


@contextmanager
def _writing(target: Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = "standard output" if target is None else shown(target)
        raise UserError(
            f"{place} cannot be written ({error.strerror or error}): make room, or name another place with -o."
        ) from error


def _write(target: Path | None, picture: np.ndarray) -> None:
    if target is None:
        sys.stdout.buffer.write(write_photo(picture))
        sys.stdout.buffer.flush()
        return
    data = write_photo(picture, target.suffix.lower())
    with atomic_file(target) as partial:
        partial.write_bytes(data)


def _name(job: Job) -> str:
    return "standard input" if job.source is None else shown(job.source)
