"""Write the outputs of the stage `evaluate`."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd

from ..faces import write_table
from ..files import atomic_folder, write_json
from .evaluator import Evaluation
from .metrics import Metric


def write_outputs(evaluation: Evaluation, target: Path) -> None:
    """Write metrics, tables and translated faces to the folder `target`, which is replaced as a whole."""
    metrics = evaluation.metrics
    columns = [field.name for field in fields(Metric)]
    with atomic_folder(target) as folder:
        write_json(metrics.nested(), folder / "metrics.json")
        write_json(metrics.absent, folder / "absent.json")
        for table, name in (
            (pd.DataFrame(metrics.rows, columns=columns), "metrics.csv"),
            (evaluation.subgroups, "subgroups.csv"),
            (evaluation.palette, "palette.csv"),
        ):
            table.to_csv(folder / name, index=False, lineterminator="\n")
        write_table(evaluation.per_image, folder / "per_image.parquet")
        write_table(evaluation.external, folder / "external.parquet")
        for name, images in evaluation.images.items():
            np.save(folder / f"{name}.npy", images)
