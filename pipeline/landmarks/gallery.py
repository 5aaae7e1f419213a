"""Contact sheet of faces with boxes and keypoints, as in Figure 3 of the study."""

from collections.abc import Sequence

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from ..contact_sheet import contact_sheet
from ..faces import evenly_spaced

#: SHOWN: pictures on a sheet. SIDE: pixels, side of each.
SHOWN, SIDE = 48, 160
BOX, POINT = (46, 204, 113), (255, 64, 64)
THICKNESS = 1


def face_sheet(table: pd.DataFrame, pixels: np.ndarray, domain: str) -> Image.Image:
    """Draw faces of a domain with box and keypoints, evenly spaced over the table.

    Args:
        table: Face table with the columns of the stage landmarks.
        pixels: uint8 RGB [N, S, S, 3].
        domain: Name of the domain, for the title.
    """
    images, captions = [], []
    for face in table.iloc[evenly_spaced(SHOWN, len(table))].to_dict("records"):
        detected = face["n_faces"] > 0
        box, keypoints = (face["box"], np.reshape(face["keypoints"], (-1, 3))) if detected else (None, None)
        images.append(draw_face(pixels[face["row"]], box, keypoints, SIDE))
        captions.append(f"{face['score']:.2f}  yaw {face['yaw']:+.0f}°" if detected else "no face")
    title = f"{domain}: a face in {int((table['n_faces'] > 0).sum()):,} of {len(table):,} pictures"
    return contact_sheet(images, captions, title=title)


def draw_face(picture: np.ndarray, box: Sequence[float] | None, keypoints: np.ndarray | None, side: int) -> np.ndarray:
    """Enlarge square uint8 RGB [S, S, 3] to [side, side, 3] and draw the box and all points of `keypoints` [K, 3].

    Points without confidence are hollow. Without a box, nothing is drawn.
    """
    scale = side / picture.shape[0]
    drawn = cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)
    if box is None or keypoints is None:
        return drawn
    # Coordinates are in eighths of a pixel, because points of small faces are less than a pixel apart.
    shift = 3
    x0, y0, x1, y1 = (round(float(value) * scale * 2**shift) for value in box)
    cv2.rectangle(drawn, (x0, y0), (x1, y1), BOX, THICKNESS, cv2.LINE_AA, shift)
    for x, y, confidence in keypoints:
        centre = (round(float(x) * scale * 2**shift), round(float(y) * scale * 2**shift))
        cv2.circle(drawn, centre, round(1.6 * 2**shift), POINT, -1 if confidence > 0 else 1, cv2.LINE_AA, shift)
    return drawn
