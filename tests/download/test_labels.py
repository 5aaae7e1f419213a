import unicodedata

import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import assume, given

from pipeline.download.labels import from_names, gender_of_folders, join, read_csv, signed_attributes, year_of_name
from pipeline.errors import Kind, UserError


@pytest.mark.parametrize(
    ("name", "gender"),
    [
        ("Male Faces/1.jpg", "male"),
        ("Female Faces/1.jpg", "female"),
        ("data/FEMALE/1.jpg", "female"),
        ("Male and Female face dataset/Female Faces/0 (1).jpg", "female"),
        ("Male and Female face dataset/Male Faces/0 (1).jpg", "male"),
        ("Male and Female face dataset/0 (1).jpg", None),
        ("women/1.jpg", "female"),
        ("men/1.jpg", "male"),
        ("documents/1.jpg", None),
        ("female/old/1.jpg", "female"),
        ("female\\1.jpg", "female"),
        ("female_1.jpg", None),  # only folders tell
        ("1.jpg", None),
    ],
)
def test_gender_comes_from_the_nearest_folder_with_one(name, gender):
    assert gender_of_folders(name) == gender


@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("images/46651587_2017.jpg", 2017),
        ("1_2000.jpg", 2000),
        ("1.jpg", None),
        ("1_3017.jpg", None),
        ("2017.jpg", None),
    ],
)
def test_year_comes_from_the_file_name(name, year):
    assert year_of_name(name) == year


def test_names_tell_years_of_anime_and_genders_of_people():
    assert from_names(["male/1_2015.jpg"], "anime").columns.tolist() == ["source", "year"]
    assert from_names(["male/1_2015.jpg"], "human").columns.tolist() == ["source", "gender"]
    assert from_names(["1.jpg"], "human").columns.tolist() == ["source"]


def members(*names: str) -> pd.DataFrame:
    return pd.DataFrame({"source": list(names)}, dtype="str")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv_with_any_separator_and_bom(separator, mark):
    text = mark + "File,Gender,age,Glasses,mood\nb/2.jpg,F,30,1,sad\n1.jpg, male ,,0,\n".replace(",", separator)
    table, counts = join(members("a/1.jpg", "b/2.jpg"), read_csv(text.encode(), "x.csv"), "x.csv")
    assert table["gender"].tolist() == ["male", "female"]
    assert table["age"].isna().tolist() == [True, False]
    assert table["age"][1] == 30
    assert table["Glasses"].tolist() == [0, 1]
    assert table["mood"].isna().tolist() == [True, False]
    assert counts == {"rows": 2, "rows_without_image": 0, "images_without_row": 0}


def test_numbers_too_long_to_be_exact_stay_text():
    labels = read_csv(b"file,camera,weight\n1.jpg,17841400000000001,1e30\n2.jpg,7,2\n", "x.csv")
    assert labels["camera"].tolist() == ["17841400000000001", "7"]
    assert labels["weight"].tolist() == ["1e30", "2"]


def test_rows_too_many_and_too_few_are_counted():
    labels = read_csv(b"file,gender\n1.jpg,f\n9.jpg,m\n", "x.csv")
    table, counts = join(members("1.jpg", "2.jpg", "3.jpg"), labels, "x.csv")
    assert table["gender"].notna().tolist() == [True, False, False]
    assert counts == {"rows": 2, "rows_without_image": 1, "images_without_row": 2}


def test_file_name_that_two_images_share_needs_the_whole_name():
    labels = read_csv(b"file,gender\n1.jpg,f\nb/1.jpg,m\nc/2.jpg,m\n", "x.csv")
    table, counts = join(members("a/1.jpg", "b/1.jpg", "c/2.jpg"), labels, "x.csv")
    assert table["gender"].fillna("").tolist() == ["", "male", "male"]
    assert counts["rows_without_image"] == 1


