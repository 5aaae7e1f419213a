"""Fetch the faces of a domain from the source that `download.<domain>.source` selects."""

from pathlib import Path

from ..errors import bad_value
from ..params import Source
from . import Fetched, archive, celeba, demo, drawn


def fetch(params: Source, folder: Path, domain: str, seed: int, own: Path) -> Fetched:
    """Write faces.zip or faces.tar to `folder`.

    Args:
        params: The group `download.<domain>`.
        folder: Folder of the archive.
        domain: human, anime or external_test.
        seed: Random seed of generated faces.
        own: Folder of the user's images, which DVC tracks.

    Returns:
        The images of the archive and their labels.

    Raises:
        UserError: The source cannot be read, or DVC does not track its label table.
    """
    match params.source:
        case "demo":
            return demo.fetch(folder, domain, params.num_images, seed)
        case "drawn":
            return drawn.fetch(folder, params.num_images, seed, params.distribution)
        case "archive":
            return archive.fetch(folder, Path(params.path), _labels(params, domain, own), domain)
        case "celeba":
            return celeba.fetch(folder, Path(params.path), domain)
        case "kaggle":
            from . import kaggle  # its client takes a second to import

            return kaggle.fetch(folder, params.dataset, domain)


def _labels(params: Source, domain: str, own: Path) -> Path | None:
    if params.labels_csv is None:
        return None
    tracked = [own, *([Path(params.path)] if Path(params.path).is_dir() else [])]
    if not any(Path(params.labels_csv).resolve().is_relative_to(folder.resolve()) for folder in tracked):
        raise bad_value(f"download.{domain}.labels_csv", params.labels_csv, f"a file in {own}, which DVC tracks")
    return Path(params.labels_csv)
