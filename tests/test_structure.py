"""The shape that the project promises: one stage name in five places, imports that point one way, params that exist."""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.params import Params

ROOT = Path(__file__).parents[1]
STAGES = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
PARAMS = YAML(typ="safe").load(ROOT / "params.yaml")
PROFILES = sorted(PARAMS["profiles"])
DOMAINS = ("human", "anime", "external_test")

#: Rooms from the ground up: a room imports from its own row and the rows above it in this list, never from below.
ROWS = [
    {"errors"},
    {"files", "params", "devices", "progress"},
    {"images", "decoding", "parallel"},
    {"faces", "contact_sheet", "image_archive", "weights"},
    {"features", "drawing"},
    {"networks"},
    {"download", "resize", "landmarks", "selection"},
    {"train", "evaluate", "report", "inference"},
    {"study"},
    {"cli"},
    {"stages"},
]
#: Code that dvc.yaml need not name, because it says how outputs are written, where code runs, or where files that
#: are known by their hash come from, but not what the outputs are.
PLUMBING = {
    *(
        f"pipeline.{name}"
        for name in (
            "errors",
            "files",
            "parallel",
            "images",
            "decoding",
            "params",
            "faces",
            "devices",
            "weights",
            "progress",
        )
    ),
    *(f"pipeline.params.{name}" for name in ("base", "data", "model", "merge", "errors", "reference")),
    *("pipeline.train.accelerator", "pipeline.train.checkpoint"),
}


def test_every_stage_has_its_script_and_every_script_its_stage():
    scripts = {path.stem for path in (ROOT / "stages").glob("*.py")} - {"__init__"}
    assert scripts == set(STAGES)


def test_every_stage_has_its_params_group():
    groups = set(PARAMS) | {name for profile in PROFILES for name in PARAMS["profiles"][profile]}
    assert set(STAGES) <= groups
    assert set(STAGES) <= set(Params.model_fields)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_its_script_and_writes_its_own_folder(stage):
    body = STAGES[stage].get("do", STAGES[stage])
    assert body["cmd"].split()[:3] == ["sh", "stages/run.sh", stage]
    assert all(re.fullmatch(rf"data/{stage}(/\$\{{[\w.]+\}})?(/[\w.]+)?", out) for out in outputs(body))
    assert f"stages/{stage}.py" in body["deps"]


def outputs(body: dict) -> list[str]:
    """Paths that a stage writes; metrics are outside the cache, so that Git has them."""
    metrics = [(path, options) for each in body.get("metrics", []) for path, options in each.items()]
    assert all(options == {"cache": False} for _, options in metrics)
    return [*body["outs"], *(path for path, _ in metrics)]


def test_git_has_metrics_and_no_other_output():
    for domain in DOMAINS:
        for stage in STAGES:
            body = STAGES[stage].get("do", STAGES[stage])
            for out in outputs(body):
                path = re.sub(r"\$\{(item\.domain|key)\}", domain, out)
                ignored = subprocess.run(["git", "check-ignore", "-q", "--no-index", path], cwd=ROOT).returncode == 0
                assert ignored == (out in body["outs"]), path


def filled(text: str) -> list[str]:
    """A templated string of dvc.yaml with every profile and domain put in."""
    texts = [text.replace("${profile}", profile) for profile in PROFILES]
    return sorted({re.sub(r"\$\{(item\.domain|key)\}", domain, each) for each in texts for domain in DOMAINS})


@pytest.mark.parametrize("stage", STAGES)
def test_the_params_a_stage_names_exist_in_every_profile(stage):
    for text in STAGES[stage].get("do", STAGES[stage])["params"]:
        for key in filled(text):
            value = PARAMS
            for part in key.split("."):
                assert isinstance(value, dict), f"{stage}: {key} goes deeper than params.yaml"
                assert part in value, f"{stage}: params.yaml has no {key}"
                value = value[part]


def leaves(group: dict, prefix: str = "") -> list[str]:
    names: list[str] = []
    for name, value in group.items():
        nested = isinstance(value, dict) and name != "distribution"
        names += leaves(value, f"{prefix}{name}.") if nested else [prefix + name]
    return names


#: Keys without a value in a profile: DVC watches the files of the path, and every stage reads the seed.
TOP_ONLY = {"profile", "seed", *(f"download.{domain}.path" for domain in DOMAINS)}


@pytest.mark.parametrize("stage", STAGES)
def test_params_are_watched_at_top_level_and_in_profile(stage):
    watched = set(STAGES[stage].get("do", STAGES[stage])["params"]) - TOP_ONLY - {"profiles.${profile}"}
    top = {key for key in watched if not key.startswith("profiles.")}
    assert watched - top == {f"profiles.${{profile}}.{key}" for key in top} or stage == "report"


