"""Translate photos and videos with a trained model, and draw the people of photos without a model."""

from typing import TYPE_CHECKING, Any

from .face_finder import NoFaceError
from .translator import Face, Translator

if TYPE_CHECKING:
    from .portrait import draw_portrait

__all__ = ["Face", "NoFaceError", "Translator", "draw_portrait"]


def __getattr__(name: str) -> Any:
    # Imported on first use: measuring a photo needs torch, but translating with an exported model does not.
    if name == "draw_portrait":
        from .portrait import draw_portrait

        return draw_portrait
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
