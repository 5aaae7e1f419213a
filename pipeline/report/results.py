"""What the stages have written, as the report reads it. What is optional and absent is None, never made up."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import UserError
from ..faces import DOMAINS, open_pixels, read_crops, read_table

#: The two directions: input domain, output domain, and the files of `data/evaluate`.
DIRECTIONS = {
    "human2anime": ("human", "anime", "human2anime.npy", "human_cycle.npy"),
    "anime2human": ("anime", "human", "anime2human.npy", "anime_cycle.npy"),
}


@dataclass(frozen=True)
class Translations:
    """The test faces of one direction, uint8 RGB [n, R, R, 3] each, row i of all for row i of `table`."""

    table: pd.DataFrame
    inputs: np.ndarray
    outputs: np.ndarray
    cycles: np.ndarray


@dataclass(frozen=True)
class Results:
    """The outputs of the stages before `report`, under one folder (`data`)."""

    data: Path

    def exists(self, name: str) -> bool:
        """Tell whether a stage wrote this file."""
        return (self.data / name).is_file()

    def json(self, name: str) -> dict[str, Any]:
        """Read a JSON object; UserError when it is missing or not one."""
        return self._json(name, dict)

    def json_list(self, name: str) -> list[Any]:
        """Read a JSON list; UserError when it is missing or not one."""
        return self._json(name, list)

    def _json(self, name: str, kind: type) -> Any:
        path = self.data / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UserError(f"{path} is missing: run `dvc repro`, which writes it before the report.") from None
        except ValueError as error:
            raise UserError(f"{path} is not valid JSON ({error}): run `dvc repro` to write it again.") from None
        if not isinstance(content, kind):
            raise UserError(f"{path} holds no JSON {kind.__name__}: run `dvc repro` to write it again.")
        return content

    def csv(self, name: str, *columns: str) -> pd.DataFrame:
        """Read a CSV table; UserError when it is missing, damaged or lacks one of `columns`."""
        path = self.data / name
        try:
            table = pd.read_csv(path)
        except FileNotFoundError:
            raise UserError(f"{path} is missing: run `dvc repro`, which writes it before the report.") from None
        except (ValueError, pd.errors.ParserError) as error:
            raise UserError(f"{path} is not a readable table ({error}): run `dvc repro`.") from None
        if missing := [column for column in columns if column not in table]:
            raise UserError(f"{path} lacks the column(s) {', '.join(missing)}: run `dvc repro` to write it again.")
        return table

    def table(self, name: str) -> pd.DataFrame:
        """Read a Parquet table; UserError when it is missing or damaged."""
        return read_table(self.data / name)

    def domains(self) -> list[str]:
        """Domains that went through the pipeline."""
        return [domain for domain in DOMAINS if self.exists(f"download/{domain}/manifest.json")]

    def pixels(self, domain: str) -> np.ndarray:
        """Open the pixel store of a domain."""
        return open_pixels(self.data / "resize" / domain / "faces.npy")

    def translations(self, direction: str) -> Translations:
        """Read the test faces of one direction; UserError when the arrays do not belong to the split."""
        domain, _, outputs, cycles = DIRECTIONS[direction]
        faces = self.table(f"split/{domain}.parquet")
        test = faces[faces["split"] == "test"].reset_index(drop=True)
        translated, returned = (open_pixels(self.data / "evaluate" / name) for name in (outputs, cycles))
        if not len(test) == len(translated) == len(returned):
            raise UserError(
                f"{self.data / 'evaluate' / outputs} holds {len(translated)} faces, the test split {len(test)}: "
                "run `dvc repro` so that they belong together."
            )
        inputs = read_crops(self.pixels(domain), test, translated.shape[1])
        return Translations(test, inputs, translated, returned)


def evenly(n: int, k: int) -> list[int]:
    """Return at most `k` of the indices 0 … n - 1, evenly spread: a choice that nobody made by taste."""
    return [index * n // min(k, n) for index in range(min(k, n))]
