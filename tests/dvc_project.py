"""A small Git and DVC repository for tests of commands that run experiments."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def make_project(root: Path, files: Mapping[str, str]) -> None:
    """Write files (name -> text) to the folder `root`, and commit them in a new Git and DVC repository."""
    for name, content in files.items():
        (root / name).write_text(content)
    for command in (
        ["git", "init", "-q"],
        ["git", "config", "user.name", "test"],
        ["git", "config", "user.email", "test@example.org"],
        [sys.executable, "-m", "dvc", "init", "-q"],
        ["git", "add", "."],
        ["git", "commit", "-q", "-m", "project"],
    ):
        subprocess.run(command, cwd=root, check=True)
