"""The table of all params, written from their descriptions: `python -m pipeline.params.reference > docs/params.md`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from . import Params
from .base import PerDomain
from .errors import Only
from .merge import read

PROFILES = ("demo", "quality", "full")
_INTRODUCTION = f"""# Params

`params.yaml` contains every value that a run depends on. Set a key at the top level with
`uv run dvc exp run -S <key>=<value>`. A key that is null there has the value of the active profile; the columns
{", ".join(f"`{profile}`" for profile in PROFILES)} show these values. `<domain>` is `human`, `anime` or
`external_test`.

A value at the top level is refused if other keys leave it without effect. Settings of the machine are environment
variables: `ANIMEMORPH_DEVICE` (auto, cpu, cuda, mps), `ANIMEMORPH_WORKERS` (processes) and `ANIMEMORPH_SCRATCH` (folder
for partial work, by default `data/scratch`).

This page is generated: `uv run python -m pipeline.params.reference > docs/params.md`.
"""


def markdown(content: dict[str, Any]) -> str:
    """Return the page for the content of `params.yaml`."""
    top = {name: field for name, field in Params.model_fields.items() if not _group(field.annotation)}
    sections = [_INTRODUCTION, *_table(top, content, "")]
    for name, field in Params.model_fields.items():
        if group := _group(field.annotation):
            text = f" {group.__doc__}" if group.__doc__ and not group.__name__.startswith("PerDomain") else ""
            sections += [f"\n## {name}\n", *([text.strip() + "\n"] if text else [])]
            sections += _table(group.model_fields, content, f"{name}.")
    return "\n".join(sections) + "\n"


def _table(fields: dict[str, FieldInfo], content: dict[str, Any], prefix: str) -> list[str]:
    rows = [f"| key | meaning | {' | '.join(PROFILES)} |", f"| --- | --- |{' --- |' * len(PROFILES)}"]
    for key, field in dict(_leaves(fields, prefix)).items():
        values = [_values(content, key, profile) for profile in PROFILES]
        rows.append(f"| `{key}` | {_meaning(field)} | {' | '.join(values)} |")
    return rows


def _leaves(fields: dict[str, FieldInfo], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    """Yield key and field of each value; the three domains have the same key."""
    for name, field in fields.items():
        group = _group(field.annotation)
        shown = "<domain>" if name in PerDomain.model_fields else name
        if group is None:
            yield prefix + shown, field
        elif issubclass(group, PerDomain) and _group(group.model_fields["human"].annotation) is None:
            yield f"{prefix}{shown}.<domain>", field
        else:
            yield from _leaves(group.model_fields, f"{prefix}{shown}.")


def _meaning(field: FieldInfo) -> str:
    text = field.description or "As described above."
    kind = field.annotation
    if get_origin(kind) is Literal:
        text += f" Values: {', '.join(map(str, get_args(kind)))}."
    elif kind is bool:
        text += " Values: true, false."
    only = [str(each) for each in field.metadata if isinstance(each, Only)]
    return text + "".join(f" Only with `{each}`." for each in only)


def _values(content: dict[str, Any], key: str, profile: str) -> str:
    """Return the profile's value of a key, or the values of the three domains if they differ."""
    keys = [key.replace("<domain>", domain) for domain in PerDomain.model_fields] if "<domain>" in key else [key]
    found = dict.fromkeys(_show(_value(content, each, profile)) for each in keys)
    return ", ".join(found)


def _value(content: dict[str, Any], key: str, profile: str) -> Any:
    for tree in (content["profiles"][profile], content):
        value: Any = tree
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key} {count}" for key, count in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _group(annotation: Any) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


if __name__ == "__main__":
    sys.stdout.write(markdown(read(Path("params.yaml"))))
