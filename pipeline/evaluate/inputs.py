"""Read the real faces of a domain, and the external test set."""

from pathlib import Path

from ..faces import open_pixels, read_crops, read_masks, read_table
from .external_set import ExternalSet
from .translation import DomainSplit


def read_split(data: Path, domain: str, resolution: int) -> DomainSplit:
    """Read the test and train faces of a domain from the folder `data`, cropped as in training."""
    table = read_table(data / "split" / f"{domain}.parquet", ["face_id", "row", "align", "split"])
    pixels = open_pixels(data / "resize" / domain / "faces.npy")
    test, train = (table[table["split"] == split].reset_index(drop=True) for split in ("test", "train"))
    crops, masks = read_crops(pixels, test, resolution), read_masks(test, resolution, pixels.shape[1])
    return DomainSplit(test, crops, masks, train, read_crops(pixels, train, resolution))


def read_external(data: Path, resolution: int) -> ExternalSet:
    """Read the external test set, with rejected images; `chosen` marks those that the stage `balance` selected."""
    columns = ["face_id", "row", "align", "source", "status", "reason"]
    table = read_table(data / "filter" / "external_test" / "faces.parquet", columns)
    table["chosen"] = table["face_id"].isin(read_table(data / "balance" / "external_test" / "faces.parquet")["face_id"])
    pixels = open_pixels(data / "resize" / "external_test" / "faces.npy")
    masks = read_masks(table, resolution, pixels.shape[1])
    return ExternalSet(table, read_crops(pixels, table, resolution), masks)
