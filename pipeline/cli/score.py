"""The command `animemorph score`: distances between two sets of images."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pandas as pd
import typer

from ..devices import choose
from ..errors import bad_value
from ..evaluate.metrics import DISTANCE_NAMES, MetricParams, MetricTable
from ..evaluate.score import read_image_set, score
from ..features.extractors import create_extractor
from ..files import write_json
from ..landmarks.detectors.base import DETECTORS, TABLES, create_detector
from ..study.document import markdown

#: Number of resamples of the confidence intervals.
RESAMPLES = 200


def run(fakes: Path, reals: Path, extractor: str, weights: str | None, detector: str, output: Path | None) -> str:
    """Score the images of `fakes` against those of `reals`; write JSON to `output` if given.

    Args:
        fakes: Folder, zip or tar of generated images.
        reals: Folder, zip or tar of real images.
        extractor: `embedded` or `inception`.
        weights: File or folder of the Inception weights; None: download them.
        detector: Name of a face detector, or `none`.
        output: JSON file, or None.

    Returns:
        The metrics as a Markdown table.

    Raises:
        UserError: An option is not valid, or images cannot be read.
    """
    if extractor not in DISTANCE_NAMES:
        raise bad_value("--extractor", extractor, "embedded or inception")
    detectors = [name for name in DETECTORS if name not in TABLES]
    if detector != "none" and detector not in detectors:
        raise bad_value("--detector", detector, f"none or one of {', '.join(detectors)}")
    device = choose("auto")
    network = create_extractor(extractor, weights, device)  # type: ignore[arg-type]
    with nullcontext() if detector == "none" else create_detector(detector) as faces:
        fake_set, real_set = (read_image_set(path, network, faces) for path in (fakes, reals))
    for path, images in ((fakes, fake_set), (reals, real_set)):
        for reason, count in sorted(images.unreadable.items()):
            typer.echo(f"{path}: {count} unreadable: {reason}", err=True)
    params = MetricParams(*DISTANCE_NAMES[extractor], tolerance=0.1, resamples=RESAMPLES, seed=0)
    metrics = score(fake_set, real_set, params)
    if output is not None:
        write_json({**metrics.nested()["score"], "absent": metrics.absent}, output)
    return table(metrics)


def table(metrics: MetricTable) -> str:
    """Return the metrics as a Markdown table."""
    rows: list[dict[str, Any]] = [
        {
            "metric": row.name,
            "value": f"{row.value:.4g}",
            "95 % interval": "" if row.low is None else f"{row.low:.4g} to {row.high:.4g}",
            "n": row.n,
        }
        for row in metrics.rows
    ]
    return markdown(pd.DataFrame(rows))
