"""One thin script per DVC stage: read params and tables, call the library, write the outputs."""

import errno
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import UserError

DATA = Path("data")


def run(main: Callable[..., None]) -> None:
    """Call `main` with the command line's words; whatever a user can mend ends as one sentence and exit code 1."""
    try:
        main(*sys.argv[1:])
    except UserError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        where = error.filename or "the disk"
        sys.exit(f"error: no space left while writing {where}: free some room and run the same command again.")
    except KeyboardInterrupt:
        sys.exit("interrupted: run the same command again to go on.")
