"""The study's data stages on synthetic archives in the layout of Kaggle's datasets, at full size or a share of it.

    python -m benchmarks.full_size FOLDER --shares 1/64 1/16     # then 1/4 and 1: two hours, 25 GB of disk

FOLDER keeps archives, outputs and measurements: run the same command again to resume. A stage that was interrupted is
measured from its resumption on. For each share it builds 202,599 people of 178 x 218 px with the tables of CelebA,
63,632 anime faces named `<id>_<year>.jpg` and 2,700 people in two folders, serves them on loopback to the real
downloader, and runs the stages of `profile=full` with the embedded detectors. The people are four, the drawings 48,
each turned, moved and lit at random: detectors and the search for duplicates have work to do, the shares of kept
faces mean nothing. Printed for each stage: processor seconds, wall seconds, peak memory (all, and without mapped
files), disk, and the growth exponent of the processor seconds between two shares.
"""

import argparse
import base64
import hashlib
import io
import json
import math
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from ruamel.yaml import YAML
from tqdm import tqdm

from pipeline.drawing import draw
from pipeline.files import atomic_file, write_json

ROOT = Path(__file__).parents[1]
DOMAINS = ("human", "anime", "external_test")
#: Images of each dataset; the third is not stated by the study, its page shows about as many.
COUNTS = {"human": 202_599, "anime": 63_632, "external_test": 2_700}
STAGES = ("download", "resize", "landmarks", "filter", "balance")
DRAWINGS = 48
#: Runs a stage whose client of Kaggle asks the stub.
CHILD = """
import sys, kagglesdk.kaggle_env as kaggle
kaggle._env_to_endpoint[kaggle.KaggleEnv.TEST] = sys.argv.pop(1)
import importlib, stages
stages.run(importlib.import_module("stages." + sys.argv.pop(1)).main)
"""


def main() -> None:
    """Run all shares and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shares", type=Fraction, nargs="+", default=[Fraction(1, 64)])
    options = parser.parse_args()
    before: tuple[Fraction, dict[str, Any]] | None = None
    for share in sorted(options.shares):
        measured = rehearse(options.folder.resolve() / f"{share.numerator}-{share.denominator}", share)
        print_table(share, measured, before)
        before = share, measured


def print_table(
    share: Fraction, measured: dict[str, dict[str, float]], before: tuple[Fraction, dict[str, Any]] | None
) -> None:
    """Print the measurements of a share, and the exponents of growth since the share `before`."""
    print(f"\nshare {share}: {sum(round(count * share) for count in COUNTS.values()):,} images")
    print(f"{'stage':26}{'cpu s':>8}{'wall s':>8}{'peak MB':>9}{'private':>9}{'disk MB':>9}{'exponent':>10}")
    for name, row in measured.items():
        exponent = ""
        if before and name in before[1] and before[1][name]["cpu"] >= 1:
            growth = row["cpu"] / before[1][name]["cpu"]
            exponent = f"{math.log(growth) / math.log(share / before[0]):.2f}"
        numbers = f"{row['cpu']:8.1f}{row['wall']:8.1f}{row['peak']:9.0f}{row['private']:9.0f}{row['disk']:9.1f}"
        print(f"{name:26}{numbers}{exponent:>10}")


def rehearse(project: Path, share: Fraction) -> dict[str, Any]:
    """Build the archives, run the stages that are not finished, and return what was measured."""
    project.mkdir(parents=True, exist_ok=True)
    write_params(project / "params.yaml", share)
    archives = {domain: build(project, domain, max(60, round(COUNTS[domain] * share))) for domain in DOMAINS}
    record = project / "measured.json"
    measured: dict[str, Any] = json.loads(record.read_text()) if record.is_file() else {}
    with stub(archives) as address:
        for stage, domain in [*((stage, domain) for stage in STAGES for domain in DOMAINS), ("split", "")]:
            name = f"{stage}@{domain}".rstrip("@")
            if name not in measured:
                measured[name] = measure(project, address, stage, domain)
                write_json(measured, record)
    return measured


def write_params(path: Path, share: Fraction) -> None:
    """Write `profile=full` with embedded detectors, all images, and balanced counts that fit the share."""
    yaml = YAML()
    content = yaml.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    content["profile"] = "full"
    full = content["profiles"]["full"]
    for domain in DOMAINS:
        full["landmarks"][domain]["detector"] = "animeface" if domain == "anime" else "dlib"
        full["landmarks"][domain]["face_detector"] = "none"
        full["resize"]["max_images"][domain] = "all"
    full["balance"]["anime"] = max(20, round(10_000 * share))
    for domain, count in (("human", 5_000), ("external_test", 750)):
        full["balance"][domain] = dict.fromkeys(("female", "male"), max(10, round(count * share)))
    full["balance"]["on_shortage"] = "shrink"
    with path.open("w", encoding="utf-8") as stream:
        yaml.dump(content, stream)


def build(project: Path, domain: str, count: int) -> Path:
    """Write the archive of a domain, if it is not there; equal arguments give equal bytes."""
    path = project / "archives" / f"{domain}.zip"
    if path.is_file():
        return path
    people = [np.asarray(Image.open(file)) for file in sorted((ROOT / "pipeline/inference/web/static").rglob("*.jpg"))]
    bases = [draw(0, index, 256).picture for index in range(DRAWINGS)] if domain == "anime" else people
    size = (178, 218) if domain == "human" else (128, 128)
    names = {
        "human": lambda index: f"img_align_celeba/img_align_celeba/{index + 1:06d}.jpg",
        "anime": lambda index: f"images/{index}_{2000 + index % 20}.jpg",
        "external_test": lambda index: f"{('Female Faces', 'Male Faces')[index % 2]}/{index}.jpg",
    }
    with atomic_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for index in tqdm(range(count), desc=f"build {domain}", unit="image"):
            rng = np.random.default_rng([len(domain), index])
            picture = vary(np.asarray(bases[int(rng.integers(len(bases)))]), size, rng)
            archive.writestr(zipfile.ZipInfo(names[domain](index)), jpeg(picture))
        if domain == "human":
            for name, table in celeba_tables(count).items():
                archive.writestr(zipfile.ZipInfo(f"{name}.csv"), table)
    return path


def vary(picture: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Turn, move, mirror and light a face, uint8 RGB [H, W, 3]; return it at `size`, with noise."""
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    height, width = picture.shape[:2]
    scale = max(size[0] / width, size[1] / height) * rng.uniform(1.0, 1.25)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-15, 15), scale)
    move = (np.array(size, dtype=float) - (width, height)) / 2 + rng.uniform(-8, 8, 2)
    matrix = matrix + np.column_stack([np.zeros((2, 2)), move])
    moved = cv2.warpAffine(np.ascontiguousarray(picture), matrix, size, borderMode=cv2.BORDER_REFLECT_101)
    lit = moved * rng.uniform(0.7, 1.1, 3) + rng.normal(0, 4, (size[1], size[0], 1))
    return np.clip(lit, 0, 255).astype(np.uint8)


