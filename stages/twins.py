"""Stage `twins@human`: draw each photo of the split in fixed styles, for models that are trained on pairs."""

import shutil
from pathlib import Path

import pandas as pd

from pipeline import drawing, params
from pipeline.faces import open_pixels, read_table, write_table
from pipeline.features import attributes, segmentation
from pipeline.files import atomic_folder, scratch_folder, sha256, write_json
from pipeline.selection import twins
from stages import DATA, run


def main(domain: str) -> None:
    """Read data/split and data/resize, write data/twins."""
    config = params.load()
    settings, store = config.twins, DATA / "resize" / domain / "faces.npy"
    split = DATA / "split" / f"{domain}.parquet"
    table = read_table(split, ["face_id", "row", "align", "keypoints", "schema"])
    if not config.train.needs_twins:
        table = table.iloc[:0]
    names = twins.style_names(settings.styles)
    pixels = open_pixels(store)
    features = Path(str(attributes.__file__)).parent
    files = [Path(str(twins.__file__)), segmentation.WEIGHTS, Path(str(segmentation.__file__))]
    for pattern in ("attributes*.py", "hair_*", "skin_tone.*"):
        files += sorted(features.glob(pattern))
    files += sorted(Path(drawing.__path__[0]).glob("*.py"))
    inputs = [sha256(split), sha256(store)] if len(table) else []
    scratch = scratch_folder(
        "twins", settings.model_dump(mode="json"), inputs, len(pixels), [sha256(file) for file in files]
    )
    with atomic_folder(DATA / "twins" / domain) as folder:
        size, target = config.resize.size, folder / "faces.npy"
        drawn = twins.draw_all(pixels, table, settings, size, scratch, target)
        write_table(pd.concat([table[["face_id"]].reset_index(drop=True), drawn], axis=1), folder / "faces.parquet")
        write_json(names, folder / "styles.json")
    shutil.rmtree(scratch)


if __name__ == "__main__":
    run(main)
