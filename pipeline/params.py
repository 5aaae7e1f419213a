"""`params.yaml` as typed groups, one per stage: what a key means, its unit and its range.

A group is what stands under the stage's name at the top level, joined with what `profiles.<profile>` adds to it. A
value at the top level goes before the profile's, so that `-S train.lr=1e-4` always means what it says; null leaves it
to the profile. What differs by domain (`PROFILE_ONLY`) stands in the profile alone.
"""

import difflib
import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from .errors import UserError

#: Groups that dvc.yaml names under the profile only: at the top level they would have effect without DVC noticing.
PROFILE_ONLY = ("download", "filter", "balance")

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Domain = Literal["human", "anime", "external"]
Engine = Literal["local", "ray"]


class Group(BaseModel):
    """A group of params: unknown keys are refused, values cannot change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PerDomain[T](Group):
    """The same group for each of the three domains."""

    human: T
    anime: T
    external: T

    def __getitem__(self, domain: str) -> T:
        if domain not in ("human", "anime", "external"):
            raise UserError(f"{domain or 'nothing'} is no domain: name one of human, anime, external.")
        return getattr(self, domain)


class Source(Group):
    """Where the faces of one domain come from."""

    source: Literal["demo", "archive", "kaggle", "celeba"]
    path: str | None = Field(
        None, description="archive: a zip, a tar or a folder; celeba: the folder with the originals"
    )
    dataset: str | None = Field(None, description="kaggle: owner/name/versions/N; the version is pinned")
    labels: str | None = Field(None, description="archive: a CSV with a file column and label columns")
    count: Count | None = Field(None, description="demo: how many faces to make")

    @model_validator(mode="after")
    def _read(self) -> Self:
        if self.path is not None and self.source not in ("archive", "celeba"):
            raise ValueError(f"path is {self.path}, but source {self.source} reads no path: set source to archive")
        if self.labels is not None and self.source != "archive":
            raise ValueError(f"labels is {self.labels}, but source {self.source} reads no labels: set it to null")
        return self


class Resize(Group):
    """From bytes to pixels."""

    size: int = Field(128, ge=16, le=1024, description="px, side of the stored square")
    fit: Literal["crop", "pad", "stretch"] = Field("crop", description="how a picture that is not square becomes one")
    max_pixels: int = Field(100_000_000, ge=1, description="a larger picture is rejected as a decompression bomb")
    candidates: PerDomain[Count | None] = Field(
        description="decode at most so many, as many women as men where the source tells; null: all"
    )
    engine: Engine = Field("local", description="this machine's cores, or an existing Ray cluster; same bytes")


class DomainLandmarks(Group):
    """How the faces of one domain are found."""

    detector: Literal["dlib", "animeface", "anime_face_detector", "openmmlab", "face_alignment", "celeba"]
    face_detector: str | None = Field(
        None, description="yolov3 | faster-rcnn (anime); sfd | retinaface | yunet | scrfd | blazeface (face_alignment)"
    )
    weights: str | None = Field(None, description="folder with the weights, where they are not to be fetched")
    batch: Count = Field(16, description="images a call")


class Landmarks(PerDomain[DomainLandmarks]):
    """Detection of faces and their keypoints."""

    align: bool = Field(False, description="turn and scale faces to common eye and mouth positions when they are read")
    engine: Engine = "local"


class DomainFilter(Group):
    """What a face of one domain must have to be kept."""

    years: tuple[int, int] | None = Field(None, description="first and last year kept; null: any")
    keep_unknown_year: bool = Field(True, description="keep a face whose file name tells no year")
    min_score: Share = Field(0.0, description="of the detector's confidence")
    min_feature_score: Share = Field(0.0, description="of the keypoints' mean confidence")
    max_yaw: float = Field(90.0, ge=0, le=90, description="degrees; a larger |yaw| is a side profile")
    min_size: float = Field(0.0, ge=0, description="px, shorter side of the face's box in the stored picture")
    min_sharpness: float = Field(0.0, ge=0, description="variance of the Laplacian inside the box")
    duplicate_radius: int | None = Field(
        None, ge=0, le=64, description="Hamming distance of 64-bit hashes; null: equal files alone"
    )

    @field_validator("years")
    @classmethod
    def _in_order(cls, years: tuple[int, int] | None) -> tuple[int, int] | None:
        if years and years[0] > years[1]:
            raise ValueError("should be the first year, then the last")
        return years


class Filter(PerDomain[DomainFilter]):
    """A verdict for each face."""


class GenderCounts(Group):
    """So many women, so many men."""

    female: int = Field(ge=0)
    male: int = Field(ge=0)


A_COUNT_PER_GENDER, A_COUNT = "a count per gender", "a count"


def _kind(wanted: object) -> str:
    return A_COUNT_PER_GENDER if isinstance(wanted, dict | GenderCounts) else A_COUNT


#: A union that knows which of its members was meant, so that a wrong value is explained by that member alone.
Wanted = Annotated[
    Annotated[GenderCounts, Tag(A_COUNT_PER_GENDER)] | Annotated[Count | None, Tag(A_COUNT)], Discriminator(_kind)
]


class Balance(PerDomain[Wanted]):
    """How many faces of each kind go on: a count per gender, a plain count, or null for all."""

    labels: Literal["source", "estimated"] = Field(
        "source", description="gender from the source, or estimated where missing"
    )
    on_shortage: Literal["error", "shrink"] = "error"


class Split(Group):
    """Training, validation and test faces."""

    ratios: tuple[Share, Share, Share] = Field((0.7, 0.15, 0.15), description="train, val, test; they add up to 1")

    @field_validator("ratios")
    @classmethod
    def _whole(cls, ratios: tuple[float, float, float]) -> tuple[float, float, float]:
        if abs(sum(ratios) - 1) > 1e-9:
            raise ValueError(f"should add up to 1, not to {sum(ratios):g}")
        return ratios


class Train(Group):
    """One training run."""

    model: Literal["dcgan", "cyclegan", "landmark_cyclegan"] = "cyclegan"
    init: Literal["scratch", "pretrained"] = Field(
        "scratch", description="generators; pretrained: those of the model that ships along"
    )
    noise: bool = Field(False, description="Gaussian noise on the human input of human2anime")
    noise_std: float = Field(0.1, ge=0, le=1, description="of pixel values in [-1, 1]")
    lr: Positive = Field(2e-4, description="of Adam, both players")
    lambda_cycle: float = Field(10.0, ge=0)
    lambda_identity: float = Field(0.5, ge=0, description="times lambda_cycle")
    pool: int = Field(50, ge=0, description="images; 0: no image pool")
    resolution: int = Field(128, ge=32, le=512, description="px; a multiple of 4")
    generator: Literal["resnet", "unet"] = Field(
        "resnet", description="of both CycleGANs; resnet: the study's; unet: a fifth of its operations"
    )
    width: Count = Field(64, description="channels of the generator's first layer")
    blocks: Count = Field(6, description="residual blocks")
    upsample: Literal["transposed", "resize"] = Field(
        "resize", description="transposed convolutions show checkerboards"
    )
    activation: Literal["relu", "leaky_relu"] = Field("relu", description="of the generators")
    discriminator: Literal["patch", "scalar", "spectral", "projected"] = Field(
        "patch",
        description="of both CycleGANs; patch: the study's; scalar: one score an image; spectral: patch with "
        "spectral norm; projected: spectral, and heads on what a network trained on ImageNet sees: for little time",
    )
    discriminator_width: Count = Field(64, description="channels of the discriminator's first layer")
    batch: Count = Field(1, description="faces a step of each domain, on each device")
    epochs: Count = Field(100, description="the learning rate falls linearly to 0 over the second half")
    ema: float = Field(0.0, ge=0, lt=1, description="decay a step of the generators' moving average; 0: none")
    augment: bool = Field(False, description="move all a discriminator sees a little: for small data")
    precision: Literal["32", "bf16-mixed", "16-mixed"] = Field("32", description="of activations; weights stay 32 bit")
    compile: bool = Field(False, description="torch.compile: pays on a GPU, costs minutes of warm-up")
    select: Literal["best", "last"] | Count = Field(
        "best", description="which epoch is the result; best: smallest validation distances without collapse"
    )
    on_collapse: Literal["warn", "stop", "rollback"] = Field("warn", description="what an epoch of copies leads to")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.resolution % 4:
            raise ValueError(f"resolution is {self.resolution}, not a multiple of 4")
        if self.generator == "unet" and self.resolution % 8:
            raise ValueError(f"resolution is {self.resolution}, but generator unet needs a multiple of 8")
        if self.model == "dcgan" and self.resolution & (self.resolution - 1):
            raise ValueError(f"resolution is {self.resolution}, but dcgan needs a power of 2")
        if isinstance(self.select, int) and self.select > self.epochs:
            raise ValueError(f"select is {self.select}, but there are only {self.epochs} epochs")
        return self


class Evaluate(Group):
    """What is measured on the test split."""

    tolerance: Share = Field(0.1, description="reconstruction accuracy: largest error, as a share of the value range")
    extractor: Literal["embedded", "inception"] = Field("embedded", description="inception needs its weights: FID, KID")
    weights: str | None = Field(None, description="file or folder with Inception's weights; null: fetched")
    bootstrap: int = Field(200, ge=0, description="resamples of the 95 % intervals; 0: none")


class Report(Group):
    """What the report shows."""

    samples: Count = Field(8, description="faces per direction in the sample sheets")


class Params(Group):
    """All of `params.yaml` for the chosen profile."""

    profile: str
    seed: int = Field(ge=0)
    download: PerDomain[Source]
    resize: Resize
    landmarks: Landmarks
    filter: Filter
    balance: Balance
    split: Split
    train: Train
    evaluate: Evaluate
    report: Report


def load(path: Path = Path("params.yaml")) -> Params:
    """Read `params.yaml`; UserError names the first key that is unknown, missing, mistyped or out of range."""
    try:
        content = YAML(typ="safe").load(path)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run this from the top folder of the project.") from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        problem = " ".join(str(getattr(error, "problem", None) or "it is not UTF-8 text").split())
        raise UserError(f"{path} is not valid YAML{where}: {problem}.") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no params: restore it with `git checkout {path}`.")
    profiles = content.pop("profiles", None)
    profile = content.get("profile")
    if not isinstance(profiles, dict) or not isinstance(profile, str) or not isinstance(profiles.get(profile), dict):
        known = ", ".join(profiles) if isinstance(profiles, dict) else "none"
        raise UserError(f"{path}: profile is {profile!r}, which `profiles` does not hold (it holds {known}).")
    if misplaced := [name for name in PROFILE_ONLY if name in content]:
        raise UserError(
            f"{path}: {misplaced[0]} stands at the top level, where DVC does not look for it: put it under "
            f"profiles.{profile}."
        )
    try:
        return Params.model_validate(_join(content, profiles[profile]))
    except ValidationError as error:
        raise UserError(f"{path}: {_sentence(error, profile)}") from None


def _join(shared: dict[str, Any], profile: dict[str, Any]) -> dict[str, Any]:
    joined = dict(shared)
    for part, value in profile.items():
        if isinstance(value, dict) and isinstance(joined.get(part), dict):
            joined[part] = _join(joined[part], value)
        elif joined.get(part) is None:
            joined[part] = value
    return joined


def _sentence(error: ValidationError, profile: str) -> str:
    first = error.errors()[0]
    location = [part for part in first["loc"] if part not in (A_COUNT, A_COUNT_PER_GENDER)]
    # "split.ratios.2" is a place in a list, not a key.
    key = ".".join(str(part) for part in location if not isinstance(part, int))
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(location[-1]), _known_keys(first["loc"][:-1]), n=1, cutoff=0.5)
        return f"{key} is not a known key" + (f": did you mean {near[0]}?" if near else ": take it out.")
    if first["type"] == "missing" and isinstance(location[-1], str):
        where = "" if location[0] in PROFILE_ONLY else "at the top level or "
        return f"{key} is missing: add it {where}under profiles.{profile}."
    value = json.dumps(first["input"], default=str, ensure_ascii=False)
    value = value if len(value) <= 60 else value[:59] + "…"
    if first["type"] == "missing":
        return f"{key} is {value}, which has too few items."
    if first["type"] == "too_long":
        return f"{key} is {value}, which has more than {first['ctx']['max_length']} items."
    if first["type"] == "model_type":
        return f"{key} is {value}, which should be a group of keys."
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if isinstance(first["input"], dict):
        # A check of a whole group: its message begins with the key that it is about.
        return f"{key}.{message}."
    return f"{key} {'holds' if isinstance(location[-1], int) else 'is'} {value}, which {message}."


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    model: Any = Params
    for part in location:
        field = getattr(model, "model_fields", {}).get(part)
        model = GenderCounts if part == A_COUNT_PER_GENDER else field.annotation if field else None
    return list(getattr(model, "model_fields", ()))
