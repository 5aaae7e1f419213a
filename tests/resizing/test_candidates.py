import hypothesis.strategies as st
import pandas as pd
from hypothesis import given

from pipeline.resizing.candidates import choose

GENDERS = st.lists(st.sampled_from(["female", "male", None]), min_size=1, max_size=60)


def table(genders: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {"source": [f"{n}.jpg" for n in range(len(genders))], "gender": pd.Series(genders, dtype="str")}
    )


@given(GENDERS, st.integers(1, 70), st.integers(0, 5))
def test_women_and_men_get_equal_parts_as_far_as_there_are_enough(genders, count, seed):
    members = table(genders)
    chosen = choose(members, count, seed)
    assert len(chosen) == min(count, len(members))
    assert chosen.index.is_monotonic_increasing
    assert chosen.index.is_unique
    women, men = (int((chosen["gender"] == value).sum()) for value in ("female", "male"))
    all_women, all_men = genders.count("female"), genders.count("male")
    # The smaller part is smaller because it has no more; unknown ones come last.
    assert abs(women - men) <= 1 or (women < men and women == all_women) or (men < women and men == all_men)
    if chosen["gender"].isna().any():
        assert women == all_women
        assert men == all_men


def test_seed_decides():
    members = table(["female", "male"] * 50)
    assert choose(members, 20, 1).equals(choose(members, 20, 1))
    assert not choose(members, 20, 1).equals(choose(members, 20, 2))


def test_null_means_all():
    members = table(["female", "male"])
    assert choose(members, None, 0).equals(members)


def test_without_genders_the_draw_is_plain():
    members = pd.DataFrame({"source": [f"{n}.jpg" for n in range(100)]})
    chosen = choose(members, 10, 0)
    assert len(chosen) == 10
    assert chosen.index.tolist() != list(range(10))
