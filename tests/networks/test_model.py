import json

import numpy as np
import pytest
import torch

from pipeline.errors import Kind, UserError
from pipeline.networks.model import ModelConfig, build_model, load_model, save_model

CONFIGS = {
    "cyclegan": {"generator_width": 4, "residual_blocks": 1, "discriminator_width": 4},
    "unet": {"generator": "unet", "generator_width": 4, "residual_blocks": 1, "discriminator_width": 4},
    "dcgan": {"model": "dcgan", "generator_width": 4, "discriminator_width": 4},
    "landmark_cyclegan": {
        "model": "landmark_cyclegan",
        "generator_width": 4,
        "residual_blocks": 1,
        "discriminator_width": 4,
    },
    "projected": {"generator_width": 4, "residual_blocks": 1, "discriminator": "projected", "discriminator_width": 4},
    "spectral": {
        "generator_width": 4,
        "residual_blocks": 1,
        "activation": "leaky_relu",
        "discriminator": "spectral",
        "discriminator_width": 4,
    },
    "noise": {"generator_width": 4, "residual_blocks": 1, "discriminator_width": 4, "noise_std": 0.1},
}


FORTH, BACK = "generator_human2anime.safetensors", "generator_anime2human.safetensors"
#: Landmarks of five faces, for the model that needs them.
POINTS = np.array([[12.0, 14], [20, 14], [16, 19], [13, 23], [19, 23]]) + np.arange(5)[:, None, None]


def make(name="cyclegan", seed=0):
    torch.manual_seed(seed)
    return build_model(ModelConfig(resolution=32, **CONFIGS[name]))


def some_faces(n=5):
    return np.random.default_rng(0).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", CONFIGS)
def test_saved_model_translates_as_before(tmp_path, name):
    model = make(name)
    save_model(model, tmp_path)
    again = load_model(tmp_path)
    assert again.config == model.config
    for direction in ("human2anime", "anime2human"):
        np.testing.assert_array_equal(
            again.translate(some_faces(), direction, points=POINTS),
            model.translate(some_faces(), direction, points=POINTS),
        )


def test_equal_models_give_equal_bytes(tmp_path):
    for folder in ("a", "b"):
        save_model(make(), tmp_path / folder)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(names) == 5
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("name", ["cyclegan", "unet", "dcgan", "noise"])
def test_a_face_is_translated_alike_in_any_company(name):
    model, faces = make(name), some_faces(40)
    together = model.translate(faces, "human2anime", seed=3)
    alone = np.concatenate([model.translate(face[None], "human2anime", seed=3) for face in faces])
    # Kernels may add up in another order for another batch: at most a rounding of one level.
    assert np.abs(together.astype(int) - alone.astype(int)).max() <= 1


def test_noise_follows_its_seed_and_touches_humans_alone():
    model, faces = make("noise"), some_faces()
    one, two = (model.translate(faces, "human2anime", seed=seed) for seed in (1, 2))
    assert not np.array_equal(one, two)
    np.testing.assert_array_equal(one, model.translate(faces, "human2anime", seed=1))
    backwards = [model.translate(faces, "anime2human", seed=seed) for seed in (1, 2)]
    np.testing.assert_array_equal(*backwards)


def test_translating_leaves_training_mode_alone():
    model = make("dcgan")
    model.human2anime.train()
    before = {key: value.clone() for key, value in model.human2anime.state_dict().items()}
    model.translate(some_faces(), "human2anime")
    assert model.human2anime.training
    assert all(torch.equal(before[key], value) for key, value in model.human2anime.state_dict().items())


def test_the_landmarks_reach_the_output_of_the_model_that_has_them_alone():
    for name in ("landmark_cyclegan", "cyclegan"):
        one, other = (
            make(name).translate(some_faces(), "human2anime", points=points) for points in (POINTS, POINTS + 3)
        )
        assert np.array_equal(one, other) == (name == "cyclegan")


def test_cut_translates_in_one_direction(tmp_path):
    torch.manual_seed(0)
    model = build_model(ModelConfig(model="cut", resolution=32, **CONFIGS["unet"]))
    save_model(model, tmp_path)
    assert sorted(path.stem for path in tmp_path.iterdir()) == [
        *("discriminator_anime", "generator_human2anime", "model", "patch_heads")
    ]
    again = load_model(tmp_path)
    assert again.anime2human is None and again.discriminator_human is None and again.patch_heads is not None
    np.testing.assert_array_equal(*(each.translate(some_faces(), "human2anime") for each in (model, again)))
    with pytest.raises(UserError) as error:
        again.translate(some_faces(), "anime2human")
    assert (error.value.kind, error.value.subject) == (Kind.CONFLICT, "anime2human")


def test_no_faces_no_trouble():
    assert make().translate(some_faces(0), "human2anime").shape == (0, 32, 32, 3)


def test_discriminators_may_be_left_out(tmp_path):
    save_model(make(), tmp_path)
    for path in tmp_path.glob("discriminator_*"):
        path.unlink()
    model = load_model(tmp_path)
    assert model.discriminator_anime is None
    assert model.discriminator_human is None


def damage_weights(folder):
    path = folder / FORTH
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


def swap_config(folder):
    content = json.loads((folder / "model.json").read_text())
    content["generator_width"] = 8
    (folder / "model.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("harm", "kind", "name"),
    [
        (lambda folder: (folder / "model.json").unlink(), Kind.MISSING, "model.json"),
        (lambda folder: (folder / "model.json").write_text("{"), Kind.DAMAGED, "model.json"),
        (lambda folder: (folder / "model.json").write_text("[]"), Kind.DAMAGED, "model.json"),
        (lambda folder: (folder / "model.json").write_text('{"sha256": {}}'), Kind.DAMAGED, "model.json"),
        (lambda folder: (folder / BACK).unlink(), Kind.MISSING, BACK),
        (damage_weights, Kind.DAMAGED, FORTH),
        (swap_config, Kind.DAMAGED, FORTH),
    ],
)
def test_a_damaged_folder_is_a_user_error(tmp_path, harm, kind, name):
    save_model(make(), tmp_path)
    harm(tmp_path)
    with pytest.raises(UserError) as caught:
        load_model(tmp_path)
    assert (caught.value.kind, caught.value.subject) == (kind, str(tmp_path / name))
