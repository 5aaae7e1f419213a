"""`animemorph …`."""

import errno
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..errors import UserError

# Commands import what they need when they run: `animemorph --help` must not wait for networks to load.


class Commands(TyperGroup):
    """Whatever a user can mend ends as one sentence and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None
        except OSError as error:
            if error.filename is None and error.errno != errno.ENOSPC:
                raise
            place = error.filename or "the disk"
            typer.echo(f"error: {place}: {error.strerror}: make room, or name another place.", err=True)
            raise typer.Exit(1) from None
        except ModuleNotFoundError as error:  # `pip install animemorph` alone brings what translating needs
            if (error.name or "pipeline").split(".")[0] in ("pipeline", "stages"):
                raise
            typer.echo(
                f"error: this needs the package {error.name}, which is not installed: install animemorph[pipeline].",
                err=True,
            )
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, rich_markup_mode=None
)

Model = Annotated[
    Path | None,
    typer.Option(help="Training folder or bundle; by default data/train, else the model that ships along."),
]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the noise, for a model with noise.")]


@app.callback()
def animemorph() -> None:
    """A photo of a person in, an anime portrait out."""


@app.command("translate")
def translate_command(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Photos, videos, folders, patterns, or -.")],
    output: Annotated[str, typer.Option("-o", "--output", help="Folder, file, or - for standard output.")] = "anime",
    size: Annotated[int, typer.Option(min=16, max=4096, help="Side of the portrait, px.")] = 256,
    paste: Annotated[bool, typer.Option("--paste", help="Put the anime faces back into the photo.")] = False,
    grid: Annotated[bool, typer.Option("--grid", help="Input, anime and back again, side by side.")] = False,
    largest: Annotated[bool, typer.Option("--largest", help="Only the largest face.")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Translate a photo's middle if it shows no face.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what exists.")] = False,
    seed: Seed = 0,
    style: Annotated[str | None, typer.Option(help="Name of the drawing style; by default the model's first.")] = None,
    model: Model = None,
) -> None:
    """Turn the faces of photos and videos into anime faces.

    Exit code 0: all were translated; 3: some were skipped, as listed; 1: none was translated.
    """
    from . import translate as command

    if paste and grid:
        raise UserError("--paste and --grid exclude each other: leave one out.")
    # As Ctrl-C does it: nothing half-written stays.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    look = command.Look(size, seed, paste, grid, largest, anyway, style)
    raise typer.Exit(command.translate(inputs, output, model, look, force))


@app.command("export")
def export_command(
    output: Annotated[Path, typer.Option("-o", "--output", help="The bundle to write.")] = Path("animemorph.zip"),
    half: Annotated[bool, typer.Option("--half", help="Store the weights in 16 bits.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what exists.")] = False,
    model: Model = None,
) -> None:
    """Write a trained model as one bundle (ONNX, card, licence, hashes) that translates without PyTorch."""
    from ..inference import export as exporting

    if output.exists() and not force:
        raise UserError(f"{output} exists already: --force overwrites it.")
    for direction, parity in exporting.export(model, output, half).items():
        typer.echo(
            f"{direction}: {parity.max_abs:.1e} from PyTorch at most, in [-1, 1]; PSNR {parity.psnr:.0f} dB", err=True
        )
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB, ONNX opset {exporting.OPSET}", err=True)


@app.command("app")
def app_command(
    host: Annotated[str, typer.Option(help="Address to listen on; by default this machine alone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free one.")] = 7860,
    model: Model = None,
) -> None:
    """Serve the web page: drop a photo or use the camera."""
    from ..inference.web import app as page

    page.serve(host, port, model)


@app.command("audit")
def audit_command() -> None:
    """Hash the outputs of the pipeline and DVC's cached copies again; name what is damaged or missing (exit code 1)."""
    from . import audit as auditing

    result = auditing.audit(Path.cwd())
    for finding in result.findings:
        typer.echo(f"{finding.problem}: {finding.path} ({finding.advice})")
    typer.echo(f"{result.files} files looked at, {len(result.findings)} with something wrong", err=True)
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


@app.command("compare")
def compare_command(
    seeds: Annotated[str, typer.Option(help="Seeds, separated by commas; a test needs at least 5.")] = "0,1,2,3,4",
    set_param: Annotated[
        list[str] | None,
        typer.Option("-S", "--set-param", metavar="KEY=VALUE", help="Param of all runs; may be repeated."),
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the results.")] = Path("data/compare"),
) -> None:
    """Train DCGAN, CycleGAN and CycleGAN with noise with the same epochs and seeds; test their differences.

    Run the same command again to resume.
    """
    from . import compare as comparing

    typer.echo(comparing.command(seeds, set_param or [], output))
