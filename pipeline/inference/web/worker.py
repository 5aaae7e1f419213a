"""Translation in a worker process, which can be stopped: no picture can hold the page longer than its time limit."""

import base64
import contextlib
import multiprocessing
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from ...errors import Kind, UserError
from ...images import crop_aligned, resize
from ..model_info import ModelInfo
from ..photo_io import read_photo, write_photo
from ..translator import Face, Translator

#: Seconds until the worker process must have loaded the model.
START_SECONDS = 180.0

Pictures = dict[str, str]


@dataclass(frozen=True)
class Job:
    """One photo to translate.

    Attributes:
        data: Bytes of the image file.
        size: Pixels, side of the results.
        seed: Random seed of the noise.
        anyway: Translate the central square if no face is found.
        max_pixels: A larger photo is refused.
        max_faces: Number of faces to translate, the largest first.
    """

    data: bytes
    size: int
    seed: int
    anyway: bool
    max_pixels: int
    max_faces: int


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

    def translate(self, job: Job, seconds: float) -> list[Pictures]:
        """Translate a photo.

        Returns:
            For each face the data URLs of PNGs: `input`, `anime` and `back`.

        Raises:
            UserError: The photo cannot be translated.
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
    """Answer jobs until the other end is closed, which happens also when the page is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the page, which ends this process
    with contextlib.suppress(EOFError, BrokenPipeError):
        try:
            translator = Translator(model)
        except UserError as error:
            connection.send(error)
            return
        connection.send(translator.facts)
        while True:
            job: Job = connection.recv()
            try:
                connection.send(_translate(translator, job))
            except UserError as error:
                connection.send(error)
            except (BrokenPipeError, EOFError):
                raise
            except Exception:  # a photo may do anything to a decoder or detector
                connection.send(UserError("this photo cannot be translated. Try another one.", kind=Kind.FAILED))


def _translate(translator: Translator, job: Job) -> list[Pictures]:
    photo = read_photo(job.data, job.max_pixels)
    faces = translator.faces(photo, job.seed, anyway=job.anyway, back=True, most=job.max_faces)
    return [_pictures(photo, face, job.size) for face in faces]


def _pictures(photo: np.ndarray, face: Face, size: int) -> Pictures:
    back = face.anime if face.back is None else face.back
    pictures = {
        "input": crop_aligned(photo, face.align, size),
        "anime": resize(face.anime, size, size),
        "back": resize(back, size, size),
    }
    return {
        name: "data:image/png;base64," + base64.b64encode(write_photo(picture)).decode()
        for name, picture in pictures.items()
    }
