"""What names and tables tell about images: gender from folders, year from file names, anything from a CSV."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

import pandas as pd

from ..errors import UserError
from ..faces import COLUMNS

#: Names of the column that says which image a row is about; the first that is there, in any case.
FILE_COLUMNS = ("file", "filename", "image", "image_id", "name", "path", "source")
#: Columns that the pipeline knows, found in any case; those after gender hold whole numbers.
KNOWN_COLUMNS = ("gender", "year", "age", "identity")
#: Columns that the stages write themselves: a CSV must not bring its own.
RESERVED = {name for columns in COLUMNS.values() for name in columns} - set(KNOWN_COLUMNS)
#: Whole numbers up to here are exact as floats too.
_LARGEST = 10**15
GENDERS = {"female": "female", "f": "female", "woman": "female", "male": "male", "m": "male", "man": "male"}

_YEAR = re.compile(r"_((?:19|20)\d\d)$")


def gender_of_folders(name: str) -> str | None:
    """Read the gender off the nearest folder that tells one, in any case: "faces/Female Faces/1.jpg" is female."""
    for folder in reversed(PurePosixPath(name.replace("\\", "/")).parts[:-1]):
        words = folder.lower()
        # "female" first: it holds "male". What names both, such as "male and female faces", tells nothing.
        female = "female" in words or "women" in words
        rest = words.replace("female", "").replace("women", "")
        male = "male" in rest or bool(re.search(r"\bmen\b", rest))
        if female != male:
            return "female" if female else "male"
    return None


def year_of_name(name: str) -> int | None:
    """Read the year off a name such as `12345_2017.jpg`."""
    match = _YEAR.search(PurePosixPath(name).stem)
    return int(match[1]) if match else None


def from_names(names: Iterable[str], domain: str) -> pd.DataFrame:
    """Make the table of images: `source`, and where a name tells it `year` (anime) or `gender` (people)."""
    table = pd.DataFrame({"source": list(names)}, dtype="str")
    column, read, kind = ("year", year_of_name, "Int64") if domain == "anime" else ("gender", gender_of_folders, "str")
    values = pd.Series([read(name) for name in table["source"]], dtype=kind)
    if values.notna().any():
        table[column] = values
    return table


def read_csv(data: bytes, name: str) -> pd.DataFrame:
    """Read a CSV of labels, indexed by image: UserError says what is wrong with it, naming the first bad value.

    UTF-8 with or without BOM; separated by commas, semicolons or tabs. Columns named in KNOWN_COLUMNS are checked, any
    other becomes numbers where all of its values are, and stays text otherwise. An empty value is missing.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{name} is not UTF-8 text: save it as a UTF-8 CSV.") from None
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    try:
        # Read without a header: pandas would rename columns that stand there twice.
        rows = pd.read_csv(io.StringIO(text), sep=separator, header=None, dtype=str, keep_default_na=False)
    except (ValueError, csv.Error) as error:
        raise UserError(f"{name} is not a readable CSV ({' '.join(str(error).split())}): mend it.") from None
    table = rows.iloc[1:].set_axis([_column_name(str(column)) for column in rows.iloc[0]], axis=1)
    if not table.columns.is_unique:
        raise UserError(f"{name} names a column twice: give each column a name of its own.")
    key = next((column for column in FILE_COLUMNS if column in table), None)
    if key is None:
        raise UserError(
            f"{name} has no column that names the image (it has {', '.join(table.columns)}): call one of them file."
        )
    table = table.fillna("").set_index(key).rename_axis("image")
    if taken := [str(column) for column in table if column in RESERVED]:
        raise UserError(f"{name} has a column {taken[0]}, which the pipeline writes itself: give it another name.")
    table.index = table.index.str.strip()
    check_unique(table, name)
    return pd.DataFrame({column: _typed(str(column), table[column], name) for column in table}, index=table.index)


def check_unique(table: pd.DataFrame, name: str) -> None:
    """Raise UserError when two rows of a table indexed by image are about the same one."""
    if not table.index.is_unique:
        raise UserError(f"{name} has two rows about {table.index[table.index.duplicated()][0]}: keep one.")


def join(members: pd.DataFrame, labels: pd.DataFrame, name: str) -> tuple[pd.DataFrame, dict[str, int]]:
    """Add the columns of a table indexed by image to the table of images, and count what did not fit.

    A row names its image by the whole member name, or by the file name alone where only one image has it. Rows about
    no image and images without a row are counted, never fatal; a table that fits no image at all is a UserError.
    """
    members = members.reset_index(drop=True)
    file_name = members["source"].map(lambda source: PurePosixPath(source).name)
    alone = ~file_name.duplicated(keep=False)
    key = members["source"].where(members["source"].isin(labels.index), file_name.where(alone))
    matched = key.isin(labels.index)
    if len(members) and not matched.any():
        said = f"its first row is about {labels.index[0]}" if len(labels) else "it has no rows"
        raise UserError(
            f"{name} names none of the images ({said}, the first image is {members['source'].iloc[0]}): mend it."
        )
    added = labels.reindex(key).reset_index(drop=True)
    for column in added:
        members[column] = added[column].fillna(members[column]) if column in members else added[column]
    return members, {
        "rows": len(labels),
        "rows_without_image": int((~labels.index.isin(key[matched])).sum()),
        "images_without_row": int((~matched).sum()),
    }


def _column_name(column: str) -> str:
    column = column.strip()
    return column.lower() if column.lower() in (*FILE_COLUMNS, *KNOWN_COLUMNS) else column


def _typed(column: str, values: pd.Series, name: str) -> pd.Series:
    text = values.str.strip().replace("", None)
    if column == "gender":
        genders = text.str.lower().map(GENDERS)
        _check(text, text.notna() & genders.isna(), f"{name}: the gender of", "write female or male, or nothing")
        return genders
    numbers: pd.Series = pd.to_numeric(text, errors="coerce").astype("Float64")
    whole = numbers.isna() | (numbers % 1 == 0)
    wrong = (text.notna() & numbers.isna()) | (numbers.abs() > _LARGEST).fillna(False)
    if column in KNOWN_COLUMNS:
        _check(
            text, wrong | ~whole, f"{name}: the {column} of", "write a whole number of at most 15 digits, or nothing"
        )
    elif text.isna().all() or wrong.any():
        return text
    return numbers.astype("Int64") if whole.all() else numbers


def _check(text: pd.Series, wrong: pd.Series, what: str, mend: str) -> None:
    if wrong.any():
        raise UserError(f"{what} {text.index[wrong][0]} is {text[wrong].iloc[0]!r}: {mend}.")
