"""Translate the faces of photos. The command line, the web page and videos use this code, too."""

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ..errors import Kind, UserError, bad_value, conflict, damaged_file, one_way, unavailable
from ..images import crop_aligned, draw_heatmaps, inside_photo
from ..landmarks import Detection, create_detector, five_points
from ..landmarks.alignment import is_face, similarity
from .backends import load_generators
from .enlarging import enlarge
from .face_finder import SEARCH_SIDES, FaceFinder, NoFaceError
from .model_info import Direction
from .photo_io import pil_to_rgb

if TYPE_CHECKING:
    from .reference import Reference

MAX_FACES = 100
BATCH = 16
#: Side of a face's box as a share of the crop, for a model that was trained without alignment.
FACE_SHARE = 0.55


@dataclass(frozen=True)
class Face:
    """One face of a photo: its position, its crop and its translation."""

    align: np.ndarray  #: [2, 3], pixels of the photo to the unit square
    crop: np.ndarray  #: uint8 RGB [R, R, 3]
    anime: np.ndarray  #: uint8 RGB [R, R, 3]
    back: np.ndarray | None  #: uint8 RGB [R, R, 3], reconstruction from the anime face; None if not requested
    points: np.ndarray | None = None  #: [5, 2], landmarks of `anime` in its pixels, for a model that needs them


