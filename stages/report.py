"""Stage `report`: from everything before to one HTML page and a model card."""

from pathlib import Path

from pipeline import params
from pipeline.files import atomic_folder
from pipeline.report import charts, render, samples
from pipeline.report.results import DIRECTIONS, Results
from stages import DATA, run


def main() -> None:
    """Write the page, its sample sheets for `dvc plots diff`, and the script that DVC's plots need offline."""
    results = Results(DATA)
    settings = params.load(Path("params.yaml"))
    context = render.describe(results, settings)
    with atomic_folder(DATA / "report") as folder:
        for direction in DIRECTIONS:
            samples.sheet(results, direction, settings.report.samples).save(folder / f"{direction}.png")
        (folder / "vega.js").write_text(charts.dvc_plots_script(), encoding="utf-8")
        (folder / "report.html").write_text(render.html(context), encoding="utf-8")
        (folder / "model_card.md").write_text(render.model_card(context), encoding="utf-8")


if __name__ == "__main__":
    run(main)
