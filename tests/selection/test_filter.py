"""Each threshold drops what it should, in the documented order, and the best copy survives."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import Kind, UserError
from pipeline.faces import read_table, write_table
from pipeline.params import DomainFilter
from pipeline.selection.duplicates import perceptual_hashes
from pipeline.selection.filter import REASONS, apply_filters, measure, summarise

STRICT = DomainFilter(
    years=(2011, 2019),
    keep_unknown_year=False,
    min_score=0.5,
    min_keypoint_score=0.4,
    max_yaw=30,
    min_size=20,
    min_sharpness=50,
    max_phash_distance=4,
)
#: What makes a good face bad for one reason, in the order of precedence.
FLAWS = {
    "wrong_year": {"year": 2010},
    "no_face": {"score": np.nan, "box": None, "keypoints": None, "yaw": np.nan, "sharpness": np.nan},
    "low_score": {"score": 0.49},
    "low_keypoint_score": {"keypoints": [1.0, 1.0, 0.39, 2.0, 2.0, 0.39]},
    "side_profile": {"yaw": -30.5},
    "small": {"box": [0.0, 0.0, 64.0, 19.0]},
    "blurry": {"sharpness": 49.0},
    "duplicate": {"sha256": "copy"},
}


def good_face(index: int) -> dict[str, object]:
    return {
        "face_id": f"anime-{index}",
        "row": index,
        "sha256": str(index),
        "width": 100,
        "height": 100,
        "year": 2015,
        "score": 0.9,
        "box": [10.0, 10.0, 50.0, 50.0],
        "keypoints": [1.0, 1.0, 0.8, 2.0, 2.0, 0.8],
        "yaw": 10.0,
        "sharpness": 100.0,
    }


def table_of(*flaws: dict[str, object]) -> pd.DataFrame:
    table = pd.DataFrame([good_face(index) | flaw for index, flaw in enumerate(flaws)])
    return table.astype({"year": "Int64", "score": "float64", "yaw": "float64", "sharpness": "float64"})


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """Noise, uint8 RGB [40, 32, 32, 3]: no two pictures are near each other."""
    return np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize("reason", [reason for reason in REASONS if reason != "duplicate"])
def test_each_flaw_has_its_reason(pixels, reason):
    filtered = apply_filters(table_of({}, FLAWS[reason]), pixels, STRICT)
    assert filtered["status"].tolist() == ["kept", "dropped"]
    assert filtered["reason"].tolist() == ["", reason]


def test_the_limits_themselves_pass(pixels):
    on_the_limit = {
        "year": 2019,
        "score": 0.5,
        "keypoints": [1.0, 1.0, 0.4],
        "yaw": -30.0,
        "box": [0.0, 0.0, 20.0, 30.0],
        "sharpness": 50.0,
    }
    assert apply_filters(table_of(on_the_limit), pixels, STRICT)["status"].tolist() == ["kept"]


@pytest.mark.parametrize("first", range(len(REASONS) - 1))
def test_of_several_flaws_the_first_is_the_reason(pixels, first):
    flaw: dict[str, object] = {}
    for reason in list(FLAWS)[first:][::-1]:
        flaw |= FLAWS[reason]
    assert apply_filters(table_of(flaw), pixels, STRICT)["reason"].tolist() == [REASONS[first]]


def test_the_documented_order_is_the_order():
    assert tuple(FLAWS) == REASONS


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ({"year": pd.NA}, "wrong_year"),
        ({"keypoints": None}, "low_keypoint_score"),
        ({"yaw": np.nan}, "side_profile"),
        ({"box": None}, "small"),
        ({"sharpness": np.nan}, "blurry"),
    ],
)
def test_a_missing_measurement_fails_a_threshold_and_passes_where_there_is_none(pixels, missing, reason):
    table = table_of(missing)
    assert apply_filters(table, pixels, STRICT)["reason"].tolist() == [reason]
    assert apply_filters(table, pixels, DomainFilter()).loc[0, "status"] == "kept"


def test_unknown_years_can_be_kept(pixels):
    wanted = DomainFilter(years=(2011, 2019), keep_unknown_year=True)
    filtered = apply_filters(table_of({"year": pd.NA}, {"year": 2020}), pixels, wanted)
    assert filtered["reason"].tolist() == ["", "wrong_year"]


def test_no_face_is_dropped_without_any_threshold(pixels):
    assert apply_filters(table_of(FLAWS["no_face"]), pixels, DomainFilter())["reason"].tolist() == ["no_face"]


def test_the_sharpest_copy_is_kept_and_named(pixels):
    copies = pixels.copy()
    copies[1] = copies[2] = copies[0]
    table = table_of({"sharpness": 80.0}, {"sharpness": 120.0}, {"sharpness": 90.0}, {})
    filtered = apply_filters(table, copies, STRICT)
    assert filtered["reason"].tolist() == ["duplicate", "", "duplicate", ""]
    assert filtered["duplicate_of"].tolist() == ["anime-1", pd.NA, "anime-1", pd.NA]
    assert filtered["cluster"].tolist() == [0, 0, 0, pd.NA]


def test_of_equally_sharp_copies_the_larger_original_is_kept(pixels):
    copies = [{"sha256": "same", "width": 300, "height": 50}, {"sha256": "same", "width": 120, "height": 130}]
    filtered = apply_filters(table_of(*copies), pixels, STRICT)
    assert filtered["reason"].tolist() == ["duplicate", ""]


def test_a_copy_of_unknown_sharpness_is_the_last_choice(pixels):
    table = table_of({"sha256": "same", "sharpness": np.nan, "width": 500}, {"sha256": "same", "sharpness": 1.0})
    assert apply_filters(table, pixels, DomainFilter())["reason"].tolist() == ["duplicate", ""]


def test_a_bad_copy_never_replaces_a_good_one(pixels):
    # The sharpest copy is a side profile: were duplicates looked for first, nothing would be left.
    table = table_of({"sha256": "same", "sharpness": 500.0, "yaw": 80.0}, {"sha256": "same"})
    assert apply_filters(table, pixels, STRICT)["reason"].tolist() == ["side_profile", ""]


def test_equal_files_are_duplicates_without_a_radius(pixels):
    filtered = apply_filters(
        table_of({"sha256": "same"}, {"sha256": "same"}, {}), pixels, DomainFilter(max_phash_distance=None)
    )
    assert filtered["reason"].tolist() == ["", "duplicate", ""]


def test_pictures_are_read_in_the_order_of_the_file(pixels, monkeypatch):
    rows = []

    def record(pixels, wanted):
        rows.extend(wanted)
        return perceptual_hashes(pixels, wanted)

    monkeypatch.setattr("pipeline.selection.filter.perceptual_hashes", record)
    pictures = pixels[:4].copy()
    pictures[3] = pictures[0] ^ 1
    table = table_of({"sharpness": 100.0}, {"sharpness": 300.0}, {"sharpness": 200.0}, {"sharpness": 150.0})
    filtered = apply_filters(table, pictures, STRICT)
    assert rows == [0, 1, 2, 3]
    assert filtered["reason"].tolist() == ["duplicate", "", "", ""]
    assert filtered["duplicate_of"][0] == "anime-3"


def test_an_empty_table_stays_empty(pixels):
    filtered = apply_filters(table_of({}).iloc[:0], pixels, STRICT)
    assert len(filtered) == 0
    assert summarise(filtered, 3)["reason"] == {"unreadable": 3} | dict.fromkeys(REASONS, 0)


def test_columns_that_are_missing_in_every_row_lose_their_type_on_disk(tmp_path, pixels):
    table = table_of(FLAWS["no_face"] | {"year": pd.NA}, FLAWS["no_face"] | {"year": pd.NA}).astype(object)
    table[["score", "yaw", "sharpness", "year"]] = None
    table["row"] = [0, 1]
    write_table(table, tmp_path / "faces.parquet")
    filtered = apply_filters(
        read_table(tmp_path / "faces.parquet"), pixels, DomainFilter(years=(2011, 2019), min_score=0.5)
    )
    assert filtered["reason"].tolist() == ["no_face", "no_face"]


def test_measures_know_what_is_missing():
    measures = measure(table_of({}, FLAWS["no_face"]))
    assert measures.loc[0, ["keypoint_score", "size"]].tolist() == [pytest.approx(0.8), 40.0]
    assert measures.loc[1].isna().tolist() == [False, True, True, True, True, True]


flawed = st.lists(
    st.tuples(st.sets(st.sampled_from(REASONS), max_size=3), st.integers(0, 5), st.sampled_from([60.0, 70.0, 80.0])),
    min_size=1,
    max_size=20,
)


@settings(max_examples=20)
@given(flawed, st.randoms(use_true_random=False))
def test_statuses_do_not_depend_on_the_order_of_rows(faces, random):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    flaws = [
        {"sharpness": sharpness, "row": picture}
        | {key: value for name in sorted(flaws) for key, value in FLAWS[name].items()}
        for flaws, picture, sharpness in faces
    ]
    table = table_of(*flaws)
    order = list(range(len(table)))
    random.shuffle(order)
    straight = apply_filters(table, pixels, STRICT)
    shuffled = apply_filters(table.iloc[order], pixels, STRICT)
    columns = ["face_id", "status", "reason", "duplicate_of", "cluster"]
    pd.testing.assert_frame_equal(
        straight[columns].sort_values("face_id", ignore_index=True),
        shuffled[columns].sort_values("face_id", ignore_index=True),
    )
    # A dropped copy has its original among the kept, in the same cluster, at least as sharp.
    for _, copy in straight[straight["reason"] == "duplicate"].iterrows():
        original = straight[straight["face_id"] == copy["duplicate_of"]].iloc[0]
        assert original["status"] == "kept"
        assert original["cluster"] == copy["cluster"]
        assert original["sharpness"] >= copy["sharpness"]


def test_counts_add_up(pixels):
    filtered = apply_filters(table_of({}, *FLAWS.values(), {"sha256": "copy"}), pixels, STRICT)
    summary = summarise(filtered, 2)
    assert summary["faces"] == 10
    assert summary["kept"] + summary["dropped"] == 10
    assert sum(summary["reason"].values()) == summary["dropped"] + 2
    assert all(count >= 1 for count in summary["reason"].values())


def test_a_size_is_a_side_wherever_the_box_lies():
    measures = measure(table_of({"box": [40.0, 30.0, 59.0, 60.0]}, {"box": [40.0, 30.0, 80.0, 48.0]}))
    assert measures["size"].tolist() == [19, 18]


def test_a_table_that_points_past_the_pictures_is_refused(pixels):
    with pytest.raises(UserError) as error:
        apply_filters(table_of({"row": 40}), pixels, STRICT)
    assert (error.value.kind, error.value.subject) == (Kind.CONFLICT, "faces.npy")
