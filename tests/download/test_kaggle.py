"""The source `kaggle` against a stub of Kaggle on loopback, through the real kagglehub client."""

import base64
import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import kagglesdk.kaggle_env
import pytest

from pipeline.download import kaggle
from pipeline.errors import Kind, UserError

HANDLE = "owner/name/versions/3"
MIB = 1024**2  # what kagglehub writes at once: less than that is lost when the connection breaks


@dataclass
class Stub:
    """What the stub serves, how it misbehaves, and what it was asked."""

    body: bytes
    status: int = 200  # of the first request
    drop_after: list[int] = field(default_factory=list)  # bytes sent before the connection breaks, transfer by transfer
    corrupt: int = 0  # number of transfers with a wrong byte
    busy: int = 0  # number of requests that are answered 503
    announce: bool = True  # the checksum
    asked: list[str] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    stub: Stub

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        request = self.path.rsplit("/", 1)[1]
        self.stub.asked.append(request)
        if self.stub.busy:
            self.stub.busy -= 1
            return self.answer(503, {"message": "busy"})
        if self.stub.status != 200:
            return self.answer(self.stub.status, {"code": self.stub.status, "message": "refused"})
        if request == "GetDataset":
            return self.answer(200, {"licenseName": "CC0-1.0", "title": "Faces"})
        self.send_response(302)
        self.send_header("Location", "/storage/archive.zip")
        self.end_headers()
        return None

    def answer(self, status: int, content: dict) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        stub = self.stub
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        stub.ranges.append(wanted)
        body = stub.body[start:]
        if stub.corrupt:
            stub.corrupt -= 1
            body = bytes([body[0] ^ 1]) + body[1:]
        self.send_response(206 if wanted else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body)))
        if stub.announce:
            digest = base64.b64encode(hashlib.md5(stub.body).digest()).decode()
            self.send_header("x-goog-hash", f"crc32c=AAAAAA==,md5={digest}")
        self.end_headers()
        if stub.drop_after:
            self.wfile.write(body[: stub.drop_after.pop(0)])
            self.close_connection = True
            return
        self.wfile.write(body)


@pytest.fixture
def archive(png) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for index in range(30):
            file.writestr(f"images/{index}_{2010 + index % 10}.png", png(index))
        file.writestr("padding.bin", bytes(3 * MIB))
    return stream.getvalue()


@pytest.fixture
def serve(monkeypatch, tmp_path) -> Iterator:
    servers = []

    def start(stub: Stub) -> Stub:
        handler = type("StubHandler", (Handler,), {"stub": stub})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # The client's test environment is a fixed port: another test run may hold it.
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setitem(kagglesdk.kaggle_env._env_to_endpoint, kagglesdk.kaggle_env.KaggleEnv.TEST, address)
        return stub

    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "home"))
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY"):
        monkeypatch.delenv(name, raising=False)
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_archive_arrives_as_one_file(serve, archive, folder, tmp_path):
    stub = serve(Stub(archive))
    fetched = kaggle.fetch(folder, HANDLE, "anime", pause=0)
    assert (folder / "faces.zip").read_bytes() == archive
    assert len(fetched.members) == 30
    assert fetched.members["year"].tolist() == [int(name[-8:-4]) for name in fetched.members["source"]]
    assert fetched.facts["dataset"] == "owner/name"
    assert fetched.facts["version"] == 3
    assert fetched.facts["licence"] == "CC0-1.0"
    assert fetched.facts["md5"] == hashlib.md5(archive).hexdigest()
    assert stub.asked == ["GetDataset", "DownloadDataset"]
    # Nothing is unpacked, nothing half-fetched is left.
    assert [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()] == ["3.archive"]


def test_second_call_transfers_nothing(serve, archive, folder, tmp_path):
    stub = serve(Stub(archive))
    kaggle.fetch(folder, HANDLE, "anime", pause=0)
    stub.drop_after = [0]
    kaggle.fetch(folder, HANDLE, "anime", pause=0)
    assert stub.ranges == [None, None]  # opened, found whole, left


@pytest.mark.parametrize("announce", [True, False])
def test_dropped_connection_resumes(serve, archive, folder, announce):
    stub = serve(Stub(archive, drop_after=[2 * MIB + 1000], announce=announce))
    kaggle.fetch(folder, HANDLE, "anime", pause=0)
    assert (folder / "faces.zip").read_bytes() == archive
    assert stub.ranges == [None, None, f"bytes={2 * MIB}-"]


def test_transfer_resumes_in_the_next_run(serve, archive, folder):
    stub = serve(Stub(archive, drop_after=[2 * MIB + 1000]))
    with pytest.raises(UserError) as error:
        kaggle.fetch(folder, HANDLE, "anime", attempts=1)
    assert (error.value.kind, error.value.subject) == (Kind.UNAVAILABLE, HANDLE)
    kaggle.fetch(folder, HANDLE, "anime", pause=0)
    assert (folder / "faces.zip").read_bytes() == archive
    assert stub.ranges[-1] == f"bytes={2 * MIB}-"


