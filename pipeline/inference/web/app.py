"""`animemorph app`: the web page.

A photo arrives as the body of one request, stays in memory and is deleted with the answer. Nothing is written to disk
or requested from another host. All input is limited: bytes, pixels, seconds, connections, and photos in the queue.
"""

import importlib.util
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import unavailable
from .people import REFERENCES, can_draw, controls
from .request_queue import HttpError, Limits, RequestQueue
from .worker import TranslationWorker

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request

STATIC = Path(__file__).parent / "static"
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


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
        limits: Limits of one visitor; None: the defaults.
        hosts: Host names that the page answers to; `*`: any.
    """
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import JSONResponse
    from starlette.routing import Mount, Route
    from starlette.staticfiles import StaticFiles

    queue = RequestQueue(worker, limits or Limits())
    guided = can_draw() and worker.info.aligned  # whether translations can follow a reference drawing

    async def answered(answer: Callable[["Request"], Awaitable[dict[str, Any]]], request: "Request") -> JSONResponse:
        try:
            return JSONResponse(await answer(request), headers={"Cache-Control": "no-store"})
        except HttpError as error:
            headers = {"Cache-Control": "no-store"} | ({"Retry-After": "5"} if error.status == 503 else {})
            return JSONResponse({"error": error.message}, error.status, headers)

    async def facts(_request: "Request") -> JSONResponse:
        names = sorted(path.name for path in (STATIC / "examples").glob("*.jpg"))
        content = {
            "noise": worker.info.noise_std > 0,
            "styles": list(worker.info.styles),
            "drawing": controls() if can_draw() else None,
            "references": [{"style": style, "person": person} for style, person in REFERENCES] if guided else [],
            "upload_bytes": queue.limits.upload_bytes,
            "examples": [f"examples/{name}" for name in names],
        }
        return JSONResponse(content)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        queue.close()

    return Starlette(
        routes=[
            Route("/api/facts", facts),
            Route("/api/translate", partial(answered, queue.translate), methods=["POST"]),
            *([Route("/api/draw", partial(answered, queue.draw), methods=["POST"])] if can_draw() else []),
            *([Route("/api/reference", partial(answered, queue.reference), methods=["POST"])] if guided else []),
            Mount("/", StaticFiles(directory=STATIC, html=True)),
        ],
        middleware=[Middleware(_Headers), Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
        lifespan=lifespan,
    )


class _Headers:
    """Adds security headers to every answer, and refuses requests with an ambiguous length."""

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
        listener.listen(64)  # connections wait until the server is ready
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
