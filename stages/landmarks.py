"""Stage `landmarks@<domain>`: detect and measure the face of every stored picture of one domain."""

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
    config = params.load().landmarks
    settings = config[domain]
    table = read_table(DATA / "resize" / domain / "faces.parquet", ["face_id", "row"])
    pixels = open_pixels(DATA / "resize" / domain / "faces.npy")
    found = find_faces(
        table, DATA / "resize" / domain / "faces.npy", settings, config.executor, f"landmarks of {domain} faces"
    )
    found["detector"] = settings.detector
    found["align"], found["aligned"] = alignments(found, domain, pixels.shape[1], config.align)
    table = pd.concat([table.reset_index(drop=True), found], axis=1)
    with atomic_folder(DATA / "landmarks" / domain) as folder:
        write_table(table, folder / "faces.parquet")
        for name in EDGES:
            histogram(table[name], name).to_csv(folder / f"{name}.csv", index=False)
        face_sheet(table, pixels, domain).save(folder / "sheet.png")
    detected = int((table["n_faces"] > 0).sum())
    print(f"{domain}: a face in {detected} of {len(table)}, several in {int((table['n_faces'] > 1).sum())}")


if __name__ == "__main__":
    run(main)
