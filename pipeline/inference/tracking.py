"""Track faces through a clip and smooth their positions, so that pasted faces do not jitter.

The whole clip is tracked before drawing starts. The position, size and angle of each face are smoothed by local linear
regression over the frames before and after (Cleveland 1979), which has no lag.
"""

from dataclasses import dataclass, field

import numpy as np

#: Seconds, standard deviation of the Gaussian weights.
SMOOTHING = 0.12
#: Seconds for which the track of an undetected face (blink, blur) continues; at least until the next frame.
MAX_GAP = 0.5
#: A track is kept if it has faces in this many frames or, in a slow clip, in all frames of this many seconds.
MIN_FRAMES, MIN_SECONDS = 3, 0.12
#: Mean difference of two frames' thumbnails, in levels of 255, above which a scene cut is assumed.
CUT = 40.0


@dataclass
class _Track:
    frames: list[int] = field(default_factory=list)
    poses: list[np.ndarray] = field(default_factory=list)


def to_pose(align: np.ndarray) -> np.ndarray:
    """Convert an alignment [2, 3] to x, y of the crop's centre (px), log of its side (px) and its angle (radians)."""
    inverse = np.linalg.inv(np.vstack([align, [0, 0, 1]]))
    x, y, _ = inverse @ [0.5, 0.5, 1]
    return np.array([x, y, np.log(np.hypot(*inverse[:2, 0])), np.arctan2(inverse[1, 0], inverse[0, 0])])


def to_align(pose: np.ndarray) -> np.ndarray:
    """Convert a pose back to an alignment [2, 3]."""
    x, y, log_side, angle = pose
    scale = np.exp(-log_side)
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[a, b, 0.5 - a * x - b * y], [-b, a, 0.5 + b * x - a * y]])


class Tracker:
    """Collects the faces of each frame, and returns smooth alignments per frame at the end."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._open: list[_Track] = []
        self._times: list[float] = []
        self._thumbnail: np.ndarray | None = None

    def add(self, time: float, aligns: list[np.ndarray], thumbnail: np.ndarray) -> None:
        """Add the next frame.

        Args:
            time: Time of the frame in seconds.
            aligns: Alignments [2, 3] of its faces; further columns, [2, 3 + k], are smoothed with them.
            thumbnail: Small copy of the frame, of any fixed size.
        """
        frame = len(self._times)
        # In a slow clip, the time to the previous frame can exceed the gap that is bridged in a fast clip.
        oldest = min(time - MAX_GAP, self._times[-1] if self._times else time)
        self._times.append(time)
        small = thumbnail.astype(np.float32)
        if self._thumbnail is not None and np.abs(small - self._thumbnail).mean() > CUT:
            self._open = []
        self._thumbnail = small
        self._open = [track for track in self._open if self._times[track.frames[-1]] >= oldest]
        poses = [np.concatenate([to_pose(align[:, :3]), align[:, 3:].ravel()]) for align in aligns]
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
                self._extend(self._open[t], frame, poses[p])
        for p, pose in enumerate(poses):
            if p not in taken_poses:
                track = _Track()
                self._extend(track, frame, pose)
                self._open.append(track)
                self._tracks.append(track)

    def _extend(self, track: _Track, frame: int, pose: np.ndarray) -> None:
        if track.poses:  # the nearest turn: -179 and 181 degrees are the same angle
            pose[3] += 2 * np.pi * np.round((track.poses[-1][3] - pose[3]) / (2 * np.pi))
        track.frames.append(frame)
        track.poses.append(pose)

    def finish(self) -> list[list[np.ndarray]]:
        """Return the alignments of each frame's faces, sorted by the mean size of their tracks, the largest first.

        Sorting each frame on its own would swap two faces of similar size.
        """
        needed = self._needed_frames()
        shown: list[list[tuple[float, np.ndarray]]] = [[] for _ in self._times]
        for track in self._tracks:
            if len(track.frames) < needed:
                continue
            frames = range(track.frames[0], track.frames[-1] + 1)
            times = np.array([self._times[frame] for frame in frames])
            seen = np.array(track.poses)
            size = float(seen[:, 2].mean())
            # Frames without a detection are interpolated linearly.
            filled = np.stack([np.interp(frames, track.frames, values) for values in seen.T], axis=1)
            for frame, pose in zip(frames, smooth(times, filled, SMOOTHING), strict=True):
                shown[frame].append((size, pose))
        return [
            [
                np.hstack([to_align(pose[:4]), pose[4:].reshape(2, -1)])
                for _, pose in sorted(found, key=lambda item: -item[0])
            ]
            for found in shown
        ]

    def _needed_frames(self) -> int:
        """Return the number of frames with a face that a track needs; shorter ones are false detections."""
        if len(self._times) < 2:
            return 1
        step = float(np.median(np.diff(self._times)))
        in_time = max(1, round(MIN_SECONDS / step)) if step > 0 else MIN_FRAMES
        return min(MIN_FRAMES, in_time, len(self._times))


def smooth(times: np.ndarray, values: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth values [n, k] at increasing times [n] by local linear regression with Gaussian weights of width sigma."""
    result = np.empty_like(values)
    starts = np.searchsorted(times, times - 3 * sigma, "left")
    ends = np.searchsorted(times, times + 3 * sigma, "right")
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        offset = times[start:end] - times[index]
        weight = np.exp(-0.5 * (offset / sigma) ** 2)
        s0, s1, s2 = weight.sum(), (weight * offset).sum(), (weight * offset**2).sum()
        determinant = s0 * s2 - s1 * s1
        alone = determinant <= 1e-12 * s0 * s0  # a single time has no slope
        linear = weight / s0 if alone else weight * (s2 - s1 * offset) / determinant
        result[index] = linear @ values[start:end]
    return result


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the distance of two poses; below 1 they can be the same face in neighbouring frames."""
    side = np.exp(min(a[2], b[2]))
    return float(np.hypot(a[0] - b[0], a[1] - b[1]) / (0.4 * side) + abs(a[2] - b[2]) / 0.7)
