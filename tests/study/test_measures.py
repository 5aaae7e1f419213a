"""Quantities of one run."""

import pandas as pd
import pytest

from pipeline.study.measures import measure


def history(training: list[float], collapsed: list[int] | None = None) -> pd.DataFrame:
    n = len(training)
    return pd.DataFrame(
        {
            "epoch": range(1, n + 1),
            "train_cycle_human": training,
            "train_adversarial_anime": [1.0] * n,
            "train_discriminator_anime": [100.0] * n,
            "val_cycle_human": [2 * value for value in training],
            "val_adversarial_anime": [1.0] * n,
            "val_discriminator_anime": [50.0] * n,
            "val_fd_human2anime": [100.0 - epoch for epoch in range(n)],
            "collapsed": collapsed or [0] * n,
        }
    )


PER_IMAGE = pd.DataFrame(
    {
        "direction": ["human2anime"] * 4 + ["anime2human"],
        "gender": ["male", "female", "unknown", "male", "male"],
        "gender_kept": pd.array([False, True, True, True, None], dtype="boolean"),
        "skin_tone": ["light", "light", "tan", "very light", "dark"],
        "skin_colour_error": [1.0, 2.0, 3.0, 4.0, 5.0],
    }
)


def test_losses_leave_the_discriminators_out():
    values = measure({}, history([9.0, 4.0, 1.0, 1.0]), PER_IMAGE)
    assert values["history.training_change"] == pytest.approx(2 / 10 - 1)
    assert values["history.validation_change"] == pytest.approx(3 / 19 - 1)
    assert values["history.loss_gap"] == pytest.approx(3 / 2 - 1)
    assert values["history.loss_correlation"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("training", "settled"),
    [([9, 5, 1.0, 1], 0.5), ([9, 9, 9, 1.0], 0.75), ([2, 2, 2, 2.0], 0.0), ([9, 1, 9, 1.0], 0.75)],
)
def test_settled_is_the_share_of_epochs_away_from_the_last_loss(training: list[float], settled: float):
    assert measure({}, history(training), PER_IMAGE)["history.settled"] == settled


@pytest.mark.parametrize(
    ("collapsed", "begin"),
    [([1, 0, 1, 1, 1], 0.4), ([1, 1, 1, 1, 1], 0.0), ([0, 1, 1, 0, 0], None), ([0, 0, 0, 0, 1], 0.8)],
)
def test_collapse_begins_with_the_last_uninterrupted_stretch(collapsed: list[int], begin: float | None):
    values = measure({}, history([1.0] * 5, collapsed), PER_IMAGE)
    assert values.get("history.collapse_begin") == begin
    assert values["history.collapsed_at_end"] == float(begin is not None)


@pytest.mark.parametrize(("epochs", "earlier"), [(100, 34), (8, 96), (1, 100)])
def test_earlier_epoch_is_67_of_100(epochs: int, earlier: float):
    values = measure({}, history([1.0] * epochs), PER_IMAGE)
    assert values["history.distance_earlier"] == earlier
    assert values["history.distance_last"] == 101 - epochs


def test_groups_leave_unknown_faces_and_the_other_direction_out():
    values = measure({}, history([1.0]), PER_IMAGE)
    assert (values["group.men"], values["group.not_men"]) == (0.5, 1.0)
    assert not {"group.dark_skin", "group.glasses"} & set(
        values
    )  # no person has dark skin, and the table has no column for glasses


def test_distance_prefers_fid():
    values = measure({"human2anime.fd": 1.0, "human2anime.fid": 2.0, "anime2human.fd": 3}, history([1.0]), PER_IMAGE)
    assert (values["human2anime.distance"], values["anime2human.distance"]) == (2.0, 3.0)
