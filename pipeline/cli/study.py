"""The command `animemorph study`: train the models of the study and write which of its claims hold."""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from ..faces import open_pixels, read_crops, read_table
from ..files import atomic_file
from ..inference.backends import PRETRAINED
from ..inference.translator import Translator
from ..landmarks import create_detector, picture_detector
from ..params import Train
from ..params.errors import Only
from ..study import limits
from ..study.claims import CYCLEGAN, DCGAN, LANDMARK, MODELS, NO_POOL, NOISE
from ..study.document import Limits, Scale, write
from ..study.figures import curves, pictures
from ..study.measures import measure
from .experiments import Experiment, check_options, copy_outputs, finished_experiments, run_missing

#: Params of the study, for all its models.
STUDY = (
    "train.lr=0.0002",
    "train.batch_size=1",
    "train.image_pool_size=50",
    "train.activation=relu",
    "train.ema_decay=0.0",
    "train.discriminator_augment=false",
    "train.checkpoint_selection=last",
    "train.on_collapse=warn",
    "train.generator=resnet",
    "train.generator_upsample=transposed",
    "train.discriminator=scalar",
    "train.lambda_cycle=10.0",
    "train.lambda_identity=0.5",
    "train.lambda_twin=[0.0,0.0]",
)
#: Params that tell the models apart. Claim 5 needs one without an image pool, claim 8 one with local discriminators.
OWN = {
    DCGAN: ("train.model=dcgan", "train.noise=false"),
    CYCLEGAN: ("train.model=cyclegan", "train.noise=false"),
    NOISE: ("train.model=cyclegan", "train.noise=true"),
    NO_POOL: ("train.model=cyclegan", "train.noise=false", "train.image_pool_size=0"),
    LANDMARK: ("train.model=landmark_cyclegan", "train.noise=false"),
}
#: Outputs of a run that the document needs.
HISTORY, PER_IMAGE, ANIME, SPLIT, PIXELS = OUTPUTS = (
    "data/train/history.csv",
    "data/evaluate/per_image.parquet",
    "data/evaluate/human2anime.npy",
    "data/split/human.parquet",
    "data/resize/human/faces.npy",
)
#: Numbers of images in the table of the scale: key in metrics.json and name.
IMAGES = {
    "human2anime.num_images.train": "human, training",
    "anime2human.num_images.train": "anime, training",
    "human2anime.num_images.test": "human, test",
    "anime2human.num_images.test": "anime, test",
}
#: Folder of the figures, next to the document.
FIGURES = "study"


def experiment(model: str, seed: int, settings: Sequence[str]) -> Experiment:
    """Return the run of a model. Its own params come before those of the user, and those before the study's.

    A param that has no effect on the model is left out, because the pipeline would refuse it.
    """
    values = dict(setting.partition("=")[::2] for setting in (*STUDY, *settings, *OWN[model]))
    kept = tuple(f"{key}={value}" for key, value in values.items() if _has_effect(key, values["train.model"]))
    return Experiment("study", model, seed, kept, (*STUDY, *settings))


def _has_effect(key: str, model: str) -> bool:
    group, _, name = key.partition(".")
    field = Train.model_fields.get(name) if group == "train" else None
    conditions = [each for each in (field.metadata if field else []) if isinstance(each, Only)]
    return all(model in each.values for each in conditions if each.key == "model")


