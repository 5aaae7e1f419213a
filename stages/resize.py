"""Stage `resize@<domain>`: decode the images of one domain and store them at the same size."""

from pipeline import params
from pipeline.faces import read_table, write_table
from pipeline.files import atomic_folder
from pipeline.resize import choose, find_archive, store
from stages import DATA, run


def main(domain: str = "") -> None:
    """Write faces.npy, faces.parquet and rejected.csv to data/resize/<domain>/."""
    config = params.load()
    resize = config.resize
    max_images = resize.max_images[domain]
    download = DATA / "download" / domain
    members = choose(read_table(download / "members.parquet", ["source"]), max_images, config.seed)
    archive = find_archive(download, domain)
    with atomic_folder(DATA / "resize" / domain) as folder:
        resized = store(archive, members["source"].tolist(), folder / "faces.npy", resize)
        write_table(resized.table(members, domain, resize.size, resize.fit), folder / "faces.parquet")
        resized.rejections().to_csv(folder / "rejected.csv", index=False)
    print(f"{domain}: {len(resized.accepted)} faces" + (f", rejected {resized.summary()}" if resized.rejected else ""))


if __name__ == "__main__":
    run(main)
