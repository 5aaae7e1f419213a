"""Weights that do not ship inside a package: one registry, one way to fetch them, for detectors and evaluation.

Nothing is used before its SHA-256 was compared. Where the hash is known it stands in `WEIGHTS`; of some files only the
first digits are published (in their name, as torch.hub has it); for the rest the hash of the first download is recorded
beside the files, and whatever differs from it later is refused.
"""

import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import requests
from filelock import FileLock
from tqdm import tqdm

from .errors import UserError
from .files import atomic_file, sha256, write_json

ATTEMPTS = 5
#: s, to connect and between two packets.
TIMEOUT = 30.0
#: s, before the second attempt; doubled for each further one.
PAUSE = 1.0
#: bytes; what a broken connection loses at most.
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Weights:
    """A file of weights. `sha256` is the whole hash, its known first digits, or empty; `bytes` is None if unknown."""

    file: str
    url: str
    licence: str
    sha256: str = ""
    bytes: int | None = None

    @property
    def pinned(self) -> bool:
        """Whether the whole hash is known."""
        return len(self.sha256) == 64


def _hysts(model: str) -> Weights:
    # Hub repositories hysts/anime-face-detector-*, revision main.
    url = f"https://huggingface.co/hysts/anime-face-detector-{model}/resolve/main/model.safetensors"
    return Weights(f"anime-face-detector-{model}.safetensors", url, "MIT")


_BULAT = "https://www.adrianbulat.com/downloads/python-fan/"
_BLAZE = "https://github.com/hollance/BlazeFace-PyTorch/blob/master/"
WEIGHTS = {
    "anime-face-yolov3": _hysts("yolov3"),
    "anime-face-faster-rcnn": _hysts("faster-rcnn"),
    "anime-face-hrnetv2": _hysts("hrnetv2"),
    "2dfan4": Weights("2DFAN4-11f355bf06.pth.tar", _BULAT + "2DFAN4-11f355bf06.pth.tar", "BSD-3-Clause", "11f355bf06"),
    "s3fd": Weights("s3fd-619a316812.pth", _BULAT + "s3fd-619a316812.pth", "BSD-3-Clause", "619a316812"),
    "retinaface": Weights("retinaface_mobilenet0.25.pth", _BULAT + "retinaface_mobilenet0.25.pth", "MIT"),
    "yunet": Weights(
        "face_detection_yunet_2023mar.onnx",
        "https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/face_detection_yunet_2023mar.onnx",
        "MIT",
    ),
    "scrfd": Weights(
        "scrfd_2.5g_bnkps.onnx",
        "https://github.com/yakhyo/facial-analysis/releases/download/v0.0.1/det_2.5g.onnx",
        "non-commercial research (InsightFace)",
    ),
    "blazeface": Weights("blazeface.pth", _BLAZE + "blazeface.pth?raw=true", "Apache-2.0"),
    "blazeface-anchors": Weights("anchors.npy", _BLAZE + "anchors.npy?raw=true", "Apache-2.0"),
    "inception": Weights(
        "weights-inception-2015-12-05-6726825d.pth",
        "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
        "Apache-2.0",
        "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        95_628_359,
    ),
}


def cache_folder() -> Path:
    """Where fetched weights are kept: the user's cache folder."""
    return Path(platformdirs.user_cache_dir("animemorph", appauthor=False)) / "weights"


def fetch(name: str, path: Path | str | None = None, offline: bool = False) -> Path:
    """Return the verified file of the weights `name`, fetching it if need be.

    `path` is the file itself or a folder that holds it, used instead of the cache; weights whose whole hash is pinned
    must match it there too, others are the user's own choice and used as they are. `offline` (or the environment
    variable ANIMEMORPH_OFFLINE=1) forbids the network. UserError when the file cannot be had or is not the right one.
    """
    weights = WEIGHTS[name]
    if path is not None:
        return _own(weights, Path(path))
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{weights.file}.lock"):
        file = folder / weights.file
        expected = _recorded(folder).get(weights.file, weights.sha256)
        found = sha256(file) if file.is_file() else ""
        if not found:
            if offline or os.environ.get("ANIMEMORPH_OFFLINE", "") not in ("", "0"):
                raise UserError(f"{weights.file} is not in {folder} and fetching it is forbidden: put it there.")
            found = _fetch(weights, folder / f"{weights.file}.partial", expected)
            (folder / f"{weights.file}.partial").replace(file)
        if not found.startswith(expected):
            raise UserError(f"{file} is not what it was: delete it and run the same command again.")
        _record(folder, weights.file, found)
        return file


