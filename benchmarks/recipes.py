r"""Recipes of our models at equal processor seconds, over several seeds, measured by the stage `evaluate`.

    python -m benchmarks.recipes DATA --seconds 240 --seeds 0,1,2 -o recipes \
        'twins:model=cyclegan' 'no twins:model=cyclegan;lambda_twin=[0,0]' 'landmarks:model=landmark_cyclegan'

DATA is the folder `data` of a project after `dvc repro twins`; it is not changed. A recipe is a name, a colon, and
params of the group `train`, separated by semicolons; the other params are those of `--params`, a `params.yaml`. Each
recipe trains on one thread for as many epochs as fit, by trials of one and of two epochs. A finished run is not
repeated. The output folder has `table.md` (mean of the seeds, half the width of the 95 % confidence interval, and
the paired difference to the first recipe), `metrics.json` and `sheet.png`.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from scipy import stats

from benchmarks.trainings import start_training
from pipeline.contact_sheet import contact_sheet
from pipeline.faces import open_pixels, read_crops, read_table
from pipeline.files import flatten, write_json
from pipeline.progress import progress_bar

#: Rows of the table: keys in the metrics of the stage `evaluate`.
ROWS = (
    "fd",
    "precision",
    "recall",
    "near_duplicate_rate",
    "feature_diversity_ratio",
    "open_eyes_rate",
    "landmark_nme",
    "faithfulness.hair_l",
    "faithfulness.hair_b",
    "faithfulness.skin_l",
    "faithfulness.background_l",
    "faithfulness.yaw",
    "faithfulness.mouth_opening",
    "faithfulness.gender",
    "hair_palette_overlap",
    "discriminator_accuracy",
    "cycle.ssim",
)
#: Faces in the contact sheet.
SHOWN = 12


def main() -> None:
    """Run what is missing, write and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("recipes", nargs="+", metavar="NAME:KEY=VALUE;KEY=VALUE")
    parser.add_argument("--seconds", type=float, default=240, help="processor seconds of each training")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("-o", "--output", type=Path, default=Path("recipes"))
    options = parser.parse_args()
    output, data = options.output.resolve(), options.data.resolve()
    recipes = dict(_parse(text) for text in options.recipes)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    runs = [(name, seed) for seed in seeds for name in recipes]
    for name, seed in progress_bar(runs, desc="recipes", unit="run"):
        folder = output / "runs" / name / str(seed)
        if not (folder / "data" / "evaluate" / "metrics.json").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            _run(folder, output / "runs" / name / "epoch.json", data, options, {**recipes[name], "seed": str(seed)})
    write_table(output, list(recipes), seeds)
    _sheet(output, data, list(recipes), seeds[0])


def _parse(text: str) -> tuple[str, dict[str, str]]:
    """Split a recipe into its name and its params."""
    name, _, rest = text.partition(":")
    settings = [word.strip() for word in rest.split(";") if word.strip()]
    if not name or not settings or not all("=" in setting for setting in settings):
        sys.exit(f"recipes: {text!r} is not NAME:KEY=VALUE;KEY=VALUE.")
    return name, dict(setting.split("=", 1) for setting in settings)


def _run(folder: Path, record: Path, data: Path, options: argparse.Namespace, settings: dict[str, str]) -> None:
    """Train for the processor seconds, then evaluate."""
    if not record.is_file():
        trial = folder.with_name("trial")
        one, two = (start_training(trial, data, options.params, {**settings, "epochs": str(n)}) for n in (1, 2))
        write_json({"start": 2 * one - two, "epoch": two - one}, record)
        shutil.rmtree(trial)
    cost = json.loads(record.read_text())
    epochs = max(1, int((options.seconds - cost["start"]) / cost["epoch"]))
    used = start_training(folder, data, options.params, {**settings, "epochs": str(epochs)}, ("train", "evaluate"))
    write_json({"epochs": epochs, "seconds": used}, folder / "run.json")


def write_table(output: Path, names: list[str], seeds: list[int]) -> None:
    """Write `table.md` and `metrics.json`: mean, interval and paired difference to the first recipe."""
    found = {}
    for name in names:
        folders = [output / "runs" / name / str(seed) for seed in seeds]
        metrics = [flatten(json.loads((each / "data/evaluate/metrics.json").read_text())) for each in folders]
        runs = [json.loads((each / "run.json").read_text()) for each in folders]
        values = {row: [each.get(f"human2anime.{row}") for each in metrics] for row in ROWS}
        found[name] = values | {key: [run[key] for run in runs] for key in ("epochs", "seconds")}
    table = pd.DataFrame({"metric": list(found[names[0]])})
    for name in names:
        cells = []
        for row, numbers in found[name].items():
            if None in numbers:
                cells.append("")  # the data has no such labels
                continue
            own = np.array(numbers, dtype=float)
            text = _interval(own)
            if name != names[0]:
                text += f" ({_interval(own - np.array(found[names[0]][row], dtype=float), signed=True)})"
            cells.append(text)
        table[name] = cells
    text = table.to_markdown(index=False)
    (output / "table.md").write_text(text + "\n")
    write_json(found, output / "metrics.json")
    print(text)


def _interval(values: np.ndarray, signed: bool = False) -> str:
    """Return the mean and half the width of its 95 % confidence interval (Student's t)."""
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0
    return f"{values.mean():{'+' if signed else ''}.3g} ± {half:.2g}"


def _sheet(output: Path, data: Path, names: list[str], seed: int) -> None:
    """Write `sheet.png`: photos, and the translations of each recipe with the first seed."""
    translated = {name: np.load(output / "runs" / name / str(seed) / "data/evaluate/human2anime.npy") for name in names}
    table = read_table(data / "split" / "human.parquet", ["face_id", "row", "align", "split"])
    pixels = open_pixels(data / "resize" / "human" / "faces.npy")
    side = next(iter(translated.values())).shape[1]
    photos = read_crops(pixels, table[table["split"] == "test"][:SHOWN], side)
    rows = {"photo": photos} | translated
    images = [Image.fromarray(picture) for each in rows.values() for picture in each[:SHOWN]]
    pictures = [np.asarray(image.resize((128, 128), Image.Resampling.LANCZOS)) for image in images]
    contact_sheet(pictures, [name for name in rows for _ in range(len(photos))], len(photos)).save(output / "sheet.png")


if __name__ == "__main__":
    main()
