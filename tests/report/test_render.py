"""The HTML report and the model card, from a small finished run."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from finished_run import DROPPED, FACES, write_finished_run

from pipeline import params
from pipeline.errors import Kind, UserError
from pipeline.files import flatten
from pipeline.report import data, failures, metrics, palette, render, samples, subgroups, training_curves, warnings
from pipeline.report.results import Results

PROJECT = Path(__file__).parents[2]
HOSTILE = "<script>alert('x')</script> | free"


@pytest.fixture
def results(tmp_path, tiny_faces):
    write_finished_run(tmp_path, tiny_faces, licence=HOSTILE)
    return Results(tmp_path)


@pytest.fixture
def settings():
    return params.load(PROJECT / "params.yaml")


def test_the_page_needs_nothing_else_and_escapes_what_others_wrote(results, settings):
    context = render.describe(results, settings)
    html, card = render.html(context), render.model_card(context)
    assert len(html) < 6_000_000
    assert "<script" not in html and "&lt;script&gt;" in html
    assert "no face was found &lt;anywhere&gt;" in html
    # Whatever the browser would fetch by itself is in the page.
    fetched = re.findall(r"""(?:src|href|xlink:href|url)\s*[=(]\s*["']?([^"')\s>]+)""", html)
    assert fetched and all(target.startswith(("data:", "#")) for target in fetched)
    assert "123.5" in html and "110.0 to 130.0" in html and "246.9" in html
    # The card's tables keep their columns.
    assert r"\<script\>alert('x')\</script\> \| free" in card
    for block in re.findall(r"(?:^\|.*\n)+", card, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    # Same inputs, same bytes.
    again = render.describe(results, settings)
    assert render.html(again) == html and render.model_card(again) == card


@pytest.mark.parametrize(("discriminator", "told"), [("projected", True), ("patch", False)])
def test_overestimated_distances_are_marked(results, settings, discriminator: str, told: bool):
    path = results.data / "train" / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"discriminator": discriminator}))
    context = render.describe(results, settings)
    for text in (render.html(context), render.model_card(context)):
        assert ("overestimate this model" in " ".join(text.split())) == told


def test_curves_are_labelled_with_direction_or_domain(results):
    history = pd.read_csv(results.data / "train" / "history.csv").assign(
        val_cycle_accuracy_anime=0.5, val_cycle_accuracy_human=1
    )
    history.to_csv(results.data / "train" / "history.csv", index=False)
    charts = training_curves.describe(results)["metrics"]
    round_trip = next(chart for chart in charts if "cycle pixel accuracy" in chart)
    distance = next(chart for chart in charts if "Fréchet" in chart)
    assert "photos" in round_trip and "photo → anime" not in round_trip
    assert "photo → anime" in distance and "photos" not in distance


def test_counts_add_up(results):
    told = data.describe(results)
    for domain in told["domains"]:
        counts = domain["counts"]
        assert counts["images"] == FACES + DROPPED + 2 + 1
        assert (counts["not decoded"], counts["unreadable"]) == (1, 2)
        assert counts["images"] == sum(value for name, value in counts.items() if name != "images")
        assert [(item["reason"], item["count"]) for item in domain["rejections"]] == [
            ("side profile", 2),
            ("duplicate of a kept face", 1),
        ]
        assert domain["rejections"][0]["sheet"] and domain["rejections"][1]["sheet"] is None
    assert sum(row["faces"] for row in told["split"]) == 2 * FACES


def test_metrics_have_their_reference_values(results):
    told = metrics.describe(results)
    (row,) = [
        row for row in told["rows"] if row["meaning"] is metrics.MEANINGS["fd"] and row["direction"] == "photo → anime"
    ]
    assert (row["value"], row["interval"], row["baseline"], row["real"]) == (
        "123.5",
        "110.0 to 130.0",
        "246.9",
        "40.1",
    )
    assert told["cards"][0]["value"] == "50%"
    assert told["absent"] == [{"reason": "no face was found <anywhere>", "names": ["human2anime.landmark_nme"]}]
    # An embedded distance is never called FID.
    assert not any("FID" in row["meaning"].name for row in told["rows"])
    assert told["fid"] == ""


def test_only_gaps_beyond_chance_are_called_gaps(results):
    told = subgroups.describe(results)
    (gap,) = told["gaps"]
    assert (gap["attribute"], gap["worst"]["group"], gap["best"]["group"]) == ("gender", "male", "female")
    assert gap["size"] == pytest.approx(0.2)
    assert told["too_small"] == [("age: 60 and over", 3)]
    assert [attribute["name"] for attribute in told["attributes"]] == ["gender", "age"]


