"""All metrics of one translation direction, and a row per test face."""

import numpy as np
import pandas as pd

from .cycle import add_cycle_metrics
from .distributions import add_copies, add_discriminator_accuracy, add_distances, add_domain_accuracy
from .face_metrics import add_face_metrics
from .metrics import MetricTable
from .translation import Translation


def evaluate_direction(translation: Translation, metrics: MetricTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add the metrics of one direction; return its rows, one per test face, and its hair palette."""
    rows = pd.DataFrame(
        {
            "direction": translation.direction,
            "index": np.arange(len(translation.outputs)),
            "face_id": translation.splits[translation.source].test["face_id"],
        }
    )
    add_distances(translation, metrics)
    add_cycle_metrics(translation, metrics, rows)
    add_domain_accuracy(translation, metrics, rows)
    add_discriminator_accuracy(translation, metrics)
    add_copies(translation, metrics, rows)
    return rows, add_face_metrics(translation, metrics, rows)
