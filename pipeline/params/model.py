"""Params of the stages that use the dataset: train, evaluate, report."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from ..errors import bad_value
from .base import Count, CountOrAll, Group, Positive, Share, Text, Weight
from .errors import Only

CYCLEGANS = ("cyclegan", "landmark_cyclegan")
UNPAIRED = ("dcgan", *CYCLEGANS, "cut")
#: Models for which `generator` and `discriminator` select the networks.
CHOOSING = (*CYCLEGANS, "cut")
LANDMARKED = ("landmark_cyclegan",)


class Twins(Group):
    """Drawings of each photo, for models that are trained on pairs."""

    styles: Count | tuple[str, ...] = Field(4, description="Number or names of the drawing styles.")
    per_face: CountOrAll = Field(
        None, description="Number of styles per photo, used in turn, >= 1. null or all: all styles."
    )

    @property
    def style_count(self) -> int:
        """Number of styles."""
        return self.styles if isinstance(self.styles, int) else len(self.styles)


class Train(Group):
    """One training run."""

    model: Literal["dcgan", "cyclegan", "landmark_cyclegan", "cut", "pix2pix"] = Field(
        "cyclegan",
        description="Model. dcgan: only adversarial losses; cyclegan: with cycle consistency; landmark_cyclegan: with "
        "landmarks of the face; cut: contrastive loss of patches, photo to anime only; pix2pix: pairs of a photo and "
        "its drawing.",
    )
    init: str = Field(
        "scratch",
        min_length=1,
        description="Initial generator weights. scratch: random; pretrained: the model in pipeline/pretrained; "
        "otherwise the folder of a trained model, such as a copy of data/train.",
    )
    noise: bool = Field(False, description="Gaussian noise on the human input of human2anime.")
    noise_std: Annotated[float, Only("noise", (True,))] = Field(
        0.1, ge=0, le=1, description="Standard deviation of the noise, for pixel values in [-1, 1]; 0 to 1."
    )
    lr: Positive = Field(2e-4, description="Learning rate of Adam for generators and discriminators, > 0.")
    lambda_cycle: Annotated[float, Only("model", CYCLEGANS)] = Field(
        10.0, ge=0, description="Weight of the cycle-consistency loss, >= 0."
    )
    lambda_identity: Annotated[float, Only("model", CYCLEGANS)] = Field(
        0.5, ge=0, description="Weight of the identity loss as a multiple of `lambda_cycle`, >= 0."
    )
    lambda_nce: Annotated[float, Only("model", ("cut",))] = Field(
        1.0, ge=0, description="Weight of the contrastive loss of patches (PatchNCE), >= 0."
    )
    lambda_nce_identity: Annotated[float, Only("model", ("cut",))] = Field(
        1.0, ge=0, description="Weight of PatchNCE on anime faces and their translations, >= 0; 0: not used."
    )
    lambda_twin: Annotated[tuple[Weight, Weight], Only("model", CHOOSING)] = Field(
        (0.0, 0.0),
        description="Weights of the twin loss in the first and last epoch, linear in between, >= 0. [0, 0]: not used.",
    )
    lambda_landmark: Annotated[float, Only("model", LANDMARKED)] = Field(
        10.0, ge=0, description="Weight of the landmark consistency loss, >= 0."
    )
    local_start: Annotated[float, Only("model", LANDMARKED)] = Field(
        0.5,
        ge=0,
        description="First epoch with the discriminators of eyes, nose and mouth: its number, >= 1, or the share of "
        "the epochs before it, < 1.",
    )
    regressor_steps: Annotated[Count, Only("model", LANDMARKED)] = Field(
        1000, description="Training steps of the landmark regressors before the epochs start, >= 1."
    )
    image_pool_size: Annotated[int, Only("model", UNPAIRED)] = Field(
        50, ge=0, description="Size of the image pool in images, >= 0; 0: no pool."
    )
    resolution: int = Field(128, ge=32, le=512, description="Side of training images in pixels, a multiple of 4.")
    generator: Annotated[Literal["resnet", "unet", "styled_unet"], Only("model", CHOOSING)] = Field(
        "resnet",
        description="Generator. resnet: that of CycleGAN; unet: a fifth of its operations; styled_unet: as for "
        "pix2pix, with group normalisation, which preserves colours.",
    )
    generator_width: Count = Field(
        64, description="Channels of the first generator layer, >= 1; `ngf` in the CycleGAN code."
    )
    residual_blocks: Annotated[Count, Only("model", CHOOSING)] = Field(
        6, description="Residual blocks per generator, >= 1."
    )
    generator_upsample: Annotated[
        Literal["transposed", "resize"], Only("model", CHOOSING), Only("generator", ("resnet",))
    ] = Field(
        "resize",
        description="Upsampling layers: transposed convolutions (checkerboard artefacts), or resize and convolution.",
    )
    activation: Annotated[Literal["relu", "leaky_relu"], Only("model", UNPAIRED)] = Field(
        "relu", description="Activation function of the generators."
    )
    discriminator: Annotated[Literal["patch", "scalar", "spectral", "projected"], Only("model", CHOOSING)] = Field(
        "patch",
        description="Discriminator. patch: 70x70 PatchGAN; scalar: one score per image; spectral: PatchGAN with "
        "spectral norm; projected: spectral, plus heads on frozen ImageNet features (Projected GAN).",
    )
    discriminator_width: Count = Field(
        64, description="Channels of the first discriminator layer, >= 1; `ndf` in the CycleGAN code."
    )
    batch_size: Count = Field(1, description="Batch size per domain and device, >= 1.")
    epochs: Count = Field(
        100, description="Number of epochs, >= 1. The learning rate decreases linearly to 0 over the second half."
    )
    ema_decay: float = Field(
        0.0, ge=0, lt=1, description="EMA decay of the generator weights per step, 0 to 1; 0: no EMA."
    )
    discriminator_augment: Annotated[bool, Only("model", UNPAIRED)] = Field(
        False, description="Random translation of discriminator inputs (DiffAugment), for small datasets."
    )
    precision: Literal["32", "bf16-mixed", "16-mixed"] = Field(
        "32", description="Precision of activations; weights are float32."
    )
    compile: bool = Field(False, description="Use of torch.compile: faster on a GPU after minutes of warm-up.")
    checkpoint_selection: Literal["best", "last"] | Count = Field(
        "best",
        description="Epoch of the final model: the one with the smallest validation distances and no mode collapse "
        "(best), the last one, or a number.",
    )
    on_collapse: Literal["warn", "stop", "rollback"] = Field(
        "warn", description="Action if an epoch shows mode collapse; rollback: return to the last good epoch."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.resolution % 4:
            raise bad_value("train.resolution", self.resolution, "a multiple of 4")
        if self.generator == "unet" and self.model in CHOOSING and self.resolution % 8:
            raise bad_value("train.resolution", self.resolution, "a multiple of 8 for generator unet")
        if self.styled and self.resolution % 16:
            raise bad_value("train.resolution", self.resolution, "a multiple of 16 for the styled U-Net")
        if self.styled and self.generator_width % 8:
            raise bad_value("train.generator_width", self.generator_width, "a multiple of 8 for the styled U-Net")
        if self.model == "dcgan" and self.resolution & (self.resolution - 1):
            raise bad_value("train.resolution", self.resolution, "a power of 2 for model dcgan")
        if self.local_start >= 1 and self.local_start not in range(1, self.epochs + 1):
            raise bad_value("train.local_start", self.local_start, f"a share < 1 or an epoch <= {self.epochs}")
        if isinstance(self.checkpoint_selection, int) and self.checkpoint_selection > self.epochs:
            raise bad_value("train.checkpoint_selection", self.checkpoint_selection, f"<= train.epochs ({self.epochs})")
        return self

    @property
    def needs_twins(self) -> bool:
        """Whether the model is trained with drawn twins."""
        return self.model == "pix2pix" or (self.model in CHOOSING and max(self.lambda_twin) > 0)

    @property
    def styled(self) -> bool:
        """Whether the generators are styled U-Nets, which draw in several styles."""
        return self.model == "pix2pix" or (self.generator == "styled_unet" and self.model in CHOOSING)


class Evaluate(Group):
    """Metrics on the test split."""

    reconstruction_tolerance: Share = Field(
        0.1, description="Maximum error of a reconstructed pixel value, as a share of the value range, 0 to 1."
    )
    extractor: Literal["embedded", "inception"] = Field(
        "embedded",
        description="Feature network of the distances. embedded: EfficientNet (fd, kd); inception: fid, kid.",
    )
    inception_weights: Annotated[Text, Only("extractor", ("inception",))] = Field(
        None, description="File or folder of the Inception weights. null or none: downloaded weights."
    )
    bootstrap_resamples: int = Field(
        200, ge=0, description="Number of bootstrap resamples per confidence interval, >= 2; 0: no intervals."
    )

    @field_validator("bootstrap_resamples")
    @classmethod
    def _enough(cls, bootstrap: int) -> int:
        if bootstrap == 1:
            raise ValueError("0 or >= 2")
        return bootstrap


class Report(Group):
    """Contents of the report."""

    samples_per_direction: Count = Field(8, description="Faces per direction in the sample sheets, >= 1.")
