"""Four Fréchet distances between four sets of images: ours in one run, against pytorch-fid called four times.

    python -m benchmarks.evaluate            # 1,500 images a set, as the study's test split
    python -m benchmarks.evaluate 200

Photos, anime faces, and the translations of both; the distances are generated v. real in both directions, photos v.
anime (untouched) and generated anime v. photos. Both sides use the same random weights in the true file's format (the
time does not depend on the values), the same PNG files, and as many threads. pytorch-fid 0.3.0 runs in an environment
of its own, made by uv, because it needs a SciPy below 1.18. Seconds include starting Python and reading the files.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch_fidelity import feature_extractor_inceptionv3

from pipeline.features.distances import frechet
from pipeline.features.extractors import InceptionExtractor, extract

SIDE = 128  # px
SETS = ("human", "anime", "human2anime", "anime2human")
PAIRS = (("human2anime", "anime"), ("anime2human", "human"), ("human", "anime"), ("human2anime", "human"))
WEIGHTS = "pt_inception-2015-12-05-6726825d.pth"


def main() -> None:
    """Measure both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=1500, help="images a set")
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.ours:
        print(json.dumps(ours(words.ours)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_images(folder, words.count)
        write_weights(folder / "hub" / "checkpoints" / WEIGHTS)
        seconds, output = run([sys.executable, "-m", "benchmarks.evaluate", "--ours", str(folder)], folder)
        result = json.loads(output.splitlines()[-1])
        command = peer_command()
        # The first call of uv fetches packages: it is not counted.
        run([*command, "--help"], folder)
        theirs, peers = 0.0, []
        for a, b in PAIRS:
            taken, output = run([*command, "--device", "cpu", str(folder / a), str(folder / b)], folder)
            theirs += taken
            peers.append(float(re.findall(r"FID:\s+([-\d.e+]+)", output)[-1]))
    print(f"{words.count} images a set, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"{'distance':32}{'ours':>14}{'pytorch-fid':>14}")
    for (a, b), mine, peer in zip(PAIRS, result["distances"], peers, strict=True):
        print(f"{a + ' v. ' + b:32}{mine:14.6g}{peer:14.6g}")
    print(f"{'seconds':32}{seconds:14.1f}{theirs:14.1f}   {theirs / seconds:.1f}x")
    print(f"{'peak memory, MiB':32}{result['peak']:14.0f}")


def ours(folder: Path) -> dict[str, object]:
    """Compute the four distances as the stage `evaluate` does: features of each set once."""
    extractor = InceptionExtractor(folder / "hub" / "checkpoints" / WEIGHTS)
    features = {}
    for name in SETS:
        images = np.stack([np.asarray(Image.open(path)) for path in sorted((folder / name).iterdir())])
        features[name] = extract(images, extractor, name)
    distances = [frechet(features[a], features[b]) for a, b in PAIRS]
    return {"distances": distances, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def run(command: list[str], folder: Path) -> tuple[float, str]:
    """Run a command; return its seconds and what it printed."""
    start = time.perf_counter()
    environment = {**os.environ, "TORCH_HOME": str(folder)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return time.perf_counter() - start, done.stdout


def peer_command() -> list[str]:
    """Command of pytorch-fid with the same torch and a SciPy that it can use."""
    packages = [
        "pytorch-fid==0.3.0",
        "scipy<1.16",
        f"torch=={version('torch')}",
        f"torchvision=={version('torchvision')}",
    ]
    wanted = [word for package in packages for word in ("--with", package)]
    return ["uv", "run", "-q", "--no-project", "--python", "3.12", *wanted, "python", "-m", "pytorch_fid"]


def write_images(folder: Path, count: int) -> None:
    """Write the sets as PNG files: smooth random colours, different statistics for each set."""
    random = np.random.default_rng(0)
    for number, name in enumerate(SETS):
        (folder / name).mkdir()
        for index in range(count):
            small = random.integers(0, 256 - 30 * number, (4 + 2 * number, 4 + 2 * number, 3), dtype=np.uint8)
            Image.fromarray(small).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(
                folder / name / f"{index:05d}.png"
            )


def write_weights(path: Path) -> None:
    """Write random weights of Inception with the names and shapes of the true file."""
    torch.manual_seed(0)
    module = feature_extractor_inceptionv3
    load, fetch = nn.Module.load_state_dict, module.load_state_dict_from_url
    nn.Module.load_state_dict, module.load_state_dict_from_url = (  # type: ignore[method-assign, assignment]
        lambda *_: None,
        lambda *_, **__: {},
    )
    try:
        network = module.FeatureExtractorInceptionV3("random", ["2048"])
    finally:
        nn.Module.load_state_dict, module.load_state_dict_from_url = load, fetch  # type: ignore[method-assign]
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
    path.parent.mkdir(parents=True)
    torch.save(network.state_dict(), path)


if __name__ == "__main__":
    main()
