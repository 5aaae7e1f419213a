"""Charts, pictures and choices."""

import base64
import io
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.report import charts
from pipeline.report.pictures import data_uri
from pipeline.report.results import evenly_spaced

SVG = "{http://www.w3.org/2000/svg}"


def points(values, series="a"):
    return pd.DataFrame({"epoch": range(1, len(values) + 1), "value": values, "series": series})


def test_lines_draw_every_point_and_escape_names():
    table = pd.concat([points([3.0, 1.0, 2.0], "<b>train</b>"), points([4.0, 2.0, 3.0], "validation")])
    svg = charts.lines(table, title="loss & <more>")
    root = ElementTree.fromstring(svg)
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "loss & <more>" in texts and "<b>train</b>" in texts
    marks = [group for group in root.iter(f"{SVG}g") if "mark-symbol role-mark" in group.get("class", "")]
    assert sum(len(list(group)) for group in marks) == 6
    # Colours come from the page, so that light and dark both work.
    assert "var(--series-1)" in svg and "var(--series-2)" in svg and "#000" not in svg


def test_the_axis_shows_each_epoch_once():
    for count in (2, 3, 14):
        root = ElementTree.fromstring(charts.lines(points(np.linspace(0.1, 0.9, count)), title="x"))
        texts = [text.text for text in root.iter(f"{SVG}text") if (text.text or "").isdecimal()]
        assert texts and len(set(texts)) == len(texts)


def test_charts_are_the_same_bytes_each_time():
    table = points([0.5, 0.5])
    assert charts.lines(table, title="x") == charts.lines(table, title="x")


def test_intervals_without_bounds_and_constant_histograms_can_be_drawn():
    rows = pd.DataFrame({"label": ["a", "b"], "value": [1.0, 2.0], "low": [0.5, None], "high": [1.5, None]})
    ElementTree.fromstring(charts.intervals(rows, title="x"))
    ElementTree.fromstring(charts.histogram(pd.Series([1.0, 1.0, np.nan]), title="x"))
    ElementTree.fromstring(charts.lines(points([2.0]), title="one epoch"))


def decode(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB"))


def test_pictures_come_back(tiny_faces, tmp_path):
    tiny_faces(tmp_path, n=1, size=64)
    face = np.load(tmp_path / "faces.npy")[0]
    assert np.abs(decode(data_uri(face)).astype(int) - face).mean() < 8
    assert decode(data_uri(face, longest=16)).shape == (16, 16, 3)


@given(n=st.integers(0, 500), k=st.integers(1, 50))
def test_an_even_choice_is_in_order_unique_and_inside(n, k):
    chosen = evenly_spaced(n, k)
    assert len(chosen) == min(n, k) and chosen == sorted(set(chosen))
    assert all(0 <= index < n for index in chosen)
    if len(chosen) > 1:
        steps = np.diff(chosen)
        assert steps.max() - steps.min() <= 1
