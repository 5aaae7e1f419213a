import hashlib
import os
import random
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from pipeline.download import archive
from pipeline.errors import Kind, UserError
from pipeline.image_archive import list_images, read_member


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
        return {member.name: read_member(stream, member) for member in list_images(container).images}


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
    assert fetched.ignored == {"not an image": 1}
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
    assert fetched.ignored == {"link or special file": 2, "hidden file": 1, "not an image": 1}


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


def test_missing_inputs_are_refused(photos, out, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.zip").write_text("no archive")
    with zipfile.ZipFile(tmp_path / "nothing.zip", "w") as file:
        file.writestr("readme.txt", "no image")
    for path, labels, kind, subject in (
        (tmp_path / "none.zip", None, Kind.MISSING, str(tmp_path / "none.zip")),
        (tmp_path / "empty", None, Kind.TOO_FEW, f"images in {tmp_path}/empty (it contains nothing)"),
        (tmp_path / "text.zip", None, Kind.DAMAGED, str(tmp_path / "text.zip")),
        (
            tmp_path / "nothing.zip",
            None,
            Kind.TOO_FEW,
            f"images in {tmp_path}/nothing.zip (it contains 1 × not an image)",
        ),
        (photos, tmp_path / "none.csv", Kind.MISSING, str(tmp_path / "none.csv")),
    ):
        with pytest.raises(UserError) as error:
            archive.fetch(out, path, labels, "human")
        assert (error.value.kind, error.value.subject) == (kind, subject)


def test_cut_off_compressed_tar_is_refused(photos, out, tmp_path):
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz") as target:
        target.add(photos, ".")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 9 // 10])
    with pytest.raises(UserError) as error:
        archive.fetch(out, path, None, "human")
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(path))


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_damaged_compressed_tar_is_refused(photos, out, tmp_path, suffix):
    (photos / "large.png").write_bytes(random.Random(0).randbytes(3_000_000))
    path = pack(photos, tmp_path / f"x.tar.{suffix}")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    path.write_bytes(data)
    with pytest.raises(UserError) as error:
        archive.fetch(out, path, None, "human")
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(path))


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_compressed_tar_cannot_fill_the_disk(out, tmp_path, suffix):
    (tmp_path / "zeros").mkdir()
    with (tmp_path / "zeros" / "a.bmp").open("wb") as file:
        file.truncate(300_000_000)
    path = pack(tmp_path / "zeros", tmp_path / f"x.tar.{suffix}")
    assert path.stat().st_size < 400_000
    with pytest.raises(UserError) as error:
        archive.fetch(out, path, None, "human")
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(path))
    assert (out / "faces.tar").stat().st_size < 100_000_000


def test_folder_is_packed_by_content(out, tmp_path, png):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "no suffix").write_bytes(png(1))
    (folder / "photo.dat").write_bytes(png(2))
    (folder / "new.jxl").write_bytes(b"\xff\x0a" + bytes(50))
    (folder / "closed.bin").write_bytes(b"")
    fetched = archive.fetch(out, folder, None, "human")
    assert fetched.members["source"].tolist() == ["no suffix", "photo.dat"]
    assert fetched.ignored == {"JPEG XL is not supported": 1, "zero bytes": 1}


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_table_inside_the_archive_is_read(photos, out, tmp_path, kind):
    (photos / "labels.csv").write_text("file,age\na.png,31\n")
    path = photos if kind == "folder" else pack(photos, tmp_path / f"x.{kind}")
    fetched = archive.fetch(out, path, None, "human")
    assert fetched.members["age"].fillna(0).tolist() == [0, 0, 31]
    assert fetched.facts["labels"]["name"] == "labels.csv"
    (tmp_path / "other.csv").write_text("file,age\na.png,5\n")
    fetched = archive.fetch(out, path, tmp_path / "other.csv", "human")  # a named table comes first
    assert fetched.members["age"].fillna(0).tolist() == [0, 0, 5]


def test_backslashes_of_windows_match_the_table(out, tmp_path, png):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        for number, name in enumerate(("women\\a.png", "men\\a.png")):
            entry = zipfile.ZipInfo("x")
            entry.filename = name
            file.writestr(entry, png(number))
        file.writestr("labels.csv", "file,age\nwomen/a.png,30\nmen/a.png,40\n")
    fetched = archive.fetch(out, tmp_path / "x.zip", None, "human")
    assert fetched.members[["gender", "age"]].to_numpy().tolist() == [["male", 40], ["female", 30]]


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


def test_a_folder_with_one_archive_is_read_as_the_archive(photos, out, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "README.md").write_text("put your photos here")
    (own / "labels.csv").write_text("file,gender\na.png,male\n")
    shutil.make_archive(str(own / "photos"), "zip", photos)
    fetched = archive.fetch(out, own, None, "human")
    assert fetched.facts["dataset"] == "photos.zip"
    assert fetched.facts["labels"]["name"] == "labels.csv"


def test_folder_with_images_and_an_archive_is_a_folder_of_images(photos, out, tmp_path, png):
    own = tmp_path / "own"
    own.mkdir()
    shutil.make_archive(str(own / "photos"), "zip", photos)
    (own / "one.png").write_bytes(png(1))
    assert archive.fetch(out, own, None, "human").members["source"].tolist() == ["one.png"]
