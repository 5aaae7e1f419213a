"""What DVC costs for pixels in one file, in shards and in one file per image: `python -m benchmarks.dvc_layout`.

Three fresh repositories have random bytes of equal size: as one `faces.npy`, as ten shards with a stage each, and as N
small files. A second stage reads all of them. Measured one after the other, all layouts in turn: the first `dvc repro`
(hash, cache), `dvc status`, `dvc repro` with nothing to do, the first `dvc push` to a folder, and both again after the
data grew by a tenth. `--count 266231` is the study's size; the times of small files grow with the count.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BYTES = 5_000  # of an image: a JPEG of 128 px
SHARDS = 10

_WRITE = """
import pathlib, random, sys
number, count = map(int, sys.argv[1:])
folder = pathlib.Path("pixels", str(number))
folder.mkdir(parents=True)
random.seed(number)
if {single}:
    with (folder / "faces.npy").open("wb") as file:
        for _ in range(count):
            file.write(random.randbytes({size}))
else:
    for image in range(count):
        (folder / f"{{image:06d}}.jpg").write_bytes(random.randbytes({size}))
"""

_STAGES = """
stages:
  resize:
    matrix: {{part: [{parts}]}}
    cmd: python write.py ${{item.part}} {count}
    deps: [write.py]
    outs: ["pixels/${{item.part}}"]
  landmarks:
    cmd: python -c "open('table', 'w').write('1')"
    deps: [pixels]
    outs: [table]
"""

#: Layout -> whether an image shares its file with others, and the number of parts.
LAYOUTS = {"one file": (True, 1), "10 shards": (True, SHARDS), "one each": (False, 1)}


def prepare(folder: Path, single: bool) -> None:
    """Make a repository with a remote and no stages."""
    folder.mkdir()
    (folder / "write.py").write_text(_WRITE.format(single=single, size=BYTES))
    dvc(folder, "init", "--no-scm")
    dvc(folder, "remote", "add", "--default", "storage", str(folder.with_name(f"{folder.name}-remote")))


def write_stages(folder: Path, parts: int, count: int) -> None:
    """Write the two stages: `parts` parts of `count` images."""
    (folder / "dvc.yaml").write_text(_STAGES.format(parts=", ".join(map(str, range(parts))), count=count))


def dvc(folder: Path, *words: str) -> float:
    """Run DVC and return the seconds it took."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    start = time.perf_counter()
    command = [sys.executable, "-m", "dvc", *words, "-q"]
    subprocess.run(command, cwd=folder, check=True, env={**os.environ, "PATH": path})
    return time.perf_counter() - start


def main() -> None:
    """Print one line per command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--layouts", choices=LAYOUTS, nargs="+", default=list(LAYOUTS))
    options = parser.parse_args()
    count, layouts = options.count, {name: LAYOUTS[name] for name in options.layouts}
    with tempfile.TemporaryDirectory() as scratch:
        folders = {name: Path(scratch, name.replace(" ", "-")) for name in layouts}
        for name, (single, parts) in layouts.items():
            prepare(folders[name], single)
            write_stages(folders[name], parts, count // parts)
        print(f"{count} images of {BYTES} bytes\n{'seconds':34}" + "".join(f"{name:>11}" for name in layouts))
        for label, words in (
            ("dvc repro, first time", ["repro"]),
            ("dvc status, nothing changed", ["status"]),
            ("dvc repro, nothing to do", ["repro"]),
            ("dvc push, first time", ["push"]),
        ):
            print(f"{label:34}" + "".join(f"{dvc(folder, *words):11.2f}" for folder in folders.values()))
        for name, (_, parts) in layouts.items():
            grown = (parts + 1, count // parts) if parts > 1 else (1, count + count // SHARDS)
            write_stages(folders[name], *grown)
        for label in ("repro", "push"):
            line = "".join(f"{dvc(folder, label):11.2f}" for folder in folders.values())
            print(f"{f'dvc {label}, a tenth more images':34}{line}")


if __name__ == "__main__":
    main()