@pytest.mark.parametrize("profile", PROFILES)
def test_profile_and_top_level_have_the_same_keys(profile):
    top = set(leaves({key: PARAMS[key] for key in PARAMS if key != "profiles"})) - TOP_ONLY
    found = {re.sub(r"^(balance\.\w+)\.(fe)?male$", r"\1", key) for key in leaves(PARAMS["profiles"][profile])}
    assert found == top


def test_every_param_makes_its_stage_run_again():
    for key in leaves(PARAMS):
        stage = key.split(".")[2] if key.startswith("profiles.") else key.split(".")[0]
        if stage == "profile":
            continue  # it is part of the names of the others
        readers = STAGES if stage == "seed" else [stage]
        named = [text for reader in readers for text in STAGES[reader].get("do", STAGES[reader])["params"]]
        covered = any(f"{key}.".startswith(f"{each}.") for text in named for each in filled(text))
        assert covered, f"nothing in dvc.yaml depends on {key}"


@pytest.mark.parametrize("stage", STAGES)
def test_the_code_a_stage_depends_on_exists(stage):
    for dep in STAGES[stage].get("do", STAGES[stage])["deps"]:
        if not dep.startswith(("data/", "$")):
            assert (ROOT / dep).exists(), f"{stage} depends on {dep}, which is not there"


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(path: Path) -> frozenset[str]:
    """Modules of this project that a file imports, anywhere in it, as dotted names."""
    found = set()
    modules = {module_of(each) for each in sources("pipeline", "stages")}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                parts = path.relative_to(ROOT).parts[: -node.level]
                module = ".".join([*parts, *([module] if module else [])])
            elif path.is_relative_to(ROOT / "pipeline"):
                assert not module.startswith("pipeline"), f"{path}: the wheel renames the package"
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return frozenset(found & modules)


def room(module: str) -> str:
    parts = module.split(".")
    return parts[0] if parts[0] == "stages" or len(parts) == 1 else parts[1]


@pytest.mark.parametrize("path", sources("pipeline", "stages"), ids=lambda path: module_of(path))
def test_imports_point_one_way(path):
    height = {name: number for number, row in enumerate(ROWS) for name in row}
    here = room(module_of(path))
    if here == "pipeline":
        assert not imports(path)
        return
    assert here in height, f"{here} is a room that the map does not know"
    for module in imports(path) - {"pipeline", "stages"}:
        assert room(module) == here or height[room(module)] < height[here], (
            f"{module_of(path)} imports {module}: the wrong way"
        )


def closure(module: str) -> set[str]:
    files = {module_of(path): path for path in sources("pipeline", "stages")}
    seen, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name in files and name not in seen:
            seen.add(name)
            waiting += imports(files[name])
    return seen


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_knows_the_code_behind_a_stage(stage):
    # The lists of `foreach` are dependencies of one domain each.
    items = [dep for listed in STAGES[stage].get("foreach", {}).values() for dep in listed]
    named = STAGES[stage].get("do", STAGES[stage])["deps"] + items
    deps = [dep.removesuffix(".py").replace("/", ".") for dep in named]
    for module in closure(f"stages.{stage}") - {"stages", "pipeline"}:
        # A room's __init__ is its front door, not its contents.
        if module not in PLUMBING and len(module.split(".")) > 2:
            assert any(f"{module}.".startswith(f"{dep}.") for dep in deps), (
                f"{stage} runs {module}, dvc.yaml does not say"
            )


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_knows_that_a_stage_cuts_faces_out(stage):
    # How crop_aligned cuts decides what networks see; the rest of images.py and faces.py is plumbing.
    users = {module for module in closure(f"stages.{stage}") if module not in PLUMBING}
    texts = [path.read_text(encoding="utf-8") for path in sources("pipeline", "stages") if module_of(path) in users]
    if any("read_crops" in text or "crop_aligned" in text for text in texts):
        assert "pipeline/images.py" in STAGES[stage]["deps"]


@pytest.mark.parametrize("path", sources("pipeline", "stages", "benchmarks"), ids=lambda path: path.stem)
def test_a_file_fits_in_a_head(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350
    assert path.stem not in {"utils", "helpers", "misc", "common"}


@pytest.mark.parametrize("path", sorted((ROOT / "stages").glob("*.py")), ids=lambda path: path.stem)
def test_a_stage_script_is_thin(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 60
