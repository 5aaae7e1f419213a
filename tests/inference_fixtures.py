"""A tiny model with random weights, as a training folder and as a bundle, and photos of people who do not exist."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.inference import Translator
from pipeline.inference.export import export
from pipeline.inference.web.app import STATIC
from pipeline.networks.model import ModelConfig, build_model, save_model

EXAMPLES = sorted((STATIC / "examples").glob("*.jpg"))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "train"
    torch.manual_seed(0)
    save_model(
        build_model(
            ModelConfig(resolution=32, generator_width=4, residual_blocks=1, noise_std=0.1, discriminator_width=4)
        ),
        folder,
    )
    return folder


@pytest.fixture(scope="session")
def tiny_bundle(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "tiny.zip"
    export(tiny_model, path)
    return path


@pytest.fixture(scope="session")
def landmark_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training folder of a tiny landmark_cyclegan whose outputs depend much on its heatmaps."""
    folder = tmp_path_factory.mktemp("landmarks") / "train"
    torch.manual_seed(1)
    size = {"resolution": 32, "generator_width": 4, "residual_blocks": 1, "discriminator_width": 4}
    save_model(build_model(ModelConfig(model="landmark_cyclegan", **size)), folder)
    return folder


@pytest.fixture(scope="session")
def one_way_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of cut, which has one generator, as a bundle."""
    folder = tmp_path_factory.mktemp("cut")
    torch.manual_seed(0)
    small = {"generator": "unet", "generator_width": 4, "residual_blocks": 1, "discriminator_width": 4}
    save_model(build_model(ModelConfig(model="cut", resolution=32, **small)), folder / "train")
    assert list(export(folder / "train", folder / "cut.zip")) == ["human2anime"]
    return folder / "cut.zip"


@pytest.fixture(scope="session")
def translator(tiny_bundle: Path) -> Translator:
    return Translator(tiny_bundle)


@pytest.fixture(scope="session")
def portrait() -> Path:
    return EXAMPLES[0]


@pytest.fixture(scope="session")
def group() -> np.ndarray:
    """Four faces side by side, uint8 RGB [256, 1024, 3]."""
    return np.hstack([np.asarray(Image.open(path)) for path in EXAMPLES])


@pytest.fixture
def hostile(tmp_path: Path, portrait: Path) -> Callable[[], Path]:
    """Return a function that fills a folder with files that are no photo of a face, or hardly."""

    def write() -> Path:
        import io
        import zipfile

        folder = tmp_path / "hostile"
        folder.mkdir()
        image = Image.open(portrait)
        whole = portrait.read_bytes()
        (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
        (folder / "empty.jpg").write_bytes(b"")
        (folder / "script.svg.png").write_text(
            "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
        )
        with zipfile.ZipFile(folder / "zip.png", "w") as archive:
            archive.writestr("../../evil.png", whole)
        Image.new("RGB", (1, 1), "red").save(folder / "one_pixel.png")
        Image.new("L", (20_000, 20_000), 128).save(folder / "bomb.png", compress_level=1)
        tile = np.asarray(image.resize((64, 64)))
        Image.fromarray(np.tile(tile, (63, 64, 1))).save(folder / "collage.jpg")  # 4,032 faces of 64 px
        frames = [Image.new("RGB", (300, 300), color) for color in ("red", "green")]
        frames[0].save(folder / "animated.gif", save_all=True, append_images=frames[1:])
        noise = np.random.default_rng(0).integers(0, 2**16, (200, 200), dtype=np.uint16)
        Image.fromarray(noise).save(folder / "deep_noise.png")
        buffer = io.BytesIO()
        image.convert("CMYK").save(buffer, "JPEG")
        (folder / "cmyk.jpg").write_bytes(buffer.getvalue())  # a face, and fine
        gray = np.asarray(image.convert("L")).astype(np.uint16) * 257
        Image.fromarray(gray).save(folder / "deep.png")  # a face, and fine
        (folder / "new\nline;$(touch evil).png").write_bytes(b"no picture")
        (folder / "...png").write_bytes(b"no picture")
        return folder

    return write
