"""The race: official CycleGAN, CUT and U-GAT-IT against our models. Same crops, processor seconds and held-out faces.

    python -m benchmarks.quality DATA --seconds 300 --cyclegan FOLDER --cut FOLDER --ugatit FOLDER -o race

DATA is the folder `data` of a project after `dvc repro split` (after `dvc repro twins` for models with twins). The
folders are checkouts of junyanz/pytorch-CycleGAN-and-pix2pix, taesungp/contrastive-unpaired-translation and
znxlwm/UGATIT-pytorch, with their requirements in this environment; each may be left out. They run as
they are, on one thread, until their process has used the seconds; then their last checkpoint translates the test split.
Our models get as many epochs as fit, measured in one epoch before. An entry whose images exist is not run again.
The output folder has the images, `table.md`, `metrics.json` and `sheet.png`.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

from benchmarks.trainings import ROOT, one_thread, start_training, train_for
from pipeline.contact_sheet import contact_sheet
from pipeline.evaluate.metrics import DISTANCE_NAMES, MetricParams
from pipeline.evaluate.score import read_image_set, score
from pipeline.evaluate.translation import output_points
from pipeline.faces import open_pixels, read_crops, read_masks, read_table
from pipeline.features.extractors import create_extractor
from pipeline.features.faithfulness import correlation
from pipeline.files import flatten, write_json
from pipeline.landmarks import create_detector
from pipeline.landmarks.face_geometry import known_faces
from pipeline.landmarks.translated_faces import input_and_output_colours
from pipeline.networks.model import load_model
from pipeline.progress import progress_bar

#: Params of our entries; the others are those of the demo profile. The peers have no twins, so only the last entries
#: learn from them. The quality recipe is that of `profiles.quality`, at the width and resolution of the race.
PLAIN = ("lambda_twin=[0.0, 0.0]",)
OURS = {
    "cyclegan": ("model=cyclegan", *PLAIN),
    "cyclegan + noise": ("model=cyclegan", "noise=true", *PLAIN),
    "dcgan": ("model=dcgan",),
    "landmark_cyclegan": ("model=landmark_cyclegan", *PLAIN),
    "cut": ("model=cut",),
    "cyclegan + twins": ("model=cyclegan",),
    "pix2pix": ("model=pix2pix",),
    "quality recipe": ("model=cyclegan", "generator=styled_unet"),
}
#: Metrics of the table: key in the scores and head of its column.
COLUMNS = {
    "fd": "FD",
    "kd": "KD",
    "precision": "precision",
    "recall": "recall",
    "face_detection_rate": "detected",
    "hair_l": "hair L*",
    "skin_l": "skin L*",
    "seconds": "seconds",
}
#: Faces in the contact sheet, and images between two checkpoints of a peer.
SHOWN, SAVE_EVERY = 8, 50
#: Starts a script of a peer. U-GAT-IT imports scipy.misc without use and calls `next` of a loader: both were removed.
LAUNCHER = """
import runpy, sys, types, scipy, torch.utils.data.dataloader as loader
sys.modules.setdefault("scipy.misc", types.ModuleType("scipy.misc"))
scipy.misc = sys.modules["scipy.misc"]
loader._BaseDataLoaderIter.next = loader._BaseDataLoaderIter.__next__
sys.argv = sys.argv[1:]
sys.path[0] = sys.argv[0].rsplit("/", 1)[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclass(frozen=True)
class Race:
    """What all entries share.

    Attributes:
        data: Folder of the tables and pixels.
        output: Folder of the results.
        resolution: Side of the crops in pixels.
        seconds: Processor seconds of training.
        width: Channels of the first layer of generators and discriminators.
    """

    data: Path
    output: Path
    resolution: int
    seconds: float
    width: int

    @property
    def crops(self) -> Path:
        """Folder of the crops: trainA, trainB, testA, testB; A is human, B is anime."""
        return self.output / "crops"


def main() -> None:
    """Run what is missing, score all entries and print the table."""
    race, peers, ours = _options()
    _write_crops(race)
    entries: dict[str, Callable[[Path], float]] = {
        f"{name} (official)": partial(_run_ugatit if name == "U-GAT-IT" else _run_official, race, folder, name)
        for name, folder in peers.items()
    }
    entries |= {name: partial(_run_ours, race, OURS[name]) for name in ours}
    seconds = {}
    for name, run_entry in progress_bar(entries.items(), desc="race", unit="entry"):
        images = race.output / "images" / _slug(name)
        record = race.output / "images" / f"{_slug(name)}.json"
        if not record.is_file():
            shutil.rmtree(images, ignore_errors=True)
            images.mkdir(parents=True)
            write_json(run_entry(images), record)
        seconds[name] = json.loads(record.read_text())
    folders = {"no translation": race.crops / "testA"}
    folders |= {name: race.output / "images" / _slug(name) for name in entries}
    table = _score(race, folders, seconds)
    text = table.to_markdown(index=False, floatfmt=".3g")
    (race.output / "table.md").write_text(text + "\n")
    _sheet(folders, len(folders)).save(race.output / "sheet.png")
    print(text)


def _options() -> tuple[Race, dict[str, Path], list[str]]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--ours", default=",".join(OURS), help="comma-separated; empty: none")
    parser.add_argument("-o", "--output", type=Path, default=Path("race"))
    for name in ("cyclegan", "cut", "ugatit"):
        parser.add_argument(f"--{name}", type=Path)
    options = parser.parse_args()
    ours = [name for name in options.ours.split(",") if name]
    if unknown := [name for name in ours if name not in OURS]:
        sys.exit(f"quality: unknown entry {unknown[0]!r}. Choose from {', '.join(OURS)}.")
    names = {"CycleGAN": "cyclegan", "CUT": "cut", "U-GAT-IT": "ugatit"}
    peers = {name: getattr(options, option) for name, option in names.items() if getattr(options, option)}
    for name, folder in peers.items():
        script = "main.py" if name == "U-GAT-IT" else "train.py"
        if not (folder / script).is_file():
            sys.exit(f"quality: no {script} in {str(folder)!r}. Give the checkout of {name}.")
    output = options.output.resolve()
    race = Race(options.data.resolve(), output, options.resolution, options.seconds, options.width)
    return race, {name: folder.resolve() for name, folder in peers.items()}, ours


def _write_crops(race: Race) -> None:
    """Write the crops of training and test split as PNG, once; peers read them, and the scores the test split."""
    if race.crops.is_dir():
        return
    unfinished = race.output / "crops.partial"
    shutil.rmtree(unfinished, ignore_errors=True)
    for domain, letter in (("human", "A"), ("anime", "B")):
        table = read_table(race.data / "split" / f"{domain}.parquet", ["face_id", "row", "align", "split"])
        pixels = open_pixels(race.data / "resize" / domain / "faces.npy")
        for split in ("train", "test"):
            folder = unfinished / f"{split}{letter}"
            folder.mkdir(parents=True)
            crops = read_crops(pixels, table[table["split"] == split], race.resolution)
            for number, crop in enumerate(crops):
                Image.fromarray(crop).save(folder / f"{number:05d}.png")
    unfinished.rename(race.crops)


def _run_official(race: Race, checkout: Path, name: str, images: Path) -> float:
    """Train and test with the code of CycleGAN or CUT; write the images, return the processor seconds of training."""
    work = race.output / "work" / _slug(name)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    model, size = name.lower().replace("cyclegan", "cycle_gan"), race.resolution
    shared = {"--dataroot": race.crops, "--name": "race", "--model": model, "--checkpoints_dir": work}
    shared |= {"--gpu_ids": -1, "--num_threads": 0, "--load_size": size, "--crop_size": size, "--preprocess": "none"}
    shared |= {"--netG": "resnet_6blocks", "--ngf": race.width, "--ndf": race.width}
    train = {"--n_epochs": 100000, "--display_id": -1, "--save_latest_freq": SAVE_EVERY, "--print_freq": SAVE_EVERY}
    used = train_for(_command(checkout, "train.py", {**shared, **train}, ["--no_html"]), work, race.seconds)
    for path in (work / "race").glob("latest_*.pth"):
        # On a CPU, CUT saves the names of its data-parallel wrapper and cannot load them again.
        weights = torch.load(path, map_location="cpu", weights_only=True)
        torch.save({key.removeprefix("module."): value for key, value in weights.items()}, path)
    count = len(list((race.crops / "testA").iterdir()))
    test = {"--results_dir": work / "results", "--num_test": count, "--phase": "test"}
    _finish(_command(checkout, "test.py", {**shared, **test}, []), work)
    found = [path for path in (work / "results").rglob("*.png") if "fake_B" in str(path.relative_to(work))]
    for path in found:
        number = re.search(r"\d{5}", path.name)
        if number:
            Image.open(path).convert("RGB").resize((size, size)).save(images / f"{number[0]}.png")
    return _checked(used, images, count, name)


def _run_ugatit(race: Race, checkout: Path, name: str, images: Path) -> float:
    """Train and test with the code of U-GAT-IT, light version; write the images, return the seconds of training."""
    side = max(128, race.resolution)  # its discriminator needs 128 px; the outputs are reduced again
    work = race.output / "work" / _slug(name)
    shutil.rmtree(work, ignore_errors=True)
    (work / "dataset").mkdir(parents=True)
    (work / "dataset" / "race").symlink_to(race.crops)
    words = {"--dataset": "race", "--light": "True", "--device": "cpu", "--img_size": side}
    words |= {"--ch": race.width, "--iteration": 1000000, "--save_freq": SAVE_EVERY, "--print_freq": 1000000}
    used = train_for(_command(checkout, "main.py", {**words, "--phase": "train"}, []), work, race.seconds)
    _finish(_command(checkout, "main.py", {**words, "--phase": "test"}, []), work)
    count = len(list((race.crops / "testA").iterdir()))
    for number in range(count):
        strip = np.asarray(Image.open(work / "results" / "race" / "test" / f"A2B_{number + 1}.png").convert("RGB"))
        # Seven pictures from top to bottom; the fifth is the translation.
        picture = Image.fromarray(strip[4 * side : 5 * side]).resize((race.resolution, race.resolution))
        picture.save(images / f"{number:05d}.png")
    return _checked(used, images, count, name)


def _run_ours(race: Race, settings: tuple[str, ...], images: Path) -> float:
    """Train with the stage `train` in a copy of the project; write the images, return the seconds of training."""
    own = dict(setting.split("=", 1) for setting in settings)
    own |= {"resolution": str(race.resolution), "generator_width": str(race.width)}
    work, params = race.output / "work" / "ours", ROOT / "params.yaml"
    one = start_training(work, race.data, params, {**own, "epochs": "1"})
    epochs = max(1, int(race.seconds / one))
    used = one if epochs == 1 else start_training(work, race.data, params, {**own, "epochs": str(epochs)})
    model = load_model(work / "data" / "train", "cpu")
    faces = np.stack([np.asarray(Image.open(path)) for path in sorted((race.crops / "testA").iterdir())])
    table, masks = _test_people(race)
    points = output_points(model, table, "human2anime")[1]
    for number, picture in enumerate(model.translate(faces, "human2anime", masks=masks, points=points)):
        Image.fromarray(picture).save(images / f"{number:05d}.png")
    return _checked(used, images, len(faces), "ours")


def _finish(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, env=one_thread(), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"quality: `{' '.join(command)}` failed.\n{done.stderr[-2000:]}")


def _command(checkout: Path, script: str, options: dict[str, object], flags: list[str]) -> list[str]:
    """Return the command with the options that this version of the checkout knows; versions differ."""
    source = "".join(path.read_text(encoding="utf-8", errors="replace") for path in checkout.rglob("*.py"))
    words = [word for option, value in options.items() if f"'{option}'" in source for word in (option, str(value))]
    return [
        sys.executable,
        "-c",
        LAUNCHER,
        str(checkout / script),
        *words,
        *(flag for flag in flags if f"'{flag}'" in source),
    ]


def _checked(seconds: float, images: Path, count: int, name: str) -> float:
    found = len(list(images.iterdir()))
    if found != count:
        sys.exit(f"quality: {name} wrote {found} of {count} images. Give it more seconds, so that it saves a model.")
    return seconds


def _test_people(race: Race) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the face table of the test split, in the order of the crops, and the masks of the pixels inside."""
    columns = ["face_id", "row", "align", "split", "keypoints", "schema"]
    table = read_table(race.data / "split" / "human.parquet", columns)
    table = table[table["split"] == "test"].reset_index(drop=True)
    side = open_pixels(race.data / "resize" / "human" / "faces.npy").shape[1]
    return table, read_masks(table, race.resolution, side)


def _score(race: Race, folders: dict[str, Path], seconds: dict[str, float]) -> pd.DataFrame:
    """Return one row per entry, and a row for real faces against real faces."""
    table, masks = _test_people(race)
    faces = known_faces(table, race.resolution)
    photos = _read(folders["no translation"])
    params = MetricParams(*DISTANCE_NAMES["embedded"], tolerance=0.1, resamples=0, seed=0)
    rows = []
    with create_detector("animeface") as detector:
        network = create_extractor("embedded", None, "cpu")
        reals = read_image_set(race.crops / "testB", network, detector)
        for name, folder in folders.items():
            found = flatten(score(read_image_set(folder, network, detector), reals, params).nested()["score"])
            before, after = input_and_output_colours(photos, _read(folder), masks, faces, "human", "anime")
            for region, key in enumerate(("hair_l", "skin_l")):
                found[key] = correlation(before[:, region, 0], after[:, region, 0])[0]
            rows.append({"entry": name, **found, "seconds": seconds.get(name, 0.0)})
    real = {key.removeprefix("real_vs_real."): value for key, value in rows[0].items() if "real_vs_real." in key}
    write_json(rows, race.output / "metrics.json")
    shown = pd.DataFrame([*rows, {"entry": "real anime faces", **real}])
    return shown[["entry", *COLUMNS]].rename(columns=COLUMNS)


def _read(folder: Path) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("*.png"))])


def _sheet(folders: dict[str, Path], rows: int) -> Image.Image:
    pictures = [picture for folder in folders.values() for picture in _read(folder)[:SHOWN]]
    return contact_sheet(
        pictures, [name for name in folders for _ in range(len(pictures) // rows)], len(pictures) // rows
    )


def _slug(name: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", name.lower()))


if __name__ == "__main__":
    main()
