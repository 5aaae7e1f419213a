"""`params.yaml`: the values in force, and the error for every kind of mistake."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from ruamel.yaml import YAML

from pipeline import params
from pipeline.errors import Kind, UserError
from pipeline.params.data import OWN

ROOT = Path(__file__).parents[1]
CONTENT = YAML(typ="safe").load(ROOT / "params.yaml")
DOMAINS = tuple(params.PerDomain.model_fields)


def changed(values: dict[str, object]) -> dict:
    """Return params.yaml's content with dotted keys replaced; ... deletes a key."""
    content = copy.deepcopy(CONTENT)
    for key, value in values.items():
        *groups, last = key.split(".")
        group = content
        for name in groups:
            group = group[name]
        if value is ...:
            del group[last]
        else:
            group[last] = value
    return content


def leaves(group: dict, prefix: str = "") -> Iterator[str]:
    for name, value in group.items():
        yield from leaves(value, f"{prefix}{name}.") if isinstance(value, dict) else [prefix + name]


def value_of(tree: Any, key: str) -> Any:
    for part in key.split("."):
        tree = tree[part] if isinstance(tree, dict) else getattr(tree, part)
    return tree


#: Every key that a user can set after `-S`.
KEYS = [key for key in leaves({name: CONTENT[name] for name in CONTENT if name != "profiles"}) if key != "profile"]


@pytest.mark.parametrize("profile", list(CONTENT["profiles"]))
def test_profile_is_valid(profile):
    assert params.in_force(changed({"profile": profile})).profile == profile


def test_full_profile_is_the_study():
    study = params.in_force(changed({"profile": "full"}))
    assert study.balance.human == params.GenderCounts(female=5000, male=5000)
    assert study.balance.anime == 10000
    assert study.filter.anime.years == (2011, 2019)
    assert study.split.ratios == (0.7, 0.15, 0.15)


def test_top_level_wins_and_null_is_the_profile_value():
    both = {"profiles.demo.train.lr": 3e-4, "train.lr": 1e-4}
    assert params.in_force(changed(both)).train.lr == 1e-4
    assert params.in_force(changed(both | {"train.lr": None})).train.lr == 3e-4
    assert params.in_force(changed(both | {"train.lr": ...})).train.lr == 3e-4
    assert params.in_force(changed(both | {"train": None})).train.lr == 3e-4


def test_words_override_a_profile_value_with_null():
    words = {"profile": "full", "balance.human": "all", "filter.anime.years": "any", "resize.max_images.human": "all"}
    words |= {"filter.human.max_phash_distance": "exact", "landmarks.human.face_detector": "none"}
    found = params.in_force(changed(words))
    assert found.balance.human is found.filter.anime.years is found.resize.max_images.human is None
    assert found.filter.human.max_phash_distance is found.landmarks.human.face_detector is None


def test_counts_per_gender_replace_a_count():
    counts = {"female": 3, "male": 4}
    assert params.in_force(changed({"balance.anime": counts})).balance.anime == params.GenderCounts(**counts)
    assert params.in_force(changed({"profile": "full", "balance.human": 7})).balance.human == 7


def test_profile_value_without_effect_is_not_in_force():
    found = params.in_force(changed({"profile": "full", "landmarks.human.detector": "dlib"}))
    assert found.landmarks.human.face_detector is None
    assert found.landmarks.anime.face_detector == "yolov3"


