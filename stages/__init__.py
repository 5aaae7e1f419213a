"""One thin script per DVC stage: read params and tables, call the library, write the outputs."""

import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import hide_interrupt_traceback, is_interrupt, user_message

DATA = Path("data")
INTERRUPTED = "interrupted: run the same command again to resume."

hide_interrupt_traceback(INTERRUPTED)  # the imports of the stage scripts take seconds, before `run` is called


def run(main: Callable[..., None]) -> None:
    """Call `main` with the command line arguments; print a user error as one line and exit with code 1."""
    try:
        main(*sys.argv[1:])
    except (Exception, KeyboardInterrupt) as error:
        if is_interrupt(error):
            sys.exit(INTERRUPTED)
        message = user_message(error)
        if message is None:
            raise
        sys.exit(f"error: {message}")
