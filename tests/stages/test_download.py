"""The stage `download`: manifest, table and container, from every source that needs no network."""

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.download import drawn
from pipeline.drawing import draw
from pipeline.errors import Kind, UserError
from pipeline.faces import read_table
from pipeline.image_archive import list_images
from stages import download


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    source = Path(__file__).parents[2] / "params.yaml"
    (tmp_path / "params.yaml").write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def use(project: Path, domain: str, **source: object) -> None:
    """Set a domain's source, its path at the top level."""
    from ruamel.yaml import YAML

    params = YAML().load(project / "params.yaml")
    params["download"][domain].update(source)
    YAML().dump(params, project / "params.yaml")


def test_archive_becomes_manifest_table_and_container(project, png, capsys):
    with zipfile.ZipFile(project / "photos.zip", "w") as archive:
        archive.writestr("men/1.png", png(1))
        archive.writestr("women/2.png", png(2))
        archive.writestr("../evil.png", png(3))
    use(project, "human", source="archive", path="photos.zip")
    download.main("human")
    assert capsys.readouterr().out == "human: 2 images, ignored 1 × unsafe name\n"
    folder = project / "data/download/human"
    assert sorted(path.name for path in folder.iterdir()) == ["faces.zip", "manifest.json", "members.parquet"]
    assert read_table(folder / "members.parquet").to_dict("list") == {
        "source": ["men/1.png", "women/2.png"],
        "gender": ["male", "female"],
    }
    manifest = json.loads((folder / "manifest.json").read_text())
    data = (project / "photos.zip").read_bytes()
    assert manifest == {
        "source": "archive",
        "dataset": "photos.zip",
        "version": None,
        "licence": "The owner's: this archive was given by its path.",
        "licence_url": None,
        "artifacts": [
            {"name": "faces.zip", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "members": 2}
        ],
        "ignored": {"unsafe name": 1},
    }
    assert not (project / "evil.png").exists()
    assert not (project.parent / "evil.png").exists()


def test_failure_leaves_no_output(project):
    use(project, "human", source="archive", path="none.zip")
    with pytest.raises(UserError) as error:
        download.main("human")
    assert (error.value.kind, error.value.subject) == (Kind.MISSING, "none.zip")
    assert not list((project / "data/download").iterdir())


@pytest.mark.parametrize(
    ("source", "kind", "subject"),
    [
        ({"source": "archive"}, Kind.MISSING, "data/own/human"),
        ({"source": "celeba"}, Kind.MISSING, "data/own/human"),
        ({"source": "kaggle", "dataset": "celeba"}, Kind.BAD_VALUE, "download.human.dataset"),
    ],
)
def test_incomplete_source_is_refused(project, source, kind, subject):
    use(project, "human", **source)
    with pytest.raises(UserError) as error:
        download.main("human")
    assert (error.value.kind, error.value.subject) == (kind, subject)


def test_drawn_faces_are_the_same_again_with_their_truth(project):
    use(project, "anime", num_images=5, distribution={"gender": {"female": 1}, "glasses": {"round": 1}})
    download.main("anime")
    folder = project / "data/download/anime"
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    download.main("anime")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert not list((project / "data/scratch").iterdir())
    table = read_table(folder / "members.parquet")
    assert table["source"].tolist() == [f"drawing_{n:06d}.png" for n in range(5)]
    assert set(table["gender"]) == {"female"} and set(table["glasses"]) == {"round"}
    manifest = json.loads(first["manifest.json"])
    assert "CC0" in manifest["licence"]
    assert len(list_images(folder / "faces.zip").images) == 5
    expected = draw(0, 3, drawn.SIZE, distribution={"gender": {"female": 1}, "glasses": {"round": 1}})
    found = table[list(drawn.LANDMARKS)].to_numpy()[3].reshape(28, 2)
    assert np.abs(found - expected.landmarks).max() < 0.001
    assert table["drawn_yaw"][3] == pytest.approx(expected.pose[0], abs=0.001)


def test_drawing_resumes_after_an_interruption(project, monkeypatch):
    use(project, "anime", num_images=6)
    download.main("anime")
    whole = (project / "data/download/anime/faces.zip").read_bytes()
    numbers = []

    def interrupted(seed: int, index: int, *given: object, **overrides: object):
        numbers.append(index)
        if len(numbers) == 4:
            raise KeyboardInterrupt
        return draw(seed, index, *given)

    monkeypatch.setenv("ANIMEMORPH_WORKERS", "1")
    monkeypatch.setattr(drawn.drawing, "draw", interrupted)
    with pytest.raises(KeyboardInterrupt):
        download.main("anime")
    download.main("anime")
    assert numbers[4:] == [3, 4, 5]  # the first three are not drawn again
    assert (project / "data/download/anime/faces.zip").read_bytes() == whole


@pytest.mark.parametrize(
    "distribution", [{"hair": {"orange": 1, "plaid": 1}}, {"wings": 0.5}, {"glasses": {"round": -1}}]
)
def test_drawn_refuses_a_wrong_distribution(project, distribution):
    use(project, "anime", num_images=2, distribution=distribution)
    with pytest.raises(UserError) as caught:
        download.main("anime")
    assert caught.value.kind == Kind.BAD_VALUE
    assert not (project / "data/download/anime").exists()


def test_embedded_people_are_no_anime_faces(project):
    use(project, "anime", source="demo", num_images=2)
    with pytest.raises(UserError) as caught:
        download.main("anime")
    assert (caught.value.kind, caught.value.subject) == (Kind.BAD_VALUE, "download.anime.source")


def test_external_shows_people_with_labels_and_things_without(project):
    use(project, "external_test", num_images=4)
    download.main("external_test")
    table = read_table(project / "data/download/external_test/members.parquet")
    assert table["source"].str.startswith("not_a_face").sum() == 1
    people = table[table["source"].str.startswith("person")]
    assert set(people["gender"]) <= {"female", "male"}
    assert (people["age"] >= 16).all()
    assert pd.isna(table["gender"].iloc[-1])


def test_labels_must_be_where_dvc_watches(project, png):
    own = project / "data/own/human"
    own.mkdir(parents=True)
    (own / "1.png").write_bytes(png(1))
    for folder in (own, project):
        (folder / "people.csv").write_text("file,gender\n1.png,female\n")
    use(project, "human", source="archive", labels_csv="data/own/human/people.csv")
    download.main("human")
    assert read_table(project / "data/download/human/members.parquet")["gender"].tolist() == ["female"]
    use(project, "human", source="archive", labels_csv="people.csv")
    with pytest.raises(UserError) as error:
        download.main("human")
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, "download.human.labels_csv")
