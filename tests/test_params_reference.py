"""The page of params in the documentation."""

from pathlib import Path

from pipeline.params import reference
from pipeline.params.merge import read

ROOT = Path(__file__).parents[1]


def test_page_of_params_is_current():
    page = (ROOT / "docs" / "params.md").read_text(encoding="utf-8")
    assert page == reference.markdown(read(ROOT / "params.yaml"))


def test_page_of_params_describes_every_value():
    page = reference.markdown(read(ROOT / "params.yaml"))
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > 50
    assert all(
        len(row.replace("\\|", "").split(" | ")) == 2 + len(reference.PROFILES) and " |  |" not in row for row in rows
    )
