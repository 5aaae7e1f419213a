"""Faces with what was found drawn onto them, as in the study's Figure 3."""

from collections.abc import Sequence

import cv2
import numpy as np

BOX, POINT = (46, 204, 113), (255, 64, 64)
THICKNESS = 1


def draw_face(picture: np.ndarray, box: Sequence[float] | None, keypoints: np.ndarray | None, side: int) -> np.ndarray:
    """Enlarge square uint8 RGB [S, S, 3] to [side, side, 3], with the box and all points of `keypoints` [K, 3] on it.

    Points of no confidence are hollow. Without a box, the picture stays as it is.
    """
    scale = side / picture.shape[0]
    drawn = cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)
    if box is None or keypoints is None:
        return drawn
    # Eight times finer than pixels: points of small faces lie closer than that.
    shift = 3
    x0, y0, x1, y1 = (round(float(value) * scale * 2**shift) for value in box)
    cv2.rectangle(drawn, (x0, y0), (x1, y1), BOX, THICKNESS, cv2.LINE_AA, shift)
    for x, y, confidence in keypoints:
        centre = (round(float(x) * scale * 2**shift), round(float(y) * scale * 2**shift))
        cv2.circle(drawn, centre, round(1.6 * 2**shift), POINT, -1 if confidence > 0 else 1, cv2.LINE_AA, shift)
    return drawn
