"""Error of the embedded anime detector against the exact landmarks of drawn faces, by group.

    uv run python -m benchmarks.landmarks_on_drawings [faces]

A face counts as found if both eyes lie within 0.35 eye distances of the truth. The error is the mean distance of the
centres of eyes and mouth from the truth, as a share of the eye distance: its median over the faces that were found.
"""

import sys

import numpy as np
import pandas as pd
from tqdm import tqdm

from pipeline.drawing import OPTIONS, STYLES, draw, draw_in_style
from pipeline.landmarks import Detection, create_detector
from pipeline.landmarks.truth_error import landmark_error

SIZE, SEED = 256, 77


def error(found: list[Detection], truth: np.ndarray) -> float:
    """Return the error of the first face in eye distances; NaN where it was not found."""
    return landmark_error(found[0].keypoints, found[0].schema, truth) if found else float("nan")


def main(count: int = 300) -> None:
    """Print the table in Markdown."""
    rows = []
    with create_detector("animeface") as detector:
        for index in tqdm(range(count), desc="free drawings"):
            drawing = draw(SEED, index, SIZE)
            told = {
                name: drawing.attributes[name] for name in ("skin", "gender", "age", "expression", "glasses", "hat")
            }
            turn = abs(drawing.pose[0])
            told["yaw"] = next(name for name, end in (("0-10°", 10), ("10-20°", 20), ("over 20°", 180)) if turn < end)
            found = error(detector.detect(drawing.picture[None])[0], drawing.landmarks)
            rows += [(*item, found) for item in told.items()]
        for style in tqdm(STYLES, desc="styles"):
            for skin in OPTIONS["skin"]:
                drawing = draw_in_style(style, SIZE, framing="portrait", skin=skin)
                rows.append(("style", style, error(detector.detect(drawing.picture[None])[0], drawing.landmarks)))
    table = pd.DataFrame(rows, columns=["attribute", "group", "error"])
    print("| attribute | group | faces | found | error |\n|---|---|---|---|---|")
    for (attribute, group), errors in table.groupby(["attribute", "group"], sort=False)["error"]:
        print(f"| {attribute} | {group} | {len(errors)} | {errors.notna().mean():.0%} | {errors.median():.3f} |")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
