"""`animemorph app`: the web page.

A photo comes as the raw body of one request, is held in memory, and is gone with the answer: nothing is written to
disk, nothing is asked from another host. All that a visitor can send is bounded: bytes, pixels, seconds, who waits.
"""

import asyncio
import base64
import importlib.util
import socket
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import UserError
from ...images import crop_aligned, resize
from ..photo_io import read_photo, write_photo
from ..translator import Face, NoFaceError, Translator

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request

STATIC = Path(__file__).parent / "static"
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


@dataclass(frozen=True)
class Limits:
    """What one visitor may ask for."""

    upload_bytes: int = 12 * 2**20
    pixels: int = 40_000_000
    upload_seconds: float = 20.0
    seconds: float = 60.0  #: from the whole upload to the answer, waiting included
    queue: int = 16  #: photos in memory at once: one is translated, the others wait
    faces: int = 8  #: of one photo, the largest


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure
    """An answer other than a picture."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


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


def create_app(translator: Translator, limits: Limits | None = None, hosts: tuple[str, ...] = LOOPBACK) -> "Starlette":
    """Build the page around a translator; `hosts` are the host names it answers to (`*`: any)."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import JSONResponse
    from starlette.routing import Mount, Route
    from starlette.staticfiles import StaticFiles

    desk = _Desk(translator, limits or Limits())

    async def translate(request: "Request") -> JSONResponse:
        try:
            return JSONResponse(await desk.answer(request), headers={"Cache-Control": "no-store"})
        except Refusal as refusal:
            headers = {"Cache-Control": "no-store"} | ({"Retry-After": "5"} if refusal.status == 503 else {})
            return JSONResponse({"error": refusal.sentence}, refusal.status, headers)

    async def facts(request: "Request") -> JSONResponse:
        names = sorted(path.name for path in (STATIC / "examples").glob("*.jpg"))
        content = {
            "noise": translator.facts.noise_std > 0,
            "upload_bytes": desk.limits.upload_bytes,
            "examples": [f"examples/{name}" for name in names],
        }
        return JSONResponse(content)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        desk.worker.shutdown(wait=False, cancel_futures=True)

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
    """Adds the security headers to every answer."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class _Desk:
    """Takes photos in, one thread translates them in turn."""

    def __init__(self, translator: Translator, limits: Limits) -> None:
        self._translator, self.limits = translator, limits
        self.worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="translate")
        self._inside = 0

    async def answer(self, request: "Request") -> dict[str, Any]:
        """Answer one photo; Refusal when there is nothing to show."""
        # A form on somebody else's page can send no such type without asking first, and asking is refused.
        if request.headers.get("content-type") != "application/octet-stream":
            raise Refusal(415, "send the photo's bytes as application/octet-stream.")
        size = _number(request, "size", 256, 64, 512)
        seed = _number(request, "seed", 0, 0, 2**32 - 1)
        anyway = request.query_params.get("anyway") == "1"
        if self._inside >= self.limits.queue:
            raise Refusal(503, "many photos are waiting: try again in a few seconds.")
        self._inside += 1
        handed_over = False
        try:
            data = await self._body(request)
            deadline = time.monotonic() + self.limits.seconds
            job = self.worker.submit(self._translate, data, size, seed, anyway, deadline)
            # From here on the place is taken until the thread is done, even when the visitor has gone.
            job.add_done_callback(self._leave(asyncio.get_running_loop()))
            handed_over = True
            try:
                return await asyncio.wait_for(asyncio.wrap_future(job), self.limits.seconds)
            except TimeoutError:
                raise Refusal(503, "this took too long: try again later, or with a smaller photo.") from None
        finally:
            if not handed_over:
                self._inside -= 1

    def _leave(self, loop: asyncio.AbstractEventLoop) -> Any:
        def leave() -> None:
            self._inside -= 1

        return lambda job: loop.call_soon_threadsafe(leave)

    async def _body(self, request: "Request") -> bytes:
        from starlette.requests import ClientDisconnect

        limit = self.limits.upload_bytes
        too_large = Refusal(413, f"the photo is larger than {limit // 2**20} MB: make it smaller first.")
        data, size = bytearray(), 0
        try:
            async with asyncio.timeout(self.limits.upload_seconds):
                async for chunk in request.stream():
                    size += len(chunk)
                    if size <= limit:
                        data += chunk
                    elif size > 8 * limit:
                        break
        except TimeoutError:
            raise Refusal(408, "the photo took too long to arrive: try again.") from None
        except ClientDisconnect:
            raise Refusal(400, "the photo did not arrive whole: try again.") from None
        if size > limit:  # said at the end: a browser shows no answer that comes while it still sends
            raise too_large
        return bytes(data)

    def _translate(self, data: bytes, size: int, seed: int, anyway: bool, deadline: float) -> dict[str, Any]:
        if time.monotonic() > deadline:
            raise Refusal(503, "this took too long: try again later.")
        try:
            photo = read_photo(data, self.limits.pixels)
            faces = self._translator.faces(photo, seed, anyway=anyway, back=True, most=self.limits.faces)
        except NoFaceError:
            raise Refusal(422, "No face was found: try a photo that shows one from the front.") from None
        except UserError as error:
            sentence = str(error)
            raise Refusal(400, sentence[0].upper() + sentence[1:]) from None
        return {"faces": [_pictures(photo, face, size) for face in faces]}


def _pictures(photo: np.ndarray, face: Face, size: int) -> dict[str, str]:
    back = face.anime if face.back is None else face.back
    shown = {"input": crop_aligned(photo, face.align, size), "anime": resize(face.anime, size, size)}
    shown["back"] = resize(back, size, size)
    return {
        name: "data:image/png;base64," + base64.b64encode(write_photo(picture)).decode()
        for name, picture in shown.items()
    }


def _number(request: "Request", name: str, default: int, low: int, high: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high):
        raise Refusal(400, f"{name} must be a whole number from {low} to {high}.")
    return int(text)


def serve(host: str, port: int, model: Path | None) -> None:
    """Serve the page until it is interrupted.

    Raises:
        UserError: the extra `app` is not installed, there is no model, or the address is taken.
    """
    if importlib.util.find_spec("starlette") is None or importlib.util.find_spec("uvicorn") is None:
        raise UserError("the web page needs starlette and uvicorn: install animemorph[app].")
    import uvicorn

    translator = Translator(model)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(64)  # whoever comes before the server is ready waits instead of being turned away
    except OSError as error:
        raise UserError(f"{host}:{port} cannot be used ({error.strerror}): name another with --port.") from None
    shown = f"[{host}]" if ":" in host else host
    print(f"AnimeMorph is at http://{shown}:{listener.getsockname()[1]} (Ctrl-C ends it)", flush=True)
    app = create_app(translator, hosts=LOOPBACK if host in LOOPBACK else ("*",))
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_keep_alive=5, limit_concurrency=256
    )
    uvicorn.Server(config).run(sockets=[listener])
