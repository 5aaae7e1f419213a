"""Worker process for translation, killed at its time limit, so that no picture can block the page."""

import base64
import contextlib
import multiprocessing
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...errors import Kind, UserError
from ...images import crop_aligned, resize
from ..enlarging import enlarge
from ..face_finder import NoFaceError
from ..model_info import ModelInfo
from ..photo_io import read_photo, write_photo
from ..tracking import to_pose
from ..translator import Face, Translator
from .people import COLOURS, DrawJob, can_draw, to_json

#: Seconds until the worker process must have loaded the model.
START_SECONDS = 180.0
#: Largest distance between the centres of two crops of the same face, in sides.
SAME_FACE = 0.25


type Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class TranslateJob:
    """One photo to translate.

    Attributes:
        data: Bytes of the image file.
        size: Pixels, side of the results.
        seed: Random seed of the noise.
        anyway: Translate the central square if no face is found.
        max_pixels: A larger photo is refused.
        max_faces: Number of faces to translate, the largest first.
        style: Name of a style of the model; None: its first.
        palette: RGB from 0 to 255 of hair, eyes and background; None keeps that of the translation.
    """

    data: bytes
    size: int
    seed: int
    anyway: bool
    max_pixels: int
    max_faces: int
    style: str | None = None
    palette: tuple[Rgb | None, Rgb | None, Rgb | None] | None = None


@dataclass(frozen=True)
class ReferenceJob:
    """One drawing whose style and colours are measured.

    Attributes:
        data: Bytes of the image file.
        max_pixels: A larger picture is refused.
    """

    data: bytes
    max_pixels: int


Job = TranslateJob | DrawJob | ReferenceJob


class TranslationWorker:
    """A process with the model; it is killed when a job exceeds its time, and started again."""

    def __init__(self, model: Path | None) -> None:
        """Start the process and wait until the model is loaded.

        Raises:
            UserError: There is no such model, or it cannot be loaded.
        """
        self._model = model
        self._process: multiprocessing.process.BaseProcess | None = None
        self.info = self.start()

    def start(self) -> ModelInfo:
        """Start the process if it does not run; return the description of the model."""
        if self._process is not None and self._process.is_alive():
            return self.info
        context = multiprocessing.get_context("spawn")
        self._connection, remote = context.Pipe()
        self._process = context.Process(target=_serve, args=(remote, self._model), daemon=True)
        self._process.start()
        remote.close()
        answer = self._receive(START_SECONDS)
        if isinstance(answer, UserError):
            raise answer
        assert isinstance(answer, ModelInfo)
        return answer

    def run(self, job: Job, seconds: float) -> list[dict[str, Any]]:
        """Run a job.

        Returns:
            For a translation, one entry per face: data URLs of the PNGs `input`, `anime` and, if the model translates
            back, `back`; and the measured attributes `person`, or None. For a drawing, one entry per style: `style`,
            data URL `picture`, `svg` and `attributes`. For a reference, one entry with `style` and its colours.

        Raises:
            UserError: The photo cannot be translated, or the person cannot be drawn.
            TimeoutError: It took longer than `seconds`; the process was killed.
        """
        self.start()
        self._connection.send(job)
        answer = self._receive(seconds)
        if isinstance(answer, UserError):
            raise answer
        assert isinstance(answer, list)
        return answer

    def _receive(self, seconds: float) -> object:
        try:
            if self._connection.poll(max(0.0, seconds)):
                return self._connection.recv()
        except (EOFError, OSError):  # out of memory, or a crash of a decoder
            self.stop()
            raise UserError("this photo cannot be translated. Try another one.", kind=Kind.FAILED) from None
        self.stop()
        raise TimeoutError

    def stop(self) -> None:
        """Kill the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None
            self._connection.close()


def _serve(connection: Connection, model: Path | None) -> None:
    """Answer jobs until the other end is closed, which also happens if the page is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the page, which ends this process
    with contextlib.suppress(EOFError, BrokenPipeError):
        try:
            translator = Translator(model)
            if can_draw():
                from .. import portrait

                portrait.load()
        except UserError as error:
            connection.send(error)
            return
        connection.send(translator.facts)
        while True:
            job: Job = connection.recv()
            try:
                connection.send(_answer(translator, job))
            except UserError as error:
                connection.send(error)
            except (BrokenPipeError, EOFError):
                raise
            except Exception:  # decoders and detectors may raise any error
                connection.send(UserError("this photo cannot be translated. Try another one.", kind=Kind.FAILED))


