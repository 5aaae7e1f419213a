"""`filter@<domain>`: one verdict per face, with counts and pictures of what was thrown away."""

import csv
from pathlib import Path

from pipeline import params
from pipeline.errors import UserError
from pipeline.faces import open_pixels, read_table, write_table
from pipeline.files import atomic_folder, write_json
from pipeline.selection.filter import judge, summarise
from pipeline.selection.gallery import verdict_sheets
from stages import DATA, run


def main(domain: str = "") -> None:
    """Read data/resize and data/landmarks, write data/filter."""
    wanted = params.load().filter[domain]
    table = read_table(
        DATA / "landmarks" / domain / "faces.parquet",
        ["face_id", "row", "sha256", "year", "score", "box", "keypoints", "yaw", "sharpness"],
    )
    pixels = open_pixels(DATA / "resize" / domain / "faces.npy")
    judged = judge(table, pixels, wanted)
    with atomic_folder(DATA / "filter" / domain) as folder:
        write_table(judged, folder / "faces.parquet")
        write_json(summarise(judged, _unreadable(DATA / "resize" / domain / "rejected.csv")), folder / "summary.json")
        (folder / "sheets").mkdir()
        for name, sheet in verdict_sheets(judged, pixels):
            sheet.save(folder / "sheets" / f"{name}.png")


def _unreadable(path: Path) -> int:
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return sum(1 for _ in csv.DictReader(stream))
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run `dvc repro` so that the stage resize writes it.") from None


if __name__ == "__main__":
    run(main)
