"""Stage `report`: write the HTML report and the model card from the outputs of all other stages."""

from pathlib import Path

from pipeline import params
from pipeline.files import atomic_folder
from pipeline.report import charts, render, samples
from pipeline.report.results import Results
from stages import DATA, run


def main() -> None:
    """Write the report, the model card, sample sheets for `dvc plots diff`, and the script of DVC's plots."""
    results = Results(DATA)
    settings = params.load(Path("params.yaml"))
    context = render.describe(results, settings)
    with atomic_folder(DATA / "report") as folder:
        for direction in results.directions():
            samples.sheet(results, direction, settings.report.samples_per_direction).save(folder / f"{direction}.png")
        (folder / "vega.js").write_text(charts.dvc_plots_script(), encoding="utf-8")
        (folder / "report.html").write_text(render.html(context), encoding="utf-8")
        (folder / "model_card.md").write_text(render.model_card(context), encoding="utf-8")


if __name__ == "__main__":
    run(main)
