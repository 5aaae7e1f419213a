"""Decode the faces of one domain and store them at one size: `python -m stages.resize human|anime|external_test`."""

from pipeline import params
from pipeline.faces import read_table, write_table
from pipeline.files import atomic_folder
from pipeline.resize import choose, find_archive, store
from stages import DATA, run


def main(domain: str = "") -> None:
    """Write faces.npy, faces.parquet and rejected.csv to data/resize/<domain>/."""
    settings = params.load()
    resize = settings.resize
    candidates = resize.max_images[domain]
    download = DATA / "download" / domain
    members = choose(read_table(download / "members.parquet", ["source"]), candidates, settings.seed)
    archive = find_archive(download, domain)
    with atomic_folder(DATA / "resize" / domain) as folder:
        resized = store(archive, members["source"].tolist(), folder / "faces.npy", resize)
        write_table(resized.table(members, domain, resize.size, resize.fit), folder / "faces.parquet")
        resized.rejections().to_csv(folder / "rejected.csv", index=False)
    print(f"{domain}: {len(resized.accepted)} faces" + (f", rejected {resized.summary()}" if resized.rejected else ""))


if __name__ == "__main__":
    run(main)
