"""`animemorph app`: the web page.

A photo arrives as the body of one request, is held in memory and is gone with the answer: nothing is written to disk,
nothing is asked of another host. Everything a visitor can send is bounded: bytes, pixels, seconds, connections, and
photos in the queue.
"""

import asyncio
import importlib.util
import socket
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UserError, unavailable
from ..translator import NoFaceError
from .worker import Job, Pictures, TranslationWorker

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request

STATIC = Path(__file__).parent / "static"
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


@dataclass(frozen=True)
class Limits:
    """What one visitor may ask for.

    Attributes:
        upload_bytes: Bytes of a photo.
        pixels: Pixels of a photo.
        upload_seconds: Seconds in which a photo must arrive.
        patience_seconds: Seconds after which an upload gives its place to another visitor if the queue is full.
        seconds: Seconds from the complete upload to the answer, waiting included.
        job_seconds: Seconds of decoding and translating one photo.
        queue: Photos in memory at once: one is translated, the others wait.
        faces: Faces of one photo, the largest.
    """

    upload_bytes: int = 12 * 2**20
    pixels: int = 40_000_000
    upload_seconds: float = 20.0
    patience_seconds: float = 3.0
    seconds: float = 90.0
    job_seconds: float = 40.0
    queue: int = 16
    faces: int = 8


class HttpError(Exception):
    """An answer with an error status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_app(
    worker: TranslationWorker, limits: Limits | None = None, hosts: tuple[str, ...] = LOOPBACK
) -> "Starlette":
    """Build the page.

    Args:
        worker: Translates the photos.
        limits: What one visitor may ask for; None: the defaults.
        hosts: Host names that the page answers to; `*`: any.
    """
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import JSONResponse
    from starlette.routing import Mount, Route
    from starlette.staticfiles import StaticFiles

    queue = _RequestQueue(worker, limits or Limits())

    async def translate(request: "Request") -> JSONResponse:
        try:
            return JSONResponse(await queue.answer(request), headers={"Cache-Control": "no-store"})
        except HttpError as error:
            headers = {"Cache-Control": "no-store"} | ({"Retry-After": "5"} if error.status == 503 else {})
            return JSONResponse({"error": error.message}, error.status, headers)

    async def facts(request: "Request") -> JSONResponse:
        names = sorted(path.name for path in (STATIC / "examples").glob("*.jpg"))
        content = {
            "noise": worker.info.noise_std > 0,
            "upload_bytes": queue.limits.upload_bytes,
            "examples": [f"examples/{name}" for name in names],
        }
        return JSONResponse(content)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        queue.close()

    return Starlette(
        routes=[
            Route("/api/facts", facts),
            Route("/api/translate", translate, methods=["POST"]),
            Mount("/", StaticFiles(directory=STATIC, html=True)),
        ],
        middleware=[Middleware(_Headers), Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
        lifespan=lifespan,
    )


class _Headers:
    """Adds the security headers to every answer, and refuses requests whose length is ambiguous."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif {b"content-length", b"transfer-encoding"} <= {name for name, _ in scope["headers"]}:
            from starlette.responses import PlainTextResponse

            # A proxy in front may believe the other header and see another request after this one.
            refusal = PlainTextResponse("ambiguous length", 400, {"Connection": "close"})
            await refusal(scope, receive, with_headers)
        else:
            await self._app(scope, receive, with_headers)


