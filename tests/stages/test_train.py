"""The stage `train`: the real entry point on tiny faces, and the sentence for each kind of bad input."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from ruamel.yaml import YAML

from pipeline import params
from pipeline.errors import Kind, UserError
from pipeline.faces import write_table
from pipeline.networks.model import ModelConfig, TranslationModel, build_model, load_model, save_model
from stages import train

ROOT = Path(__file__).parents[2]
SMALL = {
    "resolution": 32,
    "generator_width": 2,
    "residual_blocks": 1,
    "discriminator": "patch",
    "discriminator_width": 2,
    "batch_size": 2,
    "epochs": 2,
    "lambda_twin": [0.0, 0.0],
    "regressor_steps": 3,
}


@pytest.fixture
def project(tmp_path: Path, tiny_faces: Callable[..., pd.DataFrame], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with faces up to the split and a tiny train group."""
    for domain in ("human", "anime"):
        table = tiny_faces(tmp_path / "data" / "resize" / domain, domain, n=20, size=32)
        write_table(table, tmp_path / "data" / "split" / f"{domain}.parquet")
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    configure(tmp_path, **SMALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANIMEMORPH_WORKERS", "1")
    monkeypatch.setenv("ANIMEMORPH_DEVICE", "cpu")
    monkeypatch.delenv("ANIMEMORPH_SCRATCH", raising=False)
    return tmp_path


def configure(project: Path, **changes: Any) -> None:
    """Set keys of the profile's train group."""
    yaml = YAML()
    content = yaml.load(project / "params.yaml")
    for key, value in changes.items():
        content["profiles"]["demo"]["train"][key] = value
    yaml.dump(content, project / "params.yaml")


def keep(project: Path, domain: str, split: str, count: int) -> None:
    path = project / "data" / "split" / f"{domain}.parquet"
    table = pd.read_parquet(path)
    others = table[table["split"] != split]
    write_table(pd.concat([table[table["split"] == split][:count], others]), path)


@pytest.mark.parametrize("model", ["cyclegan", "dcgan", "landmark_cyclegan", "cut"])
def test_writes_everything_the_next_stages_read(model: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(
        project,
        model=model,
        noise=True,
        generator="resnet",
        discriminator_augment=True,
        ema_decay=0.9,
        checkpoint_selection="last",
    )
    train.main()
    out = project / "data" / "train"
    assert sorted(path.name for path in out.iterdir()) == [
        "discriminator_anime.safetensors",
        *([] if model == "cut" else ["discriminator_human.safetensors", "generator_anime2human.safetensors"]),
        "generator_human2anime.safetensors",
        "history.csv",
        "model.json",
        *(["patch_heads.safetensors"] if model == "cut" else []),
        "samples",
    ]
    history = pd.read_csv(out / "history.csv")
    assert history["epoch"].tolist() == [1, 2]
    assert np.isfinite(history.to_numpy()).all()
    stages = [1, 2] if model == "landmark_cyclegan" else None
    assert (history["stage"].tolist() if "stage" in history else None) == stages
    assert ("train_landmarks_anime" in history) == (model == "landmark_cyclegan")
    config = load_model(out).config
    settings = params.load()
    assert (config.model, config.resolution, config.epoch) == (model, 32, 2)
    assert config.noise_std == settings.train.noise_std
    assert config.detectors.human == settings.landmarks.human.detector
    assert [path.name for path in sorted((out / "samples").iterdir())] == ["epoch_001.png", "epoch_002.png"]
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert not list((project / "data" / "scratch").rglob("*.safetensors"))
    (log,) = (project / "data" / "scratch").glob("*/train.log")
    console, logged = capsys.readouterr().err.splitlines(), log.read_text().splitlines()
    assert [line.split(":")[0] for line in console] == ["epoch 1/2", "epoch 2/2"]
    assert [line.split(" INFO ")[1] for line in logged if " INFO " in line] == console
    train.main()  # trains from nothing again, and writes the same
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("spoil", "kind", "subject"),
    [
        (lambda p: keep(p, "anime", "train", 0), Kind.TOO_FEW, "train faces in data/split/anime.parquet"),
        (lambda p: keep(p, "human", "val", 0), Kind.TOO_FEW, "val faces in data/split/human.parquet"),
        (lambda p: keep(p, "human", "train", 1), Kind.TOO_FEW, "train faces in data/split/human.parquet"),
        (lambda p: configure(p, batch_size=15), Kind.TOO_FEW, "train faces in data/split/human.parquet"),
        (lambda p: configure(p, resolution=64), Kind.CONFLICT, "data/resize/human/faces.npy"),
        (lambda p: configure(p, precision="16-mixed"), Kind.BAD_VALUE, "train.precision"),
        (lambda p: (p / "data/split/anime.parquet").unlink(), Kind.MISSING, "data/split/anime.parquet"),
        (
            lambda p: np.save(p / "data/resize/human/faces.npy", np.zeros((3, 32, 32, 3), np.uint8)),
            Kind.CONFLICT,
            "data/resize/human/faces.npy",
        ),
        (lambda p: configure(p, lr=10.0, epochs=40), Kind.FAILED, None),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_no_output(
    spoil: Callable[[Path], Any], kind: Kind, subject: str | None, project: Path
) -> None:
    spoil(project)
    with pytest.raises(UserError) as error:
        train.main()
    assert error.value.kind == kind
    assert subject in (None, error.value.subject)  # a loss that diverged is named; which one depends on the machine
    assert "\n" not in str(error.value)
    assert not (project / "data" / "train").exists()


def test_missing_device_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has the GPU that the test misses")
    monkeypatch.setenv("ANIMEMORPH_DEVICE", "cuda")
    with pytest.raises(UserError) as error:
        train.main()
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, "ANIMEMORPH_DEVICE")


def test_another_noise_never_resumes(project: Path) -> None:
    train.main()
    configure(project, noise=True)
    train.main()
    assert load_model(project / "data" / "train").config.noise_std > 0
    assert len(list((project / "data" / "scratch").iterdir())) == 2


def test_training_can_start_from_the_shipped_model(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = load_model(train.PRETRAINED).config
    shape = {key: getattr(shipped, key) for key in params.Train.model_fields if key in ModelConfig.model_fields}
    started: list[TranslationModel] = []

    def fit(config: Any, model: TranslationModel, *rest: Any) -> Any:
        started.append(model)
        raise UserError("enough")

    monkeypatch.setattr(train.setup.loop, "fit", fit)
    unpaired = {"model": "cyclegan", "generator": shipped.network}
    configure(project, **shape | unpaired | {"resolution": 32, "discriminator_width": 2, "init": "pretrained"})
    with pytest.raises(UserError, match="enough"):
        train.main()
    for name in ("human2anime", "anime2human"):
        weights = getattr(load_model(train.PRETRAINED), name).state_dict()
        # A model without styles starts with the first one. The shipped model may have no image code.
        found = getattr(started[0], name).state_dict()
        assert all(torch.equal(value[: len(found[key])], found[key]) for key, value in weights.items())
    configure(project, generator_width=2 * shipped.generator_width)
    with pytest.raises(UserError) as error:
        train.main()
    assert (error.value.kind, error.value.subject) == (Kind.CONFLICT, "train.generator_width")


def test_training_can_start_from_a_folder(project: Path) -> None:
    configure(project, generator="resnet", init="models/first", epochs=1)
    with pytest.raises(UserError, match="models/first"):
        train.main()
    shared = {key: value for key, value in SMALL.items() if key in ModelConfig.model_fields}
    save_model(build_model(ModelConfig(**shared)), project / "models" / "first")
    train.main()
    assert load_model(project / "data" / "train").config.epoch == 1


def test_another_shipped_model_never_resumes(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(project, generator="resnet", init="pretrained", epochs=1)
    monkeypatch.setattr(train, "PRETRAINED", project / "shipped")
    for seed in range(2):
        torch.manual_seed(seed)
        shared = {key: value for key, value in SMALL.items() if key in ModelConfig.model_fields}
        save_model(build_model(ModelConfig(**shared)), project / "shipped")
        train.main()
    configure(project, init="scratch")
    train.main()
    assert len(list((project / "data" / "scratch").iterdir())) == 3


def test_an_odd_rest_of_a_batch_waits_for_the_next_epoch(project: Path) -> None:
    configure(project, batch_size=4, epochs=2)  # 14 faces: 3 steps of 4
    train.main()
    assert pd.read_csv(project / "data" / "train" / "history.csv")["step"].tolist() == [3, 6]