def test_a_row_overrides_the_folder():
    known = pd.DataFrame({"source": ["male/1.jpg", "male/2.jpg"], "gender": ["male", "male"]})
    table, _ = join(known, read_csv(b"file,gender\n1.jpg,female\n2.jpg,\n", "x.csv"), "x.csv")
    assert table["gender"].tolist() == ["female", "male"]


@pytest.mark.parametrize(
    ("text", "kind", "subject"),
    [
        (b"", Kind.DAMAGED, "x.csv"),
        (b"\xff\xfe\x00", Kind.DAMAGED, "x.csv"),
        (b"who,gender\n1,f\n", Kind.DAMAGED, "x.csv"),
        (b"file,gender\n1.jpg,f\n1.jpg,m\n", Kind.CONFLICT, "x.csv"),
        (b"file,gender\n1.jpg,robot\n", Kind.BAD_VALUE, "x.csv: gender of 1.jpg"),
        (b"file,age\n1.jpg,old\n", Kind.BAD_VALUE, "x.csv: age of 1.jpg"),
        (b"file,year\n1.jpg,2015.5\n", Kind.BAD_VALUE, "x.csv: year of 1.jpg"),
        (b"file,age\n1.jpg,inf\n", Kind.BAD_VALUE, "x.csv: age of 1.jpg"),
        (b"file,identity\n1.jpg,17841400000000001\n", Kind.BAD_VALUE, "x.csv: identity of 1.jpg"),
        (b"file,width\n1.jpg,64\n", Kind.CONFLICT, "x.csv"),
        (b"file,source\n1.jpg,me\n", Kind.CONFLICT, "x.csv"),
        (b"file,score\n1.jpg,3\n", Kind.CONFLICT, "x.csv"),
        (b"file,a,a\n1.jpg,1,2\n", Kind.CONFLICT, "x.csv"),
        (b"file,a, a\n1.jpg,1,2\n", Kind.CONFLICT, "x.csv"),
        (b"file,gender\n9.jpg,f\n", Kind.CONFLICT, "x.csv"),
        (b"file,gender\n", Kind.MISSING, "x.csv"),
        (b"file\n1.jpg\n", Kind.MISSING, "x.csv"),
        (b"file,gender,mood\n1.jpg,,\n", Kind.MISSING, "x.csv"),
        (b"file,gender\n1.jpg,f,lost\n", Kind.DAMAGED, "x.csv"),
        (b"file,gender\n,f\n", Kind.DAMAGED, "x.csv"),
        (b'file,gender\n"1.jpg,f\n', Kind.DAMAGED, "x.csv"),
    ],
)
def test_bad_tables_are_refused(text, kind, subject):
    with pytest.raises(UserError) as error:
        join(members("1.jpg"), read_csv(text, "x.csv"), "x.csv")
    assert (error.value.kind, error.value.subject) == (kind, subject)


@pytest.mark.parametrize(
    "text",
    [
        "file,gender,,\na/1.jpg,female,,\n,,,\n",
        "file,gender\na/1.jpg,female,,\n\n",
        ",file,gender\n,a/1.jpg,female\n",
        "file,gender\r\na/1.jpg,female\r\n,\r\n",
        "file;gender;\na/1.jpg;female;\n",
    ],
)
def test_empty_columns_and_rows_are_ignored(text):
    table, counts = join(members("a/1.jpg"), read_csv(text.encode(), "x.csv"), "x.csv")
    assert table.to_dict("list") == {"source": ["a/1.jpg"], "gender": ["female"]}
    assert counts["rows"] == 1


def test_column_called_sex_is_the_gender():
    assert read_csv(b"file,Sex\n1.jpg,M\n", "x.csv")["gender"].tolist() == ["male"]


