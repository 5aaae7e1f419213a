"""The sections on data: sources, filtered images and the split."""

from typing import Any

import pandas as pd
from PIL import Image

from ..faces import read_crops
from ..landmarks.truth_error import errors_by_group
from . import charts
from .pictures import data_uri
from .results import Results, evenly_spaced

EXAMPLES = 8
#: Column -> title of the histograms of each domain.
HISTOGRAMS = {"score": "detection score", "yaw": "yaw (degrees)", "year": "year"}
#: Display names of the reasons of the filter.
REASONS = {
    "wrong_year": "year outside the range",
    "no_face": "no face detected",
    "low_score": "low detection score",
    "low_keypoint_score": "low keypoint score",
    "side_profile": "side profile",
    "small": "face too small",
    "blurry": "blurry",
    "duplicate": "duplicate of a kept face",
}


def describe(results: Results) -> dict[str, Any]:
    """Return the context of the sections."""
    domains = [_domain(results, domain, colour) for colour, domain in enumerate(results.domains())]
    steps = ["used", "not selected", "filtered", "unreadable", "not decoded"]
    flow = pd.DataFrame(
        [(d["name"], step, d["counts"][step]) for d in domains for step in steps], columns=["domain", "step", "faces"]
    )
    return {
        "domains": domains,
        "flow": charts.stacked_bars(
            flow[flow["faces"] > 0], title="Images by outcome", x="faces", y="domain", series="step"
        ),
        "split": _split(results),
    }


def _domain(results: Results, domain: str, colour: int) -> dict[str, Any]:
    manifest = results.json(f"download/{domain}/manifest.json")
    members = results.table(f"download/{domain}/members.parquet")
    readable = results.table(f"resize/{domain}/faces.parquet")
    rejected = results.csv(f"resize/{domain}/rejected.csv", "source", "reason")
    filtered = results.table(f"filter/{domain}/faces.parquet")
    chosen = results.table(f"balance/{domain}/faces.parquet")
    kept = filtered[filtered["status"] == "kept"]
    rejections = filtered[filtered["status"] != "kept"]
    pixels, errors = results.pixels(domain), errors_by_group(filtered)
    examples = chosen.iloc[evenly_spaced(len(chosen), EXAMPLES)]
    return {
        "name": domain,
        "manifest": manifest,
        "counts": {
            "images": len(members),
            "not decoded": len(members) - len(readable) - len(rejected),
            "unreadable": len(rejected),
            "filtered": len(rejections),
            "not selected": len(kept) - len(chosen),
            "used": len(chosen),
        },
        "used_as": "evaluation only" if domain == "external_test" else "training, validation and test",
        "unreadable": sorted(rejected["reason"].value_counts().items()),
        "rejections": _rejections(results, domain, rejections),
        "genders": _genders(chosen),
        "examples": [data_uri(face) for face in read_crops(pixels, examples, min(pixels.shape[1], 112))],
        "landmarks": _sheet(results, f"landmarks/{domain}/sheet.png"),
        "landmark_errors": [] if errors is None else errors.to_dict("records"),
        "histograms": [
            charts.histogram(filtered[column], title=f"{domain}: {title}", colour=colour)
            for column, title in HISTOGRAMS.items()
            if column in filtered and filtered[column].nunique() > 1
        ],
    }


def _rejections(results: Results, domain: str, rejections: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the reasons of the filter, the most frequent first, each with its contact sheet."""
    counts = rejections["reason"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
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
    """Count genders; estimated labels are marked."""
    names = faces["gender"].astype("string").fillna("unknown")
    estimated = faces["gender_origin"].astype("string").eq("estimated").fillna(False)
    names = names.where(~estimated, names + " (estimated)")
    return [(str(name), int(count)) for name, count in names.value_counts().sort_index().items()]


def _split(results: Results) -> list[dict[str, Any]]:
    rows = []
    for domain in ("human", "anime"):
        faces = results.table(f"split/{domain}.parquet")
        for part in ("train", "val", "test"):
            chosen = faces[faces["split"] == part]
            rows.append({"domain": domain, "part": part, "faces": len(chosen), "genders": _genders(chosen)})
    return rows
