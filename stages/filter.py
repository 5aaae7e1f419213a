"""Stage `filter@<domain>`: mark each face as kept or rejected, with counts and contact sheets."""

import csv
from pathlib import Path

from pipeline import params
from pipeline.errors import missing_file
from pipeline.faces import open_pixels, read_table, write_table
from pipeline.files import atomic_folder, write_json
from pipeline.selection.filter import apply_filters, summarise
from pipeline.selection.gallery import status_sheets
from stages import DATA, run


def main(domain: str = "") -> None:
    """Read data/resize and data/landmarks, write data/filter."""
    thresholds = params.load().filter[domain]
    table = read_table(
        DATA / "landmarks" / domain / "faces.parquet",
        ["face_id", "row", "sha256", "year", "score", "box", "keypoints", "yaw", "sharpness"],
    )
    pixels = open_pixels(DATA / "resize" / domain / "faces.npy")
    filtered = apply_filters(table, pixels, thresholds)
    with atomic_folder(DATA / "filter" / domain) as folder:
        write_table(filtered, folder / "faces.parquet")
        write_json(summarise(filtered, _unreadable(DATA / "resize" / domain / "rejected.csv")), folder / "summary.json")
        (folder / "sheets").mkdir()
        for name, sheet in status_sheets(filtered, pixels):
            sheet.save(folder / "sheets" / f"{name}.png")


def _unreadable(path: Path) -> int:
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return sum(1 for _ in csv.DictReader(stream))
    except FileNotFoundError:
        raise missing_file(path, "Run `dvc repro` to write it") from None


if __name__ == "__main__":
    run(main)
