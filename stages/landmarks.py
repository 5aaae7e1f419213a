"""Find the face of every stored picture and measure it: `python -m stages.landmarks human|anime|external_test`."""

import pandas as pd

from pipeline import params
from pipeline.faces import open_pixels, read_table, write_table
from pipeline.files import atomic_folder
from pipeline.landmarks.detection import alignments, find_faces
from pipeline.landmarks.face_measures import EDGES, histogram
from pipeline.landmarks.gallery import face_sheet
from stages import DATA, run


def main(domain: str = "") -> None:
    """Write faces.parquet, sheet.png and a histogram per measure to data/landmarks/<domain>/."""
    settings = params.load().landmarks
    wanted = settings[domain]
    table = read_table(DATA / "resize" / domain / "faces.parquet", ["face_id", "row"])
    pixels = open_pixels(DATA / "resize" / domain / "faces.npy")
    found = find_faces(
        table, DATA / "resize" / domain / "faces.npy", wanted, settings.executor, f"landmarks of {domain} faces"
    )
    found["detector"] = wanted.detector
    found["align"], found["aligned"] = alignments(found, domain, pixels.shape[1], settings.align)
    table = pd.concat([table.reset_index(drop=True), found], axis=1)
    with atomic_folder(DATA / "landmarks" / domain) as folder:
        write_table(table, folder / "faces.parquet")
        for name in EDGES:
            histogram(table[name], name).to_csv(folder / f"{name}.csv", index=False)
        face_sheet(table, pixels, domain).save(folder / "sheet.png")
    seen = int((table["n_faces"] > 0).sum())
    print(f"{domain}: a face in {seen} of {len(table)}, several in {int((table['n_faces'] > 1).sum())}")


if __name__ == "__main__":
    run(main)
