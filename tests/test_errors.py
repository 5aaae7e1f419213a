import pytest

from pipeline import errors
from pipeline.errors import Kind, UserError

EACH = [
    (errors.missing_file("a/b.npy", "Run `dvc repro`"), Kind.MISSING, "a/b.npy"),
    (errors.damaged_file("a.zip", "not a zip", "Pass a zip"), Kind.DAMAGED, "a.zip"),
    (errors.bad_value("train.lr", -1, "> 0"), Kind.BAD_VALUE, "train.lr"),
    (errors.bad_value("seed", "x", "a whole number", "Pass 0"), Kind.BAD_VALUE, "seed"),
    (errors.unavailable("cuda:3", "there are 2 GPUs", "Set ANIMEMORPH_DEVICE"), Kind.UNAVAILABLE, "cuda:3"),
    (errors.too_few("faces", 3, 10, "Lower train.batch_size"), Kind.TOO_FEW, "faces"),
    (errors.conflict("out.png", "is also an input", "Choose another name"), Kind.CONFLICT, "out.png"),
]


@pytest.mark.parametrize(("error", "kind", "subject"), EACH, ids=lambda value: str(value)[:20])
def test_each_helper_sets_the_facts_and_builds_one_line(error: UserError, kind: Kind, subject: str):
    assert (error.kind, error.subject) == (kind, subject)
    text = str(error)
    assert subject in text
    assert "\n" not in text
    assert text.endswith(".")
    assert ".." not in text.replace("…", "")
