"""`animemorph translate` as a user runs it."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.cli.inputs import plan, printable
from pipeline.drawing import draw_in_style
from pipeline.errors import Kind, UserError
from pipeline.features.attributes_face import to_lab
from pipeline.inference.backends import BUNDLE, PRETRAINED
from pipeline.inference.photo_io import read_photo, write_photo


def run(*words: object, stdin: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "from pipeline.cli import app; app()", *map(str, words)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=cwd, timeout=300)


def test_a_folder_with_all_kinds_of_files(
    hostile: Callable[[], Path], portrait: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    folder = hostile()
    (folder / "below").mkdir()
    shutil.copy(portrait, folder / "below" / "face.jpg")
    shutil.copy(portrait, folder / "face.jpg")
    Image.open(portrait).save(folder / "face.png")
    before = sorted(tmp_path.rglob("*"))
    done = run("translate", folder, "-o", tmp_path / "out", "--size", 64, "--model", tiny_bundle)
    errors = done.stderr.decode()
    written = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.png"))
    assert done.returncode == 1, errors
    assert written == ["below/face.png", "cmyk.png", "deep.png", "face.jpg.png", "face.png.png"]
    assert "Traceback" not in errors
    said = [line for line in errors.splitlines() if line.startswith("error:")]
    assert len(said) == 10
    assert any("new\\nline;$(touch evil).png" in line for line in said)
    assert "5 files written" in errors
    assert "10 of 15 inputs failed" in errors
    assert [path for path in sorted(tmp_path.rglob("*")) if "out" not in path.parts] == before


def test_nothing_is_overwritten_without_force(portrait: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    target = tmp_path / "face.png"
    target.write_bytes(b"precious")
    refused = run("translate", portrait, "-o", target, "--model", tiny_bundle)
    assert refused.returncode == 1
    assert f"{target}' exists" in refused.stderr.decode()
    assert target.read_bytes() == b"precious"
    assert run("translate", portrait, "-o", target, "--model", tiny_bundle, "--force").returncode == 0
    assert Image.open(target).size == (512, 512)


def test_standard_input_to_standard_output_without_metadata(portrait: Path, tiny_bundle: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "my secret place"
    buffer = io.BytesIO()
    Image.open(portrait).save(buffer, "JPEG", exif=exif, quality=95)
    words = ("translate", "-", "-o", "-", "--paste", "--model", tiny_bundle)
    first, second = (run(*words, stdin=buffer.getvalue()) for _ in range(2))
    assert first.returncode == 0, first.stderr.decode()
    result = Image.open(io.BytesIO(first.stdout))
    assert (result.format, result.size, dict(result.getexif()), result.info) == ("PNG", (256, 256), {}, {})
    assert b"secret" not in first.stdout
    assert first.stdout == second.stdout


def test_several_faces_and_the_ways_to_show_them(group: np.ndarray, tiny_bundle: Path, tmp_path: Path) -> None:
    photo = tmp_path / "group.png"
    Image.fromarray(group).save(photo)
    assert run("translate", photo, "-o", tmp_path / "all", "--model", tiny_bundle).returncode == 0
    assert len(list((tmp_path / "all").iterdir())) == 4
    sheet = tmp_path / "sheet.webp"
    assert run("translate", photo, "-o", sheet, "--grid", "--size", 32, "--model", tiny_bundle).returncode == 0
    assert Image.open(sheet).size == (96, 128)
    refused = run("translate", photo, "-o", sheet, "--force", "--grid", "--size", 4096, "--model", tiny_bundle)
    assert refused.returncode == 1
    assert "'--size'" in refused.stderr.decode()
    assert "--largest" in refused.stderr.decode()
    refused = run("translate", photo, "-o", "-", "--model", tiny_bundle)
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert "--largest" in refused.stderr.decode()


def test_a_model_with_one_generator_translates_and_refuses_its_grid(
    one_way_bundle: Path, portrait: Path, tmp_path: Path
) -> None:
    words = ["translate", str(portrait), "--size", "32", "--model", str(one_way_bundle)]
    assert CliRunner().invoke(app, [*words, "-o", str(tmp_path / "anime.png")]).exit_code == 0
    assert Image.open(tmp_path / "anime.png").size == (32, 32)
    refused = CliRunner().invoke(app, [*words, "-o", str(tmp_path / "grid.png"), "--grid"])
    assert refused.exit_code == 1 and not (tmp_path / "grid.png").exists()
    assert "anime2human" in refused.stderr and "--grid" in refused.stderr and len(refused.stderr.splitlines()) == 1


def test_styles_as_files_and_as_one_sheet(group: np.ndarray, tmp_path: Path) -> None:
    """The shipped model: one file a face and style, the same pictures in a sheet, and as many as the model has."""
    photo, shipped = tmp_path / "two.png", PRETRAINED / BUNDLE
    Image.fromarray(group[:, :512]).save(photo)
    words = ["translate", str(photo), "--model", str(shipped), "--size", "64", "--variants", "2", "--style", "cool"]
    assert CliRunner().invoke(app, [*words, "-o", str(tmp_path / "out")]).exit_code == 0
    written = {path.name: np.asarray(Image.open(path)) for path in (tmp_path / "out").iterdir()}
    first, second = "cool", "modern"  # after the last style comes the first
    assert set(written) == {f"two{face}-{style}.png" for face in ("", "-2") for style in (first, second)}
    assert CliRunner().invoke(app, [*words, "-o", str(tmp_path / "sheet.png"), "--grid"]).exit_code == 0
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (128, 192, 3)
    assert np.array_equal(sheet[64:, 64:128], written["two-2-cool.png"])
    assert np.abs(sheet[64:, 64:128].astype(int) - sheet[64:, 128:]).mean() > 3
    done = CliRunner().invoke(app, [*words, "-o", "-"])
    assert (done.exit_code, done.stdout_bytes) == (1, b"")
    words[words.index("2")] = "9"
    done = CliRunner().invoke(app, [*words, "-o", str(tmp_path / "more")])
    assert done.exit_code == 1
    assert "'--variants' must be 1 to 8" in done.stderr


def test_a_reference_gives_its_colours_and_hair_wins(portrait: Path, tmp_path: Path) -> None:
    drawing = draw_in_style("retro", 256, hair="pink", hairstyle="bob", gender="female", background_colour="#a02020")
    Image.fromarray(drawing.picture).save(tmp_path / "drawing.png")
    words = ["translate", str(portrait), "--model", str(PRETRAINED / BUNDLE), "--size", "128", "--like"]
    words.append(str(tmp_path / "drawing.png"))
    found = []
    for name, more in {"pink": [], "green": ["--hair", "green"]}.items():
        done = CliRunner().invoke(app, [*words, *more, "-o", str(tmp_path / f"{name}.png")])
        assert done.exit_code == 0, done.stderr
        picture = np.asarray(Image.open(tmp_path / f"{name}.png")).astype(int)
        found.append(np.median(to_lab(picture[18:34, 48:80]), axis=(0, 1)))  # above the forehead
        corner = np.median(picture[:8, :8], axis=(0, 1))
        assert corner[0] > max(corner[1:]) + 30  # red
    pink, green = found
    assert pink[1] > 10 > -10 > green[1]  # a*: red against green


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["missing.jpg"], "missing.jpg"),
        (["*.jpg"], "*.jpg"),
        (["."], "'.'"),
        (["face.txt", "-o", "x.bmp"], "x.bmp"),
        ([""], "INPUT"),
        (["face.txt", "-o", ""], "--output"),
        (["face.txt", "-o", "x.heic"], "x.heic"),
        (["face.txt", "--paste", "--grid"], "--paste"),
        (["face.txt", "--paint", "--grid"], "--paint"),
        (["face.txt", "--hair", "plaid"], "plaid"),
        (["face.txt", "--like", "none.png"], "none.png"),
        (["face.txt", "--like", "face.txt"], "--like face.txt"),
        (["face.txt", "--like", "face.txt", "--style", "soft"], "--style"),
        (["face.txt", "--like", "face.txt", "--variants", "2"], "--variants"),
        (["face.txt", "--model", "no.zip"], "no.zip"),
        (["face.txt", "--model", "face.txt"], "face.txt"),
    ],
)
def test_mistakes_are_one_line_that_names_the_input(
    words: list[str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "face.txt").write_text("no photo")
    done = CliRunner().invoke(app, ["translate", *words])
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert line.endswith(".")
    assert named in line


def test_batch_continues_after_any_failure(
    portrait: Path, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder or detector may raise anything: MemoryError, errors of OpenCV, bugs."""
    import cv2

    from pipeline.inference import Translator

    errors = iter([MemoryError(), cv2.error("assertion failed\nin warpAffine"), None, ValueError("points coincide")])
    original = Translator.faces

    def faces(self: Translator, *words: object, **options: object) -> object:
        if error := next(errors):
            raise error
        return original(self, *words, **options)

    monkeypatch.setattr(Translator, "faces", faces)
    for name in "abcd":
        shutil.copy(portrait, tmp_path / f"{name}.jpg")
    words = [*(str(tmp_path / f"{name}.jpg") for name in "abcd"), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, ["translate", *words, "--model", str(tiny_bundle)])
    assert done.exit_code == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["c.png"]
    reported = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert [Path(line.removeprefix("error: ").split(":")[0]).name for line in reported] == ["a.jpg", "b.jpg", "d.jpg"]
    assert "3 of 4 inputs failed" in done.stderr


