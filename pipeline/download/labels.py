"""Labels of images: gender from folder names, year from file names, all other labels from a CSV."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

import pandas as pd

from ..errors import Kind, UserError, bad_value, conflict, damaged_file
from ..faces import COLUMNS

#: Names of the column with the image of a row. The first that exists is used; case is ignored.
FILE_COLUMNS = ("file", "filename", "image", "image_id", "name", "path", "source")
#: Columns that the pipeline knows; case is ignored. Those after gender are whole numbers.
KNOWN_COLUMNS = ("gender", "year", "age", "identity")
#: Columns that the stages write: a CSV must not contain them.
RESERVED = {name for columns in COLUMNS.values() for name in columns} - set(KNOWN_COLUMNS)
#: Whole numbers up to this one are also exact as floats.
_LARGEST = 10**15
GENDERS = {"female": "female", "f": "female", "woman": "female", "male": "male", "m": "male", "man": "male"}

_YEAR = re.compile(r"_((?:19|20)\d\d)$")


def gender_of_folders(name: str) -> str | None:
    """Return the gender in the innermost folder name that has one, ignoring case: "Female Faces/1.jpg" is female."""
    for folder in reversed(PurePosixPath(name.replace("\\", "/")).parts[:-1]):
        words = folder.lower()
        # "female" is checked first, because it contains "male". A folder with both words gives no gender.
        female = "female" in words or "women" in words
        rest = words.replace("female", "").replace("women", "")
        male = "male" in rest or bool(re.search(r"\bmen\b", rest))
        if female != male:
            return "female" if female else "male"
    return None


def year_of_name(name: str) -> int | None:
    """Return the year in a name such as `12345_2017.jpg`."""
    match = _YEAR.search(PurePosixPath(name).stem)
    return int(match[1]) if match else None


def from_names(names: Iterable[str], domain: str) -> pd.DataFrame:
    """Return the table of images: `source`, and `year` (anime) or `gender` (people) if any name has one."""
    table = pd.DataFrame({"source": list(names)}, dtype="str")
    column, read, kind = ("year", year_of_name, "Int64") if domain == "anime" else ("gender", gender_of_folders, "str")
    values = pd.Series([read(name) for name in table["source"]], dtype=kind)
    if values.notna().any():
        table[column] = values
    return table


def read_csv(data: bytes, name: str) -> pd.DataFrame:
    """Read a CSV of labels, indexed by image.

    UTF-8 with or without BOM; separated by commas, semicolons or tabs. Empty rows, and empty columns without a name,
    are ignored. KNOWN_COLUMNS are checked; any other column becomes numbers if all of its values are, else text. An
    empty value is missing.

    Args:
        data: The file.
        name: Its path, for errors.

    Raises:
        UserError: The table is damaged, or has a bad value, or no label.
    """
    table = _table(data, name)
    key = next((column for column in FILE_COLUMNS if column in table), None)
    if key is None:
        columns = ", ".join(table.columns) or "none"
        problem = f"no column names the image (its columns: {columns})"
        raise damaged_file(name, problem, 'Call the column with the file names "file"')
    table = table.set_index(key).rename_axis("image")
    if reserved := [str(column) for column in table if column in RESERVED]:
        raise conflict(name, f"has a column {reserved[0]!r}, which the pipeline writes itself", "Rename the column")
    table.index = table.index.str.strip()
    if (table.index == "").any():
        row = table[table.index == ""].iloc[0].tolist()
        raise damaged_file(name, f"a row has no image name ({', '.join(row)})", f"Fill the column {key!r}")
    check_unique(table, name)
    typed = pd.DataFrame({column: _typed(str(column), table[column], name) for column in table}, index=table.index)
    if typed.isna().all(axis=None):
        raise UserError(
            f"{name!r} has no label: its columns are empty, or name only images. Add a column such as gender.",
            kind=Kind.MISSING,
            subject=name,
        )
    return typed


def signed_attributes(table: pd.DataFrame) -> pd.DataFrame:
    """Convert attributes that are 1 or -1, as in CelebA, to Booleans, and `Male` to the gender.

    A table without such a column `Male` is returned unchanged.
    """
    if "Male" not in table or not table["Male"].dropna().isin([1, 0, -1]).all():
        return table
    signed = [
        str(column)
        for column in table
        if table[column].notna().any()
        and table[column].dropna().isin([1, 0, -1] if column == "Male" else [1, -1]).all()
    ]
    table = table.assign(
        **{column: (table[column] == 1).astype("boolean").mask(table[column].isna()) for column in signed}
    )
    if "gender" not in table:
        table.insert(0, "gender", gender_of_male(table["Male"]))
    return table


def gender_of_male(male: pd.Series) -> pd.Series:
    """Return the gender for the attribute `Male` of CelebA, a Boolean series."""
    return male.map({True: "male", False: "female"}).astype("str")


def check_unique(table: pd.DataFrame, name: str) -> None:
    """Raise UserError if two rows of a table indexed by image have the same image."""
    if not table.index.is_unique:
        duplicate = table.index[table.index.duplicated()][0]
        raise conflict(name, f"has two rows for {duplicate!r}", "Keep one of them")


def join(members: pd.DataFrame, labels: pd.DataFrame, name: str) -> tuple[pd.DataFrame, dict[str, int]]:
    """Add the columns of a table indexed by image to the table of images.

    A row has the whole path of its image inside the archive, or the file name if only one image has this name. Composed
    and decomposed accents (NFC, NFD) are equal, and so are slash and backslash.

    Args:
        members: `source` and labels of the images.
        labels: Table indexed by image.
        name: Path of the table, for errors.

    Returns:
        The images with their labels, and the numbers of rows, of rows without an image, and of images without a row.

    Raises:
        UserError: No row of the table has one of the images.
    """
    members = members.reset_index(drop=True)
    normalised = labels.set_axis(labels.index.map(_normalised_path)) if len(labels) else labels
    check_unique(normalised, name)
    source = members["source"].map(_normalised_path)
    file_name = source.map(lambda path: PurePosixPath(path).name)
    is_unique = ~file_name.duplicated(keep=False)
    key = source.where(source.isin(normalised.index), file_name.where(is_unique))
    matched = key.isin(normalised.index)
    if len(members) and not matched.any():
        rows = f"its first row is for {labels.index[0]!r}" if len(labels) else "it has no rows"
        problem = f"has none of the images: {rows}, the first image is {members['source'].iloc[0]!r}"
        raise conflict(name, problem, "Write the file names as they are in the archive")
    added = normalised.reindex(key).reset_index(drop=True)
    for column in added:
        members[column] = added[column].fillna(members[column]) if column in members else added[column]
    return members, {
        "rows": len(labels),
        "rows_without_image": int((~normalised.index.isin(key[matched])).sum()),
        "images_without_row": int((~matched).sum()),
    }


def _normalised_path(name: str) -> str:
    """Return the normalised form of a path: NFC, slashes, no leading "./"."""
    return unicodedata.normalize("NFC", str(name)).replace("\\", "/").removeprefix("./")


def _table(data: bytes, name: str) -> pd.DataFrame:
    """Split a CSV into text columns, without empty rows and without columns that have no name and no value."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise damaged_file(name, "not UTF-8 text", "Save it as a UTF-8 CSV") from None
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise damaged_file(name, f"not a CSV ({error})", "Check its delimiter and quotes") from None
    rows = [row for row in rows if any(value.strip() for value in row)]
    if not rows:
        raise damaged_file(name, "it is empty", "Write one row per image below a header")
    header, *body = rows
    width = max(len(row) for row in rows)
    header += [""] * (width - len(header))
    body = [row + [""] * (width - len(row)) for row in body]
    used = [index for index in range(width) if header[index].strip() or any(row[index].strip() for row in body)]
    for index in used:
        if not header[index].strip():
            row = next(row for row in body if row[index].strip())
            problem = f"the value {row[index]!r} in the row of {row[0]!r} is in a column without a name"
            raise damaged_file(name, problem, "Name the column, or check the delimiter")
    columns = [_column_name(header[index]) for index in used]
    if len(set(columns)) < len(columns):
        duplicate = next(column for column in columns if columns.count(column) > 1)
        raise conflict(name, f"has two columns {duplicate!r}", "Give each column a different name")
    return pd.DataFrame(
        {column: [row[index] for row in body] for index, column in zip(used, columns, strict=True)}, dtype="str"
    )


