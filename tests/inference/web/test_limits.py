"""The page under visitors who want too much: each gets an answer, and the others are served."""

import contextlib
import http.client
import json
import socket
import threading
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from hostile_jpegs import decoy_size, many_scans
from PIL import Image

from pipeline.errors import Kind, UserError
from pipeline.inference import NoFaceError
from pipeline.inference.web.worker import TranslateJob, TranslationWorker

from .conftest import Server


def address(server: Server) -> tuple[str, int]:
    parts = urllib.parse.urlsplit(server.address)
    return str(parts.hostname), int(parts.port or 0)


def exchange(server: Server, data: bytes, seconds: float = 15) -> bytes:
    """Send raw bytes; return what comes back until the server closes or goes quiet."""
    answer = b""
    with socket.create_connection(address(server), timeout=seconds) as connection:
        connection.sendall(data)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while part := connection.recv(65536):
                answer += part
                if b"\r\n\r\n" in answer:
                    connection.settimeout(1)
    return answer


def test_silent_connections_do_not_lock_visitors_out(server: Server, portrait: Path) -> None:
    """300 sockets that send nothing, or half a header: a visitor from the same address is served at once."""
    silent = [socket.create_connection(address(server), timeout=10) for _ in range(300)]
    try:
        for connection in silent[::2]:
            with contextlib.suppress(OSError):
                connection.sendall(b"GET / HTTP/1.1\r\nHost: local")
        start = time.monotonic()
        assert server.post(portrait.read_bytes(), "size=64")[0] == 200
        assert time.monotonic() - start < 60
        assert len(psutil.Process(server.process.pid).net_connections()) < 100
    finally:
        for connection in silent:
            connection.close()


def test_silent_connection_is_closed(server: Server) -> None:
    with socket.create_connection(address(server), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        start = time.monotonic()
        with contextlib.suppress(ConnectionError):
            assert connection.recv(1) == b""
        assert time.monotonic() - start < 40


def test_trickled_headers_are_not_waited_for(server: Server) -> None:
    with socket.create_connection(address(server), timeout=10) as connection, contextlib.suppress(OSError):
        for _ in range(120):
            connection.sendall(b"x")
            time.sleep(0.25)
        pytest.fail("a header without end was read for 30 s")


def test_slow_uploads_give_their_place_to_others(server: Server, portrait: Path) -> None:
    head = b"POST /api/translate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
    slow = [socket.create_connection(address(server), timeout=10) for _ in range(20)]
    try:
        for connection in slow:
            connection.sendall(head + b"Content-Length: 1000000\r\n\r\nstart")
        time.sleep(4)
        assert server.post(portrait.read_bytes(), "size=64")[0] == 200
    finally:
        for connection in slow:
            connection.close()


def test_sixty_cancelled_uploads_leave_no_trace(server: Server, portrait: Path) -> None:
    head = b"POST /api/translate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
    for _ in range(60):
        with socket.create_connection(address(server), timeout=10) as connection:
            connection.sendall(head + b"Content-Length: 1000000\r\n\r\n" + bytes(1000))
    statuses = []
    while not statuses or (statuses[-1] == 503 and len(statuses) < 10):  # until the server has seen the last one go
        statuses.append(server.post(portrait.read_bytes(), "size=64")[0])
        time.sleep(0.5)
    assert statuses[-1] == 200


def own_photos(group: np.ndarray, folder: Path, count: int) -> list[bytes]:
    """Return photos of the four people, each in an exposure of its own."""
    photos = []
    for index in range(count):
        person = group[:, index % 4 * 256 : index % 4 * 256 + 256]
        exposure = np.array([1.0 - 0.005 * index, 1.0, 1.0 - 0.002 * index])
        Image.fromarray(np.rint(person * exposure).astype(np.uint8)).save(folder / "own.png")
        photos.append((folder / "own.png").read_bytes())
    return photos


def test_fifty_visitors_get_their_own_pictures_while_one_uploads_many_scans(
    server: Server, group: np.ndarray, tmp_path: Path
) -> None:
    """50 clients with 50 photos, and one that uploads a JPEG of 200 empty scans over and over."""
    photos = own_photos(group, tmp_path, 50)
    hostile = many_scans(6300, 6300, 200)
    finished = threading.Event()

    def ask(photo: bytes) -> tuple[int, dict]:
        for _ in range(60):
            status, answer = server.post(photo, "size=64")
            if status != 503:
                break
            time.sleep(1)
        return status, answer

    def attack() -> list[int]:
        statuses = []
        while not finished.is_set():
            statuses.append(server.post(hostile)[0])
        return statuses

    expected = [ask(photo) for photo in photos]
    assert [status for status, _ in expected] == [200] * 50
    assert len({json.dumps(answer) for _, answer in expected}) == 50
    with ThreadPoolExecutor(51) as pool:
        attacker = pool.submit(attack)
        try:
            answers = list(pool.map(ask, photos))
        finally:
            finished.set()
    assert answers == expected
    refused = attacker.result()
    assert 400 in refused
    assert set(refused) <= {400, 503}


def test_pixel_limit_counts_the_pixels_of_the_decoder(server: Server) -> None:
    """64 million pixels that spell 16 x 16: more than the 40 million that the page takes."""
    status, answer = server.post(decoy_size(8000))
    assert status == 400
    assert "40 million" in answer["error"]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /api/translate HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /api/translate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\nGET /smuggled HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
    ],
)
def test_ambiguous_requests_are_refused(server: Server, request_bytes: bytes) -> None:
    answer = exchange(server, request_bytes)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 415", b"HTTP/1.1 431"))
    assert b"HTTP/1.1 404" not in answer  # the answer to /smuggled


