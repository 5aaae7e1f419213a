"""The section on reproducibility: packages, parameters and hashes needed to reproduce a run."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil

from ..files import flatten, sha256
from ..params import Params
from ..params.errors import yaml_text
from .results import Results

PACKAGES = (
    *("animemorph", "torch", "torchvision", "torch-fidelity", "numpy", "pandas", "pillow", "opencv-python-headless"),
    *("dlib-bin", "animeface", "anime-face-detector", "face-alignment", "openvino", "random-face", "dvc"),
)


def describe(results: Results, params: Params) -> dict[str, Any]:
    """Return the context of the section."""
    return {
        "params": [(key, yaml_text(value)) for key, value in flatten(params.model_dump(mode="json")).items()],
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


def _hashes(results: Results) -> list[tuple[str, str]]:
    """Return the SHA-256 of downloads, pixels and trained weights."""
    rows = []
    for domain in results.domains():
        artifacts = results.json(f"download/{domain}/manifest.json")["artifacts"]
        rows += [(f"{domain}: {artifact['name']}", artifact["sha256"]) for artifact in artifacts]
        rows.append((f"resize/{domain}/faces.npy", sha256(results.data / "resize" / domain / "faces.npy")))
    weights = sorted((results.data / "train").glob("*.safetensors"))
    return rows + [(f"train/{path.name}", sha256(path)) for path in weights]
