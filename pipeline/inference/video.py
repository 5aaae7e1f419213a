"""Translate videos: replace the faces of every frame, without jitter, and keep the sound.

The clip is read twice: the first pass tracks the faces, the second draws. Memory contains one frame and a few numbers
per frame.
"""

import errno
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..errors import Kind, UserError, bad_value, damaged_file, unavailable
from ..files import atomic_file
from ..images import crop_aligned
from .blending import paste_face
from .enlarging import enlarge_to_photo
from .face_finder import NoFaceError
from .tracking import Tracker
from .translator import Translator
from .video_io import CONTAINERS, VideoReader, VideoWriter

#: Pixels, longer side of the frame in which faces are searched.
SEARCH_SIDE = 640


@dataclass(frozen=True)
class Clip:
    """Summary of a translated clip.

    Attributes:
        frames: Number of frames.
        with_faces: Frames with at least one face.
        damaged: Packets that could not be decoded.
        notes: Sentences about differences from the source.
    """

    frames: int
    with_faces: int
    damaged: int
    notes: tuple[str, ...]


def translate_video(translator: Translator, source: Path, target: Path, seed: int = 0, largest: bool = False) -> Clip:
    """Replace the faces of a video by anime faces; frames, their times, colours and the sound are kept.

    Args:
        translator: Translator with the model.
        source: Any file with a video stream.
        target: Output file, .mp4, .m4v, .mov or .mkv. It appears only when it is complete.
        seed: Random seed of the noise, the same for every frame.
        largest: Replace only the largest face of each frame.

    Raises:
        UserError: The file cannot be read or written, or PyAV is not installed.
        NoFaceError: No frame shows a face.
    """
    if importlib.util.find_spec("av") is None:
        raise unavailable("videos", "the package 'av' is not installed", "Install animemorph[video]")
    import av

    # No logging: a decoder thread that logs waits for the interpreter, and the interpreter waits for that thread.
    av.logging.set_level(None)
    if target.suffix.lower() not in CONTAINERS:
        raise bad_value("video output", str(target), f"a name with the suffix {', '.join(CONTAINERS)}")
    try:
        reader = VideoReader(source)
        faces = _track(translator, reader)
        if largest:
            faces = [aligns[:1] for aligns in faces]
        with atomic_file(target) as partial:
            frames, notes = _draw(translator, source, partial, CONTAINERS[target.suffix.lower()], reader, faces, seed)
    except av.error.FFmpegError as error:
        if error.errno == errno.ENOSPC:
            text = f"no space left while writing {str(target)!r}. Free disk space or choose another output."
            raise UserError(text, kind=Kind.NO_SPACE, subject=target) from error
        raise damaged_file(source, str(error.strerror), "Convert the video to .mp4") from error
    if reader.damaged:
        notes = (*notes, "damaged parts could not be read and are missing.")
    return Clip(frames, sum(1 for aligns in faces if aligns), reader.damaged, notes)


def _track(translator: Translator, reader: VideoReader) -> list[list[np.ndarray]]:
    """Return each frame's faces as `Translator.find` does, from pixels of the frame to the unit square."""
    tracker = Tracker()
    stretches = []
    for time, frame in reader.frames("find faces"):
        height, width = frame.shape[:2]
        shown = round(width * reader.aspect)  # faces are searched in square pixels
        view = frame if shown == width else cv2.resize(frame, (shown, height), interpolation=cv2.INTER_AREA)
        stretches.append(np.diag([shown / width, 1, 1]))
        tracker.add(time, translator.find(view, (SEARCH_SIDE,)), cv2.resize(frame, (32, 18)))
    faces = tracker.finish()
    if not any(faces):
        text = "no face was found in any frame. Use a video that shows a face from the front."
        raise NoFaceError(text, kind=Kind.TOO_FEW, subject="face")
    return [
        [np.hstack([face[:, :3] @ stretch, face[:, 3:]]) for face in found]
        for found, stretch in zip(faces, stretches, strict=True)
    ]


def _draw(
    translator: Translator,
    source: Path,
    target: Path,
    container: str,
    tracked: VideoReader,
    faces: list[list[np.ndarray]],
    seed: int,
) -> tuple[int, tuple[str, ...]]:
    reader = VideoReader(source)
    number = 0
    with VideoWriter(target, container, reader, tracked) as writer:
        for item in reader.items("draw faces"):
            if not isinstance(item, tuple):
                writer.write_sound(item)
                continue
            pts, pixels = item
            if number < len(faces):
                _translate_frame(translator, pixels, faces[number], seed)
            writer.write_frame(pts, pixels)
            number += 1
    return number, tuple(writer.notes)


def _translate_frame(translator: Translator, pixels: np.ndarray, faces: list[np.ndarray], seed: int) -> None:
    if not faces:
        return
    aligns = [face[:, :3] for face in faces]
    crops = np.stack([crop_aligned(pixels, align, translator.facts.resolution) for align in aligns])
    masks, points = translator.masks(pixels, aligns), translator.points(faces)["anime"]
    translated = translator.run(crops, "human2anime", seed, masks, points=points)
    for align, anime in reversed(list(zip(aligns, translated, strict=True))):
        paste_face(pixels, enlarge_to_photo(anime, align), align)
