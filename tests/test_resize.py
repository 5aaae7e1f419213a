import hypothesis.strategies as st
import numpy as np
import pandas as pd
from hypothesis import given

from pipeline.faces import CELEBA_POINTS, COLUMNS, TRUTH_POINTS
from pipeline.resize import Decoded, Resized, choose


def found(*hashes: str, width: int = 178, height: int = 218) -> pd.DataFrame:
    names = [f"{n}.jpg" for n in range(len(hashes))]
    return pd.DataFrame({"source": names, "sha256": hashes, "width": width, "height": height})


def face_table(faces: pd.DataFrame, members: pd.DataFrame, domain: str) -> pd.DataFrame:
    accepted = [Decoded(face.source, "", face.sha256, face.width, face.height) for face in faces.itertuples()]
    return Resized(accepted).table(members, domain, 128, "crop")


def test_all_columns_are_there_and_typed():
    faces = found("a" * 64, "b" * 64)
    table = face_table(faces, faces[["source"]], "human")
    assert list(table.columns) == list(COLUMNS["resize"])
    assert table["face_id"].tolist() == ["human-" + "a" * 16, "human-" + "b" * 16]
    assert table["row"].tolist() == [0, 1]
    assert table["gender"].isna().all()
    assert table["gender_origin"].isna().all()
    assert [str(table[name].dtype) for name in ("year", "age", "identity")] == ["Int64", "Float64", "Int64"]


def test_equal_files_get_names_of_their_own():
    faces = found("a" * 64, "b" * 64, "a" * 64, "a" * 64)
    table = face_table(faces, faces[["source"]], "anime")
    assert table["face_id"].is_unique
    assert table["face_id"].tolist()[2:] == ["anime-" + "a" * 16 + "-2", "anime-" + "a" * 16 + "-3"]


def test_labels_follow_their_image_and_rejected_ones_fall_out():
    members = pd.DataFrame(
        {"source": ["1.jpg", "x.jpg", "0.jpg"], "gender": ["male", "female", "female"], "Smiling": [True, False, False]}
    )
    table = face_table(found("a" * 64, "b" * 64), members, "human")
    assert table["gender"].tolist() == ["female", "male"]
    assert table["gender_origin"].tolist() == ["source", "source"]
    assert table["Smiling"].tolist() == [False, True]


def test_landmarks_move_to_the_stored_picture():
    faces = found("a" * 64, "b" * 64)
    points = np.array([69, 109, 106, 113, 77, 142, 73, 152, 108, 154])
    columns = [f"{name}_{axis}" for name in CELEBA_POINTS for axis in "xy"]
    members = pd.DataFrame([points, points + 1], columns=columns).assign(source=faces["source"])
    table = face_table(faces, members, "human")
    scale = 128 / 178  # the middle 178 x 178: 20 rows fall off above
    assert np.allclose(table["lefteye_x"], (np.array([69, 70]) + 0.5) * scale)
    assert np.allclose(table["lefteye_y"], (np.array([109, 110]) + 0.5 - 20) * scale)
    assert np.allclose(table["rightmouth_y"], (np.array([154, 155]) + 0.5 - 20) * scale)


def test_truth_of_drawn_faces_moves_to_the_stored_picture():
    faces = found("a" * 64, "b" * 64)
    columns = [f"{name}_{axis}" for name in TRUTH_POINTS for axis in "xy"]
    members = pd.DataFrame(100.0, index=[0, 1], columns=columns).assign(source=faces["source"])
    table = face_table(faces, members, "anime")
    scale = 128 / 178  # the middle 178 x 178: 20 rows fall off above
    assert np.allclose(table["truth_27_x"], 100 * scale)
    assert np.allclose(table["truth_27_y"], (100 - 20) * scale)


def test_missing_landmarks_stay_missing():
    faces = found("a" * 64, "b" * 64)
    columns = [f"{name}_{axis}" for name in CELEBA_POINTS for axis in "xy"]
    members = pd.DataFrame(10, index=[0], columns=columns).assign(source="0.jpg")
    members = faces[["source"]].merge(members.astype(dict.fromkeys(columns, "Int64")), how="left")
    table = face_table(faces, members, "human")
    assert table["nose_x"].isna().tolist() == [False, True]


def table(genders: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {"source": [f"{n}.jpg" for n in range(len(genders))], "gender": pd.Series(genders, dtype="str")}
    )


GENDERS = st.lists(st.sampled_from(["female", "male", None]), min_size=1, max_size=60)


def members_of(genders: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {"source": [f"{n}.jpg" for n in range(len(genders))], "gender": pd.Series(genders, dtype="str")}
    )


@given(GENDERS, st.integers(1, 70), st.integers(0, 5))
def test_women_and_men_get_equal_parts_as_far_as_there_are_enough(genders, count, seed):
    members = members_of(genders)
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
    members = members_of(["female", "male"] * 50)
    assert choose(members, 20, 1).equals(choose(members, 20, 1))
    assert not choose(members, 20, 1).equals(choose(members, 20, 2))


def test_null_means_all():
    members = members_of(["female", "male"])
    assert choose(members, None, 0).equals(members)


def test_without_genders_the_draw_is_plain():
    members = pd.DataFrame({"source": [f"{n}.jpg" for n in range(100)]})
    chosen = choose(members, 10, 0)
    assert len(chosen) == 10
    assert chosen.index.tolist() != list(range(10))
