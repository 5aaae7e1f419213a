"""Read the outputs of the stages before `report`."""

import json
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import conflict, damaged_file, missing_file
from ..faces import DOMAINS, open_pixels, read_crops, read_table

#: Hint for a missing or damaged file of an earlier stage.
REPRO = "Run `dvc repro` to write it again"
#: Input domain, output domain, and files of `data/evaluate` by direction.
DIRECTIONS = {
    "human2anime": ("human", "anime", "human2anime.npy", "human_cycle.npy"),
    "anime2human": ("anime", "human", "anime2human.npy", "anime_cycle.npy"),
}
#: A row of `metrics.csv`: name, direction, value, low, high, n.
Row = dict[Hashable, Any]
#: Display names of the directions.
DIRECTION_NAMES = {"human2anime": "photo → anime", "anime2human": "anime → photo"}


@dataclass(frozen=True)
class Translations:
    """The test faces of one direction.

    Attributes:
        table: Face table of the test split.
        inputs: uint8 RGB [n, R, R, 3]; row i belongs to row i of `table`.
        outputs: Translations in the same order.
        cycles: Reconstructions in the same order; None if the model makes none.
    """

    table: pd.DataFrame
    inputs: np.ndarray
    outputs: np.ndarray
    cycles: np.ndarray | None


@dataclass(frozen=True)
class Results:
    """The outputs of the stages before `report` in the folder `data`."""

    data: Path

    def exists(self, name: str) -> bool:
        """Return whether this file exists."""
        return (self.data / name).is_file()

    def json(self, name: str) -> dict[str, Any]:
        """Read a JSON object; UserError if it is missing or is not one."""
        return self._json(name, dict)

    def json_list(self, name: str) -> list[Any]:
        """Read a JSON list; UserError if it is missing or is not one."""
        return self._json(name, list)

    def _json(self, name: str, kind: type) -> Any:
        path = self.data / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise missing_file(path, REPRO) from None
        except ValueError as error:
            raise damaged_file(path, f"not valid JSON ({error})", REPRO) from None
        if not isinstance(content, kind):
            raise damaged_file(path, f"not a JSON {kind.__name__}", REPRO)
        return content

    def csv(self, name: str, *columns: str) -> pd.DataFrame:
        """Read a CSV table; UserError if it is missing, damaged or lacks one of `columns`."""
        path = self.data / name
        try:
            table = pd.read_csv(path)
        except FileNotFoundError:
            raise missing_file(path, REPRO) from None
        except (ValueError, pd.errors.ParserError) as error:
            raise damaged_file(path, f"not a CSV table ({error})", REPRO) from None
        if missing := [column for column in columns if column not in table]:
            raise damaged_file(path, f"the columns {', '.join(missing)} are missing", REPRO)
        return table

    def metrics(self) -> dict[str, Row]:
        """Read the rows of `metrics.csv` by `<direction>.<name>`."""
        table = self.csv("evaluate/metrics.csv", "name", "direction", "value", "low", "high", "n")
        return {f"{row['direction']}.{row['name']}": row for row in table.to_dict("records")}

    def table(self, name: str) -> pd.DataFrame:
        """Read a Parquet table; UserError if it is missing or damaged."""
        return read_table(self.data / name)

    def domains(self) -> list[str]:
        """Return the domains that the stage `download` has written."""
        return [domain for domain in DOMAINS if self.exists(f"download/{domain}/manifest.json")]

    def pixels(self, domain: str) -> np.ndarray:
        """Open the pixel store of a domain."""
        return open_pixels(self.data / "resize" / domain / "faces.npy")

    def directions(self) -> list[str]:
        """Return the directions of the model, which are those with translated faces."""
        return [
            name
            for name, (_, _, outputs, _) in DIRECTIONS.items()
            if len(open_pixels(self.data / "evaluate" / outputs))
        ]

    def translations(self, direction: str) -> Translations:
        """Read the test faces of one direction; UserError if the arrays do not belong to the split."""
        domain, _, outputs, cycles = DIRECTIONS[direction]
        faces = self.table(f"split/{domain}.parquet")
        test = faces[faces["split"] == "test"].reset_index(drop=True)
        translated, reconstructed = (open_pixels(self.data / "evaluate" / name) for name in (outputs, cycles))
        if not (len(test) == len(translated) and len(reconstructed) in (0, len(test))):
            problem = f"has {len(translated)} faces, but the test split has {len(test)}"
            raise conflict(self.data / "evaluate" / outputs, problem, REPRO)
        inputs = read_crops(self.pixels(domain), test, translated.shape[1])
        return Translations(test, inputs, translated, reconstructed if len(reconstructed) else None)


def evenly_spaced(n: int, k: int) -> list[int]:
    """Return at most `k` of the indices 0 to n - 1, evenly spaced."""
    return [index * n // min(k, n) for index in range(min(k, n))]
