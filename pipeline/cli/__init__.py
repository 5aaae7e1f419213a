"""Command line of `animemorph`, with one function per command.

Each command imports its modules when it runs, so that `animemorph --help` does not load networks.
"""

import errno
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

from ..errors import conflict, hide_interrupt_traceback, is_interrupt, user_message

INTERRUPTED = "interrupted."

hide_interrupt_traceback(INTERRUPTED)  # before the first import that takes time

import typer  # noqa: E402
from typer.core import TyperGroup  # noqa: E402


class Commands(TyperGroup):
    """The group of all commands: a user error becomes one line on standard error and exit code 1."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line and end the process; 130 is the exit code after Ctrl-C."""
        _reopen_closed_streams()
        try:
            return super().main(*args, **extra)
        except Exception as error:
            if is_interrupt(error):
                _exit(INTERRUPTED, 130)
            message = user_message(error)
            if message is None:
                raise
            _exit(f"error: {message}", 1)
        finally:
            _flush()


def _reopen_closed_streams() -> None:
    """Open the null device for closed standard streams, so that no other file gets their descriptors.

    `sys.stdin` and `sys.stdout` stay None. Messages to a closed standard error are discarded.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - open until the process ends


def _exit(message: str, code: int) -> NoReturn:
    try:
        print(message, file=sys.stderr, flush=True)
    except OSError:  # standard error is also full or closed
        _discard(sys.stderr)
    raise SystemExit(code) from None


def _flush() -> None:
    """Flush standard output now, because an error at exit would print a traceback."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        _discard(sys.stdout)
        if error.errno == errno.EPIPE:  # the reader, such as `head`, has closed the pipe
            raise SystemExit(1) from None
        _exit(f"error: cannot write to standard output: {error.strerror}. Choose another output.", 1)


def _discard(stream: Any) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


app = typer.Typer(
    cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, rich_markup_mode=None
)

Model = Annotated[
    Path | None,
    typer.Option(help="Training folder or bundle; default: data/train if it exists, else the shipped model."),
]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Random seed, for a model with noise.")]


@app.callback()
def animemorph() -> None:
    """Anime portraits from photos of people."""


@app.command("translate")
def translate_command(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Photos, videos, folders, patterns, or - for standard input."),
    ],
    output: Annotated[str, typer.Option("-o", "--output", help="Folder, file, or - for standard output.")] = "anime",
    size: Annotated[int, typer.Option(min=16, max=4096, help="Side of the portrait in pixels.")] = 512,
    paste: Annotated[bool, typer.Option("--paste", help="Paste the anime faces into the photo.")] = False,
    paint: Annotated[
        bool, typer.Option("--paint", help="Paste the anime faces into a painted copy of the photo.")
    ] = False,
    grid: Annotated[bool, typer.Option("--grid", help="Write photo, anime and reconstruction in a row.")] = False,
    largest: Annotated[bool, typer.Option("--largest", help="Translate only the largest face.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="If no face is found, translate the central square of the photo.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
    seed: Seed = 0,
    style: Annotated[str | None, typer.Option(help="Drawing style; default: the first style of the model.")] = None,
    variants: Annotated[
        int, typer.Option(min=1, help="Number of styles: one file each, or one sheet with --grid.")
    ] = 1,
    hair: Annotated[
        str | None, typer.Option(metavar="COLOUR", help="Colour of the hair, such as blue or #5472be.")
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option(metavar="DRAWING", help="Picture of a drawn face whose style and colours the results have."),
    ] = None,
    model: Model = None,
) -> None:
    """Translate the faces of photos and videos into anime faces.

    Inputs that cannot be translated are reported, and the others are translated. Exit code 0: all inputs were
    translated; 1: at least one was not; 2: wrong options.
    """
    from .translate import TranslateOptions, translate

    chosen = [name for name, given in {"--paste": paste, "--paint": paint, "--grid": grid}.items() if given]
    if len(chosen) > 1:
        raise conflict(chosen[0], f"cannot be combined with {chosen[1]}", "Use one of them")
    # SIGTERM ends the command as Ctrl-C does, so that temporary files are removed.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    options = TranslateOptions(size, seed, paste, grid, largest, anyway, style, variants, paint, hair, like)
    raise typer.Exit(translate(inputs, output, model, options, force))


@app.command("draw")
def draw_command(
    count: Annotated[int, typer.Option(min=1, max=10_000_000, help="Number of faces.")] = 100,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Random seed of the set.")] = 0,
    size: Annotated[int | None, typer.Option(help="Side in pixels; default: 256, with --like 512.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder, or PNG file for --sheet; default: drawn, sheet.png.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume an unfinished dataset.")] = False,
    sheet: Annotated[bool, typer.Option("--sheet", help="Write a contact sheet instead of a dataset.")] = False,
    like: Annotated[
        list[Path] | None, typer.Option("--like", metavar="PHOTO", help="Draw the people of a photo; may be repeated.")
    ] = None,
    style: Annotated[str, typer.Option(help="Drawing style of --like.")] = "modern",
    variants: Annotated[int, typer.Option(help="Number of styles of --like.")] = 1,
    set_attribute: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Attribute of all faces, such as hair=blue; may be repeated."),
    ] = None,
    distribution: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE:SHARE,...",
            help="Shares of an attribute, such as gender=female:1,male:3, or a probability, such as fantasy_hair=0.3; "
            "may be repeated.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files of --sheet and --like.")] = False,
) -> None:
    """Draw anime portraits without a trained model: a labelled dataset, a contact sheet, or people of photos."""
    from . import draw as drawing

    words, shares = set_attribute or [], distribution or []
    if like and (sheet or resume or shares):
        raise conflict("--like", "cannot be combined with --sheet, --resume or --distribution", "Leave one out")
    if like:
        folder = output or Path("drawn")
        raise typer.Exit(drawing.portraits(like, folder, style, variants, 512 if size is None else size, words, force))
    if sheet:
        drawing.sheet(output or Path("sheet.png"), count, seed, words, shares, force)
    else:
        drawing.dataset(output or Path("drawn"), count, seed, 256 if size is None else size, words, shares, resume)


