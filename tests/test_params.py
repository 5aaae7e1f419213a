"""params.yaml as it is, and every mistake a person makes in it as one sentence."""

import copy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipeline import params
from pipeline.errors import UserError

ROOT = Path(__file__).parents[1]
CONTENT = YAML(typ="safe").load(ROOT / "params.yaml")


def loaded(tmp_path: Path, content: object) -> params.Params:
    path = tmp_path / "params.yaml"
    YAML(typ="safe").dump(content, path)
    return params.load(path)


def changed(**values: object) -> dict:
    """params.yaml's content with dotted keys (written with __) replaced; ... deletes a key."""
    content = copy.deepcopy(CONTENT)
    for key, value in values.items():
        *groups, last = key.split("__")
        group = content
        for name in groups:
            group = group[name]
        if value is ...:
            del group[last]
        else:
            group[last] = value
    return content


@pytest.mark.parametrize("profile", list(CONTENT["profiles"]))
def test_each_profile_is_valid(tmp_path, profile):
    assert loaded(tmp_path, changed(profile=profile)).profile == profile


def test_the_study_is_what_the_paper_says(tmp_path):
    study = loaded(tmp_path, changed(profile="full"))
    assert study.balance.human == params.GenderCounts(female=5000, male=5000)
    assert study.balance.anime == 10000
    assert study.filter.anime.years == (2011, 2019)
    assert study.split.ratios == (0.7, 0.15, 0.15)


MISTAKES = [
    ({"train__lr": -1}, "train.lr is -1, which should be greater than 0."),
    ({"train__lr": "fast"}, 'train.lr is "fast", which should be a valid number, unable to parse string as a number.'),
    ({"train__nosie": True}, "train.nosie is not a known key: did you mean noise?"),
    ({"trian": {}}, "trian is not a known key: did you mean train?"),
    ({"resize__max-pixels": 5}, "resize.max-pixels is not a known key: did you mean max_pixels?"),
    ({"seed": ...}, "seed is missing: add it at the top level or under profiles.demo."),
    ({"seed": None}, "seed is null, which should be a valid integer."),
    ({"report": None}, "report is null, which should be a group of keys."),
    ({"profiles__demo__balance__human": "many"}, 'balance.human is "many", which should be a valid integer'),
    ({"profiles__demo__balance__human": 0}, "balance.human is 0, which should be greater than or equal to 1."),
    ({"profiles__demo__balance__human": {"female": 5}}, "balance.human.male is missing"),
    (
        {"profiles__demo__balance__human": {"female": -5, "male": 5}},
        "balance.human.female is -5, which should be greater",
    ),
    (
        {"profiles__demo__balance__human": {"femal": 5, "female": 5, "male": 5}},
        "human.femal is not a known key: did you mean female?",
    ),
    (
        {"profiles__demo__balance__anime": ...},
        "balance.anime is missing: add it under profiles.demo.",
    ),
    ({"split__ratios": [0.5, 0.2, 0.2]}, "split.ratios is [0.5, 0.2, 0.2], which should add up to 1, not to 0.9."),
    ({"split__ratios": [0.5, 0.5]}, "split.ratios is [0.5, 0.5], which has too few items."),
    ({"split__ratios": [0.7, 0.1, 0.1, 0.1]}, "split.ratios is [0.7, 0.1, 0.1, 0.1], which has more than 3 items."),
    ({"split__ratios": [0.7, 1.5, 0.1]}, "split.ratios holds 1.5, which should be less than or equal to 1."),
    ({"split__ratios": [0.7, float("nan"), 0.1]}, "split.ratios holds NaN, which should be a finite number."),
    (
        {"profiles__demo__filter__anime": {"years": [2019, 2011]}},
        "filter.anime.years is [2019, 2011], which should be the first",
    ),
    (
        {"profiles__demo__download__human": {"source": "demos"}},
        "download.human.source is \"demos\", which should be 'demo', 'archive'",
    ),
    (
        {"profiles__demo__download__human__path": "photos.zip"},
        "download.human.path is photos.zip, but source demo reads no path: set source to archive.",
    ),
    (
        {"profiles__demo__download__human__labels": "photos.csv"},
        "download.human.labels is photos.csv, but source demo reads no labels: set it to null.",
    ),
    ({"filter": {"human": {"min_score": 0.6}}}, "filter stands at the top level, where DVC does not look for it"),
    ({"profile": "dmeo"}, "profile is 'dmeo', which `profiles` does not hold (it holds demo, full)."),
    ({"profile": ["demo"]}, "profile is ['demo'], which `profiles` does not hold"),
    ({"profile": ...}, "profile is None, which `profiles` does not hold"),
    ({"profiles": ...}, "which `profiles` does not hold (it holds none)."),
    ({"profiles__demo": None}, "profile is 'demo', which `profiles` does not hold"),
    ({"train__model": "x" * 500}, "…, which should be 'dcgan', 'cyclegan' or 'landmark_cyclegan'."),
]


