"""Person masks for the training of the segmentation network, by MediaPipe's selfie segmenter (Apache-2.0).

MediaPipe needs an older NumPy than the project, so this script runs in an environment of its own:

    uv run --no-project --python 3.12 --with mediapipe==0.10.21 python benchmarks/segmentation_masks.py FOLDER

It reads FOLDER/*.png and writes FOLDER/masks.npz: `names`, and `masks`, uint8 [n, 128, 128].
"""

import sys
from pathlib import Path

import cv2
import mediapipe
import numpy as np
from PIL import Image

SIDE = 128


def main(folder: Path) -> None:
    """Write the masks of all pictures of a folder."""
    network = mediapipe.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)
    paths = sorted(folder.glob("*.png"))
    masks = []
    for path in paths:
        mask = network.process(np.asarray(Image.open(path).convert("RGB"))).segmentation_mask
        masks.append(cv2.resize(np.rint(mask * 255).astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    np.savez_compressed(folder / "masks.npz", names=[path.name for path in paths], masks=np.array(masks))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
