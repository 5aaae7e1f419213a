"""Stage `balance@<domain>`: select a number of faces, in total or per gender, from those that the filter kept."""

from pipeline import params
from pipeline.faces import open_pixels, read_table, write_table
from pipeline.files import atomic_folder, write_json
from pipeline.selection.balance import balance, summarise
from pipeline.selection.gender import estimate_missing
from stages import DATA, run


def main(domain: str = "") -> None:
    """Read data/filter, and pixels if genders are estimated; write data/balance."""
    config = params.load()
    settings, counts = config.balance, config.balance[domain]
    table = read_table(
        DATA / "filter" / domain / "faces.parquet", ["face_id", "row", "year", "gender", "gender_origin", "status"]
    )
    kept = table[table["status"] == "kept"].reset_index(drop=True)
    if settings.gender_source == "estimated" and kept["gender"].isna().any():
        kept = estimate_missing(kept, open_pixels(DATA / "resize" / domain / "faces.npy"))
    chosen = balance(kept, counts, seed=config.seed, on_shortage=settings.on_shortage, domain=domain)
    with atomic_folder(DATA / "balance" / domain) as folder:
        write_table(chosen, folder / "faces.parquet")
        write_json(summarise(kept, chosen), folder / "summary.json")


if __name__ == "__main__":
    run(main)
