"""Following faces from frame to frame, so that what is pasted does not tremble with the detector.

The whole clip is looked at before anything is drawn: each face's position, size and angle is a local linear regression
over the frames before *and* after (Cleveland 1979), which does not lag behind as a filter of the past does.
"""

from dataclasses import dataclass, field

import numpy as np

#: s, standard deviation of the Gaussian weights.
SMOOTHING = 0.12
#: s, for so long a face may go unseen (a blink, a blur) and still be the same one.
MAX_GAP = 0.5
#: Seen in fewer frames, a face is taken for a false alarm.
MIN_FRAMES = 3
#: Mean difference of two frames' thumbnails, in levels, above which a cut lies between them.
CUT = 40.0


@dataclass
class _Track:
    frames: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    poses: list[np.ndarray] = field(default_factory=list)


def to_pose(align: np.ndarray) -> np.ndarray:
    """Turn an alignment [2, 3] into x, y of the crop's centre (px), log of its side (px) and its angle (radians)."""
    inverse = np.linalg.inv(np.vstack([align, [0, 0, 1]]))
    x, y, _ = inverse @ [0.5, 0.5, 1]
    return np.array([x, y, np.log(np.hypot(*inverse[:2, 0])), np.arctan2(inverse[1, 0], inverse[0, 0])])


def to_align(pose: np.ndarray) -> np.ndarray:
    """Turn a pose back into an alignment [2, 3]."""
    x, y, log_side, angle = pose
    scale = np.exp(-log_side)
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[a, b, 0.5 - a * x - b * y], [-b, a, 0.5 + b * x - a * y]])


class Tracker:
    """Takes the faces of one frame after the other, gives smooth alignments per frame at the end."""

    def __init__(self, smoothing: float = SMOOTHING) -> None:
        self._smoothing = smoothing
        self._tracks: list[_Track] = []
        self._open: list[_Track] = []
        self._times: list[float] = []
        self._thumbnail: np.ndarray | None = None

    def add(self, time: float, aligns: list[np.ndarray], thumbnail: np.ndarray) -> None:
        """Add the next frame: its time in s, the alignments of its faces, a small copy of it (any fixed size)."""
        frame = len(self._times)
        self._times.append(time)
        small = thumbnail.astype(np.float32)
        if self._thumbnail is not None and np.abs(small - self._thumbnail).mean() > CUT:
            self._open = []
        self._thumbnail = small
        self._open = [track for track in self._open if time - track.times[-1] <= MAX_GAP]
        poses = [to_pose(align) for align in aligns]
        pairs = sorted(
            (_distance(track.poses[-1], pose), t, p)
            for t, track in enumerate(self._open)
            for p, pose in enumerate(poses)
        )
        taken_tracks: set[int] = set()
        taken_poses: set[int] = set()
        for distance, t, p in pairs:
            if distance < 1 and t not in taken_tracks and p not in taken_poses:
                taken_tracks.add(t)
                taken_poses.add(p)
                self._extend(self._open[t], frame, time, poses[p])
        for p, pose in enumerate(poses):
            if p not in taken_poses:
                track = _Track()
                self._extend(track, frame, time, pose)
                self._open.append(track)
                self._tracks.append(track)

    def _extend(self, track: _Track, frame: int, time: float, pose: np.ndarray) -> None:
        if track.poses:  # the nearest turn: -179 and 181 degrees are the same angle
            pose[3] += 2 * np.pi * np.round((track.poses[-1][3] - pose[3]) / (2 * np.pi))
        track.frames.append(frame)
        track.times.append(time)
        track.poses.append(pose)

    def finish(self) -> list[list[np.ndarray]]:
        """Return the alignments of each frame's faces; the one that is largest as long as it is seen comes first.

        Not the largest of each frame: two faces of nearly one size would take turns.
        """
        shown: list[list[tuple[float, np.ndarray]]] = [[] for _ in self._times]
        for track in self._tracks:
            if len(track.frames) < min(MIN_FRAMES, len(self._times)):
                continue
            frames = range(track.frames[0], track.frames[-1] + 1)
            times = np.array([self._times[frame] for frame in frames])
            seen = np.array(track.poses)
            size = float(seen[:, 2].mean())
            # Frames in which the face went unseen lie on the straight line between their neighbours.
            filled = np.stack([np.interp(frames, track.frames, seen[:, k]) for k in range(4)], axis=1)
            for frame, pose in zip(frames, smooth(times, filled, self._smoothing), strict=True):
                shown[frame].append((size, pose))
        return [[to_align(pose) for _, pose in sorted(found, key=lambda item: -item[0])] for found in shown]


def smooth(times: np.ndarray, values: np.ndarray, sigma: float) -> np.ndarray:
    """Local linear regression with Gaussian weights: times [n] rising, values [n, k], sigma in the unit of times."""
    if sigma <= 0:
        return values.copy()
    result = np.empty_like(values)
    starts = np.searchsorted(times, times - 3 * sigma, "left")
    ends = np.searchsorted(times, times + 3 * sigma, "right")
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        offset = times[start:end] - times[index]
        weight = np.exp(-0.5 * (offset / sigma) ** 2)
        s0, s1, s2 = weight.sum(), (weight * offset).sum(), (weight * offset**2).sum()
        determinant = s0 * s2 - s1 * s1
        alone = determinant <= 1e-12 * s0 * s0  # a single moment: nothing to fit a slope to
        linear = weight / s0 if alone else weight * (s2 - s1 * offset) / determinant
        result[index] = linear @ values[start:end]
    return result


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return how far two poses are apart; below 1 they can be one face in neighbouring frames."""
    side = np.exp(min(a[2], b[2]))
    return float(np.hypot(a[0] - b[0], a[1] - b[1]) / (0.4 * side) + abs(a[2] - b[2]) / 0.7)
