"""Held-out people of a model with twins against drawn faces of the renderer's default distribution.

    python -m benchmarks.held_out DATA --drawings 300

DATA is the folder `data` of a project after `dvc exp run -S profile=shipped`, or after `dvc repro` of another profile
with the sources `demo` and `drawn` and a pix2pix model. The profile `shipped` evaluates against drawings of people like
the embedded ones. Here the drawings are new ones of all kinds of people, by the same renderer and seed, aligned by
their exact landmarks. The rows are the photos, the outputs of the stage `evaluate`, the twins of the same people in the
same styles (what a perfect model would draw), and as many other drawings (the best values that can be reached). Another
table has the lightness of the skin in outputs and twins, by the skin tone of the twins.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from pipeline import params
from pipeline.download.drawn import SIZE
from pipeline.drawing import colours, draw
from pipeline.faces import open_pixels, read_crops, read_table
from pipeline.features.attributes_face import to_lab
from pipeline.features.distances import frechet, kernel_distance, precision_recall
from pipeline.features.extractors import EmbeddedExtractor, extract
from pipeline.images import crop_aligned, to_square
from pipeline.landmarks.alignment import similarity
from pipeline.progress import progress_bar
from pipeline.selection.twins import draw_all, style_names

#: Number of the first drawing: the profiles of this project draw fewer.
FIRST = 100_000


def drawings(seed: int, numbers: range, stored: int, size: int) -> np.ndarray:
    """Return aligned drawings, uint8 RGB [n, size, size, 3], stored and cropped as the pipeline does.

    Args:
        seed: Number of the set.
        numbers: Numbers of the faces.
        stored: Side of the stored pictures in pixels.
        size: Side of the crops in pixels.
    """
    crops = []
    for number in progress_bar(numbers, desc="drawings", unit="face"):
        drawing = draw(seed, number, SIZE)
        points = np.column_stack([drawing.landmarks * stored / SIZE, np.ones(len(drawing.landmarks))])
        align = similarity(points, "hysts28", "anime")
        if align is None:
            raise ValueError(f"drawing {number} has no face")
        crops.append(crop_aligned(to_square(drawing.picture, stored), align, size))
    return np.stack(crops)


def people(data: Path, most: int) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return photos, outputs and twins of the first test people, uint8 RGB [n, R, R, 3] each, and their skin tones.

    Args:
        data: Folder `data` of a project.
        most: Largest number of people.
    """
    outputs = np.load(data / "evaluate" / "human2anime.npy")[:most]
    size = outputs.shape[1]
    names = style_names(tuple(pd.read_json(data / "twins" / "human" / "styles.json", typ="series")))
    table = read_table(data / "split" / "human.parquet", ["face_id", "row", "align", "keypoints", "schema", "split"])
    table = table[table["split"] == "test"].reset_index(drop=True)[:most]
    pixels = open_pixels(data / "resize" / "human" / "faces.npy")
    with tempfile.TemporaryDirectory() as scratch:
        # One drawing per face: its style is its number modulo the number of styles, as that of the output.
        config, target = params.Twins(styles=names, per_face=1), Path(scratch) / "faces.npy"
        skins = draw_all(pixels, table, config, size, Path(scratch), target)["skin"]
        twins = np.load(target)[:, 0]
    tones = [colours.nearest(json.loads(skin), colours.SKIN) if isinstance(skin, str) else "" for skin in skins]
    return {"photos": read_crops(pixels, table, size), "outputs": outputs, "twins": twins}, tones


def skin_lightness(faces: np.ndarray) -> np.ndarray:
    """Return the median L* between eyes and mouth of aligned drawings, uint8 RGB [n, R, R, 3]."""
    size = faces.shape[1]
    rows, columns = (slice(round(size * low), round(size * high)) for low, high in ((0.56, 0.68), (0.38, 0.62)))
    return np.array([np.median(to_lab(face[rows, columns])[..., 0]) for face in faces])


def print_skin(outputs: np.ndarray, twins: np.ndarray, tones: list[str]) -> None:
    """Print the lightness of the skin of outputs and twins [n], by the tones of the twins."""
    print(f"\nlightness of the skin, outputs and twins: correlation {np.corrcoef(outputs, twins)[0, 1]:.2f}")
    print("| skin | people | L* of outputs | L* of twins |\n| --- | --- | --- | --- |")
    for group in (("porcelain", "fair", "light", "beige"), ("tan", "olive"), ("brown", "deep", "dark")):
        inside = np.isin(tones, group)
        if inside.any():
            values = f"{outputs[inside].mean():.1f} | {twins[inside].mean():.1f}"
            print(f"| {', '.join(group)} | {inside.sum()} | {values} |")


def row(name: str, found: np.ndarray, real: np.ndarray) -> str:
    """Return one row of the table for features [n, D] against those of the drawings [m, D]."""
    precision, recall = precision_recall(found, real)
    return (
        f"| {name} | {len(found)} | {len(real)} | {frechet(found, real):.1f} | "
        f"{100 * kernel_distance(found, real)[0]:.2f} | {precision:.3f} | {recall:.3f} |"
    )


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=Path("data"), help="folder data of a project")
    parser.add_argument("--drawings", type=int, default=300, help="number of drawings")
    parser.add_argument("--seed", type=int, default=0, help="params seed of the project")
    words = parser.parse_args()
    torch.set_num_threads(1)
    extractor = EmbeddedExtractor()
    sets, tones = people(words.data, words.drawings)
    n, size = sets["outputs"].shape[:2]
    stored = open_pixels(words.data / "resize" / "anime" / "faces.npy").shape[1]
    pictures = drawings(words.seed, range(FIRST, FIRST + words.drawings + n), stored, size)
    drawn = extract(pictures, extractor, "features of drawings")
    features = {name: extract(images, extractor, name) for name, images in sets.items()}
    features["other drawings"] = drawn[words.drawings :]
    print("| set | n | drawings | FD | KD x100 | precision | recall |\n| --- | --- | --- | --- | --- | --- | --- |")
    for name, found in features.items():
        print(row(name, found, drawn[: words.drawings]), flush=True)
    print_skin(skin_lightness(sets["outputs"]), skin_lightness(sets["twins"]), tones)


if __name__ == "__main__":
    main()
