"""Contact sheets: every picture at its place, captions legible, the dropped faces in a telling order."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.contact_sheet import CAPTION, MARGIN, TITLE, contact_sheet
from pipeline.params import DomainFilter
from pipeline.selection.filter import apply_filters
from pipeline.selection.gallery import SHOWN, status_sheets


def flat(colour: tuple[int, int, int], size: int = 40) -> np.ndarray:
    return np.full((size, size, 3), colour, dtype=np.uint8)


def test_pictures_lie_in_rows():
    pictures = [flat((10 * index, 0, 0)) for index in range(5)]
    sheet = np.asarray(contact_sheet(pictures, columns=2))
    cell = 40 + MARGIN
    assert sheet.shape == (3 * cell + MARGIN, 2 * cell + MARGIN, 3)
    for index, picture in enumerate(pictures):
        top, left = MARGIN + index // 2 * cell, MARGIN + index % 2 * cell
        assert np.array_equal(sheet[top : top + 40, left : left + 40], picture)
    assert (sheet[:MARGIN] == 255).all()


def test_captions_and_title_take_their_own_room():
    picture = flat((200, 30, 30))
    sheet = np.asarray(contact_sheet([picture], ["yaw +31°"], title="side profile: 1 of 3 faces"))
    top = TITLE + 3 * MARGIN
    assert np.array_equal(sheet[top : top + 40, MARGIN : MARGIN + 40], picture)
    assert (sheet[top + 40 :] < 128).any(), "no ink below the picture"
    assert (sheet[:top] < 128).any(), "no ink above the picture"
    ink_rows = np.flatnonzero((sheet[top + 40 :, :46] < 128).any(axis=(1, 2)))
    assert 0.5 * CAPTION < np.ptp(ink_rows) <= CAPTION + 3


def test_a_long_caption_stays_under_its_picture():
    pictures = [flat((0, 0, 255))] * 2
    sheet = np.asarray(contact_sheet(pictures, ["a caption far longer than its picture", ""]))
    below = sheet[MARGIN + 40 :]
    assert (below[:, : MARGIN + 40] < 200).any()
    assert (below[:, MARGIN + 40 + MARGIN // 2 :] == 255).all()


def test_frames_are_drawn_around_the_picture():
    sheet = np.asarray(contact_sheet([flat((0, 0, 0)), flat((0, 0, 0))], frames=["#ff0000", None]))
    assert sheet[MARGIN, MARGIN].tolist() == [255, 0, 0]
    assert sheet[MARGIN + 20, MARGIN + 20].tolist() == [0, 0, 0]
    assert sheet[MARGIN, 2 * MARGIN + 40].tolist() == [0, 0, 0]


def test_no_pictures_are_an_empty_sheet():
    assert isinstance(contact_sheet([]), Image.Image)


@pytest.fixture
def judged(tmp_path, tiny_faces) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    table = tiny_faces(tmp_path, n=120, size=32).drop(columns=["status", "reason", "duplicate_of", "cluster"])
    pixels = rng.integers(0, 256, (120, 32, 32, 3), dtype=np.uint8)
    table.loc[:79, "yaw"] = np.linspace(-80, 80, 80)
    table.loc[80:89, "sha256"] = "same"
    table.loc[90:91, "score"] = np.nan
    return apply_filters(table, pixels, DomainFilter(max_yaw=20, max_phash_distance=0)), pixels


def test_a_sheet_for_the_kept_and_for_each_reason_that_occurred(judged):
    sheets = dict(status_sheets(*judged))
    assert list(sheets) == ["kept", "no_face", "side_profile", "duplicate"]
    width = 8 * (32 + MARGIN) + MARGIN
    for sheet in sheets.values():
        assert sheet.width >= min(width, 2 * (32 + MARGIN))
        assert sheet.height <= TITLE + 3 * MARGIN + SHOWN // 8 * (32 + MARGIN + CAPTION + 5)


def test_sheets_do_not_change_from_run_to_run(judged):
    one, other = (dict(status_sheets(*judged)) for _ in range(2))
    for name, sheet in one.items():
        assert sheet.tobytes() == other[name].tobytes()


def test_the_worst_side_profile_comes_first(judged):
    table, pixels = judged
    sheet = np.asarray(dict(status_sheets(table, pixels))["side_profile"])
    top = TITLE + 3 * MARGIN
    first = sheet[top : top + 32, MARGIN : MARGIN + 32]
    worst = table.loc[table["yaw"].abs().idxmax()]
    assert abs(worst["yaw"]) == 80
    assert np.array_equal(first, pixels[worst["row"]])


def test_a_duplicate_is_next_to_the_face_that_is_kept(judged):
    table, pixels = judged
    sheet = np.asarray(dict(status_sheets(table, pixels))["duplicate"])
    top, inside = TITLE + 3 * MARGIN, slice(8, 24)
    kept = table[(table["status"] == "kept") & table["cluster"].notna()].iloc[0]
    assert np.array_equal(sheet[top:, MARGIN:][inside, inside], pixels[kept["row"]][inside, inside])
    corner = sheet[top, MARGIN]
    assert corner[1] > corner[0], "the kept face has no green frame"