def _answer(translator: Translator, job: Job) -> list[dict[str, Any]]:
    if isinstance(job, DrawJob):
        return _draw(job)
    return [_measure(translator, job)] if isinstance(job, ReferenceJob) else _translate(translator, job)


def _translate(translator: Translator, job: TranslateJob) -> list[dict[str, Any]]:
    photo = read_photo(job.data, job.max_pixels)
    look: dict[str, Any] = {"style": job.style}
    if job.palette is not None:
        from ...features.attributes_face import to_lab
        from ..recolouring import Palette
        from ..reference import Reference

        colours = (None if rgb is None else to_lab(np.reshape(rgb, (1, 1, 3)))[0, 0] for rgb in job.palette)
        look = {"like": Reference(job.style, Palette(*colours))}
    back = "anime2human" in translator.facts.directions
    faces = translator.faces(photo, job.seed, anyway=job.anyway, back=back, most=job.max_faces, **look)
    people = _people(photo, faces) if can_draw() else [None] * len(faces)
    return [{**_pictures(photo, face, job.size), "person": person} for face, person in zip(faces, people, strict=True)]


def _measure(translator: Translator, job: ReferenceJob) -> dict[str, Any]:
    from ...drawing.colours import hexadecimal
    from ...features.attributes_face import to_rgb

    found = translator.reference(Image.fromarray(read_photo(job.data, job.max_pixels)))
    colours = ((name, getattr(found.palette, name)) for name in COLOURS)
    shown = {name: None if colour is None else hexadecimal(to_rgb(colour)) for name, colour in colours}
    return {"style": found.style} | shown


def _people(photo: np.ndarray, faces: list[Face]) -> list[dict[str, Any] | None]:
    """Return the attributes of the person of each face; None if no person was found at its position."""
    from ..portrait import find_people

    try:
        people = find_people(photo, most=2 * len(faces))  # its detector may sort faces differently
    except NoFaceError:
        return [None] * len(faces)
    poses = np.array([to_pose(person.align) for person in people])
    found: list[dict[str, Any] | None] = []
    for face in faces:
        pose = to_pose(face.align)
        distances = np.hypot(*(poses[:, :2] - pose[:2]).T) / np.exp(pose[2])
        nearest = int(distances.argmin())
        found.append(to_json(people[nearest].attributes) if distances[nearest] < SAME_FACE else None)
    return found


def _draw(job: DrawJob) -> list[dict[str, Any]]:
    from ..portrait import draw_person

    drawn = []
    for style in job.styles:
        drawing = draw_person(job.person, style, job.size, **job.changes)
        pictures = {"picture": _data_url(drawing.picture), "svg": drawing.svg}
        drawn.append({"style": style, **pictures, "attributes": drawing.attributes})
    return drawn


def _pictures(photo: np.ndarray, face: Face, size: int) -> dict[str, Any]:
    pictures = {"input": crop_aligned(photo, face.align, size), "anime": enlarge(face.anime, size)}
    if face.back is not None:
        pictures["back"] = resize(face.back, size, size)
    return {name: _data_url(picture) for name, picture in pictures.items()}


def _data_url(picture: np.ndarray) -> str:
    return "data:image/png;base64," + base64.b64encode(write_photo(picture)).decode()
