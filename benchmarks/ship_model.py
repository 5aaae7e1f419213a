"""Put a trained model into `pipeline/pretrained/` with 16-bit weights: `uv run python -m benchmarks.ship_model`.

Run it after `dvc exp run -S profile=shipped`. The model card is text: edit it by hand,
then run this again, because the bundle contains the card.
"""

import shutil
from dataclasses import replace
from pathlib import Path

from pipeline.inference.backends import BUNDLE, PRETRAINED
from pipeline.inference.export import export
from pipeline.networks.model import load_model, save_model

TRAINED, EVALUATED = Path("data/train"), Path("data/evaluate")


def main() -> None:
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
