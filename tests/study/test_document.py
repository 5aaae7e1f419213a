"""The document and its figures."""

import numpy as np
import pandas as pd

from pipeline.study import figures
from pipeline.study.claims import CYCLEGAN, MODELS, NOISE
from pipeline.study.document import Limits, Scale, write

WITHOUT_FACE = pd.DataFrame({"kind": ["noise"], "pictures": [25], "refused": [0.96]})
LIMITS = Limits(None, WITHOUT_FACE)
SCALE = Scale([0, 1], (2, 10), ["train.epochs=2"], ["train.lr=0.0002"], {"human, test": 30}, "abc1234")


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]


def values(shift: float) -> pd.DataFrame:
    spread = [1.0, -1, 2, -2, 0]
    rows = [(CYCLEGAN, seed, "human2anime.distance", 100.0 + 10 * seed) for seed in range(5)]
    rows += [(NOISE, seed, "human2anime.distance", 100.0 + 10 * seed + shift + spread[seed]) for seed in range(5)]
    return pd.DataFrame(rows, columns=["model", "seed", "metric", "value"])


def test_document_has_the_verdicts_and_numbers():
    text = write(values(-30.0), SCALE, LIMITS, {"losses": "study/losses.svg"}, "animemorph study")
    table = cells(text)
    verdicts = {row[0]: row[2] for row in table if len(row) == 3 and row[0].isdecimal()}
    assert verdicts == {"1": "holds"} | {str(number): "inconclusive" for number in range(2, 9)}
    (row,) = [row for row in table if row[0] == "Distance to anime faces" and len(row) == 9]
    assert row[2:5] == [f"90, {NOISE}", "120", "-30"] and row[-1] == "supported"
    (models,) = [row for row in table if row[0] == "Distance to anime faces" and len(row) == 1 + len(MODELS)]
    assert models[2].startswith("120 ± 15.8") and "2071.50" in models[2]
    assert "study/losses.svg" in text and "`abc1234`" in text
    assert "study/copies.svg" not in text
    assert ["finished runs", "2 of 10"] in table


def test_curves_are_means_over_seeds_and_need_no_page():
    history = pd.DataFrame(
        {
            "epoch": [1, 2],
            "train_cycle_human": [2.0, 1.0],
            "val_cycle_human": [3.0, 2.0],
            "val_near_duplicate_rate_human2anime": [0.0, 0.5],
            "val_feature_diversity_ratio_human2anime": [1.0, 0.5],
            "val_fd_human2anime": [200.0, 100.0],
        }
    )
    drawn = figures.curves({(CYCLEGAN, 0): history, (CYCLEGAN, 1): history, (NOISE, 0): history})
    assert set(drawn) == {"losses", "copies", "diversity", "distance"}
    for svg in drawn.values():
        assert svg.startswith("<svg") and "var(--" not in svg
    assert CYCLEGAN in drawn["copies"] and NOISE in drawn["copies"] and "validation" in drawn["losses"]


def test_no_run_has_no_curves():
    assert figures.curves({}) == {}


def test_pictures_have_a_row_for_the_photos_and_each_model():
    photos = np.zeros((3, 16, 16, 3), np.uint8)
    sheet = figures.pictures(photos, {CYCLEGAN: photos, NOISE: photos})
    one = figures.pictures(photos, {CYCLEGAN: photos})
    assert sheet.height > one.height and sheet.width == one.width


def test_limits_are_shares_in_percent():
    people = pd.DataFrame({"group": ["all"], "photos": [40], "refused": [0.025], "skin_after": [81.44]})
    table = cells(write(values(0.0), SCALE, Limits(people, WITHOUT_FACE), {}, "animemorph study"))
    assert ["group", "photos", "refused", "skin after"] in table
    assert ["all", "40", "2.5 %", "81.4"] in table
    assert ["noise", "25", "96 %"] in table
