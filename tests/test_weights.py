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
from pipeline.errors import Kind, UserError
from pipeline.weights import WEIGHTS, Weights, cache_folder, get_weights

BODY = np.random.default_rng(0).bytes(300_000)
HASH = hashlib.sha256(BODY).hexdigest()


@dataclass
class Server:
    """What the stub sends, and what it was asked."""

    url: str = ""
    body: bytes = BODY
    cut_after: list[int | None] = field(default_factory=list)  # per request: bytes before the connection closes
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
        register(monkeypatch, Weights("w.bin", state.url, "MIT", HASH))
        yield state
        httpd.shutdown()


def register(monkeypatch, entry: Weights) -> None:
    monkeypatch.setitem(WEIGHTS, "test", entry)


def unpinned(monkeypatch, server: Server) -> None:
    register(monkeypatch, Weights("w.bin", server.url, "MIT"))


def test_fetches_once_and_verifies_each_time(server):
    file = get_weights("test", pause=0)
    assert file.read_bytes() == BODY
    assert get_weights("test", pause=0) == file
    assert server.asked == [""]
    file.write_bytes(b"x" + BODY[1:])
    with pytest.raises(UserError) as error:
        get_weights("test", pause=0)
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(file))


def test_resumes_within_one_call(server):
    server.cut_after = [131_072, 65_536]
    assert get_weights("test", pause=0).read_bytes() == BODY
    assert server.asked == ["", "bytes=131072-", "bytes=196608-"]


def test_resumes_in_the_next_call(server, tmp_path):
    server.cut_after = [65_536, 0, 0, 0, 0]
    with pytest.raises(UserError, match="65,536 bytes") as error:
        get_weights("test", pause=0)
    assert (error.value.kind, error.value.subject) == (Kind.UNAVAILABLE, server.url)
    assert not (tmp_path / "cache" / "w.bin").exists()
    assert get_weights("test", pause=0).read_bytes() == BODY
    assert server.asked[-1] == "bytes=65536-"


def test_server_without_ranges_sends_all_again(server):
    server.ranges = False
    server.cut_after = [131_072]
    assert get_weights("test", pause=0).read_bytes() == BODY


def test_file_that_changes_between_attempts_is_not_mixed(server, monkeypatch):
    unpinned(monkeypatch, server)
    server.cut_after = [131_072, 0, 0, 0, 0]
    with pytest.raises(UserError):
        get_weights("test", pause=0)
    server.body, server.etag = BODY[::-1], '"two"'
    assert get_weights("test", pause=0).read_bytes() == BODY[::-1]


def test_damaged_remainder_of_an_earlier_attempt_is_thrown_away(server, tmp_path):
    server.cut_after = [131_072, 0, 0, 0, 0]
    with pytest.raises(UserError):
        get_weights("test", pause=0)
    partial = tmp_path / "cache" / "w.bin.partial"
    partial.write_bytes(b"x" * 131_072)
    assert get_weights("test", pause=0).read_bytes() == BODY


def test_remainder_that_is_already_whole(server, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "w.bin.partial").write_bytes(BODY)
    assert get_weights("test", pause=0).read_bytes() == BODY
    assert server.asked == [f"bytes={len(BODY)}-"]


def test_corrupted_body_is_refused(server, tmp_path):
    server.body = b"x" + BODY[1:]
    with pytest.raises(UserError, match=HASH) as error:
        get_weights("test", pause=0)
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, server.url)
    assert not list((tmp_path / "cache").glob("w.bin*[!k]"))  # nothing but the lock
    server.body = BODY
    assert get_weights("test", pause=0).read_bytes() == BODY


def test_unpinned_hash_is_recorded_and_no_later_change_accepted(server, monkeypatch, tmp_path):
    unpinned(monkeypatch, server)
    file = get_weights("test", pause=0)
    assert json.loads((tmp_path / "cache" / "recorded.json").read_text()) == {"w.bin": HASH}
    file.unlink()
    server.body = BODY[::-1]
    with pytest.raises(UserError) as error:
        get_weights("test", pause=0)
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, server.url)