MISTAKES: list[tuple[dict[str, object], Kind, str]] = [
    ({"train.lr": -1}, Kind.BAD_VALUE, "train.lr"),
    ({"train.lr": "fast"}, Kind.BAD_VALUE, "train.lr"),
    ({"train.lr": float("inf")}, Kind.BAD_VALUE, "train.lr"),
    ({"train.nosie": True}, Kind.BAD_VALUE, "train.nosie"),
    ({"trian": {}}, Kind.BAD_VALUE, "trian"),
    ({"resize.max-pixels": 5}, Kind.BAD_VALUE, "resize.max-pixels"),
    ({"seed": ...}, Kind.MISSING, "seed"),
    ({"seed": None}, Kind.MISSING, "seed"),
    ({"report": 3}, Kind.BAD_VALUE, "report"),
    ({"balance.human": "many"}, Kind.BAD_VALUE, "balance.human"),
    ({"balance.human": 0}, Kind.BAD_VALUE, "balance.human"),
    ({"balance.human": {"female": 5}}, Kind.MISSING, "balance.human.male"),
    ({"balance.human": {"female": -5, "male": 5}}, Kind.BAD_VALUE, "balance.human.female"),
    ({"balance.human": {"femal": 5, "female": 5, "male": 5}}, Kind.BAD_VALUE, "balance.human.femal"),
    ({"profiles.demo.balance.anime": ...}, Kind.MISSING, "balance.anime"),
    ({"profiles.demo.train.epochs": ...}, Kind.MISSING, "train.epochs"),
    ({"profiles.demo.train.epochs": None}, Kind.BAD_VALUE, "train.epochs"),
    ({"profiles.demo.train": ...}, Kind.MISSING, "train.model"),
    ({"profiles.demo.seed": 1}, Kind.CONFLICT, "profiles.demo.seed"),
    ({"profiles.demo.download.human.path": "a.zip"}, Kind.CONFLICT, "profiles.demo.download.human.path"),
    ({"split.ratios": [0.5, 0.2, 0.2]}, Kind.BAD_VALUE, "split.ratios"),
    ({"split.ratios": [0.5, 0.5]}, Kind.BAD_VALUE, "split.ratios"),
    ({"split.ratios": [0.7, 0.1, 0.1, 0.1]}, Kind.BAD_VALUE, "split.ratios"),
    ({"split.ratios": [0.7, 1.5, 0.1]}, Kind.BAD_VALUE, "split.ratios"),
    ({"split.ratios": [0.7, float("nan"), 0.1]}, Kind.BAD_VALUE, "split.ratios"),
    ({"filter.anime.years": [2019, 2011]}, Kind.BAD_VALUE, "filter.anime.years"),
    ({"download.human.source": "demos"}, Kind.BAD_VALUE, "download.human.source"),
    ({"profile": "dmeo"}, Kind.BAD_VALUE, "profile"),
    ({"profile": ["demo"]}, Kind.BAD_VALUE, "profile"),
    ({"train.noise_sdt": None}, Kind.BAD_VALUE, "train.noise_sdt"),
    ({"profile": ...}, Kind.BAD_VALUE, "profile"),
    ({"profiles": ...}, Kind.BAD_VALUE, "profile"),
    ({"profiles.demo": None}, Kind.BAD_VALUE, "profile"),
    ({"train.model": "x" * 500}, Kind.BAD_VALUE, "train.model"),
    ({"train.checkpoint_selection": "worst"}, Kind.BAD_VALUE, "train.checkpoint_selection"),
    ({"train.checkpoint_selection": 21}, Kind.BAD_VALUE, "train.checkpoint_selection"),
    ({"train.resolution": 34}, Kind.BAD_VALUE, "train.resolution"),
    ({"train.resolution": 36}, Kind.BAD_VALUE, "train.resolution"),
    ({"train.resolution": 96, "train.model": "dcgan"}, Kind.BAD_VALUE, "train.resolution"),
    ({"evaluate.bootstrap_resamples": 1}, Kind.BAD_VALUE, "evaluate.bootstrap_resamples"),
]


@pytest.mark.parametrize(("values", "kind", "subject"), MISTAKES, ids=[str(mistake[0])[:60] for mistake in MISTAKES])
def test_mistake_names_the_key(values, kind, subject):
    with pytest.raises(UserError) as error:
        params.in_force(changed(values))
    assert (error.value.kind, error.value.subject) == (kind, subject)
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


def test_mistyped_key_gets_the_name_that_was_meant():
    for typed, meant in {"train.nosie": "'noise'", "trian": "'train'", "resize.max-pixels": "'max_pixels'"}.items():
        with pytest.raises(UserError, match=meant):
            params.in_force(changed({typed: 5}))


@pytest.mark.parametrize(("group", "old"), params.errors.RENAMED)
def test_old_key_names_the_new_one(group, old):
    new = params.errors.RENAMED[group, old]
    key = next(key for key in KEYS if new in key.split(".") and (group == "*" or key.startswith(f"{group}.")))
    path = key.split(".")[: key.split(".").index(new)]
    content = changed({})
    value_of(content, ".".join(path))[old] = 3
    with pytest.raises(UserError, match=".".join([*path, new])) as error:
        params.in_force(content)
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, ".".join([*path, old]))


WITHOUT_EFFECT: list[dict[str, object]] = [
    {"train.noise_std": 0.2},
    {"train.generator_upsample": "transposed"},
    *(
        {key: value, "train.model": "dcgan"}
        for key, value in {
            "train.generator": "resnet",
            "train.discriminator": "patch",
            "train.residual_blocks": 2,
            "train.lambda_cycle": 1.0,
            "train.lambda_identity": 1.0,
            "train.generator_upsample": "resize",
        }.items()
    ),
    *({key: 1.0, "train.model": "cut"} for key in ("train.lambda_cycle", "train.lambda_identity")),
    {"train.lambda_nce": 2.0},
    {"train.lambda_nce_identity": 0.5, "train.model": "pix2pix"},
    {"evaluate.inception_weights": "folder"},
    {"download.human.path": "photos.zip"},
    {"download.human.labels_csv": "labels.csv"},
    {"download.human.dataset": "a/b/versions/1"},
    {"download.human.num_images": 3, "download.human.source": "archive"},
    {"filter.anime.keep_unknown_year": False},
    {"landmarks.human.batch_size": 4},
    {"landmarks.human.face_detector": "sfd"},
    {"landmarks.anime.weights": "folder"},
    {"landmarks.human.weights": "folder", "landmarks.human.detector": "celeba"},
    {"balance.on_shortage": "shrink"},
]