def _column_name(column: str) -> str:
    column = column.strip()
    if column.lower() == "sex":
        return "gender"
    if column.lower() == "male":
        return "Male"
    return column.lower() if column.lower() in (*FILE_COLUMNS, *KNOWN_COLUMNS) else column


def _typed(column: str, values: pd.Series, name: str) -> pd.Series:
    text = values.str.strip().replace("", None)
    if column == "gender":
        genders = text.str.lower().map(GENDERS)
        _check(text, text.notna() & genders.isna(), f"{name}: gender", "female, male or empty")
        return genders
    numbers: pd.Series = pd.to_numeric(text, errors="coerce").astype("Float64")
    whole = numbers.isna() | (numbers % 1 == 0)
    wrong = (text.notna() & numbers.isna()) | (numbers.abs() > _LARGEST).fillna(False)
    if column in KNOWN_COLUMNS:
        _check(text, wrong | ~whole, f"{name}: {column}", "a whole number of at most 15 digits, or empty")
    elif text.isna().all() or wrong.any():
        return text
    return numbers.astype("Int64") if whole.all() else numbers


def _check(text: pd.Series, wrong: pd.Series, key: str, expected: str) -> None:
    if wrong.any():
        raise bad_value(f"{key} of {text.index[wrong][0]}", text[wrong].iloc[0], expected)
