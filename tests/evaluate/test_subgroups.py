"""Groups of faces: skin tone by a known colour, sums that add up, gaps that are found."""

import numpy as np
import pandas as pd
import pytest
from skimage.color import lab2rgb

from pipeline.evaluate import subgroups
from pipeline.evaluate.metrics import MetricParams, MetricTable

PARAMS = MetricParams("fd", "kd", tolerance=0.1, resamples=100, seed=0)
PARTS = np.array([[12.0, 14.0], [20.0, 14.0], [16.0, 22.0]])


@pytest.mark.parametrize(
    ("lightness", "yellow", "name"),
    [
        (75, 12, "very light"),
        (65, 14, "light"),
        (62, 17, "intermediate"),
        (56, 18, "tan"),
        (46, 18, "brown"),
        (30, 12, "dark"),
    ],
)
def test_typology_angle_of_a_known_colour(lightness: float, yellow: float, name: str):
    skin = (lab2rgb([[[float(lightness), 10.0, float(yellow)]]])[0, 0] * 255).round().astype(np.uint8)
    image = np.zeros((1, 32, 32, 3), np.uint8) + skin
    image[:, :12] = [10, 20, 200]  # hair and eyes do not count
    angle = subgroups.typology_angle(image, PARTS[None])
    assert angle[0] == pytest.approx(np.degrees(np.arctan((lightness - 50) / yellow)), abs=2.5)
    table = pd.DataFrame({"face_id": ["a"]})
    assert subgroups.assign_subgroups(table, "human", image, PARTS[None])["skin_tone"].tolist() == [name]


def test_typology_angle_of_unknown_parts_is_unknown():
    assert np.isnan(subgroups.typology_angle(np.zeros((1, 32, 32, 3), np.uint8), np.full((1, 3, 2), np.nan)))[0]


def table(n: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "gender": pd.array(["female", "male", None] * (n // 3), dtype="string"),
            "age": pd.array([15.0, 25.0, None] * (n // 3), dtype="Float64"),
            "Eyeglasses": [1, -1, -1] * (n // 3),
            "Wearing_Hat": pd.array([1, None, 0] * (n // 3), dtype="Int64"),
            "yaw": np.linspace(-60, 60, n),
            "year": pd.array([2011, 2014, None] * (n // 3), dtype="Int64"),
            "source": [f"set_{index % 2}/{index}.jpg" for index in range(n)],
        }
    )


def test_slices_sum_to_the_whole():
    n = 90
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"psnr": rng.normal(20, 3, n), "in_target_domain": rng.random(n) < 0.5})
    rows.loc[rng.random(n) < 0.2, "psnr"] = np.nan
    groups = subgroups.assign_subgroups(table(n), "anime", np.zeros((n, 8, 8, 3), np.uint8), np.full((n, 3, 2), np.nan))
    assert list(groups) == ["gender", "age", "glasses", "hat", "pose", "year", "source"]
    assert set(groups["age"]) == {"under 18", "18-29", "unknown"}
    assert set(groups["hat"]) == {"with", "without", "unknown"}
    assert set(groups["year"]) == {"2010-2014", "unknown"}
    found = subgroups.average(rows, groups, "human2anime", PARAMS)
    columns = {metric: column for column, metric in subgroups.METRICS.items()}
    for _, part in found.groupby(["attribute", "metric"]):
        whole = rows[columns[part["metric"].iloc[0]]].dropna()
        assert part["n"].sum() == len(whole)
        assert (part["n"] * part["mean"]).sum() == pytest.approx(whole.sum())


def test_gap_is_between_judged_groups_only():
    groups = pd.DataFrame({"gender": ["female"] * 30 + ["male"] * 30 + ["other"] * 5 + ["unknown"] * 30})
    values = np.r_[np.full(30, 0.9), np.full(30, 0.6), np.full(5, 0.1), np.full(30, 0.0)]
    rows = pd.DataFrame({"pixel_accuracy": values})
    numbers = MetricTable(PARAMS)
    found = subgroups.average(rows, groups, "human2anime", PARAMS)
    subgroups.add_gaps(numbers, found)
    assert numbers.nested() == {"human2anime": {"subgroup_gap": {"gender": {"pixel_accuracy": pytest.approx(0.3)}}}}
    assert numbers.rows[0].n == 30
    assert found.set_index("group")["large_enough"].to_dict() == {
        "female": True,
        "male": True,
        "other": False,
        "unknown": True,
    }
    alone = MetricTable(PARAMS)
    subgroups.add_gaps(alone, subgroups.average(rows[:40], groups[:40], "human2anime", PARAMS))
    assert not alone.rows
    assert alone.absent[0]["name"] == "human2anime.subgroup_gap.gender"


def test_kernel_distance_of_groups():
    rng = np.random.default_rng(0)
    features, real = rng.normal(size=(80, 6)), rng.normal(size=(50, 6))
    features[40:] += 2  # the second half is far from the real ones
    groups = pd.DataFrame({"gender": ["female"] * 40 + ["male"] * 39 + ["alone"], "all": "all"})
    found = subgroups.kernel_distances(features, real, groups, "human2anime", PARAMS).set_index("group")
    assert list(found.index) == ["female", "male", "all"]
    kernel = [(x @ y.T / 6 + 1) ** 3 for x, y in ((features, features), (real, real), (features, real))]
    inside = [(matrix.sum() - np.trace(matrix)) / (len(matrix) * (len(matrix) - 1)) for matrix in kernel[:2]]
    assert found["mean"]["all"] == pytest.approx(sum(inside) - 2 * kernel[2].mean(), rel=1e-9)
    assert found["low"]["female"] < 0 < found["high"]["female"]
    assert found["low"]["male"] > found["high"]["female"]
    numbers = MetricTable(PARAMS)
    subgroups.add_gaps(numbers, found.reset_index())
    assert numbers.rows[0].name == "subgroup_gap.gender.kd"
    assert numbers.rows[0].value == pytest.approx(found["mean"]["male"] - found["mean"]["female"])
