"""What it takes to get the same again: packages, params, hashes."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil

from ..files import sha256
from ..params import Params
from .results import Results

PACKAGES = (
    *("animemorph", "torch", "torchvision", "torch-fidelity", "numpy", "pandas", "pillow", "opencv-python-headless"),
    *(
        "dlib-bin",
        "animeface",
        "anime-face-detector",
        "face-alignment",
        "openvino",
        "dicebear-core",
        "random-face",
        "dvc",
    ),
)


def describe(results: Results, params: Params) -> dict[str, Any]:
    """Context of the section on reproduction."""
    return {
        "params": _flat(params.model_dump(mode="json")),
        "environment": _environment(),
        "hashes": _hashes(results),
    }


def _environment() -> list[tuple[str, str]]:
    rows = [
        ("Python", platform.python_version()),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("cores", str(psutil.cpu_count())),
    ]
    for package in PACKAGES:
        try:
            rows.append((package, version(package)))
        except PackageNotFoundError:
            rows.append((package, "not installed"))
    return rows


def _flat(params: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in params.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{key}.")
        elif value is not None:
            rows.append((prefix + key, ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    return rows


def _hashes(results: Results) -> list[tuple[str, str]]:
    """SHA-256 of what was downloaded, of the pixels, and of the weights that came out."""
    rows = []
    for domain in results.domains():
        for artifact in results.json(f"download/{domain}/manifest.json")["artifacts"]:
            rows.append((f"{domain}: {artifact['name']}", artifact["sha256"]))
        rows.append((f"resize/{domain}/faces.npy", sha256(results.data / "resize" / domain / "faces.npy")))
    for weights in sorted((results.data / "train").glob("*.safetensors")):
        rows.append((f"train/{weights.name}", sha256(weights)))
    return rows
