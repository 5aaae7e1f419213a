import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.download import celeba
from pipeline.errors import UserError

ATTRIBUTES = """3
5_o_Clock_Shadow Male Young
000001.png -1  1 -1
000002.png -1 -1  1
000003.png  1 -1 -1
"""
LANDMARKS = """3
lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y
000001.png 69  109  106  113   77  142   73  152  108  154
000002.png 70  110  107  112   78  141   74  151  109  153
000003.png 71  111  108  111   79  140   75  150  110  152
"""
IDENTITIES = "000001.png 2880\n000002.png 2937\n000003.png 2880\n"


@pytest.fixture
def originals(tmp_path, png) -> Path:
    folder = tmp_path / "CelebA"
    (folder / "Img").mkdir(parents=True)
    (folder / "Anno").mkdir()
    with zipfile.ZipFile(folder / "Img" / "img_align_celeba.zip", "w") as archive:
        for number in (1, 2, 3):
            archive.writestr(f"img_align_celeba/{number:06d}.png", png(number))
    (folder / "Anno" / "list_attr_celeba.txt").write_text(ATTRIBUTES)
    (folder / "Anno" / "list_landmarks_align_celeba.txt").write_text(LANDMARKS)
    (folder / "Anno" / "identity_CelebA.txt").write_text(IDENTITIES)
    return folder


@pytest.fixture
def out(tmp_path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_original_files_give_gender_identity_and_landmarks(originals, out):
    fetched = celeba.fetch(out, originals, "human")
    table = fetched.members
    assert table["gender"].tolist() == ["male", "female", "female"]
    assert table["5_o_Clock_Shadow"].tolist() == [False, False, True]
    assert table["Male"].tolist() == [True, False, False]
    assert table["identity"].tolist() == [2880, 2937, 2880]
    assert table["rightmouth_y"].tolist() == [154, 153, 152]
    assert fetched.facts["labels"]["identity_CelebA"]["images_without_row"] == 0
    assert (out / "faces.zip").is_file()


def test_landmarks_and_identities_may_be_missing(originals, out):
    (originals / "Anno" / "identity_CelebA.txt").unlink()
    (originals / "Anno" / "list_landmarks_align_celeba.txt").unlink()
    assert celeba.fetch(out, originals, "human").members.columns.tolist() == [
        "source",
        "gender",
        "5_o_Clock_Shadow",
        "Male",
        "Young",
    ]


def test_folder_of_pictures_serves_as_well(originals, out):
    with zipfile.ZipFile(originals / "Img" / "img_align_celeba.zip") as archive:
        archive.extractall(originals / "Img")
    (originals / "Img" / "img_align_celeba.zip").unlink()
    assert celeba.fetch(out, originals, "human").members["gender"].notna().all()


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("list_attr_celeba.txt", ATTRIBUTES.rsplit("\n", 2)[0] + "\n", "says 3 rows and holds 2"),
        ("list_attr_celeba.txt", ATTRIBUTES + "000003.png 1 1 1\n", "says 3 rows and holds 4"),
        ("list_attr_celeba.txt", ATTRIBUTES[:-4], "cut off"),
        ("list_attr_celeba.txt", ATTRIBUTES.replace("Male", "Man"), "no column Male"),
        ("list_attr_celeba.txt", ATTRIBUTES.replace("-1  1 -1", "-1  7 -1"), "Male of 000001.png is neither 1 nor -1"),
        ("list_attr_celeba.txt", ATTRIBUTES.replace("000002", "000001"), "two rows about 000001.png"),
        ("list_attr_celeba.txt", ATTRIBUTES.replace(".png", ".jpg"), "names none of the images"),
        ("list_attr_celeba.txt", "", "is not CelebA's list_attr_celeba|no column Male"),
        ("identity_CelebA.txt", IDENTITIES.replace("2937", "x"), "something that is no number"),
        ("identity_CelebA.txt", "<html>no</html>", "cut off|no number|names none"),
    ],
)
def test_wrong_tables_are_one_sentence(originals, out, file, text, sentence):
    (originals / "Anno" / file).write_text(text)
    with pytest.raises(UserError, match=sentence) as error:
        celeba.fetch(out, originals, "human")
    assert file in str(error.value)
    assert "\n" not in str(error.value)


def test_rows_and_images_too_many_are_counted(originals, out):
    (originals / "Anno" / "identity_CelebA.txt").write_text("000001.png 2880\n000009.png 1\n")
    fetched = celeba.fetch(out, originals, "human")
    assert fetched.members["identity"].fillna(0).tolist() == [2880, 0, 0]
    assert fetched.facts["labels"]["identity_CelebA"] == {
        "rows": 2,
        "rows_without_image": 1,
        "images_without_row": 2,
    }


def test_what_is_not_there_is_one_sentence(originals, out, tmp_path):
    for path in (None, tmp_path / "none"):
        with pytest.raises(UserError, match=r"set download\.human\.path to the folder"):
            celeba.fetch(out, path, "human")
    (originals / "Anno" / "list_attr_celeba.txt").unlink()
    with pytest.raises(UserError, match=r"holds no list_attr_celeba\.txt"):
        celeba.fetch(out, originals, "human")
    (originals / "Img" / "img_align_celeba.zip").unlink()
    with pytest.raises(UserError, match=r"holds no img_align_celeba\.zip"):
        celeba.fetch(out, originals, "human")


def test_text_and_csv_say_the_same(originals, out):
    members = celeba.fetch(out, originals, "human").members
    lines = [line.split() for line in ATTRIBUTES.splitlines()[1:]]
    csv = "\n".join(",".join(line) for line in [["image_id", *lines[0]], *lines[1:]])
    from_csv, _ = celeba.label(members[["source"]], {"a/list_attr_celeba.csv": csv.encode()})
    for column in ("gender", "Male", "Young"):
        assert np.array_equal(from_csv[column], members[column])
