"""`animemorph draw`: datasets of drawn faces, contact sheets, and drawn portraits of photos."""

import json
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any

import pandas as pd

from ..contact_sheet import contact_sheet
from ..download.drawn import DrawnSet, draw_faces, fingerprint, png
from ..drawing import COLOURED, NUMBERS, OPTIONS, STYLES, draw
from ..drawing.options import check_distribution, check_size, unknown_name, validated
from ..errors import UserError, bad_value, conflict, damaged_file, missing_file, user_message
from ..files import atomic_file, write_json
from ..inference.photo_io import read_photo
from ..parallel import map_ordered
from ..progress import progress_bar
from .datasheet import datasheet
from .inputs import printable

#: Files of a dataset next to its pictures. The source `archive` reads labels from labels.csv.
TABLE, LABELS, SETTINGS, DATASHEET = "labels.parquet", "labels.csv", "dataset.json", "README.md"
#: Folder of the labels of an unfinished dataset.
UNFINISHED = ".labels"
#: Pixels, side of a face on a contact sheet.
SHEET_SIDE = 128


def changes(words: Sequence[str]) -> dict[str, Any]:
    """Check `--set NAME=VALUE` options and return their attributes.

    Raises:
        UserError: An option has no `=`, an unknown name or a value that is not allowed.
    """
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not value:
            raise bad_value("--set", word, "NAME=VALUE, for example hair=blue")
        if name not in {*OPTIONS, *COLOURED, *NUMBERS}:
            raise unknown_name(name, {*OPTIONS, *COLOURED, *NUMBERS})
        found |= validated({name: value})
    return found


def distribution(words: Sequence[str]) -> dict[str, Any]:
    """Return the shares of `--distribution` options in the form of `download.anime.distribution`.

    Args:
        words: `NAME=VALUE:SHARE,VALUE:SHARE` or `NAME=PROBABILITY`.

    Raises:
        UserError: An option has another form, an unknown name or value, or a share that is not allowed.
    """
    found: dict[str, Any] = {}
    for word in words:
        name, _, shares = word.partition("=")
        if name in found:
            raise conflict(f"--distribution {name}", "is given twice", "Leave out one of them")
        try:
            if ":" in shares:
                pairs = (pair.partition(":") for pair in shares.split(","))
                found[name] = {value.strip(): float(share) for value, _, share in pairs}
            else:
                found[name] = float(shares)
        except ValueError:
            form = "NAME=VALUE:SHARE,VALUE:SHARE or NAME=PROBABILITY, for example gender=female:1,male:3"
            raise bad_value("--distribution", word, form) from None
    check_distribution(found)
    return found