def test_places_that_cannot_be_written_are_named(portrait: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    words = ["translate", str(portrait), "--model", str(tiny_bundle), "-o"]
    for place in ("file/anime.png", "n" * 300 + ".png"):
        done = CliRunner().invoke(app, [*words, str(tmp_path / place)])
        assert (done.exit_code, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert line.startswith("error: ")
        assert place in line
    if Path("/dev/full").exists():
        with Path("/dev/full").open("wb") as full:
            command = [sys.executable, "-c", "from pipeline.cli import app; app()", *words, "-"]
            said = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=300).stderr.decode()
        assert "standard output: No space left on device" in said
        assert "Traceback" not in said


def test_heic_is_listed_as_unreadable(tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.decoding.HEIF", False)
    (tmp_path / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99))
    done = CliRunner().invoke(
        app, ["translate", str(tmp_path), "-o", str(tmp_path / "out"), "--model", str(tiny_bundle)]
    )
    assert done.exit_code == 1
    assert "IMG_1.HEIC" in done.stderr
    assert "animemorph[heif]" in done.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_folder_is_searched_for_files_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "gone.jpg").symlink_to("nowhere")  # listed, so that it is named as unreadable
    (tmp_path / "face.jpg").touch()
    assert [job.source.name for job in plan([str(tmp_path)], "out").jobs if job.source] == ["face.jpg", "gone.jpg"]


