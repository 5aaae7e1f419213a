"""`animemorph translate`: photos and videos from the command line."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from tqdm import tqdm

from ..errors import Kind, UserError, bad_value, conflict, unavailable, user_message
from ..files import atomic_file
from ..inference.composition import grid, paste
from ..inference.enlarging import enlarge
from ..inference.photo_io import MAX_PIXELS, WRITABLE, read_photo, write_photo
from ..inference.translator import Translator
from ..progress import progress_bar
from .inputs import Job, plan, printable

if TYPE_CHECKING:
    from ..inference.reference import Reference

MAX_FILE_BYTES = 256 * 2**20
#: Subject of an error of the library -> hint of the command line.
HINTS = {
    "face": "Add --anyway to translate the central square of the photo.",
    "faces": "Add --largest to translate only the largest.",
    "anime2human": "Or leave out --grid, which shows the reconstruction.",
}


@dataclass(frozen=True)
class TranslateOptions:
    """The options of the command, under the same names."""

    size: int
    seed: int
    paste: bool
    grid: bool
    largest: bool
    anyway: bool
    style: str | None = None
    variants: int = 1
    paint: bool = False
    hair: str | None = None
    like: Path | None = None

    def reference(self, translator: Translator) -> "Reference | None":
        """Measure the reference drawing; None without one. The colour of `--hair` replaces that of its hair.

        Raises:
            UserError: The drawing cannot be used, or another option chooses the style too.
        """
        if self.like is None:
            return None
        for name, given in {"--style": self.style is not None, "--variants": self.variants > 1}.items():
            if given:
                raise conflict("--like", f"excludes {name}: it chooses the style", "Leave one out")
        try:
            found = translator.reference(Image.fromarray(read_photo(_read(Job(self.like, None)))))
        except UserError as error:
            text = f"--like {printable(self.like)}: {error}"
            raise UserError(text, kind=error.kind, subject=error.subject) from error
        if self.hair is None:
            return found
        return replace(found, palette=replace(found.palette, hair=translator.hair_colour(self.hair)))

    def styles(self, translator: Translator) -> list[str | None]:
        """Return the names of the styles to draw in; None: that of the translator.

        Raises:
            UserError: The model has fewer styles than the number of variants.
        """
        if self.variants == 1:
            return [None]
        names = translator.facts.styles
        if not 1 <= self.variants <= len(names):
            raise bad_value("--variants", self.variants, f"1 to {max(1, len(names))}, the number of the model's styles")
        first = translator.facts.style_number(self.style)
        return [names[(first + number) % len(names)] for number in range(self.variants)]

    def pictures(
        self, translator: Translator, photo: np.ndarray, like: "Reference | None" = None
    ) -> dict[str, np.ndarray]:
        """Translate one upright photo, uint8 RGB [H, W, 3], in the style and colours of `reference`.

        Returns:
            Ending of the file name -> picture, uint8 RGB.
        """
        back, most = self.grid and self.variants == 1, 1 if self.largest else None
        faces = translator.faces(photo, self.seed, most=most, anyway=self.anyway, back=back, like=like)
        variants = {
            name: faces if name is None else translator.in_style(photo, faces, name, self.seed)
            for name in self.styles(translator)
        }
        if self.hair is not None and like is None:
            variants = {name: translator.with_hair(drawn, self.hair) for name, drawn in variants.items()}
        if self.grid:
            columns = 3 if self.variants == 1 else 1 + self.variants
            if columns * len(faces) * self.size**2 > MAX_PIXELS:
                limit = f"small enough that {len(faces)} faces fit into {MAX_PIXELS // 10**6} million pixels"
                raise bad_value("--size", self.size, limit, "Or add --largest")
            return {"": grid(photo, list(variants.values()), self.size)}
        pictures = {}
        for name, drawn in variants.items():
            style = "" if name is None else f"-{name}"
            if self.paste or self.paint:
                pictures[style] = paste(photo, drawn, painted=self.paint)
                continue
            for number, face in enumerate(drawn, start=1):
                ending = (f"-{number}" if number > 1 else "") + style
                pictures[ending] = enlarge(face.anime, self.size)
        return pictures


def translate(inputs: list[str], output: str, model: Path | None, options: TranslateOptions, force: bool) -> int:
    """Translate every input; report on standard error those that cannot be translated.

    Returns:
        The exit code: 0 if all inputs were translated, else 1.

    Raises:
        UserError: Nothing can be translated: no such input, no model, an output of an unknown format.
    """
    planned = plan(inputs, output)
    jobs = planned.jobs
    for job in jobs:
        if job.target is not None and not job.video and job.target.suffix.lower() not in WRITABLE:
            raise bad_value("--output", printable(job.target), f"a name with the suffix {', '.join(WRITABLE)}")
        if job.video and job.target is None:
            raise bad_value("--output", "-", "a file or folder for a video")
    translator = Translator(model, options.style)
    options.styles(translator)
    like = options.reference(translator)
    if options.hair is not None:
        translator.hair_colour(options.hair)  # refuses an unknown colour before the first photo
    written = failed = 0
    bar = progress_bar(jobs, desc="translate", unit="file", hidden=len(jobs) == 1)
    for job in bar:
        try:
            written += _translate_one(translator, job, options, force, like)
        except Exception as error:  # an unexpected error in one input must not stop the others
            failed += 1
            bar.write(f"error: {_name(job)}: {_explain(error)}", file=sys.stderr)
    if len(jobs) > 1 or written > 1:
        rest = f"; {failed} of {len(jobs)} inputs failed" if failed else ""
        # The files of one photo have names of their own next to the given one.
        place = jobs[0].target.parent if len(jobs) == 1 and jobs[0].target else output
        print(f"{written} file{'s' * (written != 1)} written to {printable(place)}{rest}", file=sys.stderr)
    if planned.ignored:
        suffixes = ", ".join(f"{count} {suffix}" for suffix, count in sorted(planned.ignored.items()))
        print(f"ignored files that are neither photo nor video: {suffixes}", file=sys.stderr)
    return 1 if failed else 0


def _explain(error: Exception) -> str:
    message = user_message(error) or f"unexpected {type(error).__name__}: {' '.join(str(error).split())[:300]}"
    hint = HINTS.get(error.subject, "") if isinstance(error, UserError) else ""
    return f"{message} {hint}".strip()


def _translate_one(
    translator: Translator, job: Job, options: TranslateOptions, force: bool, like: "Reference | None"
) -> int:
    """Translate one input; return the number of files written."""
    _refuse_existing(job.target, force)
    if job.video:
        from ..inference.video import translate_video

        for name, given in {
            "--grid": options.grid,
            "--variants": options.variants > 1,
            "--paint": options.paint,
            "--hair": options.hair is not None,
            "--like": like is not None,
        }.items():
            if given:
                raise conflict(name, "is not possible for a video", "Leave it out")
        assert job.source is not None
        assert job.target is not None
        with _writing(job.target):
            clip = translate_video(translator, job.source, job.target, seed=options.seed, largest=options.largest)
        for note in clip.notes:
            tqdm.write(f"note: {_name(job)}: {note}", file=sys.stderr)
        return 1
    pictures = options.pictures(translator, read_photo(_read(job)), like)
    targets = _targets(job, list(pictures))
    for target in targets:
        _refuse_existing(target, force)
    for target, picture in zip(targets, pictures.values(), strict=True):
        with _writing(target):
            _write(target, picture)
    return len(targets)


def _refuse_existing(target: Path | None, force: bool) -> None:
    with _writing(target):  # the name may be too long, or its folder not accessible
        if target is not None and target.exists() and not force:
            raise conflict(printable(target), "exists", "Add --force to overwrite it")


def _targets(job: Job, endings: list[str]) -> list[Path | None]:
    if job.target is None:
        if len(endings) > 1:
            fix = "Add --largest, --grid or --paste"
            raise conflict("standard output", f"takes one picture, not {len(endings)}", fix)
        return [None]
    return [job.target.with_name(f"{job.target.stem}{ending}{job.target.suffix}") for ending in endings]


def _read(job: Job) -> bytes:
    if job.source is None and sys.stdin is None:
        raise unavailable("standard input", "it is closed", "Pass a file")
    with nullcontext(sys.stdin.buffer) if job.source is None else job.source.open("rb") as stream:
        data = stream.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        text = f"the file has more than {MAX_FILE_BYTES // 2**20} MiB. Make it smaller."
        raise UserError(text, kind=Kind.BAD_VALUE, subject="file size")
    return data


@contextmanager
def _writing(target: Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        name = "standard output" if target is None else f"'{printable(target)}'"
        fix = "Free disk space or choose" if error.errno == errno.ENOSPC else "Choose"
        raise UserError(
            f"cannot write {name}: {error.strerror or error}. {fix} another output with --output.",
            kind=Kind.NO_SPACE if error.errno == errno.ENOSPC else Kind.UNAVAILABLE,
            subject=name.strip("'"),
        ) from error


def _write(target: Path | None, picture: np.ndarray) -> None:
    if target is None:
        if sys.stdout is None:
            raise unavailable("standard output", "it is closed", "Pass a file with --output")
        sys.stdout.buffer.write(write_photo(picture))
        sys.stdout.buffer.flush()
        return
    data = write_photo(picture, target.suffix.lower())
    with atomic_file(target) as partial:
        partial.write_bytes(data)


def _name(job: Job) -> str:
    return "standard input" if job.source is None else printable(job.source)