@pytest.mark.parametrize(
    "path",
    [
        "/../app.py",
        "/..%2fapp.py",
        "/%2e%2e/app.py",
        "/examples/../../app.py",
        "//etc/passwd",
        "/..\\app.py",
        "/examples/%00",
    ],
)
def test_no_path_leads_out_of_the_folder(server: Server, path: str) -> None:
    answer = exchange(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400", b"HTTP/1.1 405"))
    assert b"import" not in answer
    assert b"root:" not in answer


def test_other_sites_cannot_use_the_page(server: Server, portrait: Path) -> None:
    """A page elsewhere may neither rebind its name, nor post a form, nor get the permission for another type."""
    host, port = address(server)
    for headers, allowed in (
        ({"Host": "evil.example", "Content-Type": "application/octet-stream"}, False),
        ({"Host": f"evil.example:{port}", "Content-Type": "application/octet-stream"}, False),
        ({"Content-Type": "text/plain", "Origin": "https://evil.example"}, False),
        ({"Content-Type": "multipart/form-data; boundary=x", "Origin": "https://evil.example"}, False),
        ({"Content-Type": "application/octet-stream"}, True),
    ):
        connection = http.client.HTTPConnection(host, port, timeout=100)
        connection.request("POST", "/api/translate?size=64", portrait.read_bytes(), headers)
        assert (connection.getresponse().status == 200) == allowed
    connection = http.client.HTTPConnection(host, port, timeout=100)
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    connection.request("OPTIONS", "/api/translate", headers=preflight)
    answer = connection.getresponse()
    assert answer.status in (400, 405)
    assert not [name for name, _ in answer.getheaders() if name.lower().startswith("access-control")]


@pytest.fixture(scope="module")
def worker(tiny_bundle: Path) -> Iterator[TranslationWorker]:
    running = TranslationWorker(tiny_bundle)
    yield running
    running.stop()


def job(data: bytes, anyway: bool = False) -> TranslateJob:
    return TranslateJob(data, size=64, seed=0, anyway=anyway, max_pixels=40_000_000, max_faces=8)


def test_job_without_end_is_killed_and_the_next_one_is_done(worker: TranslationWorker, portrait: Path) -> None:
    first = worker.run(job(portrait.read_bytes()), 100)
    process = worker._process
    with pytest.raises(TimeoutError):
        worker.run(job(portrait.read_bytes()), 0.0)
    assert process is not None
    assert not process.is_alive()
    assert worker.run(job(portrait.read_bytes()), 100) == first


def test_worker_that_dies_is_replaced(worker: TranslationWorker, portrait: Path) -> None:
    worker.start()
    assert worker._process is not None
    psutil.Process(worker._process.pid).kill()
    with contextlib.suppress(UserError):
        worker.run(job(portrait.read_bytes()), 100)
    assert len(worker.run(job(portrait.read_bytes()), 100)) == 1


def test_errors_of_the_worker_keep_their_kind(worker: TranslationWorker, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), "teal").save(tmp_path / "teal.png")
    with pytest.raises(NoFaceError):
        worker.run(job((tmp_path / "teal.png").read_bytes()), 100)
    with pytest.raises(UserError):
        worker.run(job(b"no picture"), 100)
    with pytest.raises(UserError) as caught:
        TranslationWorker(tmp_path / "missing.zip")
    assert (caught.value.kind, caught.value.subject) == (Kind.MISSING, str(tmp_path / "missing.zip"))
