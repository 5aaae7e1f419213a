"""Read `params.yaml`, complete the top level with a profile, and refuse keys without effect."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ..errors import conflict, damaged_file, missing_file
from .base import Group
from .data import OWN

#: Keys whose mapping is one value: at the top level it replaces all of the profile's.
WHOLE = ("distribution",)


def read(path: Path) -> dict[str, Any]:
    """Return the content of `params.yaml`."""
    try:
        content = YAML(typ="safe").load(path)
    except FileNotFoundError:
        raise missing_file(path, "Run this command in the top folder of the project") from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        problem = " ".join(str(getattr(error, "problem", None) or "not UTF-8 text").split())
        raise damaged_file(path, f"not valid YAML{where}, {problem}", "Correct the file") from None
    if not isinstance(content, dict):
        raise damaged_file(path, "it contains no keys", f"Restore it with `git checkout {path}`")
    return content


def merge(top: Any, profile: Any) -> Any:
    """Return the values of the top level, and those of the profile for keys that are null or missing there."""
    if top is None:
        return profile
    if not isinstance(top, dict) or not isinstance(profile, dict):
        return {key: value for key, value in top.items() if value is not None} if isinstance(top, dict) else top
    keys = [*top, *(key for key in profile if key not in top)]
    below = {key: None if key in WHOLE and top.get(key) is not None else profile.get(key) for key in keys}
    merged = {key: merge(top.get(key), below[key]) for key in keys}
    return {key: value for key, value in merged.items() if value is not None or key in profile}


def refuse_in_profile(profile: dict[str, Any], name: str) -> None:
    """Refuse keys that have an effect only at the top level."""
    downloads = profile.get("download")
    paths = [
        f"download.{domain}.path"
        for domain, source in (downloads.items() if isinstance(downloads, dict) else ())
        if isinstance(source, dict) and "path" in source
    ]
    for key in [*(key for key in ("seed", "profile") if key in profile), *paths]:
        raise conflict(f"profiles.{name}.{key}", "has no effect in a profile", f"Set {key!r} at the top level")


def unknown_nulls(model: type[BaseModel], top: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield unknown keys that are null, which the merge would drop, each with the known keys of its group."""
    for name, value in top.items():
        field = model.model_fields.get(name)
        if field is None and value is None:
            yield f"{prefix}{name}", list(model.model_fields)
        group = field.annotation if field else None
        if isinstance(value, dict) and isinstance(group, type) and issubclass(group, Group):
            yield from unknown_nulls(group, value, f"{prefix}{name}.")


def keys_without_value(model: type[BaseModel], content: Any, prefix: str = "") -> Iterator[str]:
    """Yield the keys without a value in `params.yaml`, because DVC does not track defaults of the code."""
    for name, field in model.model_fields.items():
        if name not in content:
            yield prefix + name
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Group):
            yield from keys_without_value(field.annotation, content[name], f"{prefix}{name}.")


def refuse_without_effect(group: Group, top: Any, prefix: str = "") -> None:
    """Refuse a value at the top level that the values of other keys leave without effect.

    A profile may contain such values, because another value at the top level can give them an effect.
    """
    for name, reason in group.without_effect():
        if isinstance(top, dict) and top.get(name) is not None and not _is_own(prefix, name, top[name]):
            raise conflict(prefix + name, f"has no effect with {reason}", f"Set it to null or change {reason}")
    for name in type(group).model_fields:
        if isinstance(inner := getattr(group, name), Group) and isinstance(top, dict):
            refuse_without_effect(inner, top.get(name), f"{prefix}{name}.")


def drop_without_effect[G: Group](group: G) -> G:
    """Return a copy without the optional values of a profile that other values leave without effect."""
    fields = type(group).model_fields
    update: dict[str, Any] = {name: None for name, _ in group.without_effect() if fields[name].default is None}
    inner = {name: getattr(group, name) for name in fields if name not in update}
    update |= {name: drop_without_effect(value) for name, value in inner.items() if isinstance(value, Group)}
    return group.model_copy(update=update)


def _is_own(prefix: str, name: str, value: Any) -> bool:
    return name == "path" and value == OWN.format(domain=prefix.split(".")[1])