@pytest.mark.parametrize(
    ("text", "genders"),
    [
        (b"image_id,Male,Young\n1.jpg,-1,1\n2.jpg,1,-1\n", ["female", "male"]),
        (b"image_id,male\n1.jpg,1\n2.jpg,1\n", ["male", "male"]),
        (b"image_id,Male\n1.jpg,0\n2.jpg,1\n", ["female", "male"]),
        (b"image_id,gender,Male\n1.jpg,f,1\n2.jpg,f,1\n", ["female", "female"]),
    ],
)
def test_signed_columns_are_read_as_in_celeba(text, genders):
    table = signed_attributes(read_csv(text, "x.csv"))
    assert table["gender"].tolist() == genders
    assert table["Male"].dtype == "boolean"
    if "Young" in table:
        assert table["Young"].tolist() == [True, False]


def test_other_numbers_of_a_table_with_genders_stay():
    table = signed_attributes(read_csv(b"file,Male,children,empty\n1.jpg,1,0,\n2.jpg,-1,1,\n", "x.csv"))
    assert table["children"].tolist() == [0, 1]
    assert table["empty"].isna().all()
    plain = read_csv(b"file,mood\n1.jpg,1\n2.jpg,-1\n", "x.csv")
    assert signed_attributes(plain)["mood"].tolist() == [1, -1]


@pytest.mark.parametrize(
    ("in_archive", "in_table"),
    [
        ("a\u0301.jpg", "\u00e1.jpg"),
        ("\u00e1.jpg", "a\u0301.jpg"),
        ("women\\1.jpg", "women/1.jpg"),
        ("women/1.jpg", "women\\1.jpg"),
        ("women/1.jpg", "./women/1.jpg"),
        ("women\\1.jpg", "1.jpg"),
    ],
)
def test_spellings_of_one_name_match(in_archive, in_table):
    labels = read_csv(f"file,gender\n{in_table},f\n".encode(), "x.csv")
    table, counts = join(members(in_archive), labels, "x.csv")
    assert table.to_dict("list") == {"source": [in_archive], "gender": ["female"]}
    assert counts == {"rows": 1, "rows_without_image": 0, "images_without_row": 0}


def test_two_spellings_of_one_name_in_a_table_are_a_conflict():
    labels = read_csv("file,gender\na\u0301.jpg,f\n\u00e1.jpg,m\n".encode(), "x.csv")
    with pytest.raises(UserError) as error:
        join(members("a\u0301.jpg"), labels, "x.csv")
    assert (error.value.kind, error.value.subject) == (Kind.CONFLICT, "x.csv")


@given(st.text(max_size=200), st.booleans())
def test_any_text_is_a_table_or_an_error(text, header):
    data = ("file,gender,age\n" * header + text).encode("utf-8", "replace")
    try:
        table, _ = join(members("1.jpg", "a/2.jpg"), read_csv(data, "x.csv"), "x.csv")
    except UserError as error:
        assert error.subject.startswith("x.csv")
    else:
        assert len(table) == 2
        assert set(table.get("gender", pd.Series(dtype=str)).dropna()) <= {"female", "male"}


@given(
    st.dictionaries(
        st.text(
            st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="\\"), min_size=1, max_size=8
        ).map(lambda name: unicodedata.normalize("NFC", name) + ".jpg"),
        st.tuples(st.sampled_from(["female", "male", None]), st.none() | st.integers(0, 120)),
        min_size=1,
        max_size=20,
    )
)
def test_a_written_table_comes_back(rows):
    assume(any(label is not None for labels in rows.values() for label in labels))
    frame = pd.DataFrame([(name, *labels) for name, labels in rows.items()], columns=["file", "gender", "age"])
    frame["age"] = frame["age"].astype("Int64")
    table, counts = join(members(*rows), read_csv(frame.to_csv(index=False).encode(), "x.csv"), "x.csv")
    assert [None if pd.isna(g) else g for g in table["gender"]] == [gender for gender, _ in rows.values()]
    assert [None if pd.isna(a) else int(a) for a in table["age"]] == [age for _, age in rows.values()]
    assert counts == {"rows": len(rows), "rows_without_image": 0, "images_without_row": 0}
