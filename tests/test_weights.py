"""Fetching weights, against a server on loopback that misbehaves in every way a real one does."""

import hashlib
import http.server
import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest

from pipeline import weights
from pipeline.errors import UserError
from pipeline.weights import WEIGHTS, Weights, cache_folder, fetch

BODY = np.random.default_rng(0).bytes(300_000)
HASH = hashlib.sha256(BODY).hexdigest()


@dataclass
class Server:
    """What the stub sends, and what it was asked."""

    url: str = ""
    body: bytes = BODY
    cut_after: list[int | None] = field(default_factory=list)  # per request: close the connection after so many bytes
    status: int | None = None
    ranges: bool = True
    etag: str | None = '"one"'
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def server(tmp_path, monkeypatch) -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = self.headers.get("Range", "")
            state.asked.append(wanted)
            if state.status:
                self.send_error(state.status)
                return
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted else 0
            changed = self.headers.get("If-Range", state.etag) != state.etag
            if not state.ranges or changed:
                start = 0
            if start >= len(state.body):
                self.send_error(416)
                return
            part = state.body[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(part)))
            if state.etag:
                self.send_header("ETag", state.etag)
            self.end_headers()
            cut = state.cut_after.pop(0) if state.cut_after else None
            self.wfile.write(part[:cut])

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        state.url = f"http://127.0.0.1:{httpd.server_port}/w.bin"
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr(weights, "cache_folder", lambda: tmp_path / "cache")
        monkeypatch.delenv("ANIMEMORPH_OFFLINE", raising=False)
        monkeypatch.setattr(weights, "PAUSE", 0.0)
        register(monkeypatch, Weights("w.bin", state.url, "MIT", HASH))
        yield state
        httpd.shutdown()


def register(monkeypatch, entry: Weights) -> None:
    monkeypatch.setitem(WEIGHTS, "test", entry)


def unpinned(monkeypatch, server: Server) -> None:
    register(monkeypatch, Weights("w.bin", server.url, "MIT"))


def test_fetches_once_and_verifies_each_time(server):
    file = fetch("test")
    assert file.read_bytes() == BODY
    assert fetch("test") == file
    assert server.asked == [""]
    file.write_bytes(b"x" + BODY[1:])
    with pytest.raises(UserError, match="is not what it was: delete it"):
        fetch("test")


def test_resumes_within_one_call(server):
    server.cut_after = [131_072, 65_536]
    assert fetch("test").read_bytes() == BODY
    assert server.asked == ["", "bytes=131072-", "bytes=196608-"]


def test_resumes_in_the_next_call(server, tmp_path):
    server.cut_after = [65_536, 0, 0, 0, 0]
    with pytest.raises(UserError, match=r"65,536 bytes are kept.*run the same command again"):
        fetch("test")
    assert not (tmp_path / "cache" / "w.bin").exists()
    assert fetch("test").read_bytes() == BODY
    assert server.asked[-1] == "bytes=65536-"


def test_server_without_ranges_sends_all_again(server):
    server.ranges = False
    server.cut_after = [131_072]
    assert fetch("test").read_bytes() == BODY


def test_file_that_changes_between_attempts_is_not_mixed(server, monkeypatch):
    unpinned(monkeypatch, server)
    server.cut_after = [131_072, 0, 0, 0, 0]
    with pytest.raises(UserError, match="could not be fetched"):
        fetch("test")
    server.body, server.etag = BODY[::-1], '"two"'
    assert fetch("test").read_bytes() == BODY[::-1]


def test_damaged_remainder_of_an_earlier_attempt_is_thrown_away(server, tmp_path):
    server.cut_after = [131_072, 0, 0, 0, 0]
    with pytest.raises(UserError):
        fetch("test")
    partial = tmp_path / "cache" / "w.bin.partial"
    partial.write_bytes(b"x" * 131_072)
    assert fetch("test").read_bytes() == BODY


def test_remainder_that_is_already_whole(server, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "w.bin.partial").write_bytes(BODY)
    assert fetch("test").read_bytes() == BODY
    assert server.asked == [f"bytes={len(BODY)}-"]