@pytest.mark.parametrize("values", WITHOUT_EFFECT, ids=[", ".join(values) for values in WITHOUT_EFFECT])
def test_value_without_effect_is_refused(values):
    with pytest.raises(UserError) as error:
        params.in_force(changed(values))
    assert (error.value.kind, error.value.subject) == (Kind.CONFLICT, next(iter(values)))


@pytest.mark.parametrize(
    "values",
    [
        {"train.noise": True, "train.noise_std": 0.2},
        {"train.generator": "resnet", "train.generator_upsample": "transposed"},
        {"download.human.source": "archive", "download.human.path": "photos.zip"},
        {"download.human.source": "archive", "download.human.labels_csv": "labels.csv"},
        {"filter.anime.years": [2000, 2005], "filter.anime.keep_unknown_year": False},
        {"balance.human": 5, "balance.on_shortage": "shrink"},
        {"train.model": "dcgan"},
        {"train.model": "cut", "train.lambda_nce": 10.0, "train.lambda_nce_identity": 0.0, "train.generator": "resnet"},
        {"train.model": "cut", "train.lambda_twin": [0.0, 0.0], "train.discriminator": "patch"},
        {"train.lambda_twin": [1.0, 0.5], "twins.styles": 1},
        {"train.lambda_twin": [0.0, 1.0], "train.generator": "styled_unet"},
    ],
    ids=str,
)
def test_value_with_effect_is_in_force(values):
    found = params.in_force(changed(values))
    for key, value in values.items():
        assert value_of(found, key) == (tuple(value) if isinstance(value, list) else value)


def other(value: Any, key: str) -> list[Any]:
    """Return candidates for another valid value of a key."""
    if key.endswith(".path"):
        return ["other.zip"]
    if isinstance(value, bool):
        return [not value]
    if key == "train.checkpoint_selection":
        return ["last", "best"]
    if key.endswith(".distribution"):
        return [{"gender": {"female": 1.0}}]
    if isinstance(value, int):
        return [value * 2, value + 1, 2]
    if isinstance(value, float):
        return [value / 2, 0.25]
    if isinstance(value, tuple):
        return [[0.6, 0.2, 0.2], [2000, 2001]]
    choices = [
        "demo archive",
        "dcgan pretrained unet resnet transposed resize leaky_relu patch scalar stop shrink",
    ]
    choices += ["estimated pad ray bf16-mixed 32 best inception embedded face_alignment", "anime_face_detector text"]
    return [7, [2000, 2001], *" ".join(choices).split()]


@pytest.mark.parametrize("profile", list(CONTENT["profiles"]))
@pytest.mark.parametrize("key", KEYS)
def test_every_key_acts_or_is_refused(key, profile):
    before = value_of(params.in_force(changed({"profile": profile})), key)
    for value in other(before, key):
        try:
            after = params.in_force(changed({"profile": profile, key: value}))
        except UserError as error:
            if error.kind is Kind.CONFLICT:
                assert error.subject == key
                return
            continue  # not a value of this key: try the next one
        if value_of(after, key) != before:
            return
    pytest.fail(f"no value of {key} is in force or refused")


def fields(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from fields(part)


@pytest.mark.parametrize("name", sorted(set(fields(params.Params))))
def test_every_key_is_read_by_the_code(name):
    code = [path for folder in ("pipeline", "stages") for path in (ROOT / folder).rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in code if path.parent.name != "params"]
    read = re.compile(rf"\.{name}\b|\[\"{name}\"\]|\"{name}\"")
    assert name in DOMAINS or any(read.search(text) for text in texts)


@pytest.mark.parametrize("text", [b"seed: [1, 2", b"seed: 1\nseed: 2\n", b"\xff\xfe\x00", b"- a\n", b""])
def test_damaged_file_is_refused(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_bytes(text)
    with pytest.raises(UserError) as error:
        params.load(path)
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(path))
    assert "\n" not in str(error.value)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError) as error:
        params.load(tmp_path / "params.yaml")
    assert error.value.kind is Kind.MISSING


def test_own_folder_exists_for_every_domain():
    for domain in DOMAINS:
        folder = OWN.format(domain=domain)
        assert CONTENT["download"][domain]["path"] == folder
        assert (ROOT / folder / "README.md").is_file()


def test_numbers_as_dvc_writes_them(tmp_path):
    # `dvc exp run -S train.lr=0.00001` writes 1e-05, which YAML 1.1 takes for a string.
    path = tmp_path / "params.yaml"
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("  lr: null", "  lr: 1e-05"), encoding="utf-8")
    assert params.load(path).train.lr == 1e-5


def test_params_cannot_change_after_reading():
    with pytest.raises(ValueError, match="frozen"):
        params.load(ROOT / "params.yaml").train.lr = 1.0


junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


@settings(max_examples=60)
@given(st.sampled_from([*KEYS, "train", "download.human", "profile"]), junk)
def test_any_value_is_taken_or_explained(key, value):
    try:
        params.in_force(changed({key: value}))
    except UserError as error:
        assert error.kind in (Kind.BAD_VALUE, Kind.MISSING, Kind.CONFLICT)
        assert error.subject and "\n" not in str(error)
