"""Decode the faces of one domain and store them at one size: `python -m stages.resize human|anime|external`."""

from collections import Counter
from pathlib import Path

import pandas as pd

from pipeline import params
from pipeline.errors import UserError
from pipeline.faces import read_table, write_table
from pipeline.files import atomic_folder
from pipeline.image_archive import index
from pipeline.images import PixelWriter
from pipeline.resize import choose, decode_members, face_table
from stages import DATA, run


def main(domain: str = "") -> None:
    """Write faces.npy, faces.parquet and rejected.csv to data/resize/<domain>/."""
    settings = params.load()
    wanted = settings.resize
    candidates = wanted.candidates[domain]
    download = DATA / "download" / domain
    members = choose(read_table(download / "members.parquet", ["source"]), candidates, settings.seed)
    container = _container(download)
    places = {member.name: member for member in index(container).members}
    missing = [name for name in members["source"] if name not in places]
    if missing:
        raise UserError(
            f"{container} lacks {missing[0]}, which members.parquet names: run `dvc repro -f download@{domain}`."
        )
    accepted, rejected = [], []
    with atomic_folder(DATA / "resize" / domain) as folder:
        with PixelWriter(folder / "faces.npy", wanted.size) as writer:
            for face in decode_members(
                container,
                [places[name] for name in members["source"]],
                size=wanted.size,
                fit=wanted.fit,
                max_pixels=wanted.max_pixels,
                engine=wanted.engine,
            ):
                if face.pixels is None:
                    rejected.append((face.source, face.reason))
                else:
                    writer.append(face.pixels)
                    accepted.append((face.source, face.sha256, face.width, face.height))
        if not accepted:
            raise UserError(f"{container} holds no readable image: {_counts(rejected)}; give another archive.")
        found = pd.DataFrame(accepted, columns=["source", "sha256", "width", "height"])
        write_table(face_table(found, members, domain, wanted.size, wanted.fit), folder / "faces.parquet")
        pd.DataFrame(rejected, columns=["source", "reason"]).to_csv(folder / "rejected.csv", index=False)
    print(f"{domain}: {len(accepted)} faces" + (f", rejected {_counts(rejected)}" if rejected else ""))


def _container(folder: Path) -> Path:
    for name in ("faces.zip", "faces.tar"):
        if (folder / name).is_file():
            return folder / name
    raise UserError(f"{folder} holds neither faces.zip nor faces.tar: run `dvc repro` so that download writes it.")


def _counts(rejected: list[tuple[str, str]]) -> str:
    return ", ".join(f"{count} × {reason}" for reason, count in sorted(Counter(why for _, why in rejected).items()))


if __name__ == "__main__":
    run(main)
