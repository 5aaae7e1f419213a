"""Tables and pixels: what is written comes back, what is damaged is one sentence."""

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import Kind, UserError
from pipeline.faces import PixelWriter, evenly_spaced, open_pixels, read_crops, read_table, write_table
from pipeline.files import sha256


def test_a_table_comes_back_as_it_was(tmp_path, tiny_faces):
    table = tiny_faces(tmp_path, n=12)
    table.loc[3, ["score", "gender", "identity", "box", "year"]] = [np.nan, pd.NA, 5, None, pd.NA]
    write_table(table, tmp_path / "faces.parquet")
    read = read_table(tmp_path / "faces.parquet", ["face_id", "align"])
    assert len(read) == 12
    assert read["gender"].isna().sum() == 1
    assert read["identity"].notna().sum() == 1
    assert read.loc[3, "box"] is None
    assert np.isnan(read.loc[3, "score"])
    for column in ("face_id", "row", "split", "age", "year"):
        assert read[column].tolist() == table[column].tolist()
    assert np.array_equal(read.loc[0, "keypoints"], table.loc[0, "keypoints"])


def test_equal_tables_give_equal_bytes(tmp_path, tiny_faces):
    table = tiny_faces(tmp_path, n=12)
    shuffled_index = table.set_index(np.arange(100, 112))
    for name, each in (("a", table), ("b", shuffled_index)):
        write_table(each, tmp_path / name)
    assert sha256(tmp_path / "a") == sha256(tmp_path / "b")


def test_missing_and_damaged_tables_are_user_errors(tmp_path, tiny_faces):
    path = tmp_path / "faces.parquet"
    tiny_faces(tmp_path)
    with pytest.raises(UserError, match="smile, hat") as error:
        read_table(path, ["face_id", "smile", "hat"])
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(path))
    whole = path.read_bytes()
    for damaged in (b"", b"PAR1", whole[: len(whole) // 2], b"x" * 100):
        path.write_bytes(damaged)
        with pytest.raises(UserError) as error:
            read_table(path)
        assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(path))
        assert "\n" not in str(error.value)
    path.unlink()
    with pytest.raises(UserError) as error:
        read_table(path)
    assert (error.value.kind, error.value.subject) == (Kind.MISSING, str(path))


def test_pixels_are_a_read_only_map(tmp_path, tiny_faces):
    tiny_faces(tmp_path, n=4, size=32)
    pixels = open_pixels(tmp_path / "faces.npy")
    assert isinstance(pixels, np.memmap)
    assert pixels.shape == (4, 32, 32, 3)
    with pytest.raises(ValueError, match="read-only"):
        pixels[0] = 0


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 8, 8, 3), np.float32),
        np.zeros((2, 8, 8), np.uint8),
        np.zeros((2, 8, 9, 3), np.uint8),
        np.zeros((2, 8, 8, 4), np.uint8),
    ],
)
def test_other_arrays_are_no_pixel_store(tmp_path, array):
    np.save(tmp_path / "faces.npy", array)
    with pytest.raises(UserError) as error:
        open_pixels(tmp_path / "faces.npy")
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(tmp_path / "faces.npy"))


def test_damaged_pixels_are_a_user_error(tmp_path, tiny_faces):
    path = tmp_path / "faces.npy"
    tiny_faces(tmp_path)
    whole = path.read_bytes()
    np.save(tmp_path / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    for damaged in (b"", whole[:50], whole[:-100], b"x" * 1000, (tmp_path / "pickled.npy").read_bytes()):
        path.write_bytes(damaged)
        with pytest.raises(UserError) as error:
            open_pixels(path)
        assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(path))
        assert "\n" not in str(error.value)
    path.unlink()
    with pytest.raises(UserError) as error:
        open_pixels(path)
    assert (error.value.kind, error.value.subject) == (Kind.MISSING, str(path))


def test_crops_of_whole_frames_are_the_pixels(tmp_path, tiny_faces):
    table = tiny_faces(tmp_path, n=5, size=32)
    pixels = open_pixels(tmp_path / "faces.npy")
    chosen = table.iloc[[3, 0]]
    assert np.array_equal(read_crops(pixels, chosen, 32), pixels[[3, 0]])


def test_crops_follow_the_alignment(tmp_path, tiny_faces):
    table = tiny_faces(tmp_path, n=1, size=32)
    pixels = open_pixels(tmp_path / "faces.npy")
    # The middle half of the frame, at its own resolution: a plain slice.
    table["align"] = [[2 / 32, 0, -0.5, 0, 2 / 32, -0.5]]
    assert np.array_equal(read_crops(pixels, table, 16)[0], pixels[0, 8:24, 8:24])
    # A quarter turn about the centre.
    table["align"] = [[0, -1 / 32, 1, 1 / 32, 0, 0]]
    assert np.array_equal(read_crops(pixels, table, 32)[0], np.rot90(pixels[0], -1))


def test_no_rows_are_no_crops(tmp_path, tiny_faces):
    table = tiny_faces(tmp_path, n=2, size=32)
    assert read_crops(open_pixels(tmp_path / "faces.npy"), table.iloc[:0], 16).shape == (0, 16, 16, 3)


def test_pixel_writer_writes_what_numpy_reads(tmp_path):
    faces = np.random.default_rng(0).integers(0, 256, (7, 16, 16, 3), dtype=np.uint8)
    with PixelWriter(tmp_path / "faces.npy", 16) as writer:
        for face in faces:
            writer.append(face)
    assert np.array_equal(np.load(tmp_path / "faces.npy"), faces)
    np.save(tmp_path / "reference.npy", faces)
    assert (tmp_path / "faces.npy").stat().st_size == (tmp_path / "reference.npy").stat().st_size
    with PixelWriter(tmp_path / "none.npy", 16):
        pass
    assert np.load(tmp_path / "none.npy").shape == (0, 16, 16, 3)


def test_pixel_writer_refuses_another_shape(tmp_path):
    with PixelWriter(tmp_path / "faces.npy", 16) as writer:
        for wrong in (np.zeros((16, 17, 3), np.uint8), np.zeros((16, 16, 3), np.float32)):
            with pytest.raises(ValueError, match="is not uint8"):
                writer.append(wrong)


@pytest.mark.parametrize(("count", "total"), [(5, 100), (5, 5), (9, 5), (1, 7), (3, 0)])
def test_evenly_spaced_indices(count, total):
    found = evenly_spaced(count, total)
    assert len(found) == min(count, total)
    assert len(set(found)) == len(found)
    if min(count, total) > 1:
        assert (found[0], found[-1]) == (0, total - 1)
        assert np.ptp(np.diff(found)) <= 1