def jpeg(picture: np.ndarray) -> bytes:
    """Encode uint8 RGB [H, W, 3]."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def celeba_tables(count: int) -> dict[str, str]:
    """Return the four tables of Kaggle's copy, with values that have the right form and no meaning."""
    names = [f"{index + 1:06d}.jpg" for index in range(count)]
    attributes = [f"{name},{1 if index % 2 else -1},1" for index, name in enumerate(names)]
    points = "69,109,106,113,77,142,73,152,108,154"
    return {
        "list_attr_celeba": "\n".join(["image_id,Male,Young", *attributes]),
        "list_landmarks_align_celeba": "\n".join(
            [
                "image_id,lefteye_x,lefteye_y,righteye_x,righteye_y,nose_x,nose_y,"
                "leftmouth_x,leftmouth_y,rightmouth_x,rightmouth_y",
                *(f"{name},{points}" for name in names),
            ]
        ),
        "list_bbox_celeba": "\n".join(["image_id,x_1,y_1,width,height", *(f"{name},0,0,178,218" for name in names)]),
        "list_eval_partition": "\n".join(["image_id,partition", *(f"{name},0" for name in names)]),
    }


class Kaggle(BaseHTTPRequestHandler):
    """A stub of Kaggle's API: licences and archives."""

    def __init__(self, archives: dict[str, Path], *words: Any) -> None:
        self.archives = archives
        super().__init__(*words)

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_POST(self) -> None:
        """Answer the licence of a dataset, or redirect to its archive."""
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        words = {"celeba-dataset": "human", "animefacedataset": "anime"}
        domain = next((domain for word, domain in words.items() if word in asked), "external_test")
        if not self.path.endswith("GetDataset"):
            self.send_response(302)
            self.send_header("Location", f"/{domain}")
            self.end_headers()
            return
        data = json.dumps({"licenseName": "CC0-1.0", "title": "synthetic"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        """Send an archive, or the rest of it."""
        path = self.archives[self.path.strip("/")]
        with path.open("rb") as stream:
            digest = base64.b64encode(hashlib.file_digest(stream, "md5").digest()).decode()
            wanted = self.headers.get("Range")
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            stream.seek(start)
            self.send_response(206 if wanted else 200)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(path.stat().st_size - start))
            self.send_header("x-goog-hash", f"crc32c=AAAAAA==,md5={digest}")
            self.end_headers()
            while block := stream.read(1 << 20):
                self.wfile.write(block)


@contextmanager
def stub(archives: dict[str, Path]) -> Iterator[str]:
    """Serve the archives on loopback; yield the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Kaggle, archives)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def watch_memory(pid: int, private: list[float]) -> None:
    """Append the memory of a process without mapped files, MB, ten times a second until it ends (Linux)."""
    while True:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            return
        sizes = [int(line.split()[1]) for line in lines if line.startswith("RssAnon")]
        if not sizes:  # The process has ended.
            return
        private.append(sizes[0] / 1024)
        time.sleep(0.1)


def measure(project: Path, address: str, stage: str, domain: str) -> dict[str, float]:
    """Run a stage in a process of its own; return seconds, peak memory in MB, and MB on disk.

    `peak` is of the largest process and includes mapped files, of which the system drops pages when it needs memory;
    `private` is without them, of the first process.
    """
    home = {"HOME": str(project / "home"), "KAGGLEHUB_CACHE": str(project / "cache"), "KAGGLE_API_ENVIRONMENT": "TEST"}
    environment = os.environ | home | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", CHILD, address, stage, *([domain] if domain else [])]
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=project, env=environment)
    private: list[float] = [0.0]
    watch = threading.Thread(target=watch_memory, args=(process.pid, private))
    watch.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    watch.join()
    if process.returncode:
        sys.exit(f"full_size: {stage} {domain} failed; run the same command again to resume.")
    output = project / "data" / stage / domain
    return {
        "cpu": usage.ru_utime + usage.ru_stime,
        "wall": time.monotonic() - start,
        "peak": usage.ru_maxrss / 1024,
        "private": max(private),
        "disk": sum(path.stat().st_size for path in output.rglob("*") if path.is_file()) / 1e6,
    }


if __name__ == "__main__":
    main()
