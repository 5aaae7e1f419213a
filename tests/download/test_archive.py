import hashlib
import os
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from pipeline.download import archive
from pipeline.errors import UserError
from pipeline.image_archive import index, read_member


@pytest.fixture
def out(tmp_path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def photos(tmp_path, png) -> Path:
    folder = tmp_path / "photos"
    for number, name in enumerate(("Male Faces/a.png", "Female Faces/b.PNG", "Female Faces/ü 漢.png")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png(number))
    (folder / "readme.txt").write_text("no image")
    return folder


def pack(photos: Path, path: Path) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
            for file in sorted(photos.rglob("*.*")):
                target.write(file, file.relative_to(photos))
    else:
        with tarfile.open(path, "w:" + path.suffix.removeprefix(".tar").removeprefix(".")) as target:
            target.add(photos, ".")
    return path


def stored(out: Path) -> dict[str, bytes]:
    container = next(out.glob("faces.*"))
    with container.open("rb") as stream:
        return {member.name: read_member(stream, member) for member in index(container).members}


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ""])
def test_zip_tar_and_folder_hold_the_same(tmp_path, photos, out, png, suffix):
    path = pack(photos, tmp_path / f"photos{suffix}") if suffix else photos
    if suffix.startswith(".tar."):
        packed = tmp_path / f"x{suffix.replace('.tar', '')}"
        with tarfile.open(packed, "w:" + suffix.removeprefix(".tar.")) as target:
            target.add(photos, ".")
        path = packed
    fetched = archive.fetch(out, path, None, "human")
    assert stored(out) == {
        "Female Faces/b.PNG": png(1),
        "Female Faces/ü 漢.png": png(2),
        "Male Faces/a.png": png(0),
    }
    assert fetched.members["source"].tolist() == sorted(stored(out))
    assert fetched.members["gender"].tolist() == ["female", "female", "male"]
    assert fetched.ignored == {"not an image by its name": 1}
    assert len(list(out.iterdir())) == 1


def test_folder_gives_the_same_bytes_whenever_it_was_written(photos, out, tmp_path):
    archive.fetch(out, photos, None, "human")
    first = (out / "faces.zip").read_bytes()
    for file in photos.rglob("*.*"):
        os.utime(file, (1e9, 1e9))
    archive.fetch(out, photos, None, "human")
    assert (out / "faces.zip").read_bytes() == first


def test_links_are_followed_to_files_only(photos, out, tmp_path, png):
    (tmp_path / "elsewhere.png").write_bytes(png(9))
    (photos / "link.png").symlink_to(tmp_path / "elsewhere.png")
    (photos / "broken.png").symlink_to(tmp_path / "none.png")
    (photos / "circle").symlink_to(photos, target_is_directory=True)
    (photos / ".hidden.png").write_bytes(png(8))
    (photos / "pipe.png").symlink_to("/dev/zero")
    fetched = archive.fetch(out, photos, None, "human")
    assert stored(out)["link.png"] == png(9)
    assert len(fetched.members) == 4
    assert fetched.ignored == {"link or special file": 2, "hidden file": 1, "not an image by its name": 1}


def test_csv_gives_labels(photos, out, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("\ufefffile,age\na.png,31\nnone.png,7\n", encoding="utf-8")
    fetched = archive.fetch(out, photos, labels, "human")
    assert fetched.members["age"].fillna(0).tolist() == [0, 0, 31]
    assert fetched.facts["labels"] == {
        "name": "labels.csv",
        "sha256": hashlib.sha256(labels.read_bytes()).hexdigest(),
        "rows": 2,
        "rows_without_image": 1,
        "images_without_row": 2,
    }


def test_what_is_not_there_is_one_sentence(photos, out, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.zip").write_text("no archive")
    with zipfile.ZipFile(tmp_path / "nothing.zip", "w") as file:
        file.writestr("readme.txt", "no image")
    for path, labels, sentence in (
        (None, None, "no path is set|path is not set"),
        (tmp_path / "none.zip", None, "none.zip does not exist"),
        (tmp_path / "empty", None, r"holds no image \(it holds nothing\)"),
        (tmp_path / "text.zip", None, "neither a zip nor a tar nor a folder"),
        (tmp_path / "nothing.zip", None, "1 × not an image by its name"),
        (photos, tmp_path / "none.csv", "none.csv .* does not exist"),
    ):
        with pytest.raises(UserError, match=sentence):
            archive.fetch(out, path, labels, "human")


def test_cut_off_compressed_tar_is_one_sentence(photos, out, tmp_path):
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz") as target:
        target.add(photos, ".")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 9 // 10])
    with pytest.raises(UserError, match=r"x\.tar\.gz is damaged"):
        archive.fetch(out, path, None, "human")


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_damaged_compressed_tar_is_one_sentence(photos, out, tmp_path, suffix):
    (photos / "large.png").write_bytes(random.Random(0).randbytes(3_000_000))
    path = pack(photos, tmp_path / f"x.tar.{suffix}")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    path.write_bytes(data)
    with pytest.raises(UserError, match=rf"x\.tar\.{suffix} is damaged"):
        archive.fetch(out, path, None, "human")


def test_tar_that_begins_like_a_compressed_one(out, tmp_path, png):
    (tmp_path / "BZ.png").write_bytes(png(0))
    with tarfile.open(tmp_path / "x.tar", "w:", format=tarfile.GNU_FORMAT) as target:
        target.add(tmp_path / "BZ.png", "BZ.png")
    archive.fetch(out, tmp_path / "x.tar", None, "human")
    assert stored(out) == {"BZ.png": png(0)}


@pytest.mark.parametrize("mode", ["w:", "w:gz"])
def test_tar_that_ends_with_a_zip_is_a_tar(out, tmp_path, png, mode):
    (tmp_path / "a.png").write_bytes(png(0))
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as inner:
        inner.writestr("inner.png", png(1))
    with tarfile.open(tmp_path / "x.tar", mode) as target:
        target.add(tmp_path / "a.png", "a.png")
        target.add(tmp_path / "z.zip", "z.zip")
    fetched = archive.fetch(out, tmp_path / "x.tar", None, "human")
    assert stored(out) == {"a.png": png(0)}
    assert fetched.ignored == {"nested archive": 1}
