"""Queue of requests for the worker process, with limits for each request."""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import UserError
from ..face_finder import NoFaceError
from .people import COLOURS, can_draw, parse
from .worker import Job, ReferenceJob, Rgb, TranslateJob, TranslationWorker

if TYPE_CHECKING:
    from starlette.requests import Request


@dataclass(frozen=True)
class Limits:
    """Limits of one visitor.

    Attributes:
        upload_bytes: Bytes of a photo.
        pixels: Pixels of a photo.
        upload_seconds: Seconds in which a photo must arrive.
        patience_seconds: Seconds after which an upload is ended for another visitor if the queue is full.
        seconds: Seconds from the complete upload to the answer, waiting included.
        job_seconds: Seconds of decoding and translating one photo.
        queue: Photos in memory at once: one is translated, the others wait.
        faces: Faces of one photo, the largest.
        person_bytes: Bytes of the description of a person to draw.
    """

    upload_bytes: int = 12 * 2**20
    pixels: int = 40_000_000
    upload_seconds: float = 20.0
    patience_seconds: float = 3.0
    seconds: float = 90.0
    job_seconds: float = 40.0
    queue: int = 16
    faces: int = 8
    person_bytes: int = 16 * 2**10


class HttpError(Exception):
    """An answer with an error status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class RequestQueue:
    """Accepts requests and passes them to the worker process one by one."""

    def __init__(self, worker: TranslationWorker, limits: Limits) -> None:
        self._worker, self.limits = worker, limits
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="translate")
        self._in_flight = 0
        self._uploads: dict[asyncio.Timeout, float] = {}  # start of each upload, the oldest first

    def close(self) -> None:
        """Stop the worker process and forget the waiting photos."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._worker.stop()

    async def translate(self, request: "Request") -> dict[str, Any]:
        """Translate the photo of a request.

        Raises:
            HttpError: The request is wrong, the photo cannot be translated, or too many requests are waiting.
        """
        # Browsers send this type to another origin only after a preflight request, which is never allowed. So other
        # pages cannot use a visitor's browser to translate.
        if request.headers.get("content-type") != "application/octet-stream":
            raise HttpError(415, "Send the photo's bytes as application/octet-stream.")
        size = _number(request, "size", 256, 64, 512)
        seed = _number(request, "seed", 0, 0, 2**32 - 1)
        anyway = request.query_params.get("anyway") == "1"
        style = request.query_params.get("style")
        if style is not None and style not in self._worker.info.styles:
            raise HttpError(400, "The model has no such style.")
        palette = _palette(request)
        if palette is not None and not (can_draw() and self._worker.info.aligned):
            raise HttpError(400, "This page cannot change colours. Leave them out.")

        def job(data: bytes) -> TranslateJob:
            return TranslateJob(data, size, seed, anyway, self.limits.pixels, self.limits.faces, style, palette)

        return {"faces": await self._answer(request, self.limits.upload_bytes, job)}

    async def reference(self, request: "Request") -> dict[str, Any]:
        """Measure the drawing of a request.

        Raises:
            HttpError: The request is wrong, the drawing cannot be used, or too many requests are waiting.
        """
        if request.headers.get("content-type") != "application/octet-stream":
            raise HttpError(415, "Send the drawing's bytes as application/octet-stream.")
        limits = self.limits
        (found,) = await self._answer(request, limits.upload_bytes, lambda data: ReferenceJob(data, limits.pixels))
        return dict(found)

    async def draw(self, request: "Request") -> dict[str, Any]:
        """Draw the person of a request.

        Raises:
            HttpError: The request is wrong, the person cannot be drawn, or too many requests are waiting.
        """
        # A type that needs a preflight request, as above.
        if request.headers.get("content-type") != "application/json":
            raise HttpError(415, "Send the person as application/json.")
        return {"drawings": await self._answer(request, self.limits.person_bytes, parse)}

    async def _answer(self, request: "Request", most_bytes: int, parsed: Callable[[bytes], Job]) -> Any:
        if self._in_flight >= self.limits.queue and not self._end_slow_upload():
            raise HttpError(503, "Many photos are waiting. Try again in a few seconds.")
        self._in_flight += 1
        handed_over = False
        try:
            data = await self._body(request, most_bytes)
            deadline = time.monotonic() + self.limits.seconds
            try:
                job = parsed(data)
            except UserError as error:
                raise HttpError(400, _sentence(error)) from None
            future = self._thread.submit(self._run, job, deadline)
            # The slot is in use until the worker is done, even if the visitor disconnects.
            loop = asyncio.get_running_loop()
            future.add_done_callback(lambda done: self._release(done, loop))
            handed_over = True
            try:
                return await asyncio.wait_for(asyncio.wrap_future(future), self.limits.seconds)
            except TimeoutError:
                raise HttpError(503, "Many photos are waiting. Try again later.") from None
        finally:
            if not handed_over:
                self._in_flight -= 1

    def _end_slow_upload(self) -> bool:
        """End the oldest upload if it is slow, so that endless uploads cannot fill the queue."""
        now = asyncio.get_running_loop().time()
        timeout, start = next(iter(self._uploads.items()), (None, now))
        if timeout is None or now - start < self.limits.patience_seconds:
            return False
        del self._uploads[timeout]
        timeout.reschedule(now)
        return True

    def _release(self, done: "Future[Any]", loop: asyncio.AbstractEventLoop) -> None:
        def release() -> None:
            self._in_flight -= 1

        if not loop.is_closed():
            loop.call_soon_threadsafe(release)
        if not done.cancelled() and isinstance(done.exception(), HttpError):
            # The worker process was killed: start it now, before the next photo arrives.
            with contextlib.suppress(RuntimeError):  # the server is stopping
                self._thread.submit(self._worker.start)

    async def _body(self, request: "Request", limit: int) -> bytes:
        from starlette.requests import ClientDisconnect

        data, size = bytearray(), 0
        timeout = asyncio.timeout(self.limits.upload_seconds)
        try:
            async with timeout:
                self._uploads[timeout] = asyncio.get_running_loop().time()
                async for chunk in request.stream():
                    size += len(chunk)
                    if size <= limit:
                        data += chunk
                    elif size > 8 * limit:
                        break
        except TimeoutError:
            raise HttpError(408, "The photo took too long to arrive. Try again.") from None
        except ClientDisconnect:
            raise HttpError(400, "The photo did not arrive completely. Try again.") from None
        finally:
            self._uploads.pop(timeout, None)
        if size > limit:  # sent at the end: browsers ignore an answer that arrives during the upload
            shown = f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit // 2**10} kB"
            raise HttpError(413, f"The upload is larger than {shown}. Make it smaller.")
        return bytes(data)

    def _run(self, job: Job, deadline: float) -> Any:
        seconds = min(self.limits.job_seconds, deadline - time.monotonic())
        if seconds <= 0:
            raise HttpError(503, "Many photos are waiting. Try again later.")
        try:
            return self._worker.run(job, seconds)
        except TimeoutError:
            raise HttpError(503, "The photo took too long. Try a smaller one.") from None
        except NoFaceError as error:
            if error.subject == "reference":
                raise HttpError(422, _sentence(error)) from None
            raise HttpError(422, "No face was found. Try a photo that shows a face from the front.") from None
        except UserError as error:
            raise HttpError(400, _sentence(error)) from None


def _sentence(error: UserError) -> str:
    message = str(error)
    return message[0].upper() + message[1:]


def _number(request: "Request", name: str, default: int, low: int, high: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high):
        raise HttpError(400, f"{name} must be an integer from {low} to {high}.")
    return int(text)


def _palette(request: "Request") -> tuple[Rgb | None, Rgb | None, Rgb | None] | None:
    """Return the colours of a request; None without any."""
    colours: list[Rgb | None] = []
    for name in COLOURS:
        text = request.query_params.get(name)
        if text is not None and re.fullmatch(r"[0-9a-fA-F]{6}", text) is None:
            raise HttpError(400, f"{name} must be a colour such as a05030.")
        colours.append(None if text is None else (int(text[:2], 16), int(text[2:4], 16), int(text[4:], 16)))
    return (colours[0], colours[1], colours[2]) if any(colour is not None for colour in colours) else None
