"""Params of the stages that make the dataset: download, resize, landmarks, filter, balance, split."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from .base import Count, CountOrAll, Executor, Group, PerDomain, Share, Text, null_word
from .errors import A_COUNT, A_COUNT_PER_GENDER, Only

#: Folder for the user's own images of a domain; Git tracks the folder, not the images.
OWN = "data/own/{domain}"
#: Attribute -> {value: share}, or a probability.
Shares = dict[str, float | dict[str, float]]


class Source(Group):
    """Origin of the images of one domain."""

    source: Literal["demo", "drawn", "archive", "kaggle", "celeba"] = Field(
        description="Source of the images. demo: generated people; drawn: drawn anime portraits; archive: your own "
        "images; kaggle: a Kaggle dataset; celeba: the original CelebA files."
    )
    path: Annotated[str, Only("source", ("archive", "celeba"))] = Field(
        description="Zip, tar or folder of your own images, or the folder of the CelebA files. Top level only."
    )
    dataset: Annotated[Text, Only("source", ("kaggle",))] = Field(
        None, description="Kaggle dataset with its version: owner/name/versions/N. null or none: no dataset."
    )
    labels_csv: Annotated[Text, Only("source", ("archive",))] = Field(
        None,
        description="CSV with a file column and label columns, in `path` or in `data/own/<domain>`. null or none: the "
        "file labels.csv in the archive, if there is one.",
    )
    num_images: Annotated[Count, Only("source", ("demo", "drawn"))] = Field(
        400, description="Number of generated images, >= 1."
    )
    distribution: Annotated[Shares | None, null_word("default"), Only("source", ("drawn",))] = Field(
        None,
        description="Shares of the attributes of drawn faces: attribute to {value: share}, or a probability. null or "
        "default: the shares of the renderer.",
    )


class Resize(Group):
    """Decoding of the images to pixels of one size."""

    size: int = Field(128, ge=16, le=1024, description="Side of the stored square in pixels, 16 to 1024.")
    fit: Literal["crop", "pad", "stretch"] = Field(
        "crop", description="Method that makes an image square: crop the centre, pad the short side, or stretch."
    )
    max_pixels: int = Field(
        100_000_000,
        ge=1,
        le=178_956_970,
        description="Maximum size of an image that is decoded, in pixels, 1 to 178956970 (the limit of Pillow).",
    )
    max_images: PerDomain[CountOrAll] = Field(
        description="Maximum number of images to decode per domain, >= 1; as many women as men if the source has "
        "labels. null or all: all images."
    )
    executor: Executor = Field(
        "local", description="Executor: the cores of this machine (local) or a Ray cluster (ray), with equal results."
    )


NETWORK_DETECTORS = ("anime_face_detector", "openmmlab", "face_alignment")
DetectorName = Literal["dlib", "animeface", "anime_face_detector", "openmmlab", "face_alignment", "celeba", "truth"]


class DomainLandmarks(Group):
    """Detection of the faces of one domain."""

    detector: DetectorName = Field(
        description="Face and keypoint detector. dlib, face_alignment, celeba: photos; truth: drawn faces with "
        "their exact landmarks; the others: anime."
    )
    face_detector: Annotated[Text, Only("detector", NETWORK_DETECTORS)] = Field(
        None,
        description="Network for the boxes. anime_face_detector, openmmlab: yolov3, faster-rcnn; face_alignment: "
        "sfd, retinaface, yunet, scrfd, blazeface. null or none: the first of these.",
    )
    weights: Annotated[Text, Only("detector", ("dlib", *NETWORK_DETECTORS))] = Field(
        None, description="Folder with the weight files. null or none: the packaged or downloaded weights."
    )
    batch_size: Annotated[Count, Only("detector", NETWORK_DETECTORS)] = Field(
        16, description="Batch size of the detector in images, >= 1."
    )


class Landmarks(PerDomain[DomainLandmarks]):
    """Detection of faces and their keypoints."""

    align: bool = Field(
        False, description="Whether faces are aligned to common eye and mouth positions when their pixels are read."
    )
    executor: Executor = Field("local", description="Executor, as for `resize`.")


class DomainFilter(Group):
    """Conditions for keeping a face of one domain."""

    years: Annotated[tuple[int, int] | None, null_word("any")] = Field(
        None, description="First and last year to keep, from the file name. null or any: all years."
    )
    keep_unknown_year: bool = Field(True, description="Whether to keep faces without a year in the file name.")
    min_score: Share = Field(0.0, description="Minimum confidence of the detector, 0 to 1.")
    min_keypoint_score: Share = Field(0.0, description="Minimum mean confidence of the keypoints, 0 to 1.")
    max_yaw: float = Field(90.0, ge=0, le=90, description="Maximum absolute yaw angle in degrees, 0 to 90.")
    min_size: float = Field(
        0.0, ge=0, description="Minimum shorter side of the face box in pixels of the stored image, >= 0."
    )
    min_sharpness: float = Field(
        0.0, ge=0, description="Minimum variance of the Laplacian in the face box (sharpness), >= 0."
    )
    max_phash_distance: Annotated[Annotated[int, Field(ge=0, le=64)] | None, null_word("exact")] = Field(
        None,
        description="Maximum Hamming distance between the 64-bit perceptual hashes of duplicates, 0 to 64. null or "
        "exact: only files with equal bytes are duplicates.",
    )

    @field_validator("years")
    @classmethod
    def _in_order(cls, years: tuple[int, int] | None) -> tuple[int, int] | None:
        if years and years[0] > years[1]:
            raise ValueError("the first year and a later or equal last year")
        return years

    def without_effect(self) -> Iterator[tuple[str, str]]:
        """Yield each key that has no effect here: a year is used only if `years` are set."""
        yield from super().without_effect()
        if self.years is None:
            yield "keep_unknown_year", "years: any"


class Filter(PerDomain[DomainFilter]):
    """Conditions for keeping a face."""


class GenderCounts(Group):
    """Numbers of women and men."""

    female: int = Field(ge=0, description="Number of women, >= 0.")
    male: int = Field(ge=0, description="Number of men, >= 0.")


def _kind(value: object) -> str:
    return A_COUNT_PER_GENDER if isinstance(value, dict | GenderCounts) else A_COUNT


#: The tags of the union name its members in errors.
FaceCount = Annotated[
    Annotated[GenderCounts, Tag(A_COUNT_PER_GENDER)] | Annotated[CountOrAll, Tag(A_COUNT)], Discriminator(_kind)
]


class Balance(PerDomain[FaceCount]):
    """Number of faces per domain: a count, a count per gender, or all faces (null or all)."""

    gender_source: Literal["source", "estimated"] = Field(
        "source", description="Gender labels. source: only those of the source; estimated: missing ones are estimated."
    )
    on_shortage: Literal["error", "shrink"] = Field(
        "error", description="Action if a domain has fewer faces: stop with an error, or take fewer of each gender."
    )

    def without_effect(self) -> Iterator[tuple[str, str]]:
        """Yield each key that has no effect here: there is no shortage if all faces are used."""
        if all(self[domain] is None for domain in PerDomain.model_fields):
            yield "on_shortage", "human, anime, external_test: all"


class Split(Group):
    """Training, validation and test faces."""

    ratios: tuple[Share, Share, Share] = Field(
        (0.7, 0.15, 0.15), description="Shares of the training, validation and test split; their sum is 1."
    )

    @field_validator("ratios")
    @classmethod
    def _whole(cls, ratios: tuple[float, float, float]) -> tuple[float, float, float]:
        if abs(sum(ratios) - 1) > 1e-9:
            raise ValueError("three shares with the sum 1")
        return ratios
