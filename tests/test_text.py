"""Phrases that this project avoids. codespell knows single words only; their list is .ci/words.txt."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Each has a plain term: continue or resume, this many, always, at once, reconstruction, filtered, your.
PHRASES = (
    *("goes on", "go on", "going on", "so many", "by force", "how many at once", "way back", "thrown away"),
    *("one's own", "comes along", "what is watched", "leaves behind"),
)
SUFFIXES = {".py", ".md", ".yaml", ".yml", ".toml", ".html", ".css", ".js", ".sh", ".txt", ".cff", ""}


def test_no_file_has_a_phrase_of_the_list():
    # A phrase may be broken between two lines, also of a comment.
    pattern = re.compile(r"\b(?:" + "|".join(r"\s+(?:#:?\s+)?".join(each.split()) for each in PHRASES) + r")\b", re.I)
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in listed.splitlines()]
    texts = {path: path.read_text(encoding="utf-8") for path in files if path.is_file() and path.suffix in SUFFIXES}
    texts.pop(Path(__file__), None)
    assert len(texts) > 100
    assert not {str(path.relative_to(ROOT)): found for path, text in texts.items() if (found := pattern.findall(text))}
