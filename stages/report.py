"""Stage `report`: from everything before to one HTML page and a model card."""

from pathlib import Path

from pipeline import params
from pipeline.files import atomic_folder
from pipeline.reporting import page
from pipeline.reporting.results import Results
from stages import DATA, run


def main() -> None:
    """Write data/report/report.html."""
    context = page.describe(Results(DATA), params.load(Path("params.yaml")))
    with atomic_folder(DATA / "report") as folder:
        (folder / "report.html").write_text(page.render(context), encoding="utf-8")


if __name__ == "__main__":
    run(main)
