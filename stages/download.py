"""Stage `download@<domain>`: download or generate the faces of one domain (human, anime, external_test)."""

import shutil

from pipeline import params
from pipeline.download.sources import fetch
from pipeline.faces import write_table
from pipeline.files import atomic_folder, sha256, write_json
from stages import DATA, run


def main(domain: str = "") -> None:
    """Write manifest.json, members.parquet and faces.zip | faces.tar to data/download/<domain>/."""
    config = params.load()
    source = config.download[domain]
    with atomic_folder(DATA / "download" / domain) as folder:
        fetched = fetch(source, folder, domain, config.seed, DATA / "own" / domain)
        archive = next(path for path in folder.iterdir() if path.stem == "faces")
        write_table(fetched.members, folder / "members.parquet")
        artifact = {
            "name": archive.name,
            "sha256": sha256(archive),
            "bytes": archive.stat().st_size,
            "members": len(fetched.members),
        }
        write_json(
            {"source": source.source, **fetched.facts, "artifacts": [artifact], "ignored": fetched.ignored},
            folder / "manifest.json",
        )
    if fetched.scratch:
        shutil.rmtree(fetched.scratch, ignore_errors=True)
    ignored = ", ".join(f"{count} × {reason}" for reason, count in sorted(fetched.ignored.items()))
    print(f"{domain}: {len(fetched.members)} images" + (f", ignored {ignored}" if ignored else ""))


if __name__ == "__main__":
    run(main)
