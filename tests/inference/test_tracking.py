"""Following faces through a clip."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.inference.tracking import Tracker, smooth, to_align, to_pose

BLANK = np.zeros((18, 32, 3), np.uint8)


def align(x: float, y: float, side: float = 100, angle: float = 0) -> np.ndarray:
    return to_align(np.array([x, y, np.log(side), angle]))


@settings(max_examples=100, deadline=None)
@given(st.floats(-500, 500), st.floats(-500, 500), st.floats(1, 2000), st.floats(-3.1, 3.1))
def test_pose_and_alignment_are_each_others_inverse(x: float, y: float, side: float, angle: float) -> None:
    pose = to_pose(align(x, y, side, angle))
    assert np.allclose(pose, [x, y, np.log(side), angle], atol=1e-6)


def test_smoothing_keeps_a_straight_motion_exactly() -> None:
    times = np.sort(np.random.default_rng(0).uniform(0, 2, 60))
    values = np.stack([3 * times - 1, -times], axis=1)
    assert np.allclose(smooth(times, values, 0.12), values, atol=1e-9)


def test_smoothing_against_least_squares() -> None:
    """One moment: the weighted least squares of a line, solved by numpy."""
    rng = np.random.default_rng(1)
    times, values = np.sort(rng.uniform(0, 1, 30)), rng.normal(size=(30, 1))
    weight = np.exp(-0.5 * ((times - times[11]) / 0.12) ** 2) * (np.abs(times - times[11]) <= 0.36)
    root = np.sqrt(weight)[:, None]
    design = np.stack([np.ones(30), times - times[11]], axis=1)
    expected = np.linalg.lstsq(design * root, values * root, rcond=None)[0][0]
    assert np.allclose(smooth(times, values, 0.12)[11], expected, atol=1e-9)


def test_jitter_shrinks_and_nothing_lags() -> None:
    """Noise of 2 px on a moving face: frame-to-frame tremble (second difference) falls to a tenth, without a bias."""
    rng = np.random.default_rng(2)
    times = np.arange(250) / 25
    truth = np.stack([300 + 100 * np.sin(times), 200 + 20 * np.cos(2 * times)], axis=1)
    tracker = Tracker()
    seen = truth + rng.normal(0, 2, truth.shape)
    for time, (x, y) in zip(times, seen, strict=True):
        tracker.add(time, [align(x, y)], BLANK)
    drawn = np.array([to_pose(faces[0])[:2] for faces in tracker.finish()])
    tremble = [np.abs(np.diff(path - truth, n=2, axis=0)).mean() for path in (seen, drawn)]
    assert tremble[1] < 0.1 * tremble[0]
    assert np.abs((drawn - truth).mean(axis=0)).max() < 0.3
    assert np.abs(drawn - truth).mean() < 0.6 * np.abs(seen - truth).mean()


def test_two_faces_keep_apart_and_gaps_are_bridged() -> None:
    tracker = Tracker()
    for frame in range(20):
        faces = [align(100 + frame, 100), align(400 - frame, 100, 160)]
        tracker.add(frame / 25, faces[1:] if 8 <= frame < 12 else faces, BLANK)
    shown = tracker.finish()
    assert all(len(faces) == 2 for faces in shown)
    assert all(to_pose(large)[2] > to_pose(small)[2] for large, small in shown)
    assert to_pose(shown[10][1])[0] == pytest.approx(110, abs=0.5)


def test_two_faces_of_nearly_one_size_do_not_take_turns() -> None:
    tracker = Tracker()
    for frame in range(20):
        breath = 4 * np.sin(frame)
        tracker.add(frame / 25, [align(100, 100, 100 + breath), align(400, 100, 101 - breath)], BLANK)
    assert all(to_pose(first)[0] == pytest.approx(400, abs=1) for first, _ in tracker.finish())


def test_a_long_absence_ends_a_track_and_a_false_alarm_is_dropped() -> None:
    tracker = Tracker()
    for frame in range(60):
        faces = [align(100, 100)] if frame < 10 or frame > 40 else []
        tracker.add(frame / 25, faces + ([align(500, 300)] if frame == 5 else []), BLANK)
    shown = tracker.finish()
    assert [len(faces) for faces in shown] == [1] * 10 + [0] * 31 + [1] * 19


def test_nothing_is_smoothed_across_a_cut() -> None:
    tracker = Tracker()
    for frame in range(20):
        bright = np.full_like(BLANK, 255 if frame >= 10 else 0)
        tracker.add(frame / 25, [align(100 if frame < 10 else 120, 100)], bright)
    xs = [to_pose(faces[0])[0] for faces in tracker.finish()]
    assert np.allclose(xs, [100] * 10 + [120] * 10)
