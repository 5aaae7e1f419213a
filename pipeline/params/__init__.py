"""`params.yaml` as typed groups, one per stage: the meaning, unit and range of every key.

A value at the top level is used; if it is null, the value of `profiles.<profile>` is used. So `-S train.lr=1e-4` always
has an effect, and every value is in the file. `download.<domain>.path` is only at the top level, because dvc.yaml uses
it as a dependency.
"""

from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from ..errors import bad_value, conflict
from . import errors
from .base import Executor, Group, PerDomain
from .data import Balance, DomainFilter, DomainLandmarks, Filter, GenderCounts, Landmarks, Resize, Source, Split
from .merge import (
    drop_without_effect,
    keys_without_value,
    merge,
    read,
    refuse_in_profile,
    refuse_without_effect,
    unknown_nulls,
)
from .model import Evaluate, Report, Train, Twins

__all__ = [
    "DomainFilter",
    "DomainLandmarks",
    "Executor",
    "GenderCounts",
    "Params",
    "PerDomain",
    "Resize",
    "Source",
    "Train",
    "Twins",
    "in_force",
    "load",
]


class Params(Group):
    """All values in force: the top level, completed with the profile."""

    profile: str = Field(description="Name of the profile in `profiles`. Top level only.")
    seed: int = Field(ge=0, description="Random seed of all stages, >= 0. Top level only.")
    download: PerDomain[Source]
    resize: Resize
    landmarks: Landmarks
    filter: Filter
    balance: Balance
    split: Split
    twins: Twins
    train: Train
    evaluate: Evaluate
    report: Report

    @model_validator(mode="after")
    def _styles_fit(self) -> Self:
        count = self.twins.style_count
        if self.train.needs_twins and not self.train.styled and count > 1:
            raise conflict(
                "twins.styles",
                f"is {count} styles, but generator {self.train.generator} draws in one",
                "Set 'twins.styles' to 1 or 'train.generator' to styled_unet",
            )
        return self


def load(path: Path = Path("params.yaml")) -> Params:
    """Read `params.yaml` and return the active values.

    Raises:
        UserError: The file is missing or damaged, or a key is unknown, missing, out of range or without effect.
    """
    return in_force(read(path))


def in_force(content: dict[str, Any]) -> Params:
    """Return the active values for the content of `params.yaml`; errors as for `load`."""
    content = dict(content)
    profiles, profile = content.pop("profiles", None), content.get("profile")
    known = list(profiles) if isinstance(profiles, dict) else []
    if not isinstance(profile, str) or profile not in known or not isinstance(profiles[profile], dict):
        raise bad_value("profile", profile, f"one of {', '.join(map(str, known)) or 'the keys of `profiles`'}")
    refuse_in_profile(profiles[profile], profile)
    for key, siblings in unknown_nulls(Params, content):
        raise errors.unknown_key(key, key.rpartition(".")[2], siblings)
    merged = merge(content, profiles[profile])
    try:
        params = Params.model_validate(merged)
    except ValidationError as error:
        raise errors.explain(error, Params, profile) from None
    for key in keys_without_value(Params, merged):
        raise errors.missing_key(key, profile)
    refuse_without_effect(params, content)
    return drop_without_effect(params)
