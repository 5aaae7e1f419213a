import pytest

from pipeline.features.alarms import CHANCE, DOMINATES, discriminator_alarm, recall_alarm


@pytest.mark.parametrize(
    ("accuracies", "limit"),
    [
        ([0.6, 0.96, 0.99, 0.97], DOMINATES),
        ([0.9, 0.5, 0.54, 0.52], CHANCE),
        ([0.99, 0.99, 0.9], None),
        ([0.99, 0.99], None),
        ([0.5, 0.6, 0.5], None),
        ([], None),
    ],
)
def test_discriminator_alarm_needs_three_epochs_outside_the_range(accuracies: list[float], limit: float | None):
    alarm = discriminator_alarm(accuracies)
    assert (alarm is None) == (limit is None)
    assert limit is None or str(limit) in alarm


def test_recall_alarm_is_relative_to_real_faces():
    assert recall_alarm(0.017, 0.88) is not None
    assert recall_alarm(0.4, 0.88) is None
