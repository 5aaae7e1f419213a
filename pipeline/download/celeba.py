"""CelebA's own tables: 40 attributes, five landmarks, identities; as CSV (Kaggle) or as the original text files.

Liu et al., "Deep Learning Face Attributes in the Wild" (2015), https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html
"""

import io
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pandas as pd

from ..errors import UserError
from . import Fetched, labels
from .archive import store

LICENCE = "Non-commercial research only; the pictures are not MMLAB's property (CelebA, Liu et al. 2015)."
LICENCE_URL = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"

ATTRIBUTES, LANDMARKS, IDENTITIES = "list_attr_celeba", "list_landmarks_align_celeba", "identity_CelebA"
_PICTURES = "img_align_celeba"


def fetch(folder: Path, path: Path | None, domain: str) -> Fetched:
    """Copy img_align_celeba.zip (or the folder of that name) found below `path`, and read the text files beside it.

    Attributes are needed; landmarks and identities are read when they are there.
    """
    if path is None or not path.is_dir():
        raise UserError(
            f"download.{domain}.source is celeba, but {path or 'its path'} is not a folder: set download.{domain}.path "
            "to the folder with img_align_celeba.zip, list_attr_celeba.txt and identity_CelebA.txt."
        )
    below = sorted(path.rglob("*"))
    pictures = next(
        (file for file in below if file.stem == _PICTURES and (file.is_dir() or file.suffix == ".zip")), None
    )
    if pictures is None:
        raise UserError(f"{path} holds no {_PICTURES}.zip: put it beside {ATTRIBUTES}.txt.")
    texts = {
        str(file): file.read_bytes()
        for file in below
        if file.suffix in (".txt", ".csv") and file.stem in (ATTRIBUTES, LANDMARKS, IDENTITIES)
    }
    if not any(PurePosixPath(name).stem == ATTRIBUTES for name in texts):
        raise UserError(f"{path} holds no {ATTRIBUTES}.txt, which tells women from men: put it beside {pictures.name}.")
    found = store(pictures, folder)
    members = pd.DataFrame({"source": [member.name for member in found.members]}, dtype="str")
    members, counts = label(members, texts)
    facts = {
        "dataset": "CelebA, original files",
        "version": None,
        "licence": LICENCE,
        "licence_url": LICENCE_URL,
        "labels": counts,
    }
    return Fetched(members, facts, ignored=dict(found.ignored))


def label(members: pd.DataFrame, texts: Mapping[str, bytes]) -> tuple[pd.DataFrame, dict[str, dict[str, int]]]:
    """Add what CelebA's tables among `texts` (name to content) say about the images; count what did not fit.

    Attributes become truth values under their own names, `Male` gives `gender` besides; landmarks are `lefteye_x` …
    in pixels of the 178 x 218 picture; `identity` is a person's number.
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
            raise UserError(f"{name} holds something that is no number: fetch it again.")
        members, counts[stem] = labels.join(members, table, name)
    return members, counts


def _read(data: bytes, name: str, stem: str) -> pd.DataFrame:
    """Read a CSV, or the original text: a line with the number of rows, one with the columns' names, then the rows.

    identity_CelebA.txt has neither of the two lines.
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
        raise UserError(f"{name} is not CelebA's {stem} ({' '.join(str(error).split())}): fetch it again.") from None
    if table.isna().any(axis=None) or (declared is not None and declared != len(table)):
        raise UserError(f"{name} is cut off: it says {declared or 'more'} rows and holds {len(table)}: fetch it again.")
    labels.check_unique(table, name)
    return table


def _attributes(table: pd.DataFrame, name: str) -> pd.DataFrame:
    if "Male" not in table:
        raise UserError(f"{name} has no column Male (it has {', '.join(table.columns[:5])} …): fetch it again.")
    wrong = ~table.isin([1, -1, 0])
    if wrong.any(axis=None):
        column = wrong.columns[wrong.any()][0]
        raise UserError(f"{name}: {column} of {table.index[wrong[column]][0]} is neither 1 nor -1: fetch it again.")
    truth = (table == 1).astype("boolean")
    truth.insert(0, "gender", truth["Male"].map({True: "male", False: "female"}).astype("str"))
    return truth
