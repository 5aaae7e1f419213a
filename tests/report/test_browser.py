"""Both pages in a real browser, without a network."""

import subprocess
import sys
from pathlib import Path

import pytest
from finished_run import write_finished_run
from playwright.sync_api import sync_playwright

from pipeline import params
from pipeline.report import charts, render
from pipeline.report.results import Results

PROJECT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.is_file():
        pytest.skip("Debian's Chromium is not installed")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=quiet)
        yield chromium
        chromium.close()


def visit(browser, path, scheme, width):
    """Open a file; return the page and what it complained about or asked the network for."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True)
    tab = context.new_page()
    trouble = []
    tab.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: trouble.append(str(error)))
    tab.on(
        "request", lambda request: None if request.url.startswith(("file:", "data:")) else trouble.append(request.url)
    )
    tab.goto(path.as_uri())
    tab.wait_for_load_state("networkidle")
    return tab, trouble


@pytest.fixture
def report(tmp_path, tiny_faces):
    write_finished_run(tmp_path / "data", tiny_faces)
    path = tmp_path / "report.html"
    context = render.describe(Results(tmp_path / "data"), params.load(PROJECT / "params.yaml"))
    path.write_text(render.html(context), encoding="utf-8")
    return path


def test_the_report_shows_in_light_and_dark_on_desk_and_phone(browser, report):
    backgrounds = {}
    for scheme in ("light", "dark"):
        for width in (1280, 390):
            tab, trouble = visit(browser, report, scheme, width)
            assert trouble == []
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            pictures = tab.evaluate("[...document.images].map(i => i.naturalWidth)")
            assert len(pictures) > 20 and min(pictures) > 0
            assert tab.evaluate("[...document.querySelectorAll('svg.marks')].length") > 5
            # The headings of the menu's targets exist.
            missing = tab.evaluate(
                "[...document.querySelectorAll('nav a')].filter(a => !document.querySelector(a.hash)).length"
            )
            assert missing == 0
            backgrounds[scheme] = tab.evaluate("getComputedStyle(document.body).backgroundColor")
            # A line of a chart has a colour of the page's, not black.
            line = tab.evaluate("getComputedStyle(document.querySelector('.mark-line path')).stroke")
            assert line not in ("none", "rgb(0, 0, 0)")
            tab.context.close()
    assert backgrounds["light"] != backgrounds["dark"]


def test_dvc_plots_show_without_a_network(browser, tmp_path):
    (tmp_path / "data" / "report").mkdir(parents=True)
    (tmp_path / "data" / "report" / "vega.js").write_text(charts.dvc_plots_script(), encoding="utf-8")
    (tmp_path / "history.csv").write_text("epoch,train,val\n1,3,4\n2,2,3\n")
    (tmp_path / "dvc.yaml").write_text(
        "stages: {none: {cmd: 'true'}}\nplots: [{Loss: {x: epoch, y: {history.csv: [train, val]}}}]\n"
    )
    for words in (["init", "--no-scm", "-q"], ["config", "plots.html_template", "plots.html"]):
        subprocess.run([sys.executable, "-m", "dvc", *words], cwd=tmp_path, check=True)
    template = (PROJECT / ".dvc" / "plots.html").read_text()
    (tmp_path / ".dvc" / "plots.html").write_text(template)
    subprocess.run([sys.executable, "-m", "dvc", "plots", "show"], cwd=tmp_path, check=True, capture_output=True)
    tab, trouble = visit(browser, tmp_path / "dvc_plots" / "index.html", "light", 1280)
    tab.wait_for_selector(".vega-embed canvas, .vega-embed svg", timeout=30_000)
    assert trouble == []
    # Without the script the page says what to do.
    (tmp_path / "data" / "report" / "vega.js").unlink()
    tab, _ = visit(browser, tmp_path / "dvc_plots" / "index.html", "light", 1280)
    assert "run dvc repro" in tab.inner_text("body")