@pytest.mark.parametrize("pin", [HASH, HASH[:10]])
def test_corrupted_body_is_refused(server, monkeypatch, tmp_path, pin):
    register(monkeypatch, Weights("w.bin", server.url, "MIT", pin))
    server.body = b"x" + BODY[1:]
    with pytest.raises(UserError, match=f"is refused: its SHA-256 is [0-9a-f]{{64}}, not {pin}"):
        fetch("test")
    assert not list((tmp_path / "cache").glob("w.bin*[!k]"))  # nothing but the lock
    server.body = BODY
    assert fetch("test").read_bytes() == BODY


def test_unpinned_hash_is_recorded_and_no_later_change_accepted(server, monkeypatch, tmp_path):
    unpinned(monkeypatch, server)
    file = fetch("test")
    assert json.loads((tmp_path / "cache" / "recorded.json").read_text()) == {"w.bin": HASH}
    file.unlink()
    server.body = BODY[::-1]
    with pytest.raises(UserError, match="is refused"):
        fetch("test")


def test_offline_takes_what_is_there_and_fetches_nothing(server, monkeypatch, tmp_path):
    with pytest.raises(UserError, match=r"w\.bin is not in .*forbidden: put it there"):
        fetch("test", offline=True)
    monkeypatch.setenv("ANIMEMORPH_OFFLINE", "1")
    with pytest.raises(UserError, match="forbidden"):
        fetch("test")
    (tmp_path / "cache" / "w.bin").write_bytes(BODY)
    assert fetch("test").read_bytes() == BODY
    assert server.asked == []


def test_local_copy(server, monkeypatch, tmp_path):
    file = tmp_path / "w.bin"
    with pytest.raises(UserError, match="is missing"):
        fetch("test", path=tmp_path)
    file.write_bytes(BODY)
    assert fetch("test", path=tmp_path) == fetch("test", path=file) == file
    file.write_bytes(BODY[::-1])
    with pytest.raises(UserError, match="is refused"):
        fetch("test", path=tmp_path)
    unpinned(monkeypatch, server)
    assert fetch("test", path=tmp_path) == file
    assert server.asked == []


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (403, 1), (503, 5)])
def test_refusals_of_the_server_end_as_one_sentence(server, status, tries):
    server.status = status
    with pytest.raises(UserError, match=f"could not be fetched \\({status} "):
        fetch("test")
    assert len(server.asked) == tries


def test_nobody_listens(server, monkeypatch):
    register(monkeypatch, Weights("w.bin", "http://127.0.0.1:9/w.bin", "MIT", HASH))
    with pytest.raises(UserError, match=r"could not be fetched \(ConnectionError; 0 bytes are kept\)"):
        fetch("test")


def test_several_callers_fetch_one_file_once(server):
    with ThreadPoolExecutor(3) as callers:
        files = list(callers.map(lambda _: fetch("test").read_bytes(), range(3)))
    assert files == [BODY] * 3
    assert server.asked == [""]


def test_registry():
    assert cache_folder().name == "weights"
    for entry in WEIGHTS.values():
        assert entry.url.startswith("https://") and entry.licence and re.fullmatch("[0-9a-f]*", entry.sha256)
    assert WEIGHTS["inception"].pinned and WEIGHTS["inception"].bytes == 95_628_359


def test_registry_names_what_the_packages_would_fetch():
    api = pytest.importorskip("face_alignment.api")
    from face_alignment.detection.retinaface import retinaface_detector
    from face_alignment.detection.sfd import sfd_detector
    from face_alignment.detection.yunet import yunet_detector

    assert WEIGHTS["2dfan4"].url == api.models_urls["2DFAN-4"]
    assert WEIGHTS["s3fd"].url == sfd_detector.models_urls["s3fd"]
    assert WEIGHTS["retinaface"].url == retinaface_detector.models_urls["retinaface_mobilenet0.25"]
    assert WEIGHTS["yunet"].url == yunet_detector.model_url
    from anime_face_detector.detector import HF_MODEL_REPOS

    for model, repository in HF_MODEL_REPOS.items():
        assert f"/{repository}/resolve/" in WEIGHTS[f"anime-face-{model}"].url
