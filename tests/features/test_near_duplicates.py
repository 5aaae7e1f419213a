import numpy as np
import pytest

from pipeline.features import near_duplicates


def test_copy_threshold_is_half_of_the_nearest_neighbours():
    scattered = np.eye(100) * 3 / np.sqrt(2)
    assert near_duplicates.copy_threshold(scattered) == pytest.approx(1.5)
    for too_few in (scattered[:1], np.zeros((5, 2))):
        with pytest.raises(ValueError):
            near_duplicates.copy_threshold(too_few)


@pytest.mark.parametrize("copies", [1, 2, 4])
@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_copy_threshold_ignores_twins_among_the_real_faces(copies: int, noise: float):
    rng = np.random.default_rng(0)
    faces = rng.normal(size=(60, 64))
    twins = np.repeat(faces, copies, axis=0) + noise * rng.normal(size=(60 * copies, 64))
    assert near_duplicates.copy_threshold(twins) == pytest.approx(near_duplicates.copy_threshold(faces), rel=0.01)


def test_collapse_and_copies_are_found_when_the_real_faces_have_twins():
    rng = np.random.default_rng(0)
    inputs, targets = np.repeat(rng.normal(size=(40, 32)), 2, axis=0), np.repeat(rng.normal(size=(40, 32)), 2, axis=0)
    collapsed = np.repeat(rng.normal(size=(1, 32)), 80, axis=0) + 1e-3 * rng.normal(size=(80, 32))
    assert near_duplicates.copied_share(inputs, collapsed, targets) == 1
    # Equal inputs may have equal outputs: a faithful model of data with twins has not collapsed.
    faithful = np.repeat(rng.normal(size=(40, 32)), 2, axis=0)
    assert near_duplicates.copied_share(inputs, faithful, targets) == 0
    threshold = near_duplicates.copy_threshold(targets)
    assert (near_duplicates.nearest(targets + 1e-3, targets)[1] < threshold).all()
    assert not (near_duplicates.nearest(faithful, targets)[1] < threshold).any()


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


def test_copied_share_by_hand():
    rng = np.random.default_rng(0)
    inputs, outputs, targets = rng.normal(size=(3, 5, 8))
    assert near_duplicates.copied_share(inputs, outputs, targets) == 0
    outputs[1] = outputs[0] + 1e-3
    assert near_duplicates.copied_share(inputs, outputs, targets) == pytest.approx(2 / 5)
    # The threshold follows the real faces: among much closer targets the two are not near-duplicates.
    assert near_duplicates.copied_share(inputs, outputs, targets * 1e-4) == 0
