"""Connections of the web page: idle and slow ones are closed, and one address cannot use all of them."""

from dataclasses import dataclass
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#: Seconds between two checks of the age of a connection.
_CHECK_SECONDS = 1.0


@dataclass(frozen=True)
class ConnectionLimits:
    """Limits of open connections.

    Attributes:
        total: Open connections.
        per_address: Open connections of one address.
        header_seconds: Seconds without a complete request, also between two requests.
        request_seconds: Seconds from the header of a request to the last byte of its answer.
    """

    total: int = 256
    per_address: int = 64
    header_seconds: float = 10.0
    request_seconds: float = 120.0


class Registry:
    """Open connections, the oldest first."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.connections: dict[GuardedProtocol, None] = {}

    def admit(self, connection: "GuardedProtocol") -> bool:
        """Add a connection. At a limit, close the oldest one without a request, or return False."""
        for limit, address in ((self.limits.per_address, connection.address), (self.limits.total, None)):
            crowd = [one for one in self.connections if address in (None, one.address)]
            if len(crowd) >= limit:
                silent = next((one for one in crowd if one.waiting), None)
                if silent is None:
                    return False
                self.connections.pop(silent)
                silent.transport.abort()
        self.connections[connection] = None
        return True


class GuardedProtocol(H11Protocol):
    """uvicorn's HTTP protocol with limits; see `guarded`."""

    registry: ClassVar[Registry]

    def connection_made(self, transport: Any) -> None:
        """Admit or refuse a connection."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self._since = self.loop.time()
        self._watch = self.loop.call_later(_CHECK_SECONDS, self._check)
        if not self.registry.admit(self):
            transport.write(_BUSY)
            transport.close()

    @property
    def waiting(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def handle_events(self) -> None:
        """Note when a request begins."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._since = self.loop.time()

    def on_response_complete(self) -> None:
        """Note when an answer ends."""
        self._since = self.loop.time()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self.registry.connections.pop(self, None)
        self._watch.cancel()
        super().connection_lost(exc)

    def _check(self) -> None:
        limits = self.registry.limits
        if self.loop.time() - self._since > (limits.header_seconds if self.waiting else limits.request_seconds):
            self.transport.abort()
        else:
            self._watch = self.loop.call_later(_CHECK_SECONDS, self._check)


def guarded(limits: ConnectionLimits) -> type[GuardedProtocol]:
    """Return the protocol class of one server."""
    return type("GuardedProtocol", (GuardedProtocol,), {"registry": Registry(limits)})
