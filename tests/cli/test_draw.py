"""`animemorph draw` through its real entry point."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import chisquare
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.download import archive, drawn
from pipeline.download.drawn import LANDMARKS
from pipeline.drawing import draw, shares

ARGUMENTS = ["draw", "--size", "48", "--seed", "3"]


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setenv("ANIMEMORPH_WORKERS", "1")


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def faces(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "faces"
    code, said = run(*ARGUMENTS, "--count", "5", "-o", str(folder))
    assert code == 0, said
    return folder


def test_dataset_has_pictures_tables_and_datasheet(faces):
    names = [f"drawing_{number:06d}.png" for number in range(5)]
    assert sorted(files(faces)) == ["README.md", "dataset.json", *names, "labels.csv", "labels.parquet"]
    table = pd.read_parquet(faces / "labels.parquet")
    assert table["file"].tolist() == names
    pd.testing.assert_frame_equal(pd.read_csv(faces / "labels.csv")[list(table)], table, check_dtype=False)
    expected = draw(3, 4, 48)
    assert np.array_equal(np.asarray(Image.open(faces / names[4])), expected.picture)
    assert np.abs(table[list(LANDMARKS)].to_numpy()[4].reshape(28, 2) - expected.landmarks).max() < 0.001
    assert table["gender"][4] == expected.attributes["gender"]
    assert "CC0" in (faces / "README.md").read_text(encoding="utf-8")


def test_dataset_is_an_archive_with_labels(faces, tmp_path):
    fetched = archive.fetch(tmp_path, faces, faces / "labels.csv", "anime")
    table = pd.read_parquet(faces / "labels.parquet")
    assert fetched.members["source"].tolist() == table["file"].tolist()
    assert fetched.members["gender"].tolist() == table["gender"].tolist()
    assert np.allclose(fetched.members[list(LANDMARKS)].to_numpy(float), table[list(LANDMARKS)])


def test_resumed_run_gives_the_same_files(faces, tmp_path, monkeypatch):
    folder, numbers = tmp_path / "faces", []

    def killed(seed: int, index: int, *given: object, **overrides: object):
        numbers.append(index)
        if len(numbers) == 3:
            raise KeyboardInterrupt
        return draw(seed, index, *given, **overrides)

    monkeypatch.setattr(drawn.drawing, "draw", killed)
    CliRunner().invoke(app, [*ARGUMENTS, "--count", "5", "-o", str(folder)])
    assert not (folder / "labels.csv").exists()
    (folder / ".drawing_000002.png.1.partial").touch()
    code, said = run(*ARGUMENTS, "--count", "5", "-o", str(folder), "--resume")
    assert code == 0, said
    assert numbers == [0, 1, 2, 2, 3, 4]
    assert files(folder) == files(faces)


def test_finished_dataset_grows_to_the_same_files(faces, tmp_path):
    folder = tmp_path / "faces"
    assert run(*ARGUMENTS, "--count", "3", "-o", str(folder))[0] == 0
    assert run(*ARGUMENTS, "--count", "5", "-o", str(folder), "--resume")[0] == 0
    assert files(folder) == files(faces)


@pytest.mark.parametrize(
    ("words", "subject"),
    [
        (["--count", "5"], "faces"),
        (["--count", "5", "--resume", "--seed", "4"], "seed"),
        (["--count", "5", "--resume", "--size", "64"], "size"),
        (["--count", "5", "--resume", "--set", "hair=blue"], "set"),
        (["--count", "5", "--resume", "--distribution", "fantasy_hair=1"], "distribution"),
        (["--count", "4", "--resume"], "--count"),
    ],
)
def test_folder_of_another_dataset_is_refused(faces, words, subject):
    before = files(faces)
    code, said = run(*ARGUMENTS, *words, "-o", str(faces))
    assert code == 1 and said.startswith("error: ") and said.count("\n") == 1 and subject in said
    assert files(faces) == before


@pytest.mark.parametrize(
    ("words", "subject"),
    [
        (["--size", "8"], "'size'"),
        (["--set", "hair"], "'--set'"),
        (["--set", "wings=two"], "'wings'"),
        (["--set", "hair=plaid"], "'hair'"),
        (["--set", "yaw=90"], "'yaw'"),
        (["--sheet", "-o", "sheet.gif"], "'--output'"),
        (["--distribution", "gender"], "'--distribution'"),
        (["--distribution", "gender=female:1,male"], "'--distribution'"),
        (["--distribution", "wings=0.5"], "'wings'"),
        (["--distribution", "gender=robot:1"], "'distribution.gender'"),
        (["--distribution", "fantasy_hair=nan"], "'distribution.fantasy_hair'"),
        (["--distribution", "gender=male:1", "--distribution", "gender=female:1"], "--distribution gender"),
        (["--distribution", "hair=pink:1", "--set", "hair=blue"], "--distribution hair"),
        (["--distribution", "hair=pink:1", "--distribution", "fantasy_hair=1"], "--distribution fantasy_hair"),
        (["--distribution", "hair_length=long:1", "--set", "hairstyle=bob"], "--distribution hair_length"),
        (["--like", "none.jpg", "--sheet"], "'--like'"),
        (["--like", "none.jpg", "--distribution", "fantasy_hair=1"], "'--like'"),
        (["--like", "none.jpg", "--style", "cubist"], "'--style'"),
        (["--like", "none.jpg", "--variants", "99"], "'--variants'"),
        (["--like", "none.jpg", "-o", "portrait.png"], "'--output'"),
        (["--like", "none.jpg"], "'none.jpg'"),
    ],
)
def test_bad_input_is_one_line(words, subject, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, said = run("draw", *words)
    assert code == 1 and said.startswith("error: ") and subject in said.splitlines()[0]
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".png", ".svg", ".csv")]


def test_other_files_are_never_touched(tmp_path):
    (tmp_path / "diary.txt").write_text("dear diary")
    for resume in ([], ["--resume"]):
        code, said = run(*ARGUMENTS, "-o", str(tmp_path), *resume)
        assert code == 1 and said.startswith("error: ")
    assert files(tmp_path) == {"diary.txt": b"dear diary"}


def test_set_fixes_an_attribute_of_all_faces(tmp_path):
    assert run(*ARGUMENTS, "--count", "3", "--set", "glasses=round", "-o", str(tmp_path / "faces"))[0] == 0
    assert set(pd.read_csv(tmp_path / "faces" / "labels.csv")["glasses"]) == {"round"}
    assert json.loads((tmp_path / "faces" / "dataset.json").read_text())["set"] == ["glasses=round"]


def test_distribution_sets_shares(tmp_path):
    folder = tmp_path / "faces"
    words = ["gender=male:2,female:0", "glasses=round:1, square:1", "fantasy_hair=0"]
    options = [part for word in words for part in ("--distribution", word)]
    assert run("draw", "--size", "16", "--count", "40", *options, "-o", str(folder))[0] == 0
    table = pd.read_csv(folder / "labels.csv")
    assert set(table["gender"]) == {"male"}
    assert set(table["hair"]) <= set(shares.HAIR) | set(shares.OLD_HAIR) | set(shares.DARK_SKIN_HAIR)
    counts = table["glasses"].value_counts()
    assert chisquare([counts.get("round", 0), counts.get("square", 0)]).pvalue > 1e-3
    asked = {"gender": {"male": 2, "female": 0}, "glasses": {"round": 1, "square": 1}, "fantasy_hair": 0}
    assert json.loads((folder / "dataset.json").read_text())["distribution"] == asked
    assert np.array_equal(np.asarray(Image.open(folder / "drawing_000007.png")), draw(0, 7, 16, asked).picture)
    assert f"--distribution {words[0]}" in (folder / "README.md").read_text(encoding="utf-8")


def test_contact_sheet(tmp_path):
    path = tmp_path / "sheet.png"
    assert run("draw", "--sheet", "--count", "3", "-o", str(path))[0] == 0
    width, height = Image.open(path).size
    assert width > 3 * 128 and 128 < height < 2 * 128
    code, said = run("draw", "--sheet", "--count", "3", "-o", str(path))
    assert code == 1 and said.startswith("error: ")


@pytest.fixture(scope="module")
def photo(tmp_path_factory) -> Path:
    """A photo of two embedded people."""
    from pipeline.download import demo_humans

    path = tmp_path_factory.mktemp("photo") / "two.png"
    people = [face for _, face in zip(range(2), demo_humans.generate(0, range(2), 256), strict=False)]
    Image.fromarray(np.concatenate(people, axis=1)).save(path)
    return path


def test_every_face_of_a_photo_is_drawn_in_each_style(photo, tmp_path):
    code, said = run("draw", "--like", str(photo), "--variants", "2", "--size", "96", "-o", str(tmp_path))
    assert code == 0, said
    names = {f"two{number}-{style}" for number in ("", "-2") for style in ("modern", "soft")}
    assert {path.stem for path in tmp_path.iterdir()} == names
    pictures = {path.stem: np.asarray(Image.open(path)) for path in tmp_path.glob("*.png")}
    assert {picture.shape for picture in pictures.values()} == {(96, 96, 3)}
    assert all((tmp_path / f"{name}.svg").read_text().lstrip().startswith("<svg") for name in names)
    assert not np.array_equal(pictures["two-modern"], pictures["two-2-modern"])
    before = files(tmp_path)
    assert run("draw", "--like", str(photo), "--variants", "2", "-o", str(tmp_path))[0] == 1
    assert files(tmp_path) == before


def test_set_changes_one_thing_of_a_portrait(photo, tmp_path):
    from pipeline.inference import draw_portrait

    with Image.open(photo) as image:
        plain, blue = draw_portrait(image, size=96), draw_portrait(image, size=96, hair="blue")
    assert blue.attributes["hair"] == "blue" != plain.attributes["hair"]
    same = {"gender", "skin_rgb", "expression", "hairstyle", "glasses"}
    assert {name: plain.attributes[name] for name in same} == {name: blue.attributes[name] for name in same}


def test_photo_without_a_face(tmp_path):
    buffer = io.BytesIO()
    Image.new("RGB", (200, 200), "teal").save(buffer, "PNG")
    (tmp_path / "wall.png").write_bytes(buffer.getvalue())
    code, said = run("draw", "--like", str(tmp_path / "wall.png"), "-o", str(tmp_path / "out"))
    assert code == 1 and "wall.png" in said.splitlines()[0] and said.startswith("error: ")
    assert not (tmp_path / "out").exists()
