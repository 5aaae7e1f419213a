import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.download import celeba
from pipeline.errors import Kind, UserError

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


ATTR = "list_attr_celeba.txt"


@pytest.mark.parametrize(
    ("file", "text", "kind"),
    [
        (ATTR, ATTRIBUTES.rsplit("\n", 2)[0] + "\n", Kind.DAMAGED),
        (ATTR, ATTRIBUTES + "000003.png 1 1 1\n", Kind.DAMAGED),
        (ATTR, ATTRIBUTES[:-4], Kind.DAMAGED),
        (ATTR, ATTRIBUTES.replace("Male", "Man"), Kind.DAMAGED),
        (ATTR, ATTRIBUTES.replace("-1  1 -1", "-1  7 -1"), Kind.BAD_VALUE),
        (ATTR, ATTRIBUTES.replace("000002", "000001"), Kind.CONFLICT),
        (ATTR, ATTRIBUTES.replace(".png", ".jpg"), Kind.CONFLICT),
        (ATTR, "", Kind.DAMAGED),
        ("identity_CelebA.txt", IDENTITIES.replace("2937", "x"), Kind.DAMAGED),
        ("identity_CelebA.txt", "<html>no</html>", Kind.DAMAGED),
    ],
)
def test_wrong_tables_are_refused(originals, out, file, text, kind):
    (originals / "Anno" / file).write_text(text)
    with pytest.raises(UserError) as error:
        celeba.fetch(out, originals, "human")
    assert error.value.kind is kind
    assert error.value.subject.startswith(str(originals / "Anno" / file))
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


def test_missing_files_are_named(originals, out, tmp_path):
    with pytest.raises(UserError) as error:
        celeba.fetch(out, tmp_path / "none", "human")
    assert (error.value.kind, error.value.subject) == (Kind.MISSING, str(tmp_path / "none"))
    for missing in (originals / "Anno" / ATTR, originals / "Img" / "img_align_celeba.zip"):
        missing.unlink()
        with pytest.raises(UserError) as error:
            celeba.fetch(out, originals, "human")
        assert (error.value.kind, error.value.subject) == (Kind.MISSING, str(originals / missing.name))


def test_text_and_csv_say_the_same(originals, out):
    members = celeba.fetch(out, originals, "human").members
    lines = [line.split() for line in ATTRIBUTES.splitlines()[1:]]
    csv = "\n".join(",".join(line) for line in [["image_id", *lines[0]], *lines[1:]])
    from_csv, _ = celeba.label(members[["source"]], {"a/list_attr_celeba.csv": csv.encode()})
    for column in ("gender", "Male", "Young"):
        assert np.array_equal(from_csv[column], members[column])
