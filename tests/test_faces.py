"""Tables and pixels: what is written comes back, what is damaged is one sentence."""

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.faces import open_pixels, read_crops, read_table, write_table
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


def test_missing_and_damaged_tables_are_one_sentence(tmp_path, tiny_faces):
    path = tmp_path / "faces.parquet"
    tiny_faces(tmp_path)
    with pytest.raises(UserError, match=r"lacks the column\(s\) smile, hat: run `dvc repro`"):
        read_table(path, ["face_id", "smile", "hat"])
    whole = path.read_bytes()
    for damaged in (b"", b"PAR1", whole[: len(whole) // 2], b"x" * 100):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="is not a readable face table") as error:
            read_table(path)
        assert "\n" not in str(error.value)
    path.unlink()
    with pytest.raises(UserError, match="is missing: run `dvc repro`"):
        read_table(path)


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
    with pytest.raises(UserError, match=r"not uint8 \[N, S, S, 3\]"):
        open_pixels(tmp_path / "faces.npy")


def test_damaged_pixels_are_one_sentence(tmp_path, tiny_faces):
    path = tmp_path / "faces.npy"
    tiny_faces(tmp_path)
    whole = path.read_bytes()
    np.save(tmp_path / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    for damaged in (b"", whole[:50], whole[:-100], b"x" * 1000, (tmp_path / "pickled.npy").read_bytes()):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="is not a readable pixel store") as error:
            open_pixels(path)
        assert "\n" not in str(error.value)
    path.unlink()
    with pytest.raises(UserError):
        open_pixels(path)


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
