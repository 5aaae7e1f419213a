"""Description of a model for inference, the same for training folders and bundles."""

from typing import Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from ..errors import bad_value
from ..landmarks.detectors.base import TABLES

Direction = Literal["human2anime", "anime2human"]


class DetectorNames(TypedDict):
    """Name of the landmark detector of each domain."""

    human: str
    anime: str


class ModelInfo(BaseModel):
    """The keys of `model.json` that inference needs."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model: str = Field(max_length=64)
    generator: str = Field("resnet", max_length=64)
    styles: tuple[str, ...] = Field((), max_length=256, description="names of the styles of human2anime")
    resolution: int = Field(ge=16, le=1024, description="px, side of the training images")
    noise_std: float = Field(0.0, ge=0, le=1, description="of the noise on the human input, in [-1, 1]")
    aligned: bool = Field(description="faces are rotated and scaled by their landmarks")
    detectors: DetectorNames = Field(description="detectors of the training data")
    face_detectors: dict[str, str | None] = Field(
        {}, description="face detection networks of detectors that have several"
    )

    @property
    def photo_detector(self) -> tuple[str, str | None]:
        """Detector and its face detector for photos. Annotations such as those of CelebA exist only in datasets."""
        if self.detectors["human"] in TABLES:
            return "dlib", None
        return self.detectors["human"], self.face_detectors.get("human")

    @property
    def masked(self) -> bool:
        """Whether the mask of the photo's pixels is the fourth input channel."""
        return self.model == "pix2pix" or (self.generator == "styled_unet" and self.model != "dcgan")

    @property
    def landmarks(self) -> int:
        """Number of landmark heatmaps in the input, after image and mask."""
        return 5 if self.model == "landmark_cyclegan" else 0

    @property
    def channels(self) -> int:
        """Number of channels of the networks' input."""
        return 3 + self.masked + self.landmarks

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Directions that the model translates in; cut has only the first."""
        return ("human2anime",) if self.model == "cut" else ("human2anime", "anime2human")

    def styled(self, direction: Direction) -> bool:
        """Whether the network of a direction has an input for the style."""
        return direction == "human2anime" and len(self.styles) > 1

    def style_number(self, name: str | None) -> int:
        """Return the number of a style; None: the first.

        Raises:
            UserError: The model has no such style.
        """
        if name is None:
            return 0
        if name not in self.styles:
            expected = (
                f"one of {', '.join(self.styles)}" if self.styles else "left out, because the model has no styles"
            )
            raise bad_value("style", name, expected)
        return self.styles.index(name)
