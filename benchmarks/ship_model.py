"""Put a trained model into `pipeline/pretrained/` with 16-bit weights.

    uv run python -m benchmarks.ship_model --merge first   # data/train gets the model of both runs
    uv run python -m benchmarks.ship_model                 # write pipeline/pretrained, with data/evaluate

`first` is a copy of `data/train` after the first of the two runs in docs/translate.md; `data/train` has the second one.
The model draws with the second run and translates back with the first. The model card is text: edit it by hand, then
run the last command again, because the bundle contains the card.
"""

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

from pipeline.inference.backends import BUNDLE, PRETRAINED
from pipeline.inference.export import export
from pipeline.networks.model import load_model, save_model

TRAINED, EVALUATED = Path("data/train"), Path("data/evaluate")


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--merge", type=Path, metavar="FIRST", help="model of the first run, a copy of data/train")
    first = parser.parse_args().merge
    if first:
        merge(first)
    else:
        ship()


def merge(first: Path) -> None:
    """Give data/train all networks of the first run but human2anime, which it keeps."""
    merged = replace(load_model(first), human2anime=load_model(TRAINED).human2anime)
    shutil.copytree(first, TRAINED, dirs_exist_ok=True)
    save_model(merged, TRAINED)


def ship() -> None:
    """Write the generators, metrics, history and params, and export the bundle."""
    model = replace(load_model(TRAINED), discriminator_anime=None, discriminator_human=None, patch_heads=None)
    for direction in model.config.directions:
        getattr(model, direction).half()
    save_model(model, PRETRAINED)
    for source in (TRAINED / "history.csv", EVALUATED / "metrics.json", Path("params.yaml")):
        shutil.copy(source, PRETRAINED / source.name)
    for direction, parity in export(PRETRAINED, PRETRAINED / BUNDLE, half=True).items():
        print(f"{direction}: at most {parity.max_abs:.1e} from PyTorch, PSNR {parity.psnr:.0f} dB")
    for path in sorted(PRETRAINED.iterdir()):
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
