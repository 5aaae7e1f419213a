import numpy as np
import pytest

from pipeline.features import near_duplicates


def test_copy_threshold_is_half_of_the_nearest_neighbours():
    line = np.arange(100.0)[:, None] * 3
    assert near_duplicates.copy_threshold(line) == pytest.approx(1.5)
    with pytest.raises(ValueError, match="two faces"):
        near_duplicates.copy_threshold(line[:1])


def test_near_copies_count_only_where_inputs_differ():
    inputs = np.array([[0.0], [10.0], [20.0], [20.1]])
    outputs = np.array([[0.0], [0.1], [5.0], [5.1]])
    assert near_duplicates.near_copies(inputs, outputs, 1.0, 1.0).tolist() == [True, True, False, False]
    assert not near_duplicates.near_copies(inputs, inputs * 100, 1.0, 1.0).any()
    assert near_duplicates.repeated(outputs, 1.0).all()
    assert near_duplicates.repeated(inputs, 1.0).tolist() == [False, False, True, True]


def test_nearest_and_diversity():
    index, distance = near_duplicates.nearest(np.array([[0.0, 0.0], [9.0, 9.0]]), np.array([[3.0, 4.0], [9.0, 9.0]]))
    assert index.tolist() == [0, 1]
    assert distance.tolist() == [5.0, 0.0]
    assert near_duplicates.diversity(np.array([[0.0], [3.0], [6.0]])) == pytest.approx(4)


def test_share_of_copies_by_hand():
    random = np.random.default_rng(0)
    inputs, outputs, targets = random.normal(size=(3, 5, 8))
    assert near_duplicates.copied_share(inputs, outputs, targets) == 0
    outputs[1] = outputs[0] + 1e-3
    assert near_duplicates.copied_share(inputs, outputs, targets) == pytest.approx(2 / 5)
    # Small differences count by what real faces differ by: among much closer targets the two are no copies.
    assert near_duplicates.copied_share(inputs, outputs, targets * 1e-4) == 0
