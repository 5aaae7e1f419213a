"""Warnings about problems of a training run that distances do not show."""

from collections.abc import Sequence

#: DOMINATES, CHANCE: discriminator accuracies outside this range give the generator no useful gradient.
DOMINATES, CHANCE = 0.95, 0.55
#: EPOCHS: number of successive epochs outside the range that cause a warning.
EPOCHS = 3
#: LOW_RECALL: share of the recall of real faces below which the outputs are called uniform.
LOW_RECALL = 0.25


def discriminator_alarm(accuracies: Sequence[float]) -> str | None:
    """Return a warning if the discriminator accuracy of the last epochs stays too high or too low, otherwise None.

    Args:
        accuracies: Discriminator accuracy by epoch.
    """
    last = accuracies[-EPOCHS:]
    if len(last) < EPOCHS:
        return None
    if min(last) > DOMINATES:
        return (
            f"the discriminator accuracy stays above {DOMINATES}: the discriminator dominates and the generator gets "
            "no useful gradient"
        )
    if max(last) < CHANCE:
        return f"the discriminator accuracy stays below {CHANCE}: the discriminator no longer learns"
    return None


def recall_alarm(recall: float, real: float) -> str | None:
    """Return a warning if the outputs cover few kinds of real faces, otherwise None.

    Args:
        recall: Recall of the outputs.
        real: Recall of real faces against real faces.
    """
    if recall < LOW_RECALL * real:
        return f"recall is {recall:.2f}, real faces have {real:.2f}: the outputs cover few kinds of real faces"
    return None