class Translator:
    """Translates the faces of photos with one trained model.

    Example:
        >>> from PIL import Image
        >>> from pipeline.inference import Translator
        >>> Translator().translate(Image.open("photo.jpg")).save("anime.png")
    """

    def __init__(self, model: Path | str | None = None, style: str | None = None) -> None:
        """Load a training folder or an exported bundle; by default `data/train`, else the shipped model.

        Args:
            model: Training folder or bundle.
            style: Name of the style to draw in, one of `facts.styles`; None: the first.

        Raises:
            UserError: The model or style does not exist or is damaged, or a package is missing.
        """
        self._generators = load_generators(None if model is None else Path(model))
        self.facts = self._generators.facts
        self._style = self.facts.style_number(style)
        name, face_detector = self.facts.photo_detector
        self._finder = FaceFinder(create_detector(name, face_detector=face_detector))

    def translate(
        self,
        photo: Image.Image,
        size: int = 512,
        seed: int = 0,
        anyway: bool = False,
        like: "Reference | None" = None,
    ) -> Image.Image:
        """Translate the largest face of a photo.

        Args:
            photo: Any PIL image; its EXIF orientation is applied.
            size: px, side of the result.
            seed: Random seed of the noise; no effect on a model without noise.
            anyway: Translate the central square if no face is found.
            like: Drawing whose style and colours the result has, from `reference`.

        Returns:
            RGB [size, size].

        Raises:
            NoFaceError: No face was found, and `anyway` is false.
            UserError: The picture is damaged or has more than 100 million pixels.
        """
        faces = self.faces(pil_to_rgb(photo), seed=seed, most=1, anyway=anyway, like=like)
        return Image.fromarray(enlarge(faces[0].anime, size))

    def faces(
        self,
        photo: np.ndarray,
        seed: int = 0,
        most: int | None = None,
        anyway: bool = False,
        back: bool = False,
        style: str | None = None,
        like: "Reference | None" = None,
    ) -> list[Face]:
        """Find and translate the faces of a photo, the largest first.

        Args:
            photo: uint8 RGB [H, W, 3], upright.
            seed: Random seed of the noise, the same for every face of a photo.
            most: Maximum number of faces, the largest; None: all.
            anyway: Translate the central square if no face is found.
            back: Also reconstruct the photo of each face: its anime face, before it gets the colours of `like`, is
                translated back.
            style: Name of the style, one of `facts.styles`; None: that of the translator.
            like: Drawing whose style and colours the results have, from `reference`.

        Raises:
            NoFaceError: No face was found, and `anyway` is false.
            UserError: There are more than 100 faces and `most` is None, the model does not translate back, or both
                `style` and `like` are given.
        """
        if like is not None and style is not None:
            raise conflict("like", "chooses the style", "Leave 'style' out")
        turn, found = self._finder.find_any_way_up(photo, self._aligns)
        found = [_turned(face, turn) for face in found]
        if not found:
            if self.facts.landmarks or not anyway:
                why = ", and this model needs the landmarks of one" if self.facts.landmarks else ""
                text = f"no face was found{why}. Use a photo that shows a face from the front."
                raise NoFaceError(text, kind=Kind.TOO_FEW, subject="face")
            found = [_square(photo, photo.shape[1] / 2, photo.shape[0] / 2, min(photo.shape[:2]))]
        found = found[:most]
        if most is None and len(found) > MAX_FACES:
            text = f"{len(found)} faces were found, at most {MAX_FACES} are allowed. Crop the photo."
            raise UserError(text, kind=Kind.BAD_VALUE, subject="faces")
        aligns = [face[:, :3] for face in found]
        crops = np.stack([crop_aligned(photo, align, self.facts.resolution) for align in aligns])
        points = self.points(found)
        chosen = style if like is None else like.style
        anime = self.run(crops, "human2anime", seed, self.masks(photo, aligns), chosen, points["anime"])
        backs = self.run(anime, "anime2human", points=points["human"]) if back else [None] * len(aligns)
        if like is not None:
            anime = np.stack([like.recolour(picture) for picture in anime])
        kept = [None] * len(aligns) if points["anime"] is None else points["anime"]
        return [Face(*parts) for parts in zip(aligns, crops, anime, backs, kept, strict=True)]

    def in_style(self, photo: np.ndarray, faces: list[Face], style: str | None, seed: int = 0) -> list[Face]:
        """Translate the faces that `faces` returned again, in another style.

        Args:
            photo: The same photo, uint8 RGB [H, W, 3].
            faces: Its faces.
            style: Name of the style, one of `facts.styles`; None: that of the translator.
            seed: Random seed of the noise.

        Returns:
            The faces with new `anime` pictures, without `back`.

        Raises:
            UserError: The model has no such style.
        """
        crops, masks = np.stack([face.crop for face in faces]), self.masks(photo, [face.align for face in faces])
        known = [face.points for face in faces if face.points is not None]
        points = np.stack(known) if self.facts.landmarks else None
        anime = self.run(crops, "human2anime", seed, masks, style, points)
        return [replace(face, anime=picture, back=None) for face, picture in zip(faces, anime, strict=True)]

    def with_hair(self, faces: list[Face], hair: str) -> list[Face]:
        """Give the hair of translated faces another colour.

        Args:
            faces: The faces.
            hair: As for `hair_colour`, which raises the same errors.

        Returns:
            The faces with new `anime` pictures.
        """
        colour = self.hair_colour(hair)
        from .recolouring import Palette, recolour

        palette = Palette(hair=colour)
        return [replace(face, anime=recolour(face.anime, palette)) for face in faces]

    def hair_colour(self, hair: str) -> np.ndarray:
        """Return a colour for the hair of translations as L*a*b*, float32 [3].

        Args:
            hair: Name of a hair colour of `pipeline.drawing`, or a colour such as "#5472be".

        Raises:
            UserError: The colour is unknown, the model was trained on faces that are not aligned, or a package of
                animemorph[pipeline] is missing.
        """
        if not self.facts.aligned:
            raise conflict("hair", "needs a model that was trained on aligned faces", "Leave it out")
        # Translating needs neither the packages of the renderer nor torch.
        from ..drawing.colours import HAIR
        from ..drawing.options import validated
        from ..features.attributes_face import to_lab

        value = validated({"hair": hair})["hair"]
        colour = np.array(HAIR[value] if isinstance(value, str) else value)
        return to_lab(colour.reshape(1, 1, 3))[0, 0]

    def reference(self, drawing: Image.Image) -> "Reference":
        """Measure the drawing style and the colours of a drawing, for `like` of `translate` and `faces`.

        Args:
            drawing: Any PIL image that shows a drawn face.

        Raises:
            NoFaceError: No face was found in the drawing.
            UserError: The picture is damaged or too large, the model was trained on faces that are not aligned, or a
                package of animemorph[pipeline] is missing.
        """
        if not self.facts.aligned:
            raise conflict("like", "needs a model that was trained on aligned faces", "Leave it out")
        for package in ("torch", "efficientnet_lite_pytorch"):
            if importlib.util.find_spec(package) is None:
                problem = f"the package {package!r} is not installed"
                raise unavailable("a reference drawing", problem, "Install animemorph[pipeline]")
        from .reference import read_reference

        return read_reference(pil_to_rgb(drawing), self.facts.styles)

    def find(self, photo: np.ndarray, sides: tuple[int, ...] = SEARCH_SIDES) -> list[np.ndarray]:
        """Find the faces of a photo.

        Args:
            photo: uint8 RGB [H, W, 3].
            sides: Longer sides in px at which the photo is searched in turn, until faces are found.

        Returns:
            Alignments [2, 3] from pixels of the photo to the unit square, the largest face first. For a model with
            landmarks, the five points in the unit square follow as columns: [2, 8].
        """
        return self._aligns(photo, self._finder.find(photo, sides))

    def _aligns(self, photo: np.ndarray, detections: list[Detection]) -> list[np.ndarray]:
        aligns = []
        for detection in detections:
            align = None
            if self.facts.aligned:
                align = similarity(detection.keypoints, detection.schema, "human")
            elif is_face(detection.keypoints, detection.schema):
                x0, y0, x1, y1 = detection.box
                side = float(np.sqrt((x1 - x0) * (y1 - y0)))
                align = _square(photo, (x0 + x1) / 2, (y0 + y1) / 2, side / FACE_SHARE)
            if align is not None:
                align = np.asarray(align, dtype=np.float64).reshape(2, 3)
                if self.facts.landmarks:
                    points = five_points.of_face(detection.keypoints, detection.schema)
                    align = np.hstack([align, five_points.to_crop(points, align, 1).T])
                aligns.append(align)
        return aligns

    def points(self, found: list[np.ndarray]) -> dict[str, np.ndarray | None]:
        """Return the landmarks in pixels of the crops of found faces and of their translations, [n, 5, 2].

        Args:
            found: Faces of `find`.

        Returns:
            `human`, the landmarks of the photos, and `anime`, those of the translations; None for other models.
        """
        if not self.facts.landmarks:
            return {"human": None, "anime": None}
        size = self.facts.resolution
        human = np.stack([face[:, 3:].T for face in found]) * size
        return {"human": human, "anime": five_points.translated(human, "human", "anime", size)}

    def masks(self, photo: np.ndarray, aligns: list[np.ndarray]) -> np.ndarray:
        """Return which pixels of the crops lie inside a photo, uint8 RGB [H, W, 3]: bool [n, R, R]."""
        height, width = photo.shape[:2]
        return np.stack([inside_photo(align, self.facts.resolution, (height, width)) for align in aligns])

    def run(
        self,
        crops: np.ndarray,
        direction: Direction,
        seed: int = 0,
        masks: np.ndarray | None = None,
        style: str | None = None,
        points: np.ndarray | None = None,
    ) -> np.ndarray:
        """Translate crops.

        Args:
            crops: uint8 RGB [n, R, R, 3].
            direction: Direction of the translation.
            seed: Random seed of the noise of a noise model; the noise is the same for PyTorch and onnxruntime.
            masks: Masks of `masks()`; None: all pixels are part of the photo. A model without masks ignores them.
            style: Name of the style, one of `facts.styles`; None: that of the translator.
            points: Landmarks of the outputs, [n, 5, 2], from `points()`; only a model with landmarks uses them.

        Returns:
            uint8 RGB [n, R, R, 3].

        Raises:
            UserError: The outputs are not finite, or landmarks are missing.
        """
        if direction not in self.facts.directions:
            raise one_way(self.facts.model)
        number = self._style if style is None else self.facts.style_number(style)
        images = np.ascontiguousarray(crops.transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(127.5) - np.float32(1)
        if direction == "human2anime" and self.facts.noise_std > 0:
            noise = np.random.default_rng(seed).standard_normal(images.shape[1:], dtype=np.float32)
            images += noise * np.float32(self.facts.noise_std)
        if self.facts.masked:
            inside = np.ones(crops.shape[:3], dtype=bool) if masks is None else masks
            images = np.concatenate([images, inside[:, None].astype(np.float32)], axis=1)
        if self.facts.landmarks:
            if points is None:
                raise bad_value("points", None, "the landmarks of the outputs, which this model needs")
            images = np.concatenate([images, draw_heatmaps(points, self.facts.resolution)], axis=1)
        batches = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
        translated = np.concatenate([self._generators.run(batch, direction, number) for batch in batches])
        if not np.isfinite(translated).all():
            raise damaged_file("model", "its outputs are not finite", "Train or export the model again")
        result = np.clip(np.round((translated + 1) * 127.5), 0, 255).astype(np.uint8)
        return np.ascontiguousarray(result.transpose(0, 2, 3, 1))


def _turned(face: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Map a face [2, 3 + k] of a rotated photo back to the photo; `turn` [3, 3] maps the photo to the rotated one."""
    return np.hstack([face[:, :3] @ turn, face[:, 3:]])


def _square(photo: np.ndarray, x: float, y: float, side: float) -> np.ndarray:
    """Return the alignment of an upright square around (x, y), moved and shrunk to fit into the photo."""
    height, width = photo.shape[:2]
    side = min(side, width, height)
    left = min(max(x - side / 2, 0.0), width - side)
    top = min(max(y - side / 2, 0.0), height - side)
    return np.array([[1 / side, 0, -left / side], [0, 1 / side, -top / side]])