def study(root: Path, seeds: Sequence[int], settings: Sequence[str], output: Path) -> Path:
    """Run what is missing, then write the document, its figures and `runs.csv`, the quantities of all runs.

    Args:
        root: Folder of the project, a Git repository with `dvc.yaml`.
        seeds: Values of the param `seed`; data, split and training depend on it.
        settings: Params of all runs, such as "train.epochs=8".
        output: Markdown file.

    Returns:
        Path of the document.

    Raises:
        UserError: A run failed, or its outputs cannot be read.
    """
    rows: list[tuple[str, int, str, float]] = []
    histories: dict[tuple[str, int], pd.DataFrame] = {}
    shown: dict[str, np.ndarray] = {}
    photos = np.empty((0, 1, 1, 3), dtype=np.uint8)
    for run, finished in run_missing(root, plan(seeds, settings), settings):
        with tempfile.TemporaryDirectory(prefix="animemorph-study-") as name:
            folder = Path(name)
            copy_outputs(root, finished.revision, OUTPUTS, folder)
            history = histories[run.model, run.seed] = pd.read_csv(folder / HISTORY)
            values = measure(finished.metrics, history, pd.read_parquet(folder / PER_IMAGE))
            if run.seed == seeds[0]:
                shown[run.model] = np.load(folder / ANIME)
                photos = _photos(folder, shown[run.model].shape[1])
        rows += [(run.model, run.seed, metric, value) for metric, value in values.items()]
    table = pd.DataFrame(rows, columns=["model", "seed", "metric", "value"])
    images = table[table["metric"].isin(IMAGES)].groupby("metric")["value"].mean().to_dict()
    scale = Scale(seeds, settings, STUDY, {IMAGES[str(key)]: count for key, count in images.items()}, _commit(root))
    measured = shipped_limits(root)
    figures = _write_figures(output, curves(histories), pictures(photos, shown))
    with atomic_file(output.parent / FIGURES / "runs.csv") as partial:
        table.to_csv(partial, index=False, lineterminator="\n", float_format="%.6g")
    words = [f"-S {setting}" for setting in settings]
    text = write(
        table, scale, measured, figures, " ".join(["animemorph study --seeds", ",".join(map(str, seeds)), *words])
    )
    with atomic_file(output) as partial:
        partial.write_text(text, encoding="utf-8")
    return output


def plan(seeds: Sequence[int], settings: Sequence[str]) -> list[Experiment]:
    """Return all runs: every model with the first seed, then with the second, and so on."""
    return [experiment(model, seed, settings) for seed in seeds for model in MODELS]


def command(seeds: str, settings: Sequence[str], output: Path, dry: bool) -> str:
    """Run `study` in the current folder with the options of the command line.

    Args:
        seeds: Whole numbers separated by commas.
        settings: Params of all runs, such as "train.epochs=8".
        output: Markdown file.
        dry: Only list the runs.

    Returns:
        The path of the document, or the list of runs.

    Raises:
        UserError: An option or `params.yaml` is not valid, or a run failed.
    """
    numbers = check_options(seeds, settings)
    if not dry:
        return str(study(Path.cwd(), numbers, settings, output))
    finished = finished_experiments(Path.cwd())
    states = [(run, "finished" if run.name in finished else "missing") for run in plan(numbers, settings)]
    return "\n".join(f"{state}  {run.name}  seed={run.seed} {' '.join(run.settings)}" for run, state in states)


def shipped_limits(root: Path) -> Limits:
    """Translate the people of the workspace and pictures without a face with the shipped model."""
    translator = Translator(PRETRAINED)
    people = None
    if (root / SPLIT).is_file() and (root / PIXELS).is_file():
        with create_detector(picture_detector(translator.facts.detectors["anime"])) as detector:
            people = limits.people(translator, detector, open_pixels(root / PIXELS), read_table(root / SPLIT))
    return Limits(people, limits.without_face(translator))


def _write_figures(output: Path, charts: Mapping[str, str], sheet: Image.Image) -> dict[str, str]:
    """Write the figures next to the document; return their paths relative to it by name."""
    folder = output.parent / FIGURES
    for name, svg in charts.items():
        with atomic_file(folder / f"{name}.svg") as partial:
            partial.write_text(svg, encoding="utf-8")
    with atomic_file(folder / "pictures.jpg") as partial:
        sheet.save(partial, format="JPEG", quality=85)
    return {name: f"{FIGURES}/{name}.svg" for name in charts} | {"pictures": f"{FIGURES}/pictures.jpg"}


def _photos(folder: Path, resolution: int) -> np.ndarray:
    """Return the test photos of a run, uint8 RGB [n, R, R, 3]."""
    table = read_table(folder / SPLIT, ["row", "align", "split"])
    return read_crops(open_pixels(folder / PIXELS), table[table["split"] == "test"], resolution)


def _commit(root: Path) -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()
