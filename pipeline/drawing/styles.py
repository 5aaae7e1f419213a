"""Named drawing styles without any chance, for portraits of given people."""

from typing import Any

#: What all named styles share.
_FIXED: dict[str, Any] = {
    "line_width": 1.25, "line_warmth": 0.6, "hair_line": 0.8, "highlight": "ring", "eye_size": 1.0, "eye_width": 1.0,
    "eye_detail": "gradient", "blush": -0.5, "face_shadow": False, "fringe_shadow": 1.0, "light_right": True,
    "nose": "line", "background": "plain", "hair_gradient": False, "brow_through": 0.3, "saturation": 0.95,
    "brightness": 1.0, "contrast": 1.05, "warmth": 0.01, "tint": "none", "glow": 0.0, "blur": 0.0, "grain": 0.0,
    "sharpness": 0.1, "jpeg": 0, "scale": 0.73, "x": 128.0, "y": 112.0,
}  # fmt: skip
#: Style -> what it changes.
_LOOKS: dict[str, dict[str, Any]] = {
    "modern": {},
    "soft": {
        "line_width": 0.8, "eye_detail": "glassy", "highlight": "soft", "saturation": 0.85, "brightness": 1.06,
        "glow": 0.3, "nose": "dot", "blush": 0.5, "hair_gradient": True, "line_warmth": 1.0, "eye_size": 1.12,
    },
    "bold": {
        "line_width": 1.9, "eye_detail": "flat", "highlight": "tufts", "saturation": 1.15, "contrast": 1.15,
        "warmth": 0.05, "face_shadow": True, "nose": "tick", "brow_through": 0.8, "hair_line": 1.1, "eye_size": 0.85,
    },
    "drama": {
        "eye_detail": "ringed", "highlight": "none", "saturation": 0.7, "warmth": -0.06, "face_shadow": True,
        "light_right": False, "nose": "shadow", "brightness": 0.94, "line_warmth": 0.0, "eye_size": 0.95,
    },
    "retro": {
        "line_width": 1.5, "line_warmth": 0.2, "eye_detail": "flat", "highlight": "tufts", "saturation": 0.9,
        "warmth": 0.08, "contrast": 0.95, "nose": "tick", "eye_size": 1.05, "fringe_shadow": 0.5, "hair_line": 1.0,
    },
    "glossy": {
        "line_width": 1.0, "line_warmth": 0.9, "eye_detail": "glassy", "highlight": "streaks", "saturation": 1.1,
        "hair_gradient": True, "glow": 0.25, "blush": 0.8, "nose": "dot", "eye_size": 1.18, "eye_width": 1.05,
    },
    "film": {
        "line_width": 1.1, "line_warmth": 0.8, "eye_detail": "flat", "highlight": "none", "saturation": 0.85,
        "nose": "shadow", "eye_size": 0.78, "fringe_shadow": 0.6, "brow_through": 0.0, "hair_line": 0.6,
    },
    "cool": {
        "line_width": 0.9, "line_warmth": 0.0, "eye_detail": "ringed", "highlight": "streaks", "saturation": 0.8,
        "warmth": -0.05, "brightness": 1.05, "nose": "dot", "eye_size": 1.0, "light_right": False, "contrast": 1.12,
    },
}  # fmt: skip
#: Seed of the shapes of all portraits in a named style.
SEED = 77
#: Names of the styles of `draw_in_style`.
STYLES = tuple(_LOOKS)


def look(style: str) -> dict[str, Any]:
    """Return the choices that a named style fixes."""
    return _FIXED | _LOOKS[style]
