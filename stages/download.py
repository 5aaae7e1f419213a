"""Download or generate the faces of one domain: `python -m stages.download human|anime|external_test`."""

import shutil
from pathlib import Path

from pipeline import params
from pipeline.download import Fetched, archive, celeba, demo, drawn
from pipeline.errors import bad_value
from pipeline.faces import write_table
from pipeline.files import atomic_folder, sha256, write_json
from stages import DATA, run


def main(domain: str = "") -> None:
    """Write manifest.json, members.parquet and faces.zip | faces.tar to data/download/<domain>/."""
    settings = params.load()
    wanted = settings.download[domain]
    with atomic_folder(DATA / "download" / domain) as folder:
        fetched = _fetch(wanted, folder, domain, settings.seed)
        container = next(path for path in folder.iterdir() if path.stem == "faces")
        write_table(fetched.members, folder / "members.parquet")
        artifact = {
            "name": container.name,
            "sha256": sha256(container),
            "bytes": container.stat().st_size,
            "members": len(fetched.members),
        }
        write_json(
            {"source": wanted.source, **fetched.facts, "artifacts": [artifact], "ignored": fetched.ignored},
            folder / "manifest.json",
        )
    if fetched.scratch:
        shutil.rmtree(fetched.scratch, ignore_errors=True)
    ignored = ", ".join(f"{count} × {reason}" for reason, count in sorted(fetched.ignored.items()))
    print(f"{domain}: {len(fetched.members)} images" + (f", ignored {ignored}" if ignored else ""))


def _fetch(wanted: params.Source, folder: Path, domain: str, seed: int) -> Fetched:
    path = Path(wanted.path)
    match wanted.source:
        case "demo":
            return demo.fetch(folder, domain, wanted.num_images, seed)
        case "drawn":
            return drawn.fetch(folder, wanted.num_images, seed, wanted.distribution)
        case "archive":
            return archive.fetch(folder, path, _labels(wanted, domain), domain)
        case "celeba":
            return celeba.fetch(folder, path, domain)
        case "kaggle":
            from pipeline.download import kaggle  # its client takes a second to import

            return kaggle.fetch(folder, wanted.dataset, domain)


def _labels(wanted: params.Source, domain: str) -> Path | None:
    """Return the path of the label table; UserError where DVC would not notice a change of it."""
    if wanted.labels_csv is None:
        return None
    watched = [DATA / "own" / domain, *([Path(wanted.path)] if Path(wanted.path).is_dir() else [])]
    if not any(Path(wanted.labels_csv).resolve().is_relative_to(folder.resolve()) for folder in watched):
        raise bad_value(
            f"download.{domain}.labels_csv", wanted.labels_csv, f"a file in {watched[0]}, which DVC watches"
        )
    return Path(wanted.labels_csv)


if __name__ == "__main__":
    run(main)