def _attributes_and_shares(words: Sequence[str], shares: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return fixed attributes and shares.

    Raises:
        UserError: An option is not allowed, or another option leaves it without effect.
    """
    overrides, requested = changes(words), distribution(shares)
    fixed = set(overrides)
    if "hair" in fixed | set(requested):
        fixed.add("fantasy_hair")
    if "hairstyle" in fixed | set(requested):
        fixed.add("hair_length")
    if without_effect := sorted(fixed & set(requested)):
        reason = "has no effect with another option for the same attribute"
        raise conflict(f"--distribution {without_effect[0]}", reason, "Leave one out")
    return overrides, requested


def dataset(
    folder: Path, count: int, seed: int, size: int, words: Sequence[str], shares: Sequence[str], resume: bool
) -> None:
    """Draw a dataset: PNG files, a table as Parquet and CSV, a datasheet.

    An interrupted run can be resumed, with the same files as an uninterrupted one.

    Args:
        folder: Output folder.
        count: Number of faces.
        seed: Random seed of the set.
        size: Side of the pictures in pixels.
        words: `--set` options.
        shares: `--distribution` options.
        resume: Whether the folder may contain an unfinished part of the same dataset.

    Raises:
        UserError: An option is not allowed, or the folder contains other files.
    """
    check_size(size)
    overrides, requested = _attributes_and_shares(words, shares)
    settings = {"seed": seed, "size": size, "set": sorted(words), "distribution": requested, "renderer": fingerprint()}
    if folder.is_file():
        raise conflict(folder, "is a file", "Choose a folder")
    if folder.is_dir() and any(folder.iterdir()):
        if not resume:
            raise conflict(folder, "is not empty", "Add --resume to complete it, or choose another folder")
        _check_settings(folder, settings, count)
        for leftover in folder.glob(".*.partial"):  # a killed run could not remove them
            leftover.unlink()
    labels = folder / UNFINISHED
    labels.mkdir(parents=True, exist_ok=True)
    write_json({**settings, "count": count}, folder / SETTINGS)
    _keep_finished(folder, labels)
    table = draw_faces(folder, labels, range(count), DrawnSet(seed, size, requested, overrides))
    _write_tables(table, folder)
    with atomic_file(folder / DATASHEET) as unfinished:
        options = [
            f"--{name} {quote(word)}" for name, given in (("set", words), ("distribution", shares)) for word in given
        ]
        unfinished.write_text(datasheet(table, seed, size, options, fingerprint()), encoding="utf-8")
    shutil.rmtree(labels)
    print(f"{count} faces in {printable(folder)}; table: {LABELS}, {TABLE}", file=sys.stderr)


def _check_settings(folder: Path, settings: dict[str, Any], count: int) -> None:
    path = folder / SETTINGS
    if not path.is_file():
        raise conflict(folder, f"contains other files and no {SETTINGS}", "Choose another folder")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        drawn = int(found["count"])
    except (ValueError, KeyError, TypeError):
        raise damaged_file(path, "it contains no settings of a dataset", "Choose another folder") from None
    if drawn > count:
        raise bad_value("--count", count, f"at least {drawn}, the number of faces in {printable(folder)}")
    for name, value in settings.items():
        if found.get(name) != value:
            raise conflict(folder, f"was drawn with {name} {found.get(name)!r}, not {value!r}", "Choose another folder")


def _keep_finished(folder: Path, labels: Path) -> None:
    """Restore the labels of a finished dataset, so that its faces are not drawn again."""
    if (folder / TABLE).is_file():
        for row in pd.read_parquet(folder / TABLE).to_dict("records"):
            with atomic_file(labels / f"{Path(row['file']).stem}.json") as unfinished:
                unfinished.write_text(json.dumps(row), encoding="utf-8")


def _write_tables(table: pd.DataFrame, folder: Path) -> None:
    with atomic_file(folder / TABLE) as unfinished:
        table.to_parquet(unfinished, engine="pyarrow", compression="zstd", index=False)
    with atomic_file(folder / LABELS) as unfinished:
        table.to_csv(unfinished, index=False, lineterminator="\n")


def sheet(path: Path, count: int, seed: int, words: Sequence[str], shares: Sequence[str], force: bool) -> None:
    """Write a contact sheet of the first faces of a set as a PNG file.

    Args:
        path: Output file.
        count: Number of faces.
        seed: Random seed of the set.
        words: `--set` options.
        shares: `--distribution` options.
        force: Whether an existing file is overwritten.

    Raises:
        UserError: An option is not allowed, or the file exists.
    """
    overrides, requested = _attributes_and_shares(words, shares)
    if path.suffix.lower() != ".png":
        raise bad_value("--output", printable(path), "a name with the suffix .png")
    if path.exists() and not force:
        raise conflict(path, "exists", "Add --force to overwrite it")
    face = partial(_sheet_face, seed, requested, overrides)
    pictures = list(map_ordered(face, range(count), label="drawing", total=count, chunk=4))
    with atomic_file(path) as unfinished:
        contact_sheet(pictures, columns=12).save(unfinished, "PNG")


def _sheet_face(seed: int, shares: dict[str, Any], overrides: dict[str, Any], index: int) -> Any:
    return draw(seed, index, SHEET_SIDE, shares, **overrides).picture


def portraits(
    photos: Sequence[Path], folder: Path, style: str, variants: int, size: int, words: Sequence[str], force: bool
) -> int:
    """Draw every face of photos as PNG and SVG.

    Args:
        photos: Photo files.
        folder: Output folder.
        style: Name of the first style.
        variants: Number of styles.
        size: Side of the portraits in pixels.
        words: `--set` options.
        force: Whether existing files are overwritten.

    Returns:
        The exit code: 0 if all photos were drawn, else 1.

    Raises:
        UserError: An option is not allowed, or the folder has the name of a picture.
    """
    check_size(size)
    overrides = changes(words)
    if style not in STYLES:
        raise bad_value("--style", style, f"one of {', '.join(STYLES)}")
    if not 1 <= variants <= len(STYLES):
        raise bad_value("--variants", variants, f"1 to {len(STYLES)}")
    if folder.suffix.lower() in (".png", ".svg", ".jpg", ".jpeg", ".webp") and not folder.is_dir():
        raise bad_value("--output", printable(folder), "a folder, for a PNG and an SVG file of each portrait")
    first = STYLES.index(style)
    styles = [STYLES[(first + number) % len(STYLES)] for number in range(variants)]
    written = failed = 0
    bar = progress_bar(photos, desc="drawing", unit="photo", disable=None if len(photos) > 1 else True)
    for photo in bar:
        try:
            written += _draw_people(photo, folder, styles, size, overrides, force)
        except (UserError, OSError) as error:
            failed += 1
            bar.write(f"error: {printable(photo)}: {user_message(error) or error}", file=sys.stderr)
    print(f"{written} portraits in {printable(folder)}", file=sys.stderr)
    return 1 if failed else 0


def _draw_people(
    photo: Path, folder: Path, styles: Sequence[str], size: int, overrides: dict[str, Any], force: bool
) -> int:
    from ..inference.portrait import draw_person, find_people  # loads torch and the detector

    if not photo.is_file():
        raise missing_file(photo, "Pass a photo")
    people = find_people(read_photo(photo.read_bytes()))
    targets = {}
    for number, person in enumerate(people, start=1):
        for style in styles:
            name = photo.stem + (f"-{number}" if number > 1 else "") + (f"-{style}" if len(styles) > 1 else "")
            targets[folder / name] = (person, style)
    for target in targets:
        for suffix in (".png", ".svg"):
            if (path := target.with_name(target.name + suffix)).exists() and not force:
                raise conflict(path, "exists", "Add --force to overwrite it")
    for target, (person, style) in targets.items():
        drawing = draw_person(person.attributes, style, size, **overrides)
        with atomic_file(target.with_name(target.name + ".png")) as unfinished:
            unfinished.write_bytes(png(drawing.picture))
        with atomic_file(target.with_name(target.name + ".svg")) as unfinished:
            unfinished.write_text(drawing.svg, encoding="utf-8")
    return len(targets)
