"""Sources of faces.

`demo`: embedded people; `drawn`: anime portraits; `archive`: a file or folder; `kaggle`; `celeba`: the original files.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass
class Fetched:
    """The images of a source."""

    members: pd.DataFrame  # one row per image in faces.zip | faces.tar: its name there, `source`, and its labels
    facts: dict[str, Any]  # for manifest.json, see `facts`
    scratch: Path | None = None  # may be deleted when the outputs are written
    ignored: dict[str, int] = field(default_factory=dict)  # number of unusable files by reason


def facts(dataset: str, licence: str, licence_url: str | None, version: str | None = None) -> dict[str, Any]:
    """Return the facts about a source for manifest.json."""
    return {"dataset": dataset, "version": version, "licence": licence, "licence_url": licence_url}