@app.command("export")
def export_command(
    output: Annotated[Path, typer.Option("-o", "--output", help="Bundle to write.")] = Path("animemorph.zip"),
    half: Annotated[bool, typer.Option("--half", help="Store the weights in 16 bits.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    model: Model = None,
) -> None:
    """Export a trained model as one bundle (ONNX, model card, licence, hashes) that runs without PyTorch."""
    from ..inference import export as exporting

    if output.exists() and not force:
        raise conflict(output, "exists", "Add --force to overwrite it")
    for direction, parity in exporting.export(model, output, half).items():
        typer.echo(
            f"{direction}: maximum difference to PyTorch {parity.max_abs:.1e} in [-1, 1], PSNR {parity.psnr:.0f} dB",
            err=True,
        )
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB, ONNX opset {exporting.OPSET}", err=True)


@app.command("app")
def app_command(
    host: Annotated[
        str, typer.Option(help="Address to listen on; the default accepts only this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free port.")] = 7860,
    model: Model = None,
) -> None:
    """Serve the web page, which translates uploaded photos and pictures from the camera."""
    from ..inference.web import app as page

    page.serve(host, port, model)


@app.command("audit")
def audit_command() -> None:
    """Check pipeline outputs and the DVC cache against their recorded hashes; exit code 1 if a file differs."""
    from . import audit

    result = audit.audit(Path.cwd())
    for finding in result.findings:
        typer.echo(f"{finding.problem}: {finding.path} ({finding.advice})")
    typer.echo(f"{result.files} files checked, {len(result.findings)} with a problem", err=True)
    raise typer.Exit(1 if result.findings else 0)


@app.command("score")
def score_command(
    fakes: Annotated[Path, typer.Argument(help="Generated images: folder, zip or tar.")],
    reals: Annotated[Path, typer.Argument(help="Real images of the target domain: folder, zip or tar.")],
    extractor: Annotated[str, typer.Option(help="Feature network: embedded (FD, KD) or inception (FID, KID).")] = (
        "embedded"
    ),
    weights: Annotated[
        str | None, typer.Option(help="File or folder of the Inception weights; default: download them.")
    ] = None,
    detector: Annotated[str, typer.Option(help="Face detector for the detection rate, or none.")] = "animeface",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="JSON file of the metrics.")] = None,
) -> None:
    """Score generated images against real ones: distances, precision, recall, face detection rate."""
    from . import score as scoring

    typer.echo(scoring.run(fakes, reals, extractor, weights, detector, output))


Seeds = Annotated[str, typer.Option(help="Seeds, separated by commas; a test needs at least 5.")]
SetParam = Annotated[
    list[str] | None,
    typer.Option("-S", "--set-param", metavar="KEY=VALUE", help="Param of all runs; may be repeated."),
]


@app.command("compare")
def compare_command(
    seeds: Seeds = "0,1,2,3,4",
    set_param: SetParam = None,
    models: Annotated[
        str, typer.Option(help="Models, separated by commas: dcgan, cyclegan, cyclegan-noise, cut, cyclegan-landmarks.")
    ] = "dcgan,cyclegan,cyclegan-noise",
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the results.")] = Path("data/compare"),
) -> None:
    """Train models with equal epochs and seeds, and test the difference between each model and the previous one.

    Run the same command again to resume.
    """
    from . import compare as comparing

    typer.echo(comparing.command(seeds, set_param or [], output, models))


@app.command("study")
def study_command(
    seeds: Seeds = "0,1,2,3,4",
    set_param: SetParam = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Markdown file.")] = Path("docs/study.md"),
    dry: Annotated[bool, typer.Option("--dry", help="List the runs without starting them.")] = False,
    finished: Annotated[bool, typer.Option("--finished", help="Write the document from the finished runs.")] = False,
) -> None:
    """Train the models of the study, test its claims and write a document with figures.

    Run the same command again to resume.
    """
    from . import study as studying

    typer.echo(studying.command(seeds, set_param or [], output, dry, finished))