def test_a_bundle_translates_without_pytorch(portrait: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    """Everything that `pip install animemorph` does not bring is made impossible to import."""
    code = (
        "import sys\n"
        "for name in ('torch', 'torchvision', 'onnx', 'pandas', 'pyarrow', 'scipy', 'skimage', 'openvino', 'av',\n"
        "             'starlette', 'uvicorn', 'dvc', 'ruamel', 'matplotlib', 'requests', 'joblib'):\n"
        "    sys.modules[name] = None\n"
        "from pipeline.cli import app\n"
        "app()\n"
    )
    words = ["translate", portrait, "-o", tmp_path / "anime.png", "--model", tiny_bundle]
    done = subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    assert Image.open(tmp_path / "anime.png").size == (512, 512)


def test_names_of_results(tmp_path: Path) -> None:
    for name in ("a/x.jpg", "a/y.png", "a/.hidden.jpg", "a/notes.txt", "b/x.jpg", "b/clip.MOV"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "b" / "clip.MOV").write_bytes(b"\0\0\0\x14ftypqt  ")
    out = str(tmp_path / "out")

    def targets(*inputs: str) -> list[str]:
        jobs = plan([str(tmp_path / name) for name in inputs], out).jobs
        return [str(job.target.relative_to(out)) for job in jobs if job.target]

    assert targets("a") == ["x.png", "y.png"]
    assert targets("b") == ["clip.mp4", "x.png"]
    assert targets("a/*", "a/x.jpg") == ["notes.png", "x.png", "y.png"]
    everything = ["a/x.png", "a/y.png", "b/clip.mp4", "b/x.png"]
    assert targets(".") == everything
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.png").touch()  # of an earlier run: no photo to translate, unless it is asked for
    assert targets(".") == everything
    assert targets("out") == ["x.png"]
    with pytest.raises(UserError) as caught:
        targets("a/x.jpg", "b/x.jpg")
    assert (caught.value.kind, caught.value.subject) == (Kind.CONFLICT, str(tmp_path / "out" / "x.jpg.png"))
    with pytest.raises(UserError) as caught:
        plan([str(tmp_path / "a")], "one.png")
    assert (caught.value.kind, caught.value.subject) == (Kind.CONFLICT, "one.png")


def test_names_are_printed_on_one_line() -> None:
    name = os.fsdecode(b"bad\xff\x1b[31m\nname.jpg")
    assert printable(name).isprintable()
    assert "\n" not in printable(name)


def test_what_is_written_is_pixels_alone() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    data = write_photo(picture)
    assert np.array_equal(read_photo(data), picture)
    assert data == write_photo(picture)
