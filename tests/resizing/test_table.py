import numpy as np
import pandas as pd

from pipeline.faces import COLUMNS
from pipeline.resizing.table import FIVE_POINTS, face_table


def found(*hashes: str, width: int = 178, height: int = 218) -> pd.DataFrame:
    names = [f"{n}.jpg" for n in range(len(hashes))]
    return pd.DataFrame({"source": names, "sha256": hashes, "width": width, "height": height})


def test_all_columns_are_there_and_typed():
    faces = found("a" * 64, "b" * 64)
    table = face_table(faces, faces[["source"]], "human", 128, "crop")
    assert list(table.columns) == list(COLUMNS["resize"])
    assert table["face_id"].tolist() == ["human-" + "a" * 16, "human-" + "b" * 16]
    assert table["row"].tolist() == [0, 1]
    assert table["gender"].isna().all()
    assert table["gender_origin"].isna().all()
    assert [str(table[name].dtype) for name in ("year", "age", "identity")] == ["Int64", "Float64", "Int64"]


def test_equal_files_get_names_of_their_own():
    faces = found("a" * 64, "b" * 64, "a" * 64, "a" * 64)
    table = face_table(faces, faces[["source"]], "anime", 128, "crop")
    assert table["face_id"].is_unique
    assert table["face_id"].tolist()[2:] == ["anime-" + "a" * 16 + "-2", "anime-" + "a" * 16 + "-3"]


def test_labels_follow_their_image_and_rejected_ones_fall_out():
    members = pd.DataFrame(
        {"source": ["1.jpg", "x.jpg", "0.jpg"], "gender": ["male", "female", "female"], "Smiling": [True, False, False]}
    )
    table = face_table(found("a" * 64, "b" * 64), members, "human", 128, "crop")
    assert table["gender"].tolist() == ["female", "male"]
    assert table["gender_origin"].tolist() == ["source", "source"]
    assert table["Smiling"].tolist() == [False, True]


def test_landmarks_move_to_the_stored_picture():
    faces = found("a" * 64, "b" * 64)
    points = np.array([69, 109, 106, 113, 77, 142, 73, 152, 108, 154])
    columns = [f"{name}_{axis}" for name in FIVE_POINTS for axis in "xy"]
    members = pd.DataFrame([points, points + 1], columns=columns).assign(source=faces["source"])
    table = face_table(faces, members, "human", 128, "crop")
    scale = 128 / 178  # the middle 178 x 178: 20 rows fall off above
    assert np.allclose(table["lefteye_x"], (np.array([69, 70]) + 0.5) * scale)
    assert np.allclose(table["lefteye_y"], (np.array([109, 110]) + 0.5 - 20) * scale)
    assert np.allclose(table["rightmouth_y"], (np.array([154, 155]) + 0.5 - 20) * scale)


def test_missing_landmarks_stay_missing():
    faces = found("a" * 64, "b" * 64)
    columns = [f"{name}_{axis}" for name in FIVE_POINTS for axis in "xy"]
    members = pd.DataFrame(10, index=[0], columns=columns).assign(source="0.jpg")
    members = faces[["source"]].merge(members.astype(dict.fromkeys(columns, "Int64")), how="left")
    table = face_table(faces, members, "human", 128, "crop")
    assert table["nose_x"].isna().tolist() == [False, True]
