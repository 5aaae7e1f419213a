"""How fast a face is translated: PyTorch, onnxruntime and OpenVINO in one run, detection counted apart, cold start.

    python -m benchmarks.inference                      # the model in data/train, else the shipped one
    python -m benchmarks.inference --model FOLDER --threads 2

Peers take turns, round after round, so that a busy moment hits all; the median of the rounds counts. Outputs are
compared first: a fast wrong answer is no answer.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.inference import Translator
from pipeline.inference.backends import PRETRAINED, TRAINED, TorchBackend
from pipeline.inference.bundle import read_bundle
from pipeline.inference.export import export
from pipeline.inference.web.app import STATIC

Run = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=TRAINED if (TRAINED / "model.json").is_file() else PRETRAINED)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "model.zip"
        for direction, parity in export(words.model, bundle).items():
            print(f"parity {direction}: {parity.max_abs:.1e} in [-1, 1]")
        peers = make_peers(words.model, bundle, words.threads)
        side = TorchBackend(words.model, "cpu").facts.resolution
        print(f"\n{platform.processor() or platform.machine()}, {words.threads} threads")
        for pixels in sorted({side, 128}):  # the networks take any size; a face of 128 px is the study's
            networks(peers, pixels, words.rounds)
        finding(bundle, words.rounds)
        cold_start(bundle, words.rounds)


def make_peers(model: Path, bundle: Path, threads: int) -> dict[str, Run]:
    """Return name -> function float32 [b, 3, R, R] -> same, all with the same number of threads."""
    import onnxruntime
    import openvino
    import torch

    torch.set_num_threads(threads)
    trained = TorchBackend(model, "cpu")
    graph = read_bundle(bundle)[1]["human2anime"]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(graph, options, ["CPUExecutionProvider"])

    core = openvino.Core()
    precise = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
    compiled = core.compile_model(core.read_model(graph), "CPU", precise)

    peers: dict[str, Run] = {
        "PyTorch": lambda images: trained.run(images, "human2anime"),
        "onnxruntime": lambda images: session.run(None, {"images": images})[0],
        "OpenVINO": lambda images: compiled(images)[0],
    }
    images = np.random.default_rng(0).uniform(-1, 1, (3, 3, *[trained.facts.resolution] * 2)).astype(np.float32)
    expected = peers["PyTorch"](images)
    for name, run in peers.items():
        difference = float(np.abs(run(images) - expected).max())
        assert difference < 1e-4, f"{name} differs by {difference}"
    return peers


def networks(peers: dict[str, Run], side: int, rounds: int) -> None:
    """Latency of one face, and throughput of 100 in batches of 1 and 16."""
    rng = np.random.default_rng(0)
    faces = rng.uniform(-1, 1, (100, 3, side, side)).astype(np.float32)
    times: dict[str, dict[int, list[float]]] = {name: {1: [], 16: []} for name in peers}
    for _ in range(rounds + 1):
        for name, run in peers.items():
            for batch, spent in times[name].items():
                start = time.perf_counter()
                for first in range(0, len(faces), batch):
                    run(faces[first : first + batch])
                spent.append(time.perf_counter() - start)
    print(f"\n{f'{side} px':12} {'one face':>10} {'100 faces, one by one':>22} {'in batches of 16':>17}")
    for name, spent_by_batch in times.items():
        alone, together = (float(np.median(spent[1:])) for spent in spent_by_batch.values())  # the first round warms up
        print(f"{name:12} {alone * 10:8.1f} ms {100 / alone:17.1f} /s {100 / together:14.1f} /s")


def finding(bundle: Path, rounds: int) -> None:
    """Time to find and align faces, apart from the network."""
    translator = Translator(bundle)
    photo = Image.open(sorted((STATIC / "examples").glob("*.jpg"))[0])
    print(f"\n{'finding faces':24} {'median':>10}")
    for width, height in ((256, 256), (1280, 960), (4000, 3000)):
        canvas = Image.new("RGB", (width, height), "gray")
        side = min(height, 256 * max(1, width // 1000))
        canvas.paste(photo.resize((side, side)), ((width - side) // 2, (height - side) // 2))
        pixels = np.asarray(canvas)
        spent = []
        for _ in range(rounds + 1):
            start = time.perf_counter()
            found = translator.find(pixels)
            spent.append(time.perf_counter() - start)
        print(f"{f'{width} x {height} px, {len(found)} face':24} {np.median(spent[1:]) * 1000:7.0f} ms")


def cold_start(bundle: Path, rounds: int) -> None:
    """Wall and processor time of the whole command, from nothing to the written file."""
    photo = sorted((STATIC / "examples").glob("*.jpg"))[0]
    walls, cores = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            words = ["translate", str(photo), "-o", f"{folder}/out.png", "--model", str(bundle)]
            before = os.times()
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", "from pipeline.cli import app; app()", *words], check=True)
            walls.append(time.perf_counter() - start)
            after = os.times()
            cores.append(after.children_user + after.children_system - before.children_user - before.children_system)
    result = {"wall_s": round(float(np.median(walls)), 2), "processor_s": round(float(np.median(cores)), 2)}
    print(f"\ncold start of the command with a bundle: {json.dumps(result)}")


if __name__ == "__main__":
    main()