def test_the_top_level_goes_before_the_profile_and_null_leaves_it_to_it(tmp_path):
    both = {"profiles__demo__train__lr": 3e-4, "train__lr": 1e-4}
    assert loaded(tmp_path, changed(**both)).train.lr == 1e-4
    assert loaded(tmp_path, changed(**both | {"train__lr": None})).train.lr == 3e-4


@pytest.mark.parametrize(("values", "sentence"), MISTAKES, ids=[", ".join(values) for values, _ in MISTAKES])
def test_a_mistake_is_one_sentence(tmp_path, values, sentence):
    with pytest.raises(UserError) as error:
        loaded(tmp_path, changed(**values))
    message = str(error.value)
    assert sentence in message
    assert "\n" not in message
    assert message.endswith((".", "?"))
    assert "params.yaml: " in message


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"seed: [1, 2", "is not valid YAML in line 1"),
        (b"seed: 1\nseed: 2\n", 'is not valid YAML in line 2: found duplicate key "seed"'),
        (b"\xff\xfe\x00", "is not valid YAML"),
        (b"- a\n", "holds no params"),
        (b"", "holds no params"),
    ],
)
def test_what_is_no_params_file_is_one_sentence(tmp_path, text, sentence):
    path = tmp_path / "params.yaml"
    path.write_bytes(text)
    with pytest.raises(UserError) as error:
        params.load(path)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="is missing: run this from the top folder"):
        params.load(tmp_path / "params.yaml")


def test_numbers_as_dvc_writes_them(tmp_path):
    # `dvc exp run -S train.lr=0.00001` writes 1e-05, which YAML 1.1 takes for a string.
    path = tmp_path / "params.yaml"
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("  lr: null", "  lr: 1e-05"), encoding="utf-8")
    assert params.load(path).train.lr == 1e-5


def test_params_cannot_change_after_reading():
    with pytest.raises(ValueError, match="frozen"):
        params.load(ROOT / "params.yaml").train.lr = 1.0


def keys(group: dict, prefix: str = "") -> list[str]:
    names = []
    for name, value in group.items():
        names.append(prefix + name)
        if isinstance(value, dict):
            names += keys(value, f"{prefix}{name}__")
    return names


junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


@settings(max_examples=40)
@given(
    st.sampled_from(
        keys({name: CONTENT[name] for name in CONTENT if name != "profiles"} | CONTENT["profiles"]["demo"])
    ),
    junk,
)
def test_whatever_stands_at_a_key_is_taken_or_explained(tmp_path_factory, key, value):
    content = copy.deepcopy(CONTENT)
    for top in (content, content["profiles"]["demo"]):
        *groups, last = key.split("__")
        group = top
        for name in groups:
            group = group.get(name, {}) if isinstance(group, dict) else {}
        if isinstance(group, dict) and last in group:
            group[last] = value
    try:
        loaded(tmp_path_factory.getbasetemp(), content)
    except UserError as error:
        assert "\n" not in str(error)
        assert str(error).endswith((".", "?"))
