"""Stage `split`: divide the faces of both domains into training, validation and test faces."""

from pipeline import params
from pipeline.faces import read_table, write_table
from pipeline.files import atomic_folder, write_json
from pipeline.selection.split import split, summarise
from stages import DATA, run


def main() -> None:
    """Read data/balance, write data/split."""
    config = params.load()
    tables = {}
    for domain in ("human", "anime"):
        table = read_table(
            DATA / "balance" / domain / "faces.parquet", ["face_id", "row", "gender", "identity", "cluster"]
        )
        tables[domain] = split(table, config.split.ratios, seed=config.seed, domain=domain)
    with atomic_folder(DATA / "split") as folder:
        for domain, table in tables.items():
            write_table(table, folder / f"{domain}.parquet")
        write_json({domain: summarise(table) for domain, table in tables.items()}, folder / "split.json")


if __name__ == "__main__":
    run(main)