def test_offline_mode_uses_the_cache_only(server, monkeypatch, tmp_path):
    monkeypatch.setenv("ANIMEMORPH_OFFLINE", "1")
    with pytest.raises(UserError, match="ANIMEMORPH_OFFLINE") as error:
        get_weights("test", pause=0)
    assert (error.value.kind, error.value.subject) == (Kind.MISSING, str(tmp_path / "cache" / "w.bin"))
    (tmp_path / "cache" / "w.bin").write_bytes(BODY)
    assert get_weights("test", pause=0).read_bytes() == BODY
    assert server.asked == []


def test_local_copy(server, monkeypatch, tmp_path):
    file = tmp_path / "w.bin"
    with pytest.raises(UserError) as error:
        get_weights("test", path=tmp_path)
    assert (error.value.kind, error.value.subject) == (Kind.MISSING, str(file))
    file.write_bytes(BODY)
    assert get_weights("test", path=tmp_path) == get_weights("test", path=file) == file
    file.write_bytes(BODY[::-1])
    assert get_weights("test", path=tmp_path) == file  # weights of the user
    register(monkeypatch, Weights("w.bin", server.url, "MIT", HASH, canonical=True))
    with pytest.raises(UserError) as error:
        get_weights("test", path=tmp_path)
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(file))
    assert server.asked == []


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (403, 1), (503, 5)])
def test_refusals_of_the_server(server, status, tries):
    server.status = status
    with pytest.raises(UserError, match=str(status)) as error:
        get_weights("test", pause=0)
    assert (error.value.kind, error.value.subject) == (Kind.UNAVAILABLE, server.url)
    assert len(server.asked) == tries


def test_no_connection(server, monkeypatch):
    register(monkeypatch, Weights("w.bin", "http://127.0.0.1:9/w.bin", "MIT", HASH))
    with pytest.raises(UserError, match="ConnectionError, 0 bytes") as error:
        get_weights("test", pause=0)
    assert error.value.kind is Kind.UNAVAILABLE


def test_cache_that_is_a_file(server, tmp_path):
    (tmp_path / "cache").write_text("")
    with pytest.raises(UserError) as error:
        get_weights("test", pause=0)
    assert (error.value.kind, error.value.subject) == (Kind.UNAVAILABLE, f"the cache {tmp_path / 'cache'}")


def test_several_callers_fetch_one_file_once(server):
    with ThreadPoolExecutor(3) as callers:
        files = list(callers.map(lambda _: get_weights("test", pause=0).read_bytes(), range(3)))
    assert files == [BODY] * 3
    assert server.asked == [""]


def test_registry():
    assert cache_folder().name == "weights"
    for entry in WEIGHTS.values():
        assert entry.url.startswith("https://") and entry.licence
        assert re.fullmatch("([0-9a-f]{64})?", entry.sha256)
    unpinned = {name for name, entry in WEIGHTS.items() if not entry.sha256}
    assert unpinned == {"anime-face-faster-rcnn", "retinaface"}  # their hashes are published nowhere
    assert {name for name, entry in WEIGHTS.items() if entry.canonical} == {"inception"}
    for name in ("2dfan4", "s3fd"):  # as torch.hub names files
        assert WEIGHTS[name].sha256.startswith(re.search("-([0-9a-f]{10})", WEIGHTS[name].file)[1])


def test_registry_names_what_the_packages_would_fetch():
    api = pytest.importorskip("face_alignment.api")
    from face_alignment.detection.retinaface import retinaface_detector
    from face_alignment.detection.sfd import sfd_detector
    from face_alignment.detection.yunet import yunet_detector

    assert WEIGHTS["2dfan4"].url == api.models_urls["2DFAN-4"]
    assert WEIGHTS["s3fd"].url == sfd_detector.models_urls["s3fd"]
    assert WEIGHTS["retinaface"].url == retinaface_detector.models_urls["retinaface_mobilenet0.25"]
    assert WEIGHTS["yunet"].url.rpartition("/")[2] == yunet_detector.model_url.rpartition("/")[2]
    from anime_face_detector.detector import HF_MODEL_REPOS

    for model, repository in HF_MODEL_REPOS.items():
        assert f"/{repository}/resolve/" in WEIGHTS[f"anime-face-{model}"].url
