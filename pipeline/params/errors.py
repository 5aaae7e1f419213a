"""Errors about `params.yaml`: one sentence that names the key, the expected value and the actual one."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..errors import Kind, UserError, bad_value

#: Tags of the union type of `balance`; they appear in the location of an error.
A_COUNT_PER_GENDER, A_COUNT = "a count per gender", "a count"
#: LONGEST_VALUE: characters of a value that an error shows, at most.
LONGEST_VALUE = 60
#: Names of the members of a union in the location of an error of pydantic.
_MEMBERS = {A_COUNT, A_COUNT_PER_GENDER, "int", "float", "str", "bool", "none"}
#: Keys that had another name in version 0.1: group, old key, new key. "*" is every group.
RENAMED = {
    ("train", "batch"): "batch_size",
    ("train", "pool"): "image_pool_size",
    ("train", "width"): "generator_width",
    ("train", "blocks"): "residual_blocks",
    ("train", "upsample"): "generator_upsample",
    ("train", "ema"): "ema_decay",
    ("train", "augment"): "discriminator_augment",
    ("train", "select"): "checkpoint_selection",
    ("evaluate", "tolerance"): "reconstruction_tolerance",
    ("evaluate", "bootstrap"): "bootstrap_resamples",
    ("evaluate", "weights"): "inception_weights",
    ("report", "samples"): "samples_per_direction",
    ("resize", "candidates"): "max_images",
    ("resize", "engine"): "executor",
    ("landmarks", "engine"): "executor",
    ("landmarks", "batch"): "batch_size",
    ("filter", "min_feature_score"): "min_keypoint_score",
    ("filter", "duplicate_radius"): "max_phash_distance",
    ("balance", "labels"): "gender_source",
    ("download", "labels"): "labels_csv",
    ("download", "count"): "num_images",
    ("*", "external"): "external_test",
}
_EXPECTED = {
    "bool": "true or false",
    "int": "an integer",
    "float": "a number",
    "string": "a text",
    "finite": "a finite number",
    "model": "a group of keys",
    "dict": "a group of keys",
    "tuple": "a list",
}


@dataclass(frozen=True)
class Only:
    """Metadata of a field: the key has an effect only if another key of its group has one of these values."""

    key: str
    values: tuple[Any, ...]

    def __str__(self) -> str:
        """Return the condition in the format of params.yaml."""
        return f"{self.key}: {' or '.join(yaml_text(value) for value in self.values)}"


def setting(key: str, value: Any) -> str:
    """Return a key and its value in the format of params.yaml."""
    return f"{key}: {yaml_text(value)}"


def explain(error: ValidationError, model: type[BaseModel], profile: str) -> UserError:
    """Return the error for the first key that pydantic refused."""
    details = error.errors()
    first = details[0]
    key, name = _key(first), str(first["loc"][-1])
    if first["type"] == "extra_forbidden":
        return unknown_key(key, name, _fields(model, first["loc"][:-1]))
    if first["type"] == "missing" and isinstance(first["loc"][-1], str):
        return missing_key(key, profile)
    expected = dict.fromkeys(_expected(each) for each in details if _key(each) == key)
    return bad_value(key, _short(first["input"]), " or ".join(expected))


def unknown_key(key: str, name: str, known: Iterable[str]) -> UserError:
    """Return the error for an unknown key, with its new name or the most similar known key."""
    group = key.partition(".")[0]
    new = RENAMED.get((group, name)) or RENAMED.get(("*", name))
    if new:
        renamed = ".".join([*key.split(".")[:-1], new])
        return UserError(f"{key!r} has a new name: {renamed!r}. Rename the key.", kind=Kind.BAD_VALUE, subject=key)
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    hint = f"Write {near[0]!r}" if near else "Remove it"
    return UserError(f"{key!r} is not a known key. {hint}.", kind=Kind.BAD_VALUE, subject=key)


def missing_key(key: str, profile: str) -> UserError:
    """Return the error for a key without a value at the top level and in the profile."""
    return UserError(
        f"{key!r} has no value. Set it at the top level or under 'profiles.{profile}'.", kind=Kind.MISSING, subject=key
    )


def _key(detail: ErrorDetails) -> str:
    """Return the dotted key of an error, without list indices and members of a union."""
    *groups, last = [part for part in detail["loc"] if not isinstance(part, int)]
    groups = [part for part in groups if part not in _MEMBERS]
    if detail["type"] == "extra_forbidden" or (last not in _MEMBERS and str(last).isidentifier()):
        groups.append(last)
    return ".".join(map(str, groups))


def _expected(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    bounds = {"greater_than": (">", "gt"), "greater_than_equal": (">=", "ge"), "less_than": ("<", "lt")}
    bounds["less_than_equal"] = ("<=", "le")
    if kind in bounds:
        sign, name = bounds[kind]
        text = f"{sign} {context[name]:g}"
    elif kind == "literal_error":
        text = f"one of {context['expected'].replace(' or ', ', ')}"
    elif kind == "value_error":
        text = detail["msg"].removeprefix("Value error, ")
    elif kind == "too_long" or (kind == "missing" and isinstance(detail["loc"][-1], int)):
        return "a list with the right number of items"
    else:
        text = _EXPECTED.get(kind.split("_")[0], detail["msg"].removeprefix("Input should be "))
    return f"{text} in each item" if isinstance(detail["loc"][-1], int) else text


def _short(value: Any) -> Any:
    text = str(value)
    return value if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def yaml_text(value: Any) -> str:
    """Return a value in the format of params.yaml, without quotes and brackets."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)


def _fields(model: Any, location: tuple[int | str, ...]) -> list[str]:
    """List the keys of the group at a location; those of the gender counts in a union."""
    for part in location:
        if part == A_COUNT:
            return []
        if part == A_COUNT_PER_GENDER:
            return ["female", "male"]
        field = getattr(model, "model_fields", {}).get(part)
        model = field.annotation if field else None
    return list(getattr(model, "model_fields", ()))
