"""What went in, what was thrown away and why, and how the rest was split."""

from typing import Any

import pandas as pd
from PIL import Image

from ..faces import read_crops
from . import charts
from .pictures import data_uri
from .results import Results, evenly

EXAMPLES = 8
#: Columns whose distribution is drawn for each domain: title, and the place of its colour.
HISTOGRAMS = {"score": "detector's confidence", "yaw": "head turned (degrees)", "year": "year"}
#: Plain words for the filter's reasons.
REASONS = {
    "wrong_year": "from outside the wanted years",
    "no_face": "no face was found",
    "low_score": "the detector was not sure that it is a face",
    "unclear_features": "eyes, nose or mouth were not clear",
    "side_profile": "turned too far to the side",
    "small": "the face is too small in the picture",
    "blurry": "blurred",
    "duplicate": "a near-copy of a face that was kept",
}


def describe(results: Results) -> dict[str, Any]:
    """Context of the sections on data."""
    domains = [_domain(results, domain, place) for place, domain in enumerate(results.domains())]
    steps = ["used", "not needed", "dropped by the filter", "unreadable", "not looked at"]
    flow = pd.DataFrame(
        [(d["name"], step, d["counts"][step]) for d in domains for step in steps], columns=["domain", "step", "faces"]
    )
    return {
        "domains": domains,
        "flow": charts.stacked_bars(
            flow[flow["faces"] > 0], title="What became of the pictures", x="faces", y="domain", series="step"
        ),
        "split": _split(results),
    }


def _domain(results: Results, domain: str, place: int) -> dict[str, Any]:
    manifest = results.json(f"download/{domain}/manifest.json")
    members = results.table(f"download/{domain}/members.parquet")
    readable = results.table(f"resize/{domain}/faces.parquet")
    rejected = results.csv(f"resize/{domain}/rejected.csv", "source", "reason")
    filtered = results.table(f"filter/{domain}/faces.parquet")
    chosen = results.table(f"balance/{domain}/faces.parquet")
    kept = filtered[filtered["verdict"] == "kept"]
    dropped = filtered[filtered["verdict"] != "kept"]
    pixels = results.pixels(domain)
    shown = chosen.iloc[evenly(len(chosen), EXAMPLES)]
    return {
        "name": domain,
        "manifest": manifest,
        "counts": {
            "pictures": len(members),
            "not looked at": len(members) - len(readable) - len(rejected),
            "unreadable": len(rejected),
            "dropped by the filter": len(dropped),
            "not needed": len(kept) - len(chosen),
            "used": len(chosen),
        },
        "used_as": "evaluation only" if domain == "external" else "training, validation and test",
        "unreadable": sorted(rejected["reason"].value_counts().items()),
        "dropped": _dropped(results, domain, dropped),
        "genders": _genders(chosen),
        "examples": [data_uri(face) for face in read_crops(pixels, shown, min(pixels.shape[1], 112))],
        "landmarks": _sheet(results, f"landmarks/{domain}/sheet.png"),
        "histograms": [
            charts.histogram(filtered[column], title=f"{domain}: {title}", colour=place)
            for column, title in HISTOGRAMS.items()
            if column in filtered and filtered[column].nunique() > 1
        ],
    }


def _dropped(results: Results, domain: str, dropped: pd.DataFrame) -> list[dict[str, Any]]:
    """Reasons in falling order of how many faces they cost, each with its contact sheet."""
    counts = dropped["reason"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    return [
        {
            "reason": REASONS.get(str(reason), str(reason)),
            "count": int(count),
            "sheet": _sheet(results, f"filter/{domain}/sheets/{reason}.png"),
        }
        for reason, count in counts.items()
    ]


def _sheet(results: Results, name: str) -> str | None:
    if not results.exists(name):
        return None
    with Image.open(results.data / name) as image:
        return data_uri(image, longest=1080)


def _genders(faces: pd.DataFrame) -> list[tuple[str, int]]:
    """Count genders; labels that were estimated say so."""
    names = faces["gender"].astype("string").fillna("unknown")
    estimated = faces["gender_origin"].astype("string").eq("estimated").fillna(False)
    names = names.where(~estimated, names + " (estimated)")
    return [(str(name), int(count)) for name, count in names.value_counts().sort_index().items()]


def _split(results: Results) -> list[dict[str, Any]]:
    rows = []
    for domain in ("human", "anime"):
        faces = results.table(f"split/{domain}.parquet")
        for part in ("train", "val", "test"):
            some = faces[faces["split"] == part]
            rows.append({"domain": domain, "part": part, "faces": len(some), "genders": _genders(some)})
    return rows
