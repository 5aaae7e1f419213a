"""What DVC costs for pixels in one file and in one file per image: `python -m benchmarks.dvc_layout [--count N]`.

Two fresh repositories hold the same random bytes, once as `faces.npy` and once as N small files, behind the same two
stages. Measured by the clock, one after the other, both layouts in turn: the first `dvc repro` (hash, cache), `dvc
status` and `dvc repro` with nothing to do. The study's size is 266,231 images; the times of small files grow with N.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BYTES = 5_000  # of an image: a JPEG of 128 px

_WRITE = """
import pathlib, random
pixels = pathlib.Path("pixels")
pixels.mkdir()
random.seed(0)
if {single}:
    with (pixels / "faces.npy").open("wb") as file:
        for _ in range({count}):
            file.write(random.randbytes({size}))
else:
    for number in range({count}):
        (pixels / f"{{number:06d}}.jpg").write_bytes(random.randbytes({size}))
"""

_STAGES = """
stages:
  resize:
    cmd: python write.py
    deps: [write.py]
    outs: [pixels]
  landmarks:
    cmd: python -c "open('table', 'w').write('1')"
    deps: [pixels]
    outs: [table]
"""


def prepare(folder: Path, count: int, single: bool) -> None:
    """Make a repository with the two stages, not yet run."""
    folder.mkdir()
    (folder / "write.py").write_text(_WRITE.format(count=count, single=single, size=BYTES))
    (folder / "dvc.yaml").write_text(_STAGES)
    dvc(folder, "init", "--no-scm")


def dvc(folder: Path, *words: str) -> float:
    """Run DVC and return the seconds it took."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    start = time.perf_counter()
    command = [sys.executable, "-m", "dvc", *words, "-q"]
    subprocess.run(command, cwd=folder, check=True, env={**os.environ, "PATH": path})
    return time.perf_counter() - start


def main() -> None:
    """Print one line per command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as scratch:
        layouts = {single: Path(scratch, "one" if single else "many") for single in (True, False)}
        for single, folder in layouts.items():
            prepare(folder, count, single)
        print(f"{count} images of {BYTES} bytes\n{'seconds':34}{'one file':>10}{'one each':>10}{'ratio':>8}")
        for name, words in (
            ("dvc repro, first time", ["repro"]),
            ("dvc status, nothing changed", ["status"]),
            ("dvc repro, nothing to do", ["repro"]),
        ):
            one, many = (dvc(layouts[single], *words) for single in (True, False))
            print(f"{name:34}{one:10.2f}{many:10.2f}{many / one:8.1f}")


if __name__ == "__main__":
    main()