def test_failures_are_the_worst_first_and_only_failures(results):
    told = failures.describe(results)
    least = next(g for g in told if g["title"] == "classified as the source domain" and g["direction"] == "human2anime")
    values = [float(picture["caption"]) for picture in least["examples"]]
    assert values == sorted(values) and values[0] == -1 and max(values) < 0
    copies = next(g for g in told if g["title"].startswith("near-duplicates"))
    assert len(copies["examples"]) == 1


@pytest.mark.parametrize(
    "name", ["train/history.csv", "evaluate/metrics.csv", "split/human.parquet", "evaluate/absent.json"]
)
def test_missing_and_damaged_inputs_are_reported(results, settings, name):
    (results.data / name).write_bytes(b"\x00garbage")
    with pytest.raises(UserError) as error:
        render.describe(results, settings)
    assert str(results.data / name) in str(error.value)
    (results.data / name).unlink()
    with pytest.raises(UserError) as error:
        render.describe(results, settings)
    assert str(results.data / name) in str(error.value)


def test_translations_of_another_split_are_refused(results):
    table = results.table("split/human.parquet")
    table.iloc[:-1].to_parquet(results.data / "split" / "human.parquet")
    with pytest.raises(UserError) as error:
        results.translations("human2anime")
    assert error.value.kind == Kind.CONFLICT
    assert error.value.subject == str(results.data / "evaluate" / "human2anime.npy")


def test_without_groups_the_report_has_a_note(results, settings):
    (results.data / "evaluate" / "subgroups.csv").unlink()
    context = render.describe(results, settings)
    assert context["subgroups"] == {"attributes": [], "gaps": [], "too_small": []}
    assert 'class="absent"' in render.html(context)


def test_palettes_leave_out_unused_colours(results):
    (chart,) = palette.describe(results)
    assert "black" in chart and "pink" in chart and "green" not in chart
    (results.data / "evaluate" / "palette.csv").unlink()
    assert palette.describe(results) == []


def test_warnings_name_what_distances_hide(results):
    assert warnings.describe(results) == []
    history = pd.read_csv(results.data / "train" / "history.csv").assign(
        val_discriminator_accuracy_anime=0.99, val_discriminator_accuracy_human=0.8
    )
    history.to_csv(results.data / "train" / "history.csv", index=False)
    path = results.data / "evaluate" / "metrics.csv"
    table = pd.read_csv(path)
    values = {"recall": 0.02, "real_vs_real.recall": 0.88, "faithfulness.hair_l": 0.1, "faithfulness.skin_l": 0.9}
    rows = [(name, "human2anime", value, None, None, 20) for name, value in values.items()]
    pd.concat([table, pd.DataFrame(rows, columns=table.columns)]).to_csv(path, index=False)
    found = warnings.describe(results)
    assert len(found) == 3
    assert "0.95" in found[0] and "0.02" in found[1] and "hair" in found[2]


def test_samples_show_the_twin_of_a_styled_model(results):
    assert samples.twins(results, 4) == []
    faces = results.translations("human2anime").table
    folder = results.data / "twins" / "human"
    drawings = np.random.default_rng(0).integers(0, 256, (len(faces), 2, 16, 16, 3), dtype=np.uint8)
    table = pd.DataFrame({"face_id": faces["face_id"], "styles": [[1, 0]] * len(faces)})
    folder.mkdir(parents=True)
    np.save(folder / "faces.npy", drawings)
    table.to_parquet(folder / "faces.parquet")
    (folder / "styles.json").write_text('["soft", "sharp"]')
    path = results.data / "train" / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"styles": ["soft", "sharp"]}))
    rows = samples.twins(results, 4)
    assert [[image["alt"] for image in row] for row in rows] == [
        ["input: photo", "twin, style sharp", "translated to anime face"]
    ] * 4
    table.assign(face_id="other").to_parquet(folder / "faces.parquet")
    with pytest.raises(UserError) as error:
        samples.twins(results, 4)
    assert (error.value.kind, error.value.subject) == (Kind.CONFLICT, str(folder))


def test_all_params_in_force_are_listed(settings, results):
    context = render.describe(results, settings)
    listed = dict(context["provenance"]["params"])
    assert listed["train.epochs"] == str(settings.train.epochs)
    assert listed["train.noise"] == "false"
    assert set(flatten(settings.model_dump(mode="json"))) == set(listed)


def test_the_error_of_the_detector_on_drawn_faces_is_shown(results, settings):
    assert "error of the detector on drawn faces" not in render.html(render.describe(results, settings))
    path = results.data / "filter" / "anime" / "faces.parquet"
    faces = pd.read_parquet(path)
    exact = np.random.default_rng(0).uniform(10, 50, (len(faces), 56))
    truth = pd.DataFrame(exact, columns=[f"truth_{i:02d}_{axis}" for i in range(28) for axis in "xy"])
    pd.concat([faces, truth], axis=1).to_parquet(path)
    html = render.html(render.describe(Results(results.data), settings))
    assert "error of the detector on drawn faces" in html
