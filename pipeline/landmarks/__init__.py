from .detectors.base import DETECTORS, Detection, Detector, create_detector, picture_detector

__all__ = ["DETECTORS", "Detection", "Detector", "create_detector", "picture_detector"]
