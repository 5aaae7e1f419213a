"""Registry and download of the weights that no package contains, for detectors and evaluation.

The SHA-256 of a file is checked before each use. Most hashes are pinned in `WEIGHTS`. For two files no hash is
published: the hash of their first download is recorded next to the file, and a different file is refused later.
"""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import requests
from filelock import FileLock

from .errors import UserError, damaged_file, missing_file, unavailable
from .files import atomic_file, make_folder, sha256, write_json
from .progress import progress_bar

#: Attempts of a broken download.
ATTEMPTS = 5
#: Seconds to connect, and between two packets.
TIMEOUT = 30.0
#: Bytes that a broken connection loses at most.
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Weights:
    """A file of weights.

    Attributes:
        file: Its name in the cache, and in a folder of the user.
        url: Its URL, pinned to a revision if the host has revisions.
        licence: Its licence.
        sha256: Its hash; empty where none is published.
        canonical: Whether a file of the user must have the same hash: a metric is defined by these weights.
    """

    file: str
    url: str
    licence: str
    sha256: str = ""
    canonical: bool = False


def _hysts(model: str, revision: str, sha256: str = "") -> Weights:
    url = f"https://huggingface.co/hysts/anime-face-detector-{model}/resolve/{revision}/model.safetensors"
    return Weights(f"anime-face-detector-{model}.safetensors", url, "MIT", sha256)


