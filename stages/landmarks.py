"""Find the face of every stored picture and measure it: `python -m stages.landmarks human|anime|external`."""

import numpy as np
import pandas as pd
from PIL import Image

from pipeline import params
from pipeline.contact_sheet import contact_sheet
from pipeline.faces import open_pixels, read_table, write_table
from pipeline.files import atomic_folder
from pipeline.landmarks.detection import alignments, find_faces
from pipeline.landmarks.face_measures import EDGES, histogram
from pipeline.landmarks.gallery import draw_face
from stages import DATA, run

SHOWN, SIDE = 48, 160


def main(domain: str = "") -> None:
    """Write faces.parquet, sheet.png and a histogram per measure to data/landmarks/<domain>/."""
    settings = params.load().landmarks
    wanted = settings[domain]
    table = read_table(DATA / "resize" / domain / "faces.parquet", ["face_id", "row"])
    pixels = open_pixels(DATA / "resize" / domain / "faces.npy")
    found = find_faces(
        table, DATA / "resize" / domain / "faces.npy", wanted, settings.engine, f"landmarks of {domain} faces"
    )
    found["detector"] = wanted.detector
    found["align"], found["aligned"] = alignments(found, domain, pixels.shape[1], settings.align)
    table = pd.concat([table.reset_index(drop=True), found], axis=1)
    with atomic_folder(DATA / "landmarks" / domain) as folder:
        write_table(table, folder / "faces.parquet")
        for name in EDGES:
            histogram(table[name], name).to_csv(folder / f"{name}.csv", index=False)
        _sheet(table, pixels, domain).save(folder / "sheet.png")
    seen = int((table["n_faces"] > 0).sum())
    print(f"{domain}: a face in {seen} of {len(table)}, several in {int((table['n_faces'] > 1).sum())}")


def _sheet(table: pd.DataFrame, pixels: np.ndarray, domain: str) -> Image.Image:
    shown = table.iloc[np.unique(np.linspace(0, len(table) - 1, min(SHOWN, len(table))).round().astype(int))]
    images, captions = [], []
    for face in shown.to_dict("records"):
        seen = face["n_faces"] > 0
        box, keypoints = (face["box"], np.reshape(face["keypoints"], (-1, 3))) if seen else (None, None)
        images.append(draw_face(pixels[face["row"]], box, keypoints, SIDE))
        captions.append(f"{face['score']:.2f}  yaw {face['yaw']:+.0f}°" if seen else "no face")
    title = f"{domain}: a face in {int((table['n_faces'] > 0).sum()):,} of {len(table):,} pictures"
    return contact_sheet(images, captions, title=title)


if __name__ == "__main__":
    run(main)
