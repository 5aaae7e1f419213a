"""Measure the attributes of a person in an aligned photo, for `pipeline.drawing.draw_in_style`."""

from typing import Any

import numpy as np

from .attributes_colours import (
    background_colour,
    cloth_colour,
    colour_cast,
    eye_colour,
    hair_colour,
    hat_colour,
    skin_colour,
    skin_lab,
)
from .attributes_face import Face
from .attributes_glasses import glasses
from .attributes_hair import fringe, hair_flare, hair_style, hair_volume, parting
from .hair_traits import hair_traits

#: Years below which an age group ends.
AGE_GROUPS = {"child": 13, "young": 38, "adult": 58, "old": 200}

#: Share of the side of the crop. Landmarks with less between the eyes are wrong: aligned faces have about 0.26.
MIN_EYE_DISTANCE = 0.05

#: Logistic regression on the darkness of chin and upper lip and the redness of chin and jaw; fitted to 80 embedded men
#: labelled by eye, of whom 38 % had a beard (leaving one out: 94 % right). Above SURE_BEARD it is more than stubble.
BEARD_WEIGHTS, BEARD_BIAS, SURE_BEARD = (0.132, 0.153, -0.311, -0.596), -5.913, 2.0


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
        mask: bool [S, S]: pixels inside the photo (`pipeline.images.inside_photo`). The others are ignored.
        keypoints: The 68 points (x, y, …) of dlib in pixels of the crop.
        yaw: Head pose in degrees, positive to the image's right.
        pitch: Head pose in degrees, positive upwards.
        gender: "female", "male", or None where unknown.
        age: Years, or None where unknown.

    Returns:
        Attribute -> value for `pipeline.drawing.draw_in_style`; None if the photo does not show it. Impossible
        landmarks give gender and age alone.
    """
    points = np.asarray(keypoints, dtype=np.float64)[:, :2] / len(crop)
    face = Face(crop, np.asarray(mask, dtype=bool), points, gender == "male")
    age = None if age is None or not np.isfinite(age) else age
    group = None if age is None else next(name for name, end in AGE_GROUPS.items() if age < end)
    if not (np.isfinite(points).all() and MIN_EYE_DISTANCE < face.eye_distance < 1):
        return {"gender": gender, "age": group}
    cast = colour_cast(face)
    traits = hair_traits(face)
    # A hat that is outside the photo is not drawn: its colour is unknown.
    colour = hat_colour(face) if traits.hat != "none" else None
    hat = colour is not None
    hairstyle = hair_style(face, hat, traits)
    hair = None if hairstyle == "bald" else hair_colour(face, cast, group, hat)
    return {
        "gender": gender,
        "age": group,
        "yaw": float(np.clip(yaw, -35, 35)),
        "pitch": float(np.clip(pitch * 0.4, -10, 10)),
        "skin": skin_colour(face),
        "hair": hair,
        "hairstyle": hairstyle,
        "hair_volume": None if hat else hair_volume(face, hairstyle),
        "hair_flare": hair_flare(face, hairstyle),
        "parting": None if hat else parting(face),
        "fringe": None if hat else fringe(face, hairstyle),
        "hat": traits.hat if hat else "none",
        "accent_colour": colour,
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
    # From above, the corners of the mouth look higher.
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
        "smile": float(np.clip(5 * (stretch - 0.84) + 4 * (corners - 0.02), 0.1, 1)),
        "mouth_open": float(np.clip((gap - 0.06) / 0.18, 0, 1)),
        # Narrow eyes differ between people: only nearly closed ones are drawn closed.
        "eye_open": float(np.interp(opening, [0.09, 0.13, 0.19, 0.3, 0.4], [0.0, 0.5, 0.9, 1.0, 1.1])),
        "eye_size": float(np.clip(1 + (opening - 0.285) * 0.8, 0.92, 1.08)),
    }


def beard(face: Face, group: str | None) -> str:
    """Return the kind of beard: skin with a beard is darker and less red than the cheeks."""
    skin = skin_lab(face)
    if not face.male or group in (None, "child") or skin is None:
        return "none"
    x, y = face.grid()
    points = face.keypoints

    def change(where: np.ndarray) -> tuple[float, float]:
        """Return how much darker and redder these pixels are than the cheeks."""
        pixels = face.lab[where & face.inside]
        lightness, redness, _ = np.median(pixels, axis=0) if len(pixels) >= 4 else skin
        return float(skin[0] - lightness) / max(float(skin[0]) / 60, 0.5), float(redness - skin[1])

    radius = 0.16 * face.eye_distance
    below = (points[8] + points[57]) / 2
    lip = (points[33] + points[51]) / 2
    places = [points[[48, 4]].mean(axis=0), points[[54, 12]].mean(axis=0)]
    chin_dark, chin_red = change(np.hypot(x - below[0], y - below[1]) < radius * 1.2)
    lip_dark, _ = change(
        (np.abs(x - lip[0]) < 0.25 * face.eye_distance) & (np.abs(y - lip[1]) < 0.07 * face.eye_distance)
    )
    side_dark, side_red = min(change(np.hypot(x - place[0], y - place[1]) < radius) for place in places)
    score = float(np.dot(BEARD_WEIGHTS, (chin_dark, lip_dark, chin_red, side_red))) + BEARD_BIAS
    if score > SURE_BEARD:
        return "full" if side_dark > 5 else "goatee"
    if lip_dark > 22 and chin_dark < 6:
        return "moustache"
    return "stubble" if score > 0 else "none"


def face_shape(face: Face, yaw: float) -> dict[str, float | None]:
    """Return width of the jaw, length of chin and face, relative to the average; None for a turned head."""
    if abs(yaw) > 25:
        return {"jaw": None, "chin": None, "face_length": None}
    points, unit = face.keypoints, face.eye_distance
    jaw = np.linalg.norm(points[12] - points[4]) / np.linalg.norm(points[16] - points[0])
    chin = np.linalg.norm(points[8] - points[57]) / unit
    length = np.linalg.norm(points[8] - points[36:48].mean(axis=0)) / unit
    # Medians and spreads of 2,400 embedded people; one standard deviation moves a drawing by half of its range.
    return {
        "jaw": float(np.clip(1 + (jaw - 0.828) / 0.03 * 0.07, 0.84, 1.16)),
        "chin": float(np.clip(1 + (chin - 0.552) / 0.08 * 0.13, 0.75, 1.35)),
        "face_length": float(np.clip(1 + (length - 1.849) / 0.11 * 0.04, 0.9, 1.1)),
    }
