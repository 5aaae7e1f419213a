"""The command `animemorph study`: train the models of the study, test its claims and write the document."""

import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

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
from .experiments import Experiment, Finished, check_options, copy_outputs, finished_experiments, run_missing

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
#: Params of each model. Claim 5 needs a model without image pool, claim 8 one with local discriminators.
MODEL_PARAMS = {
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
#: Key of a number of images in metrics.json -> its name in the document.
IMAGES = {
    "human2anime.num_images.train": "human, training",
    "anime2human.num_images.train": "anime, training",
    "human2anime.num_images.test": "human, test",
    "anime2human.num_images.test": "anime, test",
}
#: Folder of the figures, next to the document.
FIGURES = "study"


def experiment(model: str, seed: int, settings: Sequence[str]) -> Experiment:
    """Return the run of a model. Its params override those of the user, which override those of the study.

    A param that has no effect on the model is left out, because the pipeline would refuse it.
    """
    values = dict(setting.partition("=")[::2] for setting in (*STUDY, *settings, *MODEL_PARAMS[model]))
    kept = tuple(f"{key}={value}" for key, value in values.items() if _has_effect(key, values["train.model"]))
    return Experiment("study", model, seed, kept, (*STUDY, *settings))


def _has_effect(key: str, model: str) -> bool:
    group, _, name = key.partition(".")
    field = Train.model_fields.get(name) if group == "train" else None
    conditions = [each for each in (field.metadata if field else []) if isinstance(each, Only)]
    return all(model in each.values for each in conditions if each.key == "model")


def study(root: Path, seeds: Sequence[int], settings: Sequence[str], output: Path, only_finished: bool = False) -> Path:
    """Run the missing experiments; write the document, its figures and `runs.csv` with the values of all runs.

    Args:
        root: Folder of the project, a Git repository with `dvc.yaml`.
        seeds: Values of the param `seed`; data, split and training depend on it.
        settings: Params of all runs, such as "train.epochs=8".
        output: Markdown file.
        only_finished: Whether to start no run and to write the document from the finished runs.

    Returns:
        Path of the document.

    Raises:
        UserError: A run failed, or its outputs cannot be read.
    """
    runs = list(_collect(root, run_missing(root, plan(seeds, settings), settings, only_finished)))
    rows = [(run.model, run.seed, metric, value) for run, each in runs for metric, value in each.values.items()]
    table = pd.DataFrame(rows, columns=["model", "seed", "metric", "value"])
    images = table[table["metric"].isin(IMAGES)].groupby("metric")["value"].mean().to_dict()
    scale = Scale(
        seeds=seeds,
        runs=(len(runs), len(plan(seeds, settings))),
        settings=settings,
        common=STUDY,
        images={IMAGES[str(key)]: count for key, count in images.items()},
        commit=_commit(root),
    )
    measured = shipped_limits(root)
    figures = _write_figures(output, runs)
    with atomic_file(output.parent / FIGURES / "runs.csv") as partial:
        table.to_csv(partial, index=False, lineterminator="\n", float_format="%.6g")
    words = ["animemorph study --seeds", ",".join(map(str, seeds)), *(f"-S {setting}" for setting in settings)]
    text = write(table, scale, measured, figures, " ".join(words))
    with atomic_file(output) as partial:
        partial.write_text(text, encoding="utf-8")
    return output


@dataclass(frozen=True)
class Outputs:
    """Outputs of a run for the document: quantities, history, test photos and their translations, uint8 RGB."""

    values: dict[str, float]
    history: pd.DataFrame
    photos: np.ndarray
    anime: np.ndarray


def _collect(root: Path, finished: Iterable[tuple[Experiment, Finished]]) -> Iterator[tuple[Experiment, Outputs]]:
    """Read the outputs of each run from DVC's cache."""
    for run, result in finished:
        with tempfile.TemporaryDirectory(prefix="animemorph-study-") as name:
            folder = Path(name)
            copy_outputs(root, result.revision, OUTPUTS, folder)
            history, anime = pd.read_csv(folder / HISTORY), np.load(folder / ANIME)
            values = measure(result.metrics, history, pd.read_parquet(folder / PER_IMAGE))
            yield run, Outputs(values, history, _photos(folder, anime.shape[1]), anime)


def plan(seeds: Sequence[int], settings: Sequence[str]) -> list[Experiment]:
    """Return all runs: all models with the first seed, then with the second seed, and so on."""
    return [experiment(model, seed, settings) for seed in seeds for model in MODELS]


def command(seeds: str, settings: Sequence[str], output: Path, dry: bool, only_finished: bool = False) -> str:
    """Run `study` in the current folder with the options of the command line.

    Args:
        seeds: Whole numbers separated by commas.
        settings: Params of all runs, such as "train.epochs=8".
        output: Markdown file.
        dry: Whether to list the runs without starting them.
        only_finished: Whether to write the document from the finished runs.

    Returns:
        The path of the document, or the list of runs.

    Raises:
        UserError: An option or `params.yaml` is not valid, or a run failed.
    """
    numbers = check_options(seeds, settings)
    if not dry:
        return str(study(Path.cwd(), numbers, settings, output, only_finished))
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


def _write_figures(output: Path, runs: Sequence[tuple[Experiment, Outputs]]) -> dict[str, str]:
    """Write the figures next to the document; return their paths relative to it by name."""
    folder, figures = output.parent / FIGURES, {}
    for name, svg in curves({(run.model, run.seed): each.history for run, each in runs}).items():
        figures[name] = f"{FIGURES}/{name}.svg"
        with atomic_file(folder / f"{name}.svg") as partial:
            partial.write_text(svg, encoding="utf-8")
    if runs:
        first = runs[0][0].seed
        sheet = pictures(runs[0][1].photos, {run.model: each.anime for run, each in runs if run.seed == first})
        figures["pictures"] = f"{FIGURES}/pictures.jpg"
        with atomic_file(folder / "pictures.jpg") as partial:
            sheet.save(partial, format="JPEG", quality=85)
    return figures


def _photos(folder: Path, resolution: int) -> np.ndarray:
    """Return the test photos of a run, uint8 RGB [n, R, R, 3]."""
    table = read_table(folder / SPLIT, ["row", "align", "split"])
    return read_crops(open_pixels(folder / PIXELS), table[table["split"] == "test"], resolution)


def _commit(root: Path) -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()
