"""Base of all groups of params: types, words for null, keys without effect."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ..errors import bad_value
from .errors import Only, setting


def null_word(word: str) -> BeforeValidator:
    """Accept a word as null, because null at the top level selects the value of the profile."""
    return BeforeValidator(lambda value: None if value == word else value)


Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
CountOrAll = Annotated[Count | None, null_word("all")]
Text = Annotated[str | None, null_word("none")]
Executor = Literal["local", "ray"]


class Group(BaseModel):
    """A group of params. Unknown keys are refused, and values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def without_effect(self) -> Iterator[tuple[str, str]]:
        """Yield each key that has no effect here, with the condition that removes it, such as `noise: false`."""
        for name, field in type(self).model_fields.items():
            for only in field.metadata:
                if isinstance(only, Only) and getattr(self, only.key) not in only.values:
                    yield name, setting(only.key, getattr(self, only.key))


class PerDomain[T](Group):
    """The same group for each of the three domains."""

    human: T
    anime: T
    external_test: T

    def __getitem__(self, domain: str) -> T:
        if domain not in PerDomain.model_fields:
            raise bad_value("domain", domain, f"one of {', '.join(PerDomain.model_fields)}")
        return getattr(self, domain)
