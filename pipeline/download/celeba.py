"""Tables of CelebA (40 attributes, five landmarks, identities), as CSV (Kaggle) or as the original text files.

Liu et al., "Deep Learning Face Attributes in the Wild" (2015), https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html
"""

import io
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pandas as pd

from ..errors import bad_value, damaged_file, missing_file
from . import Fetched, facts, labels
from .archive import store

LICENCE = (
    "Non-commercial research only; the pictures are not MMLAB's property (CelebA, Liu et al. 2015).",
    "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
)

ATTRIBUTES, LANDMARKS, IDENTITIES = "list_attr_celeba", "list_landmarks_align_celeba", "identity_CelebA"
_PICTURES = "img_align_celeba"


def fetch(folder: Path, path: Path, domain: str) -> Fetched:
    """Copy the images of CelebA in the folder `path` and read its tables.

    Attributes are required; landmarks and identities are read if they exist.

    Args:
        folder: Where faces.zip is written.
        path: A folder with img_align_celeba.zip (or a folder of that name) and list_attr_celeba.txt, at any depth.
        domain: Name of the domain.

    Raises:
        UserError: A file is missing or damaged.
    """
    key = f"download.{domain}.path"
    files = f"{_PICTURES}.zip, {ATTRIBUTES}.txt and {IDENTITIES}.txt"
    if not path.is_dir():
        raise missing_file(path, f"Set {key} to the folder with {files}")
    below = sorted(path.rglob("*"))
    pictures = next(
        (file for file in below if file.stem == _PICTURES and (file.is_dir() or file.suffix == ".zip")), None
    )
    if pictures is None:
        raise missing_file(path / f"{_PICTURES}.zip", f"Put it next to {ATTRIBUTES}.txt")
    texts = {
        str(file): file.read_bytes()
        for file in below
        if file.suffix in (".txt", ".csv") and file.stem in (ATTRIBUTES, LANDMARKS, IDENTITIES)
    }
    if not any(PurePosixPath(name).stem == ATTRIBUTES for name in texts):
        raise missing_file(path / f"{ATTRIBUTES}.txt", f"Put this table of genders next to {pictures.name}")
    listed = store(pictures, folder)
    members = pd.DataFrame({"source": [member.name for member in listed.images]}, dtype="str")
    members, counts = label(members, texts)
    described = facts("CelebA, original files", *LICENCE) | {"labels": counts}
    return Fetched(members, described, ignored=dict(listed.ignored))


def label(members: pd.DataFrame, texts: Mapping[str, bytes]) -> tuple[pd.DataFrame, dict[str, dict[str, int]]]:
    """Add the labels of the tables of CelebA to the images.

    Attributes become Boolean columns with their own names, and `Male` also becomes `gender`. Landmarks are
    `lefteye_x` … in pixels of the 178 x 218 picture. `identity` is the number of a person.

    Args:
        members: `source` of the images.
        texts: Name and content of tables. Tables that are not from CelebA are ignored.

    Returns:
        The images with their labels, and the numbers of rows and images that did not match, by table.

    Raises:
        UserError: A table is damaged.
    """
    counts = {}
    for name, data in sorted(texts.items()):
        stem = PurePosixPath(name).stem
        if stem not in (ATTRIBUTES, LANDMARKS, IDENTITIES):
            continue
        table = _read(data, name, stem)
        if stem == ATTRIBUTES:
            table = _attributes(table, name)
        elif not all(pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes):
            raise damaged_file(name, "a value is not a number", "Download it again")
        members, counts[stem] = labels.join(members, table, name)
    return members, counts


def _read(data: bytes, name: str, stem: str) -> pd.DataFrame:
    """Read a CSV, or the original text: a line with the number of rows, a line with the column names, the rows.

    identity_CelebA.txt has none of the first two lines.
    """
    if name.endswith(".csv"):
        return labels.read_csv(data, name)
    first, _, rest = data.decode("utf-8-sig", errors="replace").partition("\n")
    declared = int(first) if first.strip().isdecimal() else None
    if stem == IDENTITIES:
        columns, body = ["identity"], f"{first}\n{rest}"
    else:
        header, _, body = rest.partition("\n")
        columns = header.split()
    try:
        table = pd.read_csv(io.StringIO(body), sep=r"\s+", header=None, names=["image", *columns], index_col="image")
    except ValueError as error:
        problem = f"not the table {stem} of CelebA ({' '.join(str(error).split())})"
        raise damaged_file(name, problem, "Download it again") from None
    if table.isna().any(axis=None) or (declared is not None and declared != len(table)):
        problem = f"it is truncated: {declared or 'more'} rows are declared, {len(table)} found"
        raise damaged_file(name, problem, "Download it again")
    labels.check_unique(table, name)
    return table


def _attributes(table: pd.DataFrame, name: str) -> pd.DataFrame:
    if "Male" not in table:
        columns = ", ".join(str(column) for column in table.columns[:5])
        raise damaged_file(name, f"no column Male (its columns: {columns} …)", "Download it again")
    wrong = ~table.isin([1, -1, 0])
    if wrong.any(axis=None):
        column = wrong.columns[wrong.any()][0]
        image = table.index[wrong[column]][0]
        raise bad_value(f"{name}: {column} of {image}", table[column][image], "1 or -1", "Download it again")
    truth = (table == 1).astype("boolean")
    truth.insert(0, "gender", labels.gender_of_male(truth["Male"]))
    return truth
