"""Measure translations guided by reference drawings: how much they differ, and how much of the photo they keep.

    uv run python -m benchmarks.references                     # drawings by the renderer as references
    uv run python -m benchmarks.references --drawings FOLDER   # your own, the first ten in which a face is found

Diversity is the mean pairwise distance of features of ImageNet between the translations of one photo with ten
references. AniGAN (arXiv:2102.12593) measures LPIPS between such pairs. Consistency compares the translations with each
other: landmarks, attributes that a network reads, and the colour of the skin.
"""

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.fit_styles import person
from pipeline.drawing import STYLES, draw_in_style
from pipeline.features.attributes_face import to_lab
from pipeline.features.drawn_attributes import read
from pipeline.features.extractors import create_extractor, extract
from pipeline.inference import NoFaceError, Translator
from pipeline.inference.backends import BUNDLE, PRETRAINED
from pipeline.inference.web.app import STATIC
from pipeline.landmarks import create_detector
from pipeline.landmarks.schemas import SCHEMAS
from pipeline.progress import progress_bar

#: References of each photo, and the seed of the people of those that are drawn here.
REFERENCES, SEED = 10, 5
PARTS = ("left_eye", "right_eye", "mouth")


def pictures(folder: Path | None) -> list[Image.Image]:
    """Return candidates for references: the pictures of a folder, or drawings of people in all styles."""
    if folder is not None:
        return [Image.open(path) for path in sorted(folder.iterdir()) if path.is_file()]
    drawn = [
        draw_in_style(STYLES[index % len(STYLES)], 256, framing="portrait", **person(SEED, index)).picture
        for index in range(2 * REFERENCES)
    ]
    return [Image.fromarray(picture) for picture in drawn]


def pairwise(features: np.ndarray) -> float:
    """Return the mean distance of all pairs of rows."""
    return float(np.mean([np.linalg.norm(a - b) for a, b in combinations(features, 2)]))


def landmark_differences(faces: np.ndarray) -> list[float]:
    """Return the distance of eyes and mouth of each drawing to their mean, in eye distances."""
    schema, found = SCHEMAS["animeface"], create_detector("animeface").detect(faces)
    parts = np.array([[schema.centre(one[0].keypoints, part)[:2] for part in PARTS] for one in found if one])
    if len(parts) < 2:
        return []
    mean = parts.mean(axis=0)
    return list(np.linalg.norm(parts - mean, axis=2).mean(axis=1) / np.linalg.norm(mean[1] - mean[0]))


def skin(face: np.ndarray) -> np.ndarray:
    """Return the colour between eyes and mouth of an aligned drawing, L*a*b*."""
    size = len(face)
    part = face[round(0.56 * size) : round(0.66 * size), round(0.4 * size) : round(0.6 * size)]
    colour: np.ndarray = np.median(to_lab(part).reshape(-1, 3), axis=0)
    return colour


def main() -> None:
    """Translate the example photos with all references and in all styles, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawings", type=Path, help="Folder of drawings; default: by the renderer.")
    parser.add_argument("--photos", type=Path, default=STATIC / "examples", help="Folder of photos.")
    words = parser.parse_args()
    translator, references = Translator(PRETRAINED / BUNDLE), []
    for picture in pictures(words.drawings):
        try:
            references.append(translator.reference(picture))
        except NoFaceError:
            continue
        if len(references) == REFERENCES:
            break
    extractor = create_extractor("embedded")
    rows: dict[str, list[float]] = {}
    everything = []
    for path in progress_bar(sorted(words.photos.iterdir()), desc="translate", unit="photo"):
        photo = np.asarray(Image.open(path).convert("RGB"))
        guided = np.stack([translator.faces(photo, most=1, like=like)[0].anime for like in references])
        plain = np.stack([translator.faces(photo, most=1, style=like.style)[0].anime for like in references])
        styles = np.stack([translator.faces(photo, most=1, style=style)[0].anime for style in translator.facts.styles])
        everything.append(guided[0])
        for name, faces in {"references": guided, "styles": styles}.items():
            rows.setdefault(f"diversity of {name}", []).append(pairwise(extract(faces, extractor, "features")))
            rows.setdefault(f"landmark difference between {name}", []).extend(landmark_differences(faces))
        with_colours, without = read(guided), read(plain)
        kept = [(with_colours[name] > 0.5) == (without[name] > 0.5) for name in without]
        rows.setdefault("attributes as in the same style without a reference", []).append(float(np.mean(kept)))
        changes = [np.linalg.norm(skin(a) - skin(b)) for a, b in zip(guided, plain, strict=True)]
        rows.setdefault("change of skin colour (dE)", []).extend(float(change) for change in changes)
    rows["diversity of photos with one reference"] = [pairwise(extract(np.stack(everything), extractor, "features"))]
    print(f"{len(references)} references, styles: {', '.join(str(like.style) for like in references)}")
    for name, values in rows.items():
        print(f"{name}: {np.mean(values):.3f}")


if __name__ == "__main__":
    main()
