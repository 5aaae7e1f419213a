"""Translating photos and videos with a trained model."""

from pipeline.inference.translator import Face, NoFaceError, Translator

__all__ = ["Face", "NoFaceError", "Translator"]
