import io
import tarfile
import zipfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from pipeline import decoding
from pipeline.decoding import NEEDS_HEIF, RejectedError
from pipeline.errors import Kind, UserError
from pipeline.image_archive import find_texts, inflate, list_images, list_members, read_member


def names(path: Path) -> list[str]:
    return [member.name for member in list_images(path).images]


def contents(path: Path) -> dict[str, bytes]:
    with path.open("rb") as stream:
        return {member.name: read_member(stream, member) for member in list_images(path).images}


def write_zip(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


FILES = {"b/2.jpg": b"second", "a/1.png": b"first" * 100, "a/ÄÖ 漢字.webp": b"third", "notes.txt": b"no image"}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip_is_read_in_place_in_the_order_of_names(tmp_path, method):
    path = write_zip(tmp_path / "x.zip", FILES, method)
    assert names(path) == ["a/1.png", "a/ÄÖ 漢字.webp", "b/2.jpg"]
    assert contents(path) == {name: data for name, data in FILES.items() if name != "notes.txt"}
    assert list_images(path).ignored == {"not an image": 1}


def test_tar_is_read_in_place(tmp_path):
    path = write_tar(tmp_path / "x.tar", FILES)
    assert contents(path) == {name: data for name, data in FILES.items() if name != "notes.txt"}


def test_zip_behind_other_bytes_is_read(tmp_path):
    # Self-extracting archives begin with a program: offsets in the directory are shifted.
    path = write_zip(tmp_path / "x.zip", FILES)
    path.write_bytes(b"#!/bin/sh\n" * 10 + path.read_bytes())
    assert contents(path)["b/2.jpg"] == b"second"


@pytest.mark.parametrize("write", [write_zip, write_tar])
def test_dangerous_and_useless_names_are_counted_not_read(tmp_path, write):
    path = write(
        tmp_path / "x",
        {
            "../up.jpg": b"1",
            "a/../../up.jpg": b"1",
            "/etc/x.jpg": b"1",
            "C:\\x.jpg": b"1",
            "\\\\server\\x.jpg": b"1",
            "inner.zip": b"1",
            "inner.tar.gz": b"1",
            "__MACOSX/._a.jpg": b"1",
            "a/.hidden.jpg": b"1",
            "Thumbs.db": b"1",
            "good.JPG": b"1",
        },
    )
    found = list_images(path)
    assert [member.name for member in found.images] == ["good.JPG"]
    assert found.ignored == {
        "unsafe name": 5,
        "nested archive": 2,
        "hidden file": 2,
        "not an image": 1,
    }
    assert sorted(file.name for file in tmp_path.iterdir()) == ["x"]  # nothing was unpacked


def test_links_in_a_tar_are_counted(tmp_path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for kind, name in ((tarfile.SYMTYPE, "a.jpg"), (tarfile.LNKTYPE, "b.jpg"), (tarfile.FIFOTYPE, "c.jpg")):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
    assert list_images(path).ignored == {"link or special file": 3}


def test_links_in_a_zip_are_counted(tmp_path):
    entry = zipfile.ZipInfo("a.jpg")
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    assert list_images(tmp_path / "x.zip").ignored == {"link or special file": 1}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_first_of_two_equal_names_is_taken(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.jpg", b"first")
        archive.writestr("a.jpg", b"second")
        archive.writestr("A.jpg", b"another name where case counts")
    found = list_images(tmp_path / "x.zip")
    assert contents(tmp_path / "x.zip")["a.jpg"] == b"first"
    assert len(found.images) == 2
    assert found.ignored == {"duplicate name": 1}


def rejections(path: Path) -> dict[str, str]:
    reasons = {}
    with path.open("rb") as stream:
        for member in list_images(path).images:
            try:
                read_member(stream, member)
            except RejectedError as error:
                reasons[member.name] = str(error)
    return reasons


def test_unreadable_members_say_why(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("empty.jpg", b"")
        archive.writestr("bzip2.jpg", b"x" * 100, zipfile.ZIP_BZIP2)
        archive.writestr("secret.jpg", b"SECRET")
        archive.writestr("wrong.jpg", b"WRONG")
        archive.writestr("good.jpg", b"good")
    data = path.read_bytes().replace(b"WRONG", b"wrong")  # the checksum no longer fits
    start = data.index(b"PK\x01\x02", data.index(b"good.jpg"))
    place = data.index(b"secret.jpg", start) - 38  # the flags of its directory entry
    path.write_bytes(data[:place] + b"\x01\x00" + data[place + 2 :])
    assert rejections(path) == {
        "empty.jpg": "zero bytes",
        "bzip2.jpg": "unsupported compression",
        "secret.jpg": "encrypted",
        "wrong.jpg": "damaged container",
    }


def test_bomb_is_not_inflated_beyond_what_it_declares(tmp_path):
    path = write_zip(tmp_path / "x.zip", {"bomb.jpg": bytes(50_000_000)}, zipfile.ZIP_DEFLATED)
    member = list_images(path).images[0]
    with path.open("rb") as stream:
        stream.seek(member.offset + 30 + len("bomb.jpg"))
        stored = stream.read(member.compressed_size)
    lying = type(member)(name="bomb.jpg", offset=0, compressed_size=member.compressed_size, size=10, method=8, crc=0)
    with pytest.raises(RejectedError, match="damaged"):
        inflate(stored, lying)


def test_huge_member_is_rejected_by_its_size(tmp_path):
    path = tmp_path / "x.tar"
    entry = tarfile.TarInfo("huge.jpg")
    entry.size = 3 * 1024**3
    with path.open("wb") as stream:
        stream.write(entry.tobuf())
        stream.truncate(512 + entry.size + 1024)  # a hole: nothing is written
    assert rejections(path) == {"huge.jpg": "too large"}


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_cut_off_zip_is_refused(tmp_path, cut):
    path = write_zip(tmp_path / "x.zip", FILES)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
    with pytest.raises(UserError) as error:
        list_images(path)
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(path))


def test_cut_off_tar_is_refused(tmp_path):
    path = write_tar(tmp_path / "x.tar", {"a.jpg": b"a" * 600, "b.jpg": b"b" * 5000})
    path.write_bytes(path.read_bytes()[:3500])
    with pytest.raises(UserError) as error:
        list_images(path)
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(path))


def test_missing_file_is_refused(tmp_path):
    for function in (list_images, list_members, find_texts):
        with pytest.raises(UserError) as error:
            function(tmp_path / "none.zip")
        assert (error.value.kind, error.value.subject) == (Kind.MISSING, str(tmp_path / "none.zip"))


def test_texts_are_found_by_suffix(tmp_path):
    path = write_zip(tmp_path / "x.zip", {"a/list.csv": b"1,2", "b.CSV": b"3", "c.jpg": b"4"}, zipfile.ZIP_DEFLATED)
    assert find_texts(path, (".csv",)) == {"a/list.csv": b"1,2", "b.CSV": b"3"}


def test_name_that_is_no_text_can_be_stored(tmp_path):
    entry = tarfile.TarInfo("a\udcff.jpg")
    with tarfile.open(tmp_path / "x.tar", "w", encoding="utf-8", errors="surrogateescape") as archive:
        archive.addfile(entry)
    assert names(tmp_path / "x.tar") == ["a\\udcff.jpg"]


@settings(max_examples=50)
@given(st.binary(max_size=400))
def test_any_bytes_give_members_or_an_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.zip"
    for start in (b"", b"PK\x03\x04", b"PK\x05\x06"):
        path.write_bytes(start + data)
        try:
            list_images(path)
        except UserError as error:
            assert "\n" not in str(error)


@settings(max_examples=50)
@given(st.data())
def test_damaged_directory_gives_members_or_an_error(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    whole = write_zip(folder / "damaged.zip", {"a.jpg": b"a" * 50, "b/c.png": b"b" * 50}, zipfile.ZIP_DEFLATED)
    raw = bytearray(whole.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=5)):
        raw[place] = data.draw(st.integers(0, 255))
    whole.write_bytes(raw)
    try:
        reasons = rejections(whole)
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert all(reasons.values())


def test_zip_of_a_later_format_is_refused(tmp_path):
    path = write_zip(tmp_path / "later.zip", {"a.jpg": b"a" * 50}, zipfile.ZIP_DEFLATED)
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 6] = 64  # version needed to extract: 6.4
    path.write_bytes(raw)
    with pytest.raises(UserError) as error:
        list_images(path)
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(path))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_content_decides_what_is_an_image(tmp_path, png, method, monkeypatch):
    monkeypatch.setattr(decoding, "HEIF", False)
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)
    files = {
        "photo": png(1),
        "photo.jfif.part": png(2),
        "photo.bak": png(3),
        "telephone.heic": heic,
        "new.jxl": b"\xff\x0a" + bytes(100),
        "old.tga": bytes(200),
        "labels.csv": b"file,gender",
        "page.jpg": b"<html>",  # reported by name when it is decoded
    }
    found = list_images(write_zip(tmp_path / "x.zip", files, method))
    assert [member.name for member in found.images] == ["page.jpg", "photo", "photo.bak", "photo.jfif.part"]
    assert found.ignored == {
        NEEDS_HEIF: 1,
        "JPEG XL is not supported": 1,
        "TGA is not supported": 1,
        "not an image": 1,
    }
    assert sorted(list_members(tmp_path / "x.zip")) == sorted(files)


def test_unreadable_files_without_the_suffix_of_an_image_are_counted(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"x" * 100, zipfile.ZIP_BZIP2)
        archive.writestr("b", b"")
    assert list_images(path).ignored == {"unsupported compression": 1, "zero bytes": 1}


def test_names_of_the_archiver_of_macos_are_read(tmp_path, png):
    # It writes UTF-8 without the flag that says so; zipfile takes that for code page 437.
    path = write_zip(tmp_path / "x.zip", {"\u00e9\u6f22.png": png(1)})
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(signature) + flags
        data[place : place + 2] = bytes(2)
    path.write_bytes(data)
    assert names(path) == ["\u00e9\u6f22.png"]


def test_names_of_code_page_437_stay(tmp_path, png):
    path = write_zip(tmp_path / "x.zip", {"XX.png": png(1)})
    path.write_bytes(path.read_bytes().replace(b"XX.png", b"\x81\x82.png"))
    assert names(path) == ["\u00fc\u00e9.png"]
