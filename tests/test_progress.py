"""Progress in a terminal and in a log file."""

import io
import logging
import sys
from pathlib import Path

from pipeline.progress import ProgressBar, log_messages, progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_long_job_writes_lines_to_a_log(capsys):
    for _ in progress_bar(range(4), desc="hash", unit="face", line_seconds=1e-9, disable=False):
        pass
    text = capsys.readouterr().err
    lines = text.splitlines()
    assert 2 <= len(lines) <= 5 and "\r" not in text
    assert lines[-1].startswith("hash: 100 % (4/4 face)")


def test_short_job_writes_nothing_to_a_log(capsys):
    for _ in progress_bar(range(4), desc="hash", unit="face", disable=False):
        pass
    assert capsys.readouterr().err == ""


def test_job_without_total(capsys):
    bar = progress_bar(desc="bytes", unit="B", total=None, line_seconds=1e-9, disable=False)
    bar.update(7)
    bar.close()
    assert capsys.readouterr().err.startswith("bytes: 7 B after")


def test_messages_are_written_to_console_and_file(tmp_path: Path, capsys):
    logger, file = logging.getLogger("pipeline.train.loop"), tmp_path / "train.log"
    for level in (logging.INFO, logging.WARNING):
        with log_messages(file), progress_bar(desc="train", unit="image", total=10, disable=False):
            logger.log(level, "epoch %d", 1)
    logger.warning("after the job")
    assert capsys.readouterr().err == "epoch 1\nepoch 1\n"
    lines = file.read_text().splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == ["INFO epoch 1", "WARNING epoch 1"]


def test_messages_are_written_above_the_bar_of_a_terminal(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with log_messages(tmp_path / "train.log"), progress_bar(desc="train", unit="image", total=10, disable=False) as bar:
        logging.getLogger("pipeline").warning("a message")
        bar.update(10)
    assert "\ra message\n\r" in terminal.getvalue()


def test_hidden_bar_writes_nothing(capsys):
    bar = progress_bar(range(4), desc="hash", unit="face", line_seconds=1e-9, hidden=True)
    assert list(bar) == [0, 1, 2, 3]
    assert capsys.readouterr().err == ""


def test_terminal_gets_a_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    bar = progress_bar(range(3), desc="hash", unit="face", disable=False)
    assert isinstance(bar, ProgressBar) and list(bar) == [0, 1, 2]
    assert "\r" in terminal.getvalue() and "3/3" in terminal.getvalue()
