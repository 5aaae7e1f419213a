"""What names and tables tell about images: gender from folders, year from file names, anything from a CSV."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from pipeline.errors import UserError

#: Names of the column that says which image a row is about, the first that is there.
FILE_COLUMNS = ("file", "filename", "image", "image_id", "name", "path", "source")
#: Columns read as whole numbers.
_INTEGERS = ("year", "age", "identity")
_GENDERS = {"female": "female", "f": "female", "woman": "female", "male": "male", "m": "male", "man": "male"}
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


def parse_csv(data: bytes, name: str) -> pd.DataFrame:
    """Read a CSV of labels into text columns; UserError when it is none. Separated by comma, semicolon or tab."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{name} is not UTF-8 text: save it as a UTF-8 CSV.") from None
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    try:
        table = pd.read_csv(io.StringIO(text), sep=separator, dtype=str, skipinitialspace=True, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        raise UserError(
            f"{name} is not a readable CSV ({' '.join(str(error).split())}): mend or save it again."
        ) from None
    table.columns = table.columns.str.strip()
    if not table.columns.is_unique:
        raise UserError(f"{name} names a column twice: give each column a name of its own.")
    return table


def join_csv(members: pd.DataFrame, labels: pd.DataFrame, name: str) -> tuple[pd.DataFrame, dict[str, int]]:
    """Add the columns of a CSV to the table of images, and count what did not fit.

    A row names its image by the whole member name, or by the file name alone where only one image has it. Rows about
    no image and images without a row are counted, never fatal; a CSV that fits no image at all is a UserError, as are
    two rows about one image, and values that mean nothing.
    """
    key = next((column for column in FILE_COLUMNS if column in {c.lower() for c in labels.columns}), None)
    if key is None:
        raise UserError(
            f"{name} has no column that names the image (it has {', '.join(labels.columns)}): call one of them `file`."
        )
    labels = labels.rename(columns={column: column.lower() for column in labels.columns if column.lower() == key})
    twice = labels[key][labels[key].duplicated()]
    if len(twice):
        raise UserError(f"{name} has two rows about {twice.iloc[0]}: keep one.")
    by_file = members["source"].map(lambda source: PurePosixPath(source).name)
    unique = ~by_file.duplicated(keep=False)
    known = set(labels[key])
    match = members["source"].where(members["source"].isin(known), by_file.where(unique))
    values = labels.set_index(key)
    values = values.rename(columns={column: column.lower() for column in values if column.lower() in _KNOWN})
    matched = match.isin(known)
    if len(members) and not matched.any():
        raise UserError(
            f"{name} names none of the images (it says {labels[key].iloc[0] if len(labels) else 'nothing'}, "
            f"the first image is {members['source'].iloc[0]}): check its column `{key}`."
        )
    counts = {
        "rows": len(labels),
        "rows_without_image": len(known - set(match[matched])),
        "images_without_row": int((~matched).sum()),
    }
    added = values.reindex(match).reset_index(drop=True)
    joined = members.reset_index(drop=True)
    for column in added:
        typed = _typed(str(column), added[column], match.reset_index(drop=True), name)
        joined[column] = typed.fillna(joined[column]) if column in joined else typed
    return joined, counts


_KNOWN = ("gender", *_INTEGERS)


def _typed(column: str, values: pd.Series, files: pd.Series, name: str) -> pd.Series:
    """Give a text column its type: gender, whole number, number, or text as it is."""
    text = values.str.strip().replace("", None)
    there = text.dropna()
    if column == "gender":
        known = text.str.lower().map(_GENDERS)
        wrong = text[text.notna() & known.isna()]
        if len(wrong):
            raise UserError(
                f"{name}: the gender of {files[wrong.index[0]]} is {wrong.iloc[0]!r}: write female or male, or nothing."
            )
        return known
    numbers: Any = pd.to_numeric(text, errors="coerce")
    bad = text[text.notna() & numbers.isna()]
    if column in _INTEGERS:
        bad = bad if len(bad) else text[numbers.notna() & (numbers % 1 != 0)]
        if len(bad):
            raise UserError(f"{name}: the {column} of {files[bad.index[0]]} is {bad.iloc[0]!r}, not a whole number.")
        return numbers.astype("Int64")
    if len(bad) or not len(there):
        return text
    return numbers.astype("Int64" if (numbers.dropna() % 1 == 0).all() else "Float64")
