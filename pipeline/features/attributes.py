"""Attributes of a person measured in an aligned photo, as `pipeline.drawing.draw_in_style` takes them."""

from typing import Any

import numpy as np

from .attributes_colours import (
    background_colour,
    cloth_colour,
    colour_cast,
    eye_colour,
    hair_colour,
    skin_colour,
    skin_lab,
)
from .attributes_face import Face
from .attributes_glasses import glasses
from .attributes_hair import fringe, hair_style

#: Years below which an age group ends.
AGE_GROUPS = {"child": 13, "young": 38, "adult": 58, "old": 200}


def measure(
    crop: np.ndarray,
    mask: np.ndarray,
    keypoints: np.ndarray,
    yaw: float,
    pitch: float,
    gender: str | None,
    age: float | None,
) -> dict[str, Any]:
    """Measure a person in an aligned photo.

    Args:
        crop: Aligned photo, uint8 RGB [S, S, 3].
        mask: bool [S, S]: pixels inside the photo (`pipeline.images.inside_photo`); the others are not read.
        keypoints: The 68 points (x, y, …) of dlib in pixels of the crop.
        yaw: Head pose in degrees, positive to the image's right.
        pitch: Head pose in degrees, positive upwards.
        gender: "female", "male", or None where unknown.
        age: Years, or None where unknown.

    Returns:
        Attribute -> value, as `pipeline.drawing.draw_in_style` takes it; None where the photo does not show it.
    """
    points = np.asarray(keypoints, dtype=np.float64)[:, :2] / len(crop)
    face = Face(crop, np.asarray(mask, dtype=bool), points, gender == "male")
    age = None if age is None or not np.isfinite(age) else age
    group = None if age is None else next(name for name, end in AGE_GROUPS.items() if age < end)
    cast = colour_cast(face)
    hairstyle = hair_style(face, group)
    hair = None if hairstyle == "bald" else hair_colour(face, cast, group)
    return {
        "gender": gender,
        "age": group,
        "yaw": float(np.clip(yaw, -35, 35)),
        "pitch": float(np.clip(pitch * 0.4, -10, 10)),
        "skin": skin_colour(face),
        "hair": hair,
        "hairstyle": hairstyle,
        "fringe": fringe(face, hairstyle),
        "eye": eye_colour(face, cast),
        "eye_shape": None if gender is None else "narrow" if face.male and group != "child" else "almond",
        "glasses": glasses(face),
        "beard": beard(face, group),
        "wrinkles": None if group is None else "yes" if group == "old" else "no",
        "cloth_colour": cloth_colour(face),
        "background_colour": background_colour(face),
        **expression(face, pitch),
        **face_shape(face, yaw),
    }


def known(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that were measured."""
    return {name: value for name, value in attributes.items() if value is not None}


def eye_openings(face: Face) -> float:
    """Return the mean height of the eyes relative to their width."""
    points = face.keypoints
    ratios = []
    for first in (36, 42):
        eye = points[first : first + 6]
        height = (np.linalg.norm(eye[1] - eye[5]) + np.linalg.norm(eye[2] - eye[4])) / 2
        ratios.append(height / max(float(np.linalg.norm(eye[3] - eye[0])), 1e-6))
    return float(np.mean(ratios))


def expression(face: Face, pitch: float) -> dict[str, Any]:
    """Return the expression by the opening, the width and the corners of the mouth, and by the eyes."""
    points = face.keypoints
    width = float(np.linalg.norm(points[54] - points[48]))
    gap = float(np.linalg.norm(points[66] - points[62])) / max(width, 1e-6)
    stretch = width / face.eye_distance
    # Seen from above, the corners of the mouth seem higher.
    corners = float((points[62, 1] - points[[48, 54], 1].mean()) / face.eye_distance + 0.0035 * pitch)
    opening = eye_openings(face)
    if gap > 0.22 and stretch < 0.85:
        name = "surprised"
    elif gap > 0.09 and stretch > 0.88:
        name = "open_smile"
    else:
        name = "smile" if stretch > 1.0 or (stretch > 0.9 and corners > 0.06) else "neutral"
    return {
        "expression": name,
        "smile": float(np.clip(5 * (stretch - 0.84) + 4 * (corners - 0.02), -0.5, 1)),
        "mouth_open": float(np.clip((gap - 0.06) / 0.18, 0, 1)),
        # Narrow eyes differ between people: only nearly closed ones are drawn closed.
        "eye_open": float(np.interp(opening, [0.09, 0.13, 0.19, 0.3, 0.4], [0.0, 0.5, 0.9, 1.0, 1.1])),
        "eye_size": float(np.clip(1 + (opening - 0.285) * 0.8, 0.92, 1.08)),
    }


def beard(face: Face, group: str | None) -> str:
    """Return the kind of beard: how much darker than the cheeks the skin around the mouth is."""
    skin = skin_lab(face)
    if not face.male or group in (None, "child") or skin is None:
        return "none"
    x, y = face.grid()
    points = face.keypoints

    def darker(where: np.ndarray) -> float:
        pixels = face.lab[where & face.inside]
        return float(skin[0] - np.median(pixels[:, 0])) if len(pixels) >= 4 else 0.0

    below = (points[8] + points[57]) / 2
    radius = 0.16 * face.eye_distance
    chin_dark = darker(np.hypot(x - below[0], y - below[1]) < radius * 1.2)
    lip = (points[33] + points[51]) / 2
    lip_dark = darker((np.abs(x - lip[0]) < 0.25 * face.eye_distance) & (np.abs(y - lip[1]) < 0.07 * face.eye_distance))
    sides = [points[[48, 4]].mean(axis=0), points[[54, 12]].mean(axis=0)]
    side_dark = min(darker(np.hypot(x - s[0], y - s[1]) < radius) for s in sides)
    scale = max(skin[0], 30.0) / 60
    chin_dark, lip_dark, side_dark = chin_dark / scale, lip_dark / scale, side_dark / scale
    if chin_dark > 16 and side_dark > 10:
        return "full"
    if chin_dark > 16 and lip_dark > 12:
        return "goatee"
    if lip_dark > 22:
        return "moustache"
    return "stubble" if chin_dark > 10 and lip_dark > 8 else "none"


def face_shape(face: Face, yaw: float) -> dict[str, float | None]:
    """Return width of the jaw, length of chin and face, relative to the average; None for a turned head."""
    if abs(yaw) > 25:
        return {"jaw": None, "chin": None, "face_length": None}
    points, unit = face.keypoints, face.eye_distance
    jaw = np.linalg.norm(points[12] - points[4]) / np.linalg.norm(points[16] - points[0])
    chin = np.linalg.norm(points[8] - points[57]) / unit
    length = np.linalg.norm(points[8] - points[36:48].mean(axis=0)) / unit
    # Medians and spreads of 2,400 embedded people; one standard deviation moves a drawing by a third of its range.
    return {
        "jaw": float(np.clip(1 + (jaw - 0.828) / 0.03 * 0.04, 0.9, 1.1)),
        "chin": float(np.clip(1 + (chin - 0.552) / 0.08 * 0.08, 0.8, 1.25)),
        "face_length": float(np.clip(1 + (length - 1.849) / 0.11 * 0.02, 0.95, 1.05)),
    }
