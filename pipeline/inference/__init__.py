"""Translating photos and videos with a trained model."""

from .translator import Face, NoFaceError, Translator

__all__ = ["Face", "NoFaceError", "Translator"]
