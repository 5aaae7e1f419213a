"""Filter, balance and split on tables of the study's full size, without their pictures: minutes instead of hours.

    python -m benchmarks.full_size FOLDER --shares 1/64        # writes the tables that are repeated here
    python -m benchmarks.full_tables FOLDER --shares 1/4 1     # 13 GB of disk at 1

The face tables of the rehearsal at 1/64 are repeated up to the share. Each face gets its own ID, hash and sharpness,
and people get as many attributes as CelebA has. The pictures are noise; one in twenty is a near-duplicate of another.
The stages run twice: with the counts of the study, and (rows "all") with all faces that the filter kept.
"""

import argparse
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML
from tqdm import tqdm

from benchmarks.full_size import COUNTS, DOMAINS, measure, print_table, write_params
from pipeline.faces import PixelWriter, read_table, write_table
from pipeline.files import atomic_folder

#: CelebA has 40 attributes; the rehearsal has two of them.
MORE_ATTRIBUTES = 38
BLOCK = 200


def main() -> None:
    """Run all shares and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shares", type=Fraction, nargs="+", default=[Fraction(1, 4)])
    options = parser.parse_args()
    before: tuple[Fraction, dict[str, Any]] | None = None
    for share in sorted(options.shares):
        project = options.folder.resolve() / f"tables-{share.numerator}-{share.denominator}"
        project.mkdir(exist_ok=True)
        for domain in DOMAINS:
            repeat(options.folder / "1-64" / "data", project / "data", domain, round(COUNTS[domain] * share))
        measured = run_stages(project, share)
        print_table(share, measured, before)
        before = share, measured


def repeat(rehearsed: Path, data: Path, domain: str, count: int) -> None:
    """Write `count` noise pictures and face tables with `count` rows, if they do not exist."""
    if (data / "landmarks" / domain).is_dir():
        return
    table = read_table(rehearsed / "landmarks" / domain / "faces.parquet")
    rng = np.random.default_rng([len(domain), count])
    table = table.iloc[np.arange(count) % len(table)].reset_index(drop=True)
    table["row"] = np.arange(count)
    table["sha256"] = [f"{index:064x}" for index in range(count)]
    table["face_id"] = [f"{domain}-{index:016x}" for index in range(count)]
    table["sharpness"] = table["sharpness"] * rng.uniform(0.9, 1.1, count)
    for number in range(MORE_ATTRIBUTES if domain == "human" else 0):
        table[f"attribute_{number}"] = rng.random(count) < 0.5
    with atomic_folder(data / "resize" / domain) as folder:
        with PixelWriter(folder / "faces.npy", 128) as writer:
            for start in tqdm(range(0, count, BLOCK), desc=f"write {domain}", unit="block"):
                block = rng.integers(0, 256, (min(BLOCK, count - start), 128, 128, 3), dtype=np.uint8)
                copies = block[19::20]
                copies[:] = block[::20][: len(copies)] ^ 1
                for picture in block:
                    writer.append(picture)
        (folder / "rejected.csv").write_text("source,reason\n")
    with atomic_folder(data / "landmarks" / domain) as folder:
        write_table(table, folder / "faces.parquet")


def run_stages(project: Path, share: Fraction) -> dict[str, dict[str, float]]:
    """Run the stages with the counts of the study, then with all faces."""
    params = project / "params.yaml"
    write_params(params, share)
    names = [*((stage, domain) for stage in ("filter", "balance") for domain in DOMAINS), ("split", "")]
    measured = {f"{stage}@{domain}".rstrip("@"): measure(project, "", stage, domain) for stage, domain in names}
    yaml = YAML()
    content = yaml.load(params.read_text(encoding="utf-8"))
    content["profiles"]["full"]["balance"].update(dict.fromkeys(DOMAINS, "all"))
    with params.open("w", encoding="utf-8") as stream:
        yaml.dump(content, stream)
    for stage, domain in names[len(DOMAINS) :]:
        measured[f"{stage}@{domain}".rstrip("@") + ", all"] = measure(project, "", stage, domain)
    return measured


if __name__ == "__main__":
    main()
