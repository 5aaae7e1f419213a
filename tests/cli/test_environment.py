"""`animemorph translate` in bare environments: C locale, no home folder, an unknown user."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_jpegs import decoy_size
from PIL import Image

ROOT = Path(__file__).parents[2]
PHOTO = "é 漢.jpg"
BARE = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def translate(
    photo: Path, bundle: Path, environment: dict[str, str], before: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """Translate in a process with this environment alone, after the Python code `before`."""
    words = ["translate", photo.name, "-o", "out", "--size", "64", "--model", str(bundle)]
    command = [sys.executable, "-c", f"{before}from pipeline.cli import app; app()", *words]
    return subprocess.run(command, cwd=photo.parent, env=environment, capture_output=True, timeout=300)


@pytest.fixture
def photo(portrait: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(portrait, tmp_path / PHOTO))


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_names_that_the_locale_cannot_spell(locale: str, photo: Path, tiny_bundle: Path) -> None:
    """Neither the UTF-8 mode nor the UTF-8 locale that Python chooses by itself in the C locale."""
    bare = {**BARE, "HOME": str(photo.parent), "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = translate(photo, tiny_bundle, bare)
    assert done.returncode == 0, done.stderr
    assert Image.open(photo.parent / "out" / "é 漢.png").size == (64, 64)
    photo.write_bytes(b"no photo")
    refused = translate(photo, tiny_bundle, bare)
    assert refused.returncode == 1
    assert b"Traceback" not in refused.stderr
    assert [line.split(b": ")[0] for line in refused.stderr.splitlines() if b"error" in line] == [b"error"]


def test_without_a_home_folder(photo: Path, tiny_bundle: Path) -> None:
    before = set(Path.home().glob(".*"))
    done = translate(photo, tiny_bundle, BARE)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in photo.parent.iterdir()} == {PHOTO, "out"}
    assert set(Path.home().glob(".*")) == before


def test_user_without_an_entry_and_without_a_home(photo: Path, tiny_bundle: Path) -> None:
    """As in a container started with a user ID of its own: no name of a home folder can be found."""
    unknown = "import pathlib, pwd\npwd.getpwuid = {}.__getitem__\n"
    refused = "try:\n    pathlib.Path.home()\nexcept RuntimeError:\n    print('no home')\n"
    done = translate(photo, tiny_bundle, BARE, unknown + refused)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"no home\n"
    assert Image.open(photo.parent / "out" / "é 漢.png").size == (64, 64)


def test_picture_larger_than_it_seems_is_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    """121 million pixels that spell 16 x 16: more than the 100 million that the command takes."""
    (tmp_path / "decoy.jpg").write_bytes(decoy_size(11_000))
    done = translate(tmp_path / "decoy.jpg", tiny_bundle, {**BARE, "HOME": str(tmp_path)})
    assert done.returncode == 1
    assert b"100 million" in done.stderr
    assert not (tmp_path / "out").exists()
