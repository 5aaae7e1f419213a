"""How much the translation of a video flickers, in multiples of what its photo frames do.

    python -m benchmarks.video_flicker
    python -m benchmarks.video_flicker --model FOLDER --people 5

The clips are synthetic: a generated person is moved, turned and lit by a script. Flicker is the mean distance between
the features (EfficientNet-Lite0) of neighbouring frames. `whole` compares whole frames. `stabilised` is stricter: it
takes the known movement out first, so that the photo frames differ by little more than their light.
"""

import argparse
import tempfile
from pathlib import Path

import av
import cv2
import numpy as np

from pipeline.download.demo_humans import generate
from pipeline.features.extractors import EmbeddedExtractor, extract
from pipeline.inference import Translator
from pipeline.inference.video import translate_video

#: Random seed of the people, which no training uses, and the first of them; the pictures of the docs have the same.
SEED, PEOPLE = 20261127, (2, 5, 34, 19, 31, 12, 17, 41)
#: Pixels, sides of the photo and of a frame; frames of a clip; frames per second.
PHOTO, SIDE, FRAMES, RATE = 512, 256, 50, 25
#: Largest ratio of whole frames that is good enough.
LIMIT = 1.5


def motion(frame: int) -> np.ndarray:
    """Return the perspective map [3, 3] from the photo of the person to a frame: sway, nod, turn, come closer."""
    turn = 2 * np.pi * frame / FRAMES  # the clip ends as it begins
    centre = SIDE / 2
    roll, scale = np.radians(7 * np.sin(turn)), 0.6 + 0.03 * np.cos(2 * turn)
    moved = np.array([centre + 10 * np.sin(turn), centre + 4 * np.sin(2 * turn)])
    a, b = scale * np.cos(roll), scale * np.sin(roll)
    similarity = np.array([[a, -b, moved[0]], [b, a, moved[1]], [0, 0, 1]])
    perspective = np.array([[1, 0, 0], [0, 1, 0], [4.5e-4 * np.cos(turn), 2e-4 * np.sin(turn), 1]])
    to_middle = np.array([[1, 0, -PHOTO / 2], [0, 1, -PHOTO / 2], [0, 0, 1]])
    return similarity @ perspective @ to_middle


def clip(person: np.ndarray) -> list[np.ndarray]:
    """Return the frames of a person, uint8 RGB [512, 512, 3], who moves in a light that moves."""
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE - 0.5
    frames = []
    for frame in range(FRAMES):
        turn = 2 * np.pi * frame / FRAMES
        picture = cv2.warpPerspective(
            person, motion(frame), (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101
        )
        light = 1 + 0.1 * np.sin(turn) + 0.35 * (x * np.cos(turn) + y * np.sin(turn))
        frames.append(np.clip(picture * light[..., None], 0, 255).astype(np.uint8))
    return frames


def write(path: Path, frames: list[np.ndarray]) -> None:
    """Encode frames as a video."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt, video.options = SIDE, SIDE, "yuv420p", {"crf": "14"}
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number
            output.mux(video.encode(frame))
        output.mux(video.encode(None))


def read(path: Path) -> list[np.ndarray]:
    """Decode the frames of a video."""
    with av.open(str(path)) as source:
        return [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]


def translated(translator: Translator, frames: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the frames of a clip as a video shows them, and those of its translation."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "photo.mp4", Path(folder) / "anime.mp4"
        write(source, frames)
        translate_video(translator, source, target)
        return read(source), read(target)


def flicker(frames: list[np.ndarray], stabilised: bool) -> float:
    """Return the mean distance between the features of neighbouring frames."""
    if stabilised:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        frames = [
            cv2.warpPerspective(picture, motion(number), (PHOTO, PHOTO), flags=flags)[96:416, 96:416]
            for number, picture in enumerate(frames)
        ]
    features = extract(np.stack(frames), EmbeddedExtractor(), "flicker")
    return float(np.linalg.norm(np.diff(features, axis=0), axis=1).mean())


def main() -> None:
    """Print the ratios of each person and their mean; exit code 1 if that of whole frames is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="training folder or bundle; default: the shipped model")
    parser.add_argument("--style", help="name of the drawing style; default: the model's first")
    parser.add_argument("--people", type=int, default=3, choices=range(1, len(PEOPLE) + 1), help="number of clips")
    words = parser.parse_args()
    translator = Translator(words.model, words.style)
    rows = []
    for index, person in zip(PEOPLE, generate(SEED, PEOPLE[: words.people], PHOTO), strict=False):
        photo, anime = translated(translator, clip(person))
        rows.append([flicker(anime, steady) / flicker(photo, steady) for steady in (False, True)])
        print(f"person {index}: whole {rows[-1][0]:.2f}, stabilised {rows[-1][1]:.2f}", flush=True)
    whole, stabilised = np.mean(rows, axis=0)
    print(f"mean of {len(rows)}: whole {whole:.2f}, stabilised {stabilised:.2f} (limit of whole: {LIMIT})")
    raise SystemExit(0 if whole <= LIMIT else 1)


if __name__ == "__main__":
    main()
