"""No leak, exact sizes, the same result for every order of rows: for any table of genders, identities and clusters."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.errors import Kind, UserError
from pipeline.selection.split import SPLITS, groups, largest_remainder, split, summarise

RATIOS = (0.7, 0.15, 0.15)


def faces(rows: list[tuple[str | None, int | None, int | None]]) -> pd.DataFrame:
    genders, identities, clusters = zip(*rows, strict=True) if rows else ((), (), ())
    return pd.DataFrame(
        {
            "face_id": [f"human-{index}" for index in range(len(rows))],
            "row": range(len(rows)),
            "gender": pd.array(genders, dtype="string"),
            "identity": pd.array(identities, dtype="Int64"),
            "cluster": pd.array(clusters, dtype="Int64"),
        }
    )


def sizes(table: pd.DataFrame) -> list[int]:
    return [int((table["split"] == name).sum()) for name in SPLITS]


def test_the_study_sizes():
    done = split(faces([("female", None, None)] * 5000 + [("male", None, None)] * 5000), RATIOS, seed=0, domain="human")
    assert sizes(done) == [7000, 1500, 1500]
    for gender in ("female", "male"):
        assert sizes(done[done["gender"] == gender]) == [3500, 750, 750]


def test_a_person_stays_on_one_side_and_sizes_stay_exact():
    # As in CelebA: 1 to 8 pictures of a person, both genders.
    rng = np.random.default_rng(0)
    rows = []
    for person in range(600):
        gender = "female" if person % 2 else "male"
        rows += [(gender, person, None)] * int(rng.integers(1, 9))
    done = split(faces(rows), RATIOS, seed=3, domain="human")
    assert (done.groupby("identity")["split"].nunique() == 1).all()
    for gender in ("female", "male"):
        of_gender = done[done["gender"] == gender]
        assert np.abs(np.array(sizes(of_gender)) - len(of_gender) * np.array(RATIOS)).max() < 1
    # Every side gets people with many pictures and people with few.
    pictures = done.groupby("identity").size()
    for name in SPLITS:
        people = done[done["split"] == name]["identity"].unique()
        assert 3.5 < pictures[people].mean() < 5.5


def test_identities_and_clusters_chain():
    # 0 and 1 are one person, 1 and 2 one picture, 3 and 4 one person.
    table = faces(
        [(None, 7, None), (None, 7, 0), (None, None, 0), (None, 8, None), (None, 8, None), (None, None, None)]
    )
    numbers = groups(table)
    assert len(set(numbers[:3])) == 1
    assert numbers[3] == numbers[4]
    assert len(set(numbers)) == 3


def test_an_identity_and_a_cluster_of_one_number_do_not_collide():
    assert len(set(groups(faces([(None, 1, None), (None, None, 1)])))) == 2


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_faces_are_an_error(count):
    with pytest.raises(UserError) as error:
        split(faces([("female", None, None)] * count), RATIOS, seed=0, domain="anime")
    assert error.value.kind is Kind.TOO_FEW


def test_one_person_alone_is_an_error():
    with pytest.raises(UserError) as error:
        split(faces([("female", 1, None)] * 30), RATIOS, seed=0, domain="human")
    assert (error.value.kind, error.value.subject) == (
        Kind.TOO_FEW,
        "human faces in the val split (30 faces in 1 groups)",
    )


def test_another_seed_is_another_split():
    table = faces([("female", None, None)] * 100)
    one, other = (split(table, RATIOS, seed=seed, domain="human")["split"] for seed in (0, 1))
    assert (one != other).any()


def test_faces_that_go_leave_the_others_where_they_were():
    table = faces([("female", None, None)] * 1000)
    whole = split(table, RATIOS, seed=0, domain="human").set_index("face_id")["split"]
    fewer = split(table.iloc[20:], RATIOS, seed=0, domain="human").set_index("face_id")["split"]
    # 20 of 1,000 gone: the two borders move by 20 faces at most, all others stay.
    assert (whole[fewer.index] != fewer).sum() <= 40


maybe = st.one_of(st.none(), st.integers(0, 12))
people = st.lists(st.tuples(st.sampled_from(["female", "male", None]), maybe, maybe), max_size=60)
shares = st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20)).map(
    lambda parts: tuple(part / sum(parts) for part in parts)
)


@settings(max_examples=50)
@given(people, shares, st.integers(0, 5), st.randoms(use_true_random=False))
def test_any_table(rows, ratios, seed, random):
    table = faces(rows)
    try:
        done = split(table, ratios, seed=seed, domain="human")
    except UserError:
        # Refused only where a side can stay empty: its exact share is small, or a group is too big to be shared out.
        biggest = int(np.bincount(groups(table)).max()) if len(table) else 0
        assert len(table) * min(ratios) <= 2 + 3 * biggest
        return
    assert sorted(done["row"]) == list(range(len(table)))
    assert min(sizes(done)) > 0
    for column in ("identity", "cluster"):
        assert (done.groupby(column)["split"].nunique() == 1).all()
    shuffled = table.sample(frac=1, random_state=random.randrange(2**31))
    pd.testing.assert_frame_equal(done, split(shuffled, ratios, seed=seed, domain="human"))


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from(["female", "male", None]), st.none(), st.none()), min_size=20, max_size=200),
    shares,
)
def test_without_groups_every_stratum_is_exact_to_one_face(rows, ratios):
    assume(min(ratios) > 0.1)
    done = split(faces(rows), ratios, seed=0, domain="human")
    for _, stratum in done.groupby(done["gender"].fillna("")):
        assert np.abs(np.array(sizes(stratum)) - len(stratum) * np.array(ratios)).max() < 1
    # The strata's roundings do not add up: the whole is off by less than 1.5 faces in three strata.
    assert np.abs(np.array(sizes(done)) - len(done) * np.array(ratios)).max() < 1.5


@given(st.integers(0, 1000), st.lists(st.integers(0, 50), min_size=1, max_size=6).filter(any))
def test_largest_remainder_rounds_each_share_down_or_up(n, weights):
    parts = largest_remainder(n, np.array(weights))
    exact = n * np.array(weights) / sum(weights)
    assert parts.sum() == n
    assert (np.abs(parts - exact) < 1).all()
    # No part with a smaller remainder was rounded up instead.
    remainder = exact - np.floor(exact)
    up = parts > np.floor(exact)
    assert not up.any() or up.all() or remainder[up].min() >= remainder[~up].max() - 1e-9


def test_the_summary():
    done = split(faces([("female", 1, None)] * 2 + [("male", None, None)] * 18), RATIOS, seed=0, domain="human")
    summary = summarise(done)
    assert sum(side["faces"] for side in summary.values()) == 20
    assert sum(side["groups"] for side in summary.values()) == 19
    assert summary["test"]["female_share"] + summary["test"]["male_share"] == pytest.approx(1)