class _RequestQueue:
    """Takes photos in and passes them to the worker process one by one."""

    def __init__(self, worker: TranslationWorker, limits: Limits) -> None:
        self._worker, self.limits = worker, limits
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="translate")
        self._in_flight = 0
        self._uploads: dict[asyncio.Timeout, float] = {}  # start of each upload, the oldest first

    def close(self) -> None:
        """Stop the worker process and forget the waiting photos."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._worker.stop()

    async def answer(self, request: "Request") -> dict[str, list[Pictures]]:
        """Translate the photo of a request.

        Raises:
            HttpError: The request is wrong, the photo cannot be translated, or too many photos are waiting.
        """
        # Browsers send this type to another origin only after asking, and we never allow it: no foreign page can
        # use a visitor's browser to translate.
        if request.headers.get("content-type") != "application/octet-stream":
            raise HttpError(415, "Send the photo's bytes as application/octet-stream.")
        size = _number(request, "size", 256, 64, 512)
        seed = _number(request, "seed", 0, 0, 2**32 - 1)
        anyway = request.query_params.get("anyway") == "1"
        if self._in_flight >= self.limits.queue and not self._end_slow_upload():
            raise HttpError(503, "Many photos are waiting. Try again in a few seconds.")
        self._in_flight += 1
        handed_over = False
        try:
            data = await self._body(request)
            deadline = time.monotonic() + self.limits.seconds
            job = Job(data, size, seed, anyway, self.limits.pixels, self.limits.faces)
            future = self._thread.submit(self._translate, job, deadline)
            # The place stays taken until the worker is done, even if the visitor has gone.
            loop = asyncio.get_running_loop()
            future.add_done_callback(lambda done: self._release(done, loop))
            handed_over = True
            try:
                return {"faces": await asyncio.wait_for(asyncio.wrap_future(future), self.limits.seconds)}
            except TimeoutError:
                raise HttpError(503, "Many photos are waiting. Try again later.") from None
        finally:
            if not handed_over:
                self._in_flight -= 1

    def _end_slow_upload(self) -> bool:
        """End the oldest upload if it is slow, so that uploads without end cannot fill the queue."""
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
            self._restart()

    def _restart(self) -> None:
        """Start a killed worker process now, before the next photo arrives."""
        try:
            self._thread.submit(self._worker.start)
        except RuntimeError:
            return  # the page is ending

    async def _body(self, request: "Request") -> bytes:
        from starlette.requests import ClientDisconnect

        limit = self.limits.upload_bytes
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
        if size > limit:  # sent at the end: a browser shows no answer that comes while it still sends
            raise HttpError(413, f"The photo is larger than {limit // 2**20} MB. Make it smaller.")
        return bytes(data)

    def _translate(self, job: Job, deadline: float) -> list[Pictures]:
        seconds = min(self.limits.job_seconds, deadline - time.monotonic())
        if seconds <= 0:
            raise HttpError(503, "Many photos are waiting. Try again later.")
        try:
            return self._worker.translate(job, seconds)
        except TimeoutError:
            raise HttpError(503, "The photo took too long. Try a smaller one.") from None
        except NoFaceError:
            raise HttpError(422, "No face was found. Try a photo that shows a face from the front.") from None
        except UserError as error:
            message = str(error)
            raise HttpError(400, message[0].upper() + message[1:]) from None


def _number(request: "Request", name: str, default: int, low: int, high: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high):
        raise HttpError(400, f"{name} must be an integer from {low} to {high}.")
    return int(text)


def serve(host: str, port: int, model: Path | None) -> None:
    """Serve the page until it is interrupted.

    Args:
        host: Address to listen on.
        port: Port; 0: any free one.
        model: Training folder or bundle; None: the default model.

    Raises:
        UserError: The extra `app` is not installed, there is no model, or the address cannot be used.
    """
    for package in ("starlette", "uvicorn"):
        if importlib.util.find_spec(package) is None:
            raise unavailable("the web page", f"the package {package!r} is not installed", "Install animemorph[app]")
    import uvicorn

    from .connections import ConnectionLimits, guarded

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(64)  # visitors who come before the server is ready wait
    except OSError as error:
        raise unavailable(f"{host}:{port}", error.strerror or str(error), "Choose another host or port") from None
    worker = TranslationWorker(model)
    name = f"[{host}]" if ":" in host else host
    print(f"AnimeMorph runs at http://{name}:{listener.getsockname()[1]} (press Ctrl-C to stop)", flush=True)
    app = create_app(worker, hosts=LOOPBACK if host in LOOPBACK else ("*",))
    config = uvicorn.Config(
        app,
        http=guarded(ConnectionLimits()),
        log_level="error",  # a warning for each malformed request would let visitors fill a log
        access_log=False,
        server_header=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
    )
    uvicorn.Server(config).run(sockets=[listener])
