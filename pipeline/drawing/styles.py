"""Named drawing styles without random choices, for portraits of given people."""

from typing import Any

#: Choices that all named styles share.
_FIXED: dict[str, Any] = {
    "look": "free", "line_width": 1.25, "line_warmth": 0.6,
    "hair_line": 0.8, "highlight": "ring", "eye_size": 1.0, "eye_width": 1.0,
    "eye_detail": "gradient", "blush": -0.5, "face_shadow": False, "fringe_shadow": 1.0, "light_right": True,
    "eye_height": 1.0, "iris": 1.0, "lash": 1.0, "face_width": 1.0, "face_gradient": 0.0, "hair_shadow": 0.5,
    "hair_detail": 0.45,
    "nose": "line", "background": "plain", "background_colour": (150, 186, 226),
    "hair_gradient": False, "brow_through": 0.3, "saturation": 1.0,
    "brightness": 1.0, "contrast": 1.05, "warmth": 0.01, "tint": "none", "glow": 0.0,
    "falloff": 0.0, "blur": 0.0, "grain": 0.0,
    "sharpness": 0.1, "jpeg": 0, "scale": 0.73, "x": 128.0, "y": 112.0,
}  # fmt: skip
#: Style -> choices that differ from the shared ones.
LOOKS: dict[str, dict[str, Any]] = {
    "modern": {
        "background": "sky", "clothes": "blazer", "cloth_colour": (96, 108, 140),
        "line_width": 1.1, "highlight": "arc", "face_gradient": 0.25, "iris": 1.04, "hair_gradient": True, "blush": 0.3,
    },
    "soft": {
        "clothes": "tee", "cloth_colour": (226, 206, 206),
        "hair_detail": 0.3,
        "line_width": 0.8, "line_warmth": 1.0, "eye_detail": "glassy", "eye_size": 1.1, "eye_height": 1.06,
        "highlight": "soft", "saturation": 0.85, "brightness": 1.05, "glow": 0.25, "nose": "dot", "blush": 0.5,
        "hair_gradient": True, "hair_shadow": 0.35, "lash": 0.9,
    },
    "bold": {
        "background": "abstract", "clothes": "jacket", "cloth_colour": (44, 46, 56),
        "hair_detail": 0.7,
        "line_width": 1.9, "line_warmth": 0.1, "hair_line": 1.1, "eye_detail": "flat", "eye_size": 0.9,
        "eye_height": 0.84, "lash": 1.3, "highlight": "tufts", "saturation": 1.12, "contrast": 1.12, "warmth": 0.03,
        "face_shadow": True, "nose": "tick", "brow_through": 0.8, "face_width": 0.98, "hair_shadow": 0.9,
    },
    "drama": {
        "background": "night", "clothes": "turtleneck", "cloth_colour": (58, 70, 66),
        "hair_detail": 0.6,
        "line_width": 1.0, "line_warmth": 0.0, "eye_detail": "ringed", "eye_size": 0.86, "eye_height": 0.84,
        "highlight": "none", "saturation": 0.92, "warmth": -0.01, "face_shadow": True, "light_right": False,
        "nose": "shadow", "brightness": 0.95, "face_width": 0.96, "hair_shadow": 0.8, "iris": 0.94,
    },
    "retro": {
        "background": "room", "clothes": "vest", "cloth_colour": (176, 70, 66),
        "line_width": 1.5, "line_warmth": 0.2, "hair_line": 1.0, "eye_detail": "dark", "eye_height": 1.1, "lash": 1.4,
        "highlight": "ring", "saturation": 0.92, "warmth": 0.07, "contrast": 0.96, "nose": "tick",
        "fringe_shadow": 0.5, "hair_shadow": 0.2,
    },
    "glossy": {
        "clothes": "tee", "cloth_colour": (140, 170, 200),
        "hair_detail": 0.6,
        "line_width": 0.95, "line_warmth": 0.95, "eye_detail": "bright", "eye_size": 1.16, "eye_width": 1.04,
        "highlight": "streaks", "saturation": 1.1, "hair_gradient": True, "glow": 0.2, "blush": 0.75, "nose": "dot",
        "hair_shadow": 0.8, "face_gradient": 0.35, "iris": 1.06,
    },
    "film": {
        "background": "foliage", "clothes": "shirt", "cloth_colour": (206, 186, 152),
        "hair_detail": 0.15,
        "line_width": 1.0, "line_warmth": 0.9, "hair_line": 0.6, "eye_detail": "flat", "eye_size": 0.8,
        "eye_width": 0.95, "highlight": "none", "saturation": 0.85, "nose": "shadow", "fringe_shadow": 0.6,
        "brow_through": 0.0, "hair_shadow": 0.15, "face_width": 1.03, "lash": 0.75, "warmth": 0.03,
    },
    "cool": {
        "background": "gradient", "clothes": "jacket", "cloth_colour": (70, 76, 110),
        "line_width": 0.9, "line_warmth": 0.0, "eye_detail": "dark", "eye_height": 0.86, "highlight": "streaks",
        "saturation": 0.92, "warmth": 0.0, "brightness": 1.03, "nose": "dot", "light_right": False,
        "contrast": 1.12, "face_width": 0.97, "face_gradient": 0.4,
    },
}  # fmt: skip
#: Seed of the shapes of all portraits in a named style.
SEED = 77
#: Names of the styles of `draw_in_style`.
STYLES = tuple(LOOKS)


def look(style: str) -> dict[str, Any]:
    """Return the choices that a named style fixes."""
    return _FIXED | LOOKS[style]