_BULAT = "https://www.adrianbulat.com/downloads/python-fan/"
_BLAZE = "https://github.com/hollance/BlazeFace-PyTorch/raw/852bfd8e3d44ed6775761105bdcead4ef389a538/"
_ZOO = "https://github.com/opencv/opencv_zoo/raw/82b38c8f98e7b52aa171400f3e4c722352d0669f/models/"
WEIGHTS = {
    "anime-face-yolov3": _hysts(
        "yolov3",
        "afdd4226a79ae8bb81f334dbcffd34f8cc000c38",
        "23bbc708146bcbc1c910f00fe152adbc70d7658d875a0121eaf4ee61d978b2c4",
    ),
    "anime-face-faster-rcnn": _hysts("faster-rcnn", "main"),
    "anime-face-hrnetv2": _hysts(
        "hrnetv2",
        "9b3435248b26aeb82e2a8578fe9d86d5d57158af",
        "e71271376406a743c01528a0460637fcc06e72aeeea583f85007cc72dc8b7a4a",
    ),
    "2dfan4": Weights(
        "2DFAN4-11f355bf06.pth.tar",
        _BULAT + "2DFAN4-11f355bf06.pth.tar",
        "BSD-3-Clause",
        "11f355bf0693120222f5955ce3f9dc8fb5763ebb30a47d7906e509490d32e4aa",
    ),
    "s3fd": Weights(
        "s3fd-619a316812.pth",
        _BULAT + "s3fd-619a316812.pth",
        "BSD-3-Clause",
        "619a31681264d3f7f7fc7a16a42cbbe8b23f31a256f75a366e5a1bcd59b33543",
    ),
    "retinaface": Weights("retinaface_mobilenet0.25.pth", _BULAT + "retinaface_mobilenet0.25.pth", "MIT"),
    "yunet": Weights(
        "face_detection_yunet_2023mar.onnx",
        _ZOO + "face_detection_yunet/face_detection_yunet_2023mar.onnx",
        "MIT",
        "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    ),
    # det_2.5g of InsightFace's pack buffalo_m.
    "scrfd": Weights(
        "scrfd_2.5g_bnkps.onnx",
        "https://huggingface.co/immich-app/buffalo_m/resolve/main/detection/model.onnx",
        "non-commercial research (InsightFace)",
        "041f73f47371333d1d17a6fee6c8ab4e6aecabefe398ff32cca4e2d5eaee0af9",
    ),
    "blazeface": Weights(
        "blazeface.pth",
        _BLAZE + "blazeface.pth",
        "Apache-2.0",
        "54ecff653feaaaf1f7d44b6aff28fd2fc50e483a4e847563b6dd261369c43ba4",
    ),
    "blazeface-anchors": Weights(
        "anchors.npy",
        _BLAZE + "anchors.npy",
        "Apache-2.0",
        "a10bb2fb93ab54ca426d6c750bfc3aad685028a16dcf231357d03694f261fd95",
    ),
    "inception": Weights(
        "weights-inception-2015-12-05-6726825d.pth",
        "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
        "Apache-2.0",
        "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        canonical=True,
    ),
}


def cache_folder() -> Path:
    """Return the folder of downloaded weights, in the cache of the user."""
    return Path(platformdirs.user_cache_dir("animemorph", appauthor=False)) / "weights"


def get_weights(name: str, path: Path | str | None = None, *, pause: float = 1.0) -> Path:
    """Return the verified file of weights; download it if necessary.

    Args:
        name: Key of `WEIGHTS`.
        path: The file itself or a folder that has it, used instead of the cache. It may be other weights, such as your
            own, unless the registry calls them canonical.
        pause: Seconds before the second attempt of a broken download; doubled for each further one.

    Raises:
        UserError: The file is missing and cannot be downloaded (ANIMEMORPH_OFFLINE=1 forbids it), or has another hash.
    """
    weights = WEIGHTS[name]
    if path is not None:
        return _local_file(weights, Path(path))
    folder = make_folder(cache_folder(), f"the cache {cache_folder()}", "Set XDG_CACHE_HOME to a folder")
    with FileLock(folder / f"{weights.file}.lock"):
        file = folder / weights.file
        expected = weights.sha256 or _recorded(folder).get(weights.file, "")
        found = sha256(file) if file.is_file() else ""
        if not found:
            if os.environ.get("ANIMEMORPH_OFFLINE", "") not in ("", "0"):
                fix = f"Download it from {weights.url} into that folder, or unset ANIMEMORPH_OFFLINE"
                raise missing_file(file, fix)
            found = _download_verified(weights, folder / f"{weights.file}.partial", expected, pause)
            (folder / f"{weights.file}.partial").replace(file)
        if expected and found != expected:
            raise _mismatch(file, expected, found, "Delete the file to download it again")
        _record(folder, weights.file, found)
        return file


def _mismatch(file: Path | str, expected: str, found: str, fix: str) -> UserError:
    return damaged_file(file, f"its SHA-256 is {found}, expected {expected}", fix)


def _download_verified(weights: Weights, partial: Path, expected: str, pause: float) -> str:
    """Download to `partial` and return its SHA-256; UserError when it is not `expected`."""
    resumed = partial.is_file()
    found = _download(weights, partial, pause)
    if resumed and expected and found != expected:
        # The remainder of an earlier attempt may be the damaged part.
        partial.unlink()
        found = _download(weights, partial, pause)
    if expected and found != expected:
        partial.unlink()
        fix = "The download was damaged or the file was replaced: try again later, or use a local copy"
        raise _mismatch(weights.url, expected, found, fix)
    return found


def _local_file(weights: Weights, path: Path) -> Path:
    file = path / weights.file if path.is_dir() else path
    if not file.is_file():
        raise missing_file(file, f"Download it from {weights.url}")
    if weights.canonical and (found := sha256(file)) != weights.sha256:
        raise _mismatch(file, weights.sha256, found, f"Download it again from {weights.url}")
    return file


def _download(weights: Weights, partial: Path, pause: float) -> str:
    """Download to `partial`, resuming at its end, and return the SHA-256; retry when the connection breaks."""
    problem = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(pause * 2 ** (attempt - 1))
        try:
            return _transfer(weights, partial)
        except requests.HTTPError as error:
            problem = f"{error.response.status_code} {error.response.reason}"
            if error.response.status_code < 500:
                break
        except requests.RequestException as error:
            problem = type(error).__name__
    kept = partial.stat().st_size if partial.is_file() else 0
    fix = f"Run the same command again to resume, or put the file into {partial.parent} as {weights.file}"
    raise unavailable(weights.url, f"{problem}, {kept:,} bytes are kept", fix)


def _transfer(weights: Weights, partial: Path) -> str:
    etag = partial.with_name(partial.name + ".etag")
    start = partial.stat().st_size if partial.is_file() else 0
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if etag.is_file():
            # If the file changed on the server, all of it is sent.
            headers["If-Range"] = etag.read_text(encoding="utf-8")
    with requests.get(weights.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            # Nothing is left to send; the hash shows whether the file is complete.
            return _finish(partial, etag)
        response.raise_for_status()
        if response.status_code != requests.codes.partial_content:
            start = 0
        _keep_tag(etag, response.headers.get("ETag", ""))
        length = response.headers.get("Content-Length")
        total = start + int(length) if length else None
        with (
            partial.open("ab" if start else "wb") as stream,
            progress_bar(desc=weights.file, total=total, initial=start, unit="B", unit_scale=True) as bar,
        ):
            for block in response.iter_content(_BLOCK):
                stream.write(block)
                bar.update(len(block))
    return _finish(partial, etag)


def _keep_tag(path: Path, tag: str) -> None:
    # A weak tag does not identify bytes and may not be used to resume.
    if tag and not tag.startswith("W/"):
        with atomic_file(path) as temporary:
            temporary.write_text(tag, encoding="utf-8")
    else:
        path.unlink(missing_ok=True)


def _finish(partial: Path, etag: Path) -> str:
    etag.unlink(missing_ok=True)
    return sha256(partial)


def _recorded(folder: Path) -> dict[str, str]:
    path = folder / "recorded.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
    except ValueError as error:
        raise damaged_file(path, f"not JSON ({error})", f"Delete the folder {folder} to download again") from error


def _record(folder: Path, file: str, found: str) -> None:
    with FileLock(folder / "recorded.json.lock"):
        recorded = _recorded(folder)
        if recorded.get(file) != found:
            write_json({**recorded, file: found}, folder / "recorded.json")
