"""From an archive of JPEGs to 128 px pixels: `python -m benchmarks.resize [ARCHIVE] [--count N]`.

Side by side in one run, on the same images, at the same output size, every peer cutting the middle square out:

* the loop that people write with Pillow (bilinear or bicubic, both antialiased), with and without saving JPEG files;
* torchvision in a DataLoader (decode_image, antialiased bilinear), batches of 64;
* the stage `resize` (scaled decoding, pixels and hashes into one file).

Quality is the mean PSNR in dB of 200 pictures against an exact average over areas of the fully decoded picture. Next to
the seconds by the clock stand those of all cores together: they hold on a busy machine. Without ARCHIVE a synthetic one
is made, of CelebA's shape: 178 x 218 px.
"""

import argparse
import io
import os
import resource
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from PIL import Image

from pipeline.faces import DOMAINS
from pipeline.image_archive import list_images
from pipeline.parallel import workers
from pipeline.params import Resize
from pipeline.resize import store

SIZE = 128  # px


def synthetic(path: Path, count: int) -> None:
    """Write a zip of `count` different smooth pictures with some grain, as JPEGs of about 7 kB."""
    rng = np.random.default_rng(0)
    grain = rng.normal(0, 4, (64, 218, 178, 1))
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            smooth = cv2.resize(
                rng.integers(0, 256, (9, 7, 3), dtype=np.uint8), (178, 218), interpolation=cv2.INTER_CUBIC
            )
            picture = np.clip(smooth + grain[number % 64], 0, 255).astype(np.uint8)
            archive.writestr(
                f"{number:06d}.jpg", cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 75])[1].tobytes()
            )


def middle(image: Image.Image) -> Image.Image:
    """Cut the middle square out."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def pillow(path: Path, names: list[str], method: Image.Resampling, folder: Path | None = None) -> Iterator[np.ndarray]:
    """Decode and resize one picture after the other; with `folder`, save it as a JPEG as well."""
    with zipfile.ZipFile(path) as archive:
        for number, name in enumerate(names):
            image = middle(Image.open(io.BytesIO(archive.read(name))).convert("RGB")).resize((SIZE, SIZE), method)
            if folder is not None:
                image.save(folder / f"{number}.jpg", quality=95)
            yield np.asarray(image)


class Zipped:
    """The pictures of a zip for a DataLoader. torch is imported late: the stage's own workers need none of it."""

    def __init__(self, path: Path, names: list[str]) -> None:
        self.path, self.names = path, names
        self.archive: zipfile.ZipFile | None = None

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, number: int) -> Any:
        import torch
        from torchvision.io import ImageReadMode, decode_image
        from torchvision.transforms.v2.functional import center_crop, resize

        self.archive = self.archive or zipfile.ZipFile(self.path)  # one in each worker
        data = torch.frombuffer(bytearray(self.archive.read(self.names[number])), dtype=torch.uint8)
        image = decode_image(data, ImageReadMode.RGB)
        return resize(center_crop(image, [min(image.shape[1:])] * 2), [SIZE, SIZE], antialias=True)


def torchvision(path: Path, names: list[str], processes: int) -> Iterator[np.ndarray]:
    """Decode and resize in a DataLoader."""
    import torch
    from torch.utils.data import DataLoader

    torch.set_num_threads(1)
    for batch in DataLoader(cast(Any, Zipped(path, names)), batch_size=64, num_workers=processes):
        yield from batch.permute(0, 2, 3, 1).numpy()


def stage(path: Path, names: list[str], folder: Path, processes: int) -> Iterator[np.ndarray]:
    """Do what the stage `resize` does, into a file."""
    os.environ["ANIMEMORPH_WORKERS"] = str(processes)
    params = Resize.model_validate({"size": SIZE, "max_pixels": 10**8, "max_images": dict.fromkeys(DOMAINS)})
    store(path, names, folder / "faces.npy", params)
    yield from np.load(folder / "faces.npy")


def exact(path: Path, names: list[str]) -> np.ndarray:
    """Average the fully decoded pictures over exact areas: float64 [n, SIZE, SIZE, 3]."""
    found = []
    with zipfile.ZipFile(path) as archive:
        for name in names:
            square = np.asarray(middle(Image.open(io.BytesIO(archive.read(name))).convert("RGB")), dtype=np.float64)
            edges = np.arange(SIZE + 1) * len(square) / SIZE
            pixels = np.arange(len(square))
            # How much of each source pixel lies in each target pixel, along one axis.
            share = np.clip(np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels), 0, 1)
            share /= share.sum(1, keepdims=True)
            found.append(np.einsum("yr,rcd,xc->yxd", share, square, share, optimize=True))
    return np.stack(found)


def cpu_seconds() -> float:
    """Seconds of computing so far, of this process and its children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def main() -> None:
    """Print one line per way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("archive", type=Path, nargs="?")
    parser.add_argument("--count", type=int, default=20_000)
    words = parser.parse_args()
    cv2.setNumThreads(1)
    cores = workers()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        path = words.archive
        if path is None:
            path = folder / "synthetic.zip"
            synthetic(path, words.count)
        names = [member.name for member in list_images(path).images][: words.count]
        reference = exact(path, names[:200])
        ways: dict[str, Callable[[], Iterator[np.ndarray]]] = {
            "Pillow, bilinear": lambda: pillow(path, names, Image.Resampling.BILINEAR),
            "Pillow, bicubic": lambda: pillow(path, names, Image.Resampling.BICUBIC),
            "Pillow, bicubic, saving JPEGs": lambda: pillow(path, names, Image.Resampling.BICUBIC, folder),
            "torchvision, in this process": lambda: torchvision(path, names, 0),
            f"torchvision, {cores} workers": lambda: torchvision(path, names, cores),
            "resize, in this process": lambda: stage(path, names, folder, 1),
            f"resize, {cores} workers": lambda: stage(path, names, folder, cores),
        }
        print(f"{len(names)} pictures of {path.name}\n{'':32}{'images/s':>10}{'per core-s':>12}{'PSNR dB':>9}")
        for name, way in ways.items():
            clock, used, count, error = time.perf_counter(), cpu_seconds(), 0, []
            for picture in way():
                if count < len(reference):
                    error.append(np.mean((picture - reference[count]) ** 2))
                count += 1
            clock, used = time.perf_counter() - clock, cpu_seconds() - used
            psnr = float(np.mean(10 * np.log10(255**2 / np.array(error))))
            print(f"{name:32}{count / clock:10.0f}{count / used:12.0f}{psnr:9.1f}")


if __name__ == "__main__":
    main()