def test_corrupt_body_is_downloaded_again(serve, archive, folder):
    stub = serve(Stub(archive, corrupt=1))
    kaggle.fetch(folder, HANDLE, "anime", pause=0)
    assert (folder / "faces.zip").read_bytes() == archive
    assert stub.ranges == [None, None]


def test_body_that_stays_corrupt_is_refused(serve, archive, folder, tmp_path):
    serve(Stub(archive, corrupt=1000))
    with pytest.raises(UserError) as error:
        kaggle.fetch(folder, HANDLE, "anime", pause=0)
    assert (error.value.kind, error.value.subject) == (Kind.UNAVAILABLE, HANDLE)
    assert not any(folder.iterdir())
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_whole_but_wrong_file_in_the_cache_is_found_out(serve, archive, folder, tmp_path):
    stub = serve(Stub(archive))
    kaggle.fetch(folder, HANDLE, "anime", pause=0)
    cached = next(path for path in (tmp_path / "cache").rglob("*.archive"))
    cached.write_bytes(b"\0" * len(archive))
    kaggle.fetch(folder, HANDLE, "anime", pause=0)
    assert (folder / "faces.zip").read_bytes() == archive
    assert len(stub.ranges) == 3


def test_busy_server_is_asked_again(serve, archive, folder):
    stub = serve(Stub(archive, busy=2))
    kaggle.fetch(folder, HANDLE, "anime", pause=0)
    assert stub.asked == ["GetDataset"] * 3 + ["DownloadDataset"]


@pytest.mark.parametrize(
    ("status", "token", "kind", "text"),
    [
        (401, None, Kind.UNAVAILABLE, "no credentials"),
        (403, None, Kind.UNAVAILABLE, "no credentials"),
        (401, "token", Kind.UNAVAILABLE, "401"),
        (403, "token", Kind.UNAVAILABLE, "licence"),
        (404, "token", Kind.MISSING, "404"),
        (400, "token", Kind.UNAVAILABLE, "400"),
    ],
)
def test_refusals_of_kaggle(serve, archive, folder, monkeypatch, status, token, kind, text):
    stub = serve(Stub(archive, status=status))
    if token:
        monkeypatch.setenv("KAGGLE_API_TOKEN", token)
    with pytest.raises(UserError, match=text) as error:
        kaggle.fetch(folder, HANDLE, "anime")
    assert (error.value.kind, error.value.subject) == (kind, HANDLE)
    assert len(stub.asked) == 1  # a second attempt would not help
    assert not any(folder.iterdir())


def test_no_network(serve, folder, monkeypatch):
    unused = "http://127.0.0.1:9"
    monkeypatch.setitem(kagglesdk.kaggle_env._env_to_endpoint, kagglesdk.kaggle_env.KaggleEnv.TEST, unused)
    with pytest.raises(UserError) as error:
        kaggle.fetch(folder, HANDLE, "anime", pause=0)
    assert (error.value.kind, error.value.subject) == (Kind.UNAVAILABLE, HANDLE)


def test_full_disk_is_noticed_before_the_transfer(serve, archive, folder, monkeypatch):
    stub = serve(Stub(archive, drop_after=[0] * 100))
    usage = kaggle.shutil.disk_usage(folder)._replace(free=1000)
    monkeypatch.setattr(kaggle.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UserError) as error:
        kaggle.fetch(folder, HANDLE, "anime", pause=0)
    assert error.value.kind is Kind.NO_SPACE
    assert len(stub.ranges) == 1


@pytest.mark.parametrize("handle", [None, "", "name", "owner/name", "owner/name/versions/latest", "../x/versions/1"])
def test_version_must_be_pinned(folder, handle):
    with pytest.raises(UserError) as error:
        kaggle.fetch(folder, handle, "human")
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, "download.human.dataset")


def test_broken_credentials_file(serve, archive, folder, tmp_path):
    serve(Stub(archive))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "kaggle.json").write_text("{")
    with pytest.raises(UserError) as error:
        kaggle.fetch(folder, HANDLE, "human")
    assert (error.value.kind, error.value.subject) == (Kind.UNAVAILABLE, "the Kaggle token")


def test_celeba_of_kaggle_is_labelled(serve, folder, png):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for index in (1, 2, 3):
            file.writestr(f"img_align_celeba/img_align_celeba/{index:06d}.png", png(index))
        file.writestr("list_attr_celeba.csv", "image_id,Male,Smiling\n000001.png,-1,1\n000002.png,1,-1\n")
        file.writestr(
            "list_landmarks_align_celeba.csv",
            "image_id,lefteye_x,lefteye_y\n000001.png,69,109\n000002.png,70,110\n000009.png,1,1\n",
        )
        file.writestr("list_eval_partition.csv", "image_id,partition\n")
    serve(Stub(stream.getvalue()))
    fetched = kaggle.fetch(folder, HANDLE, "human")
    assert fetched.members["gender"].fillna("").tolist() == ["female", "male", ""]
    assert fetched.members["Smiling"].fillna(False).tolist() == [True, False, False]
    assert fetched.members["lefteye_x"].tolist()[:2] == [69, 70]
    assert fetched.facts["labels"]["list_landmarks_align_celeba"] == {
        "rows": 3,
        "rows_without_image": 1,
        "images_without_row": 1,
    }
