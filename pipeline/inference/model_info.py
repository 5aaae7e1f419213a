"""What inference knows of a model, wherever the model comes from."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Direction = Literal["human2anime", "anime2human"]


class Facts(BaseModel):
    """What inference reads of `model.json`; the file holds more."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model: str = Field(max_length=64)
    resolution: int = Field(ge=16, le=1024, description="px, side of the square that the networks were trained on")
    noise_std: float = Field(0.0, ge=0, le=1, description="of the noise on the human input, pixels in [-1, 1]")
    aligned: bool = Field(description="faces were turned and scaled to common eye and mouth positions")
    detectors: dict[str, str] = Field(description="name of the detector for the domains human and anime")
