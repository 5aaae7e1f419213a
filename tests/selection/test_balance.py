"""Counts, newest years first, shortages in words, and independence from the order of rows."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import Kind, UserError
from pipeline.params import GenderCounts
from pipeline.selection.balance import balance, summarise


def faces(genders: list[str | None], years: list[int | None] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "face_id": [f"human-{index}" for index in range(len(genders))],
            "row": range(len(genders)),
            "gender": pd.array(genders, dtype="string"),
            "gender_origin": pd.array([gender and "source" for gender in genders], dtype="string"),
            "year": pd.array(years or [None] * len(genders), dtype="Int64"),
        }
    )


def choose(table, wanted, seed=0, on_shortage="error"):
    return balance(table, wanted, seed=seed, on_shortage=on_shortage, domain="human")


def counts(table: pd.DataFrame) -> tuple[int, int]:
    return int((table["gender"] == "female").sum()), int((table["gender"] == "male").sum())


def test_so_many_of_each_gender():
    table = faces(["female"] * 30 + ["male"] * 20 + [None] * 10)
    chosen = choose(table, GenderCounts(female=12, male=7))
    assert counts(chosen) == (12, 7)
    assert len(chosen) == 19
    assert chosen["row"].is_monotonic_increasing


def test_null_takes_all_and_a_count_takes_any():
    table = faces(["female", None, "male", None])
    assert len(choose(table, None)) == 4
    assert len(choose(table, 3)) == 3


def test_newest_years_first_and_unknown_years_last():
    table = faces([None] * 60, [2011, 2019, None] * 20)
    chosen = choose(table, 30)
    assert chosen["year"].value_counts().to_dict() == {2019: 20, 2011: 10}
    assert choose(table, 50)["year"].isna().sum() == 10


def test_another_seed_chooses_others_within_a_year():
    table = faces([None] * 100, [2019] * 100)
    assert set(choose(table, 50, seed=0)["row"]) != set(choose(table, 50, seed=1)["row"])


def test_more_faces_keep_the_earlier_ones():
    table = faces([None] * 100)
    assert set(choose(table, 20)["row"]) < set(choose(table, 40)["row"])


@pytest.mark.parametrize(
    ("table", "wanted", "words"),
    [
        (
            faces(["female"] * 9 + ["male"] * 3),
            GenderCounts(female=5, male=4),
            ["male human faces", "3 found, at least 4 needed"],
        ),
        (faces(["female"] * 9), 10, ["human faces", "9 found, at least 10 needed", "shrink"]),
        (
            faces([None] * 7),
            GenderCounts(female=2, male=2),
            ["female human faces: 0 found, at least 2 needed", "7 faces have no gender", "estimated"],
        ),
    ],
)
def test_a_shortage_names_the_group_and_both_numbers(table, wanted, words):
    with pytest.raises(UserError) as error:
        choose(table, wanted)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("available", "wanted", "left"),
    [((4, 9), (5, 5), (4, 4)), ((10, 3), (10, 5), (6, 3)), ((9, 9), (5, 5), (5, 5)), ((2, 50), (4, 10), (2, 5))],
)
def test_shrinking_keeps_the_ratio(available, wanted, left):
    table = faces(["female"] * available[0] + ["male"] * available[1])
    chosen = choose(table, GenderCounts(female=wanted[0], male=wanted[1]), on_shortage="shrink")
    assert counts(chosen) == left


def test_shrinking_to_nothing_is_an_error():
    with pytest.raises(UserError) as error:
        choose(faces(["female"] * 9), GenderCounts(female=5, male=5), on_shortage="shrink")
    assert (error.value.kind, error.value.subject) == (Kind.TOO_FEW, "male human faces")
    with pytest.raises(UserError) as error:
        choose(faces(["female"] * 9), GenderCounts(female=0, male=0))
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, "balance.human")


def test_one_gender_alone_needs_none_of_the_other():
    assert counts(choose(faces(["female"] * 9), GenderCounts(female=5, male=0))) == (5, 0)


def test_an_empty_table_is_an_error():
    with pytest.raises(UserError) as error:
        choose(faces([]), None)
    assert (error.value.kind, error.value.subject) == (Kind.TOO_FEW, "human faces")


people = st.lists(
    st.tuples(st.sampled_from(["female", "male", None]), st.sampled_from([None, 2017, 2018, 2019])),
    min_size=1,
    max_size=40,
)


@settings(max_examples=50)
@given(people, st.integers(1, 20), st.integers(1, 20), st.integers(0, 3), st.randoms(use_true_random=False))
def test_any_table(rows, female, male, seed, random):
    table = faces([gender for gender, _ in rows], [year for _, year in rows])
    shuffled = table.sample(frac=1, random_state=random.randrange(2**31))
    wanted = GenderCounts(female=female, male=male)
    try:
        chosen = choose(table, wanted, seed, "shrink")
    except UserError:
        # Something divided to nothing: one gender is absent, or so few are there that the share rounds to zero.
        assert min(counts(table)) == 0 or min(counts(table)[0] / female, counts(table)[1] / male) < 1
        return
    pd.testing.assert_frame_equal(chosen, choose(shuffled, wanted, seed, "shrink"))
    share = min(1, counts(table)[0] / female, counts(table)[1] / male)
    for have, want in zip(counts(chosen), (female, male), strict=True):
        assert want * share - 1 < have <= want * share + 1e-9
    for gender in ("female", "male"):
        taken = chosen[chosen["gender"] == gender]["year"].fillna(0)
        left = table[(table["gender"] == gender).fillna(False) & ~table["row"].isin(chosen["row"])]["year"].fillna(0)
        assert not len(taken) or not len(left) or taken.min() >= left.max()


def test_the_summary_counts_both_sides():
    table = faces(["female"] * 5 + ["male"] * 3 + [None] * 2)
    table.loc[0, "gender_origin"] = "estimated"
    summary = summarise(table, choose(table, GenderCounts(female=5, male=1)))
    assert summary["available"] == {"faces": 10, "female": 5, "male": 3, "unknown": 2, "estimated": 1}
    assert summary["chosen"] == {"faces": 6, "female": 5, "male": 1, "unknown": 0, "estimated": 1}