def _fetch(weights: Weights, partial: Path, expected: str) -> str:
    """Fetch into `partial` and return its SHA-256, which starts with `expected`; UserError otherwise."""
    resumed = partial.is_file()
    found = _download(weights, partial)
    if resumed and not found.startswith(expected):
        # What was kept of an earlier attempt may be the damaged part.
        partial.unlink()
        found = _download(weights, partial)
    if not found.startswith(expected):
        partial.unlink()
        raise UserError(
            f"{weights.url} is refused: its SHA-256 is {found}, not {expected}{'' if len(expected) == 64 else '…'}; "
            "the file was damaged on its way or replaced, so try again later or give a local copy."
        )
    return found


def _own(weights: Weights, path: Path) -> Path:
    file = path / weights.file if path.is_dir() else path
    if not file.is_file():
        raise UserError(f"{file} is missing: put {weights.file} there (from {weights.url}).")
    if weights.pinned and sha256(file) != weights.sha256:
        raise UserError(f"{file} is refused: its SHA-256 is not {weights.sha256}; fetch it anew from {weights.url}.")
    return file


def _download(weights: Weights, partial: Path) -> str:
    """Fetch into `partial`, going on where it ends; return the SHA-256. Tries again when the connection breaks."""
    problem = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE * 2 ** (attempt - 1))
        try:
            return _transfer(weights, partial)
        except requests.HTTPError as error:
            problem = f"{error.response.status_code} {error.response.reason}"
            if error.response.status_code < 500:
                break
        except requests.RequestException as error:
            problem = type(error).__name__
    there = partial.stat().st_size if partial.is_file() else 0
    raise UserError(
        f"{weights.url} could not be fetched ({problem}; {there:,} bytes are kept): run the same command again to go "
        f"on, or put the file into {partial.parent} as {weights.file}."
    )


def _transfer(weights: Weights, partial: Path) -> str:
    etag = partial.with_name(partial.name + ".etag")
    start = partial.stat().st_size if partial.is_file() else 0
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if etag.is_file():
            # Should the file have changed on the server, all of it is sent.
            headers["If-Range"] = etag.read_text(encoding="utf-8")
    with requests.get(weights.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            # Nothing is left to send: whether the file is whole, its hash tells.
            return _finish(partial, etag)
        response.raise_for_status()
        if response.status_code != requests.codes.partial_content:
            start = 0
        _keep_tag(etag, response.headers.get("ETag", ""))
        length = response.headers.get("Content-Length")
        total = start + int(length) if length else weights.bytes
        with (
            partial.open("ab" if start else "wb") as stream,
            tqdm(desc=weights.file, total=total, initial=start, unit="B", unit_scale=True) as bar,
        ):
            for block in response.iter_content(_BLOCK):
                stream.write(block)
                bar.update(len(block))
    return _finish(partial, etag)


def _keep_tag(path: Path, tag: str) -> None:
    # A weak tag says nothing about single bytes and may not be used to go on.
    if tag and not tag.startswith("W/"):
        with atomic_file(path) as temporary:
            temporary.write_text(tag, encoding="utf-8")
    else:
        path.unlink(missing_ok=True)


def _finish(partial: Path, etag: Path) -> str:
    etag.unlink(missing_ok=True)
    with partial.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _recorded(folder: Path) -> dict[str, str]:
    path = folder / "recorded.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
    except ValueError as error:
        raise UserError(f"{path} is not valid JSON ({error}): delete the folder {folder} and fetch again.") from error


def _record(folder: Path, file: str, found: str) -> None:
    with FileLock(folder / "recorded.json.lock"):
        recorded = _recorded(folder)
        if recorded.get(file) != found:
            write_json({**recorded, file: found}, folder / "recorded.json")
