"""The sdist and the wheel: what they contain, and the wheel in a clean environment outside the checkout."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ROOT = Path(__file__).parents[1]
SECRET = b"a photo or a key that must stay at home"
#: Files of a working folder that Git does not track.
PRIVATE = [
    ".dvc/cache/files/md5/ab/photo",
    ".dvc/config.local",
    ".dvc/tmp/lock",
    ".env",
    ".venv/secret",
    "data/own/human/photo.jpg",
    "data/train/model.json",
    "notes/secret.md",
    "secret.md",
    "pipeline/.env",
    "tests/.env",
]
COMMANDS = {"app", "audit", "compare", "draw", "export", "score", "translate"}


def uv(*words: str | Path) -> None:
    """Run uv, which `uv run` names in the environment variable UV."""
    program = os.environ.get("UV") or shutil.which("uv") or pytest.fail("uv is not installed: pip install uv")
    done = subprocess.run([program, *words], cwd=ROOT, capture_output=True, text=True, env=outside())
    assert done.returncode == 0, done.stderr


def outside() -> dict[str, str]:
    """Return an environment in which nothing points to the checkout or to its packages."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
    return {name: value for name, value in os.environ.items() if name not in hidden}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a copy of the tracked files that also holds private ones; return the folder of sdist and wheel."""
    copy = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    for name in PRIVATE:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(SECRET)
    uv("build", "--quiet", "--out-dir", copy / "dist", copy)
    return copy / "dist"


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module", params=["highest", "lowest-direct"])
def clean(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Install the wheel with its smallest set of packages; return a function that runs a program of that environment.

    lowest-direct takes the oldest version that pyproject.toml allows of each package named there.
    """
    folder = tmp_path_factory.mktemp(request.param)
    uv("venv", "--quiet", "--python", sys.executable, folder / "venv")
    into = ("--quiet", "--python", folder / "venv")
    if request.param == "highest":
        uv("pip", "install", *into, wheel)
    else:
        uv("pip", "install", *into, "--resolution", "lowest-direct", "-r", ROOT / "pyproject.toml")
        uv("pip", "install", *into, "--no-deps", wheel)
    photo = next((ROOT / "pipeline/inference/web/static/examples").glob("*.jpg"))
    shutil.copyfile(photo, folder / "face.jpg")

    def run(program: str, *words: str) -> str:
        command = [folder / "venv" / "bin" / program, *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=outside())
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_sdist_contains_tracked_files_only(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        files = {name.partition("/")[2]: archive.extractfile(name) for name in archive.getnames()}
        contents = {name: file.read() for name, file in files.items() if file}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(contents) <= {*tracked.splitlines(), "PKG-INFO"}
    assert SECRET not in contents.values()
    assert {"dvc.yaml", "params.yaml", "pipeline/cli/__init__.py", "stages/train.py", "uv.lock"} <= set(contents)


def test_wheel_contains_one_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert SECRET not in [archive.read(name) for name in names]
        (scripts,) = (name for name in names if name.endswith("entry_points.txt"))
        assert "animemorph = animemorph.cli:app" in archive.read(scripts).decode()
    packages = {name.partition("/")[0] for name in names}
    assert {name for name in packages if not name.endswith(".dist-info")} == {"animemorph"}
    tracked = subprocess.run(["git", "ls-files", "pipeline"], cwd=ROOT, capture_output=True, text=True, check=True)
    library = {name.replace("pipeline/", "animemorph/", 1) for name in tracked.stdout.splitlines()}
    trained = {name for name in library if name.startswith("animemorph/pretrained/generator_")}  # the bundle has them
    assert library - trained == {name for name in names if name.startswith("animemorph/")}


def test_every_command_prints_its_help(clean: Callable[..., str]) -> None:
    code = "from typer.main import get_command; from animemorph.cli import app; print(*get_command(app).commands)"
    commands = set(clean("python", "-c", code).split())
    assert commands >= COMMANDS
    for command in commands:
        assert f"animemorph {command}" in clean("animemorph", command, "--help")


def test_command_and_python_translate_the_same(clean: Callable[..., str]) -> None:
    code = """
import sys
from pathlib import Path
import numpy as np
from PIL import Image
from animemorph.inference import Translator
assert Path(sys.prefix) in Path(sys.modules["animemorph"].__file__).parents
translated = np.asarray(Translator().translate(Image.open("face.jpg")))
assert translated.shape == (512, 512, 3) and translated.std() > 20
assert (translated == np.asarray(Image.open("command.png"))).all()
"""
    clean("animemorph", "translate", "face.jpg", "-o", "command.png", "--force")
    clean("python", "-c", code)


@pytest.fixture(scope="module")
def exported(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export the shipped model with the library of the wheel and the packages of this environment."""
    folder = tmp_path_factory.mktemp("export")
    uv("pip", "install", "--quiet", "--python", sys.executable, "--no-deps", "--target", folder / "wheel", wheel)
    code = "import sys; from animemorph.cli import app; assert 'pipeline' not in sys.modules; app()"
    command = [sys.executable, "-c", code, "export", "-o", "own.zip", "--model", str(ROOT / "pipeline" / "pretrained")]
    paths = outside() | {"PYTHONPATH": str(folder / "wheel")}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=paths)
    assert done.returncode == 0, done.stderr
    return folder / "own.zip"


def test_exported_bundle_translates_without_torch(clean: Callable[..., str], exported: Path) -> None:
    clean("animemorph", "translate", "face.jpg", "-o", "shipped.png", "--force")
    clean("animemorph", "translate", "face.jpg", "-o", "own.png", "--force", "--model", str(exported))
    code = """
import numpy as np
from PIL import Image
own, shipped = (np.asarray(Image.open(name)).astype(int) for name in ("own.png", "shipped.png"))
assert abs(own - shipped).mean() < 1
"""
    clean("python", "-c", code)
