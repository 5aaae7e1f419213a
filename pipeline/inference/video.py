"""Videos: every face of every frame, steadily, with the sound kept.

The clip is read twice: once to follow the faces, once to draw. In memory are one frame and a few numbers per frame.
"""

import errno
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from ..errors import UserError
from ..files import atomic_file
from ..images import crop_aligned
from .blending import paste_face
from .tracking import Tracker
from .translator import NoFaceError, Translator

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
#: Playlists and the like could make the decoder open other files and addresses.
READABLE = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts"
MAX_PIXELS = 40_000_000
#: px, longer side of the frame in which faces are looked for.
SEARCH_SIDE = 640


@dataclass(frozen=True)
class Clip:
    """What was written."""

    frames: int
    with_faces: int
    damaged: int  #: packets that could not be decoded


def translate_video(
    translator: Translator, source: Path, target: Path, seed: int = 0, largest: bool = False, smoothing: float = 0.12
) -> Clip:
    """Replace the faces of a video by anime faces; frames, their times and the sound stay.

    Args:
        translator: with the model.
        source: any file with a video stream.
        target: .mp4, .mov or .mkv; written whole or not at all.
        seed: of the noise, the same for every frame.
        largest: only the largest face of each frame.
        smoothing: s, standard deviation of the Gaussian weights over time; 0: none.

    Raises:
        UserError: the file cannot be read or written, or PyAV is not installed.
        NoFaceError: no frame shows a face.
    """
    if importlib.util.find_spec("av") is None:
        raise UserError("videos need PyAV: install animemorph[video].")
    import av

    # No callback into Python: a decoder thread that logs waits for the interpreter, which waits for that thread.
    av.logging.set_level(None)
    if target.suffix.lower() not in CONTAINERS:
        raise UserError(f"a video can be written as {', '.join(CONTAINERS)}, not as {target.suffix or 'that'}.")
    try:
        tracker = Tracker(smoothing)
        reader = _Reader(source)
        for time, frame in reader.frames("find faces"):
            tracker.add(time, translator.find(frame, (SEARCH_SIDE,)), cv2.resize(frame, (32, 18)))
        faces = tracker.finish()
        if not any(faces):
            raise NoFaceError("no face was found in any frame: try a clip that shows one from the front.")
        if largest:
            faces = [aligns[:1] for aligns in faces]
        assert reader.shape is not None
        with atomic_file(target) as partial:
            container = CONTAINERS[target.suffix.lower()]
            frames = _draw(translator, source, partial, container, reader.shape, faces, seed)
    except av.error.FFmpegError as error:
        if error.errno == errno.ENOSPC:
            raise UserError("no space is left for the video: make room, or name another place with -o.") from error
        raise UserError(f"the video cannot be read or written ({error.strerror}): convert it to .mp4 first.") from error
    return Clip(frames, sum(1 for aligns in faces if aligns), reader.damaged)


class _Reader:
    """Decodes the first video stream of a file."""

    def __init__(self, source: Path) -> None:
        import av

        self.container = av.open(str(source), options={"format_whitelist": READABLE, "protocol_whitelist": "file"})
        if not self.container.streams.video:
            raise UserError("it holds no video stream: check the file.")
        self.stream: Any = self.container.streams.video[0]
        if self.stream.width * self.stream.height > MAX_PIXELS:
            raise UserError(f"its frames have more than {MAX_PIXELS // 10**6} million pixels: make it smaller first.")
        self.stream.thread_type = "AUTO"
        self.damaged = 0
        self.shape: tuple[int, int] | None = None  #: height and width of every frame, once one was read

    def frames(self, label: str) -> Iterator[tuple[float, np.ndarray]]:
        """Yield (time in s, uint8 RGB [H, W, 3] upright and of one even size) for each frame."""
        for item in self.items(label):
            if isinstance(item, tuple):
                yield float(item[0] * self.stream.time_base), item[1]

    def items(self, label: str) -> Iterator[Any]:
        """Yield (pts, frame as above) for video and the packets of the sound, as they stand in the file."""
        import av

        last = -1
        wanted = [self.stream, *self.container.streams.audio]
        bar = tqdm(total=self._estimate(), desc=label, unit="frame", mininterval=1, disable=None)
        with self.container, bar:
            packets = self.container.demux(wanted)
            while True:
                try:
                    packet = next(packets)
                    if packet.stream.type != "video":
                        if packet.dts is not None:
                            yield packet
                        continue
                    decoded: list[Any] = list(packet.decode())
                except StopIteration:
                    return
                except av.error.InvalidDataError:
                    # The rest of a file that was cut off ends here; a damaged packet in the middle costs its frames.
                    self.damaged += 1
                    if self.damaged > 1000:
                        raise
                    continue
                for frame in decoded:
                    # Times must rise; streams without any are played at their mean rate.
                    step = round(1 / ((self.stream.average_rate or 25) * self.stream.time_base))
                    last = max(last + 1, frame.pts if frame.pts is not None else last + max(step, 1))
                    yield last, self._upright(frame)
                    bar.update()

    def _estimate(self) -> int | None:
        """Return about how many frames there are, for the time left."""
        if self.stream.frames:
            return int(self.stream.frames)
        if self.container.duration and self.stream.average_rate:
            return int(self.container.duration / 1e6 * self.stream.average_rate)
        return None

    def _upright(self, frame: Any) -> np.ndarray:
        pixels = frame.to_ndarray(format="rgb24")
        # Telephones store the way they were held beside the pixels.
        pixels = np.rot90(pixels, round(frame.rotation / 90) % 4)
        height, width = pixels.shape[:2]
        if self.shape is None:
            self.shape = (height + height % 2, width + width % 2)
        if (height + height % 2, width + width % 2) != self.shape:  # some streams change their size midway
            return cv2.resize(np.ascontiguousarray(pixels), self.shape[::-1], interpolation=cv2.INTER_AREA)
        # H.264 with halved colour needs even sides.
        return np.ascontiguousarray(np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), "edge"))


def _draw(
    translator: Translator,
    source: Path,
    target: Path,
    container: str,
    shape: tuple[int, int],
    faces: list[list[np.ndarray]],
    seed: int,
) -> int:
    import av

    reader = _Reader(source)
    number = 0
    with av.open(str(target), "w", format=container) as output:
        video: Any = output.add_stream("libx264", rate=reader.stream.average_rate or Fraction(25))
        video.height, video.width = shape
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = reader.stream.time_base
        # x264's macroblock tree gives other bytes in every run on some processors: equal clips must stay equal.
        video.options = {"crf": "18", "preset": "veryfast", "mbtree": "0"}
        sound = {}
        for stream in reader.container.streams.audio:
            try:
                sound[stream.index] = output.add_stream_from_template(stream)
            except ValueError:
                codec = stream.codec_context.name
                raise UserError(f"{codec} sound does not fit into .{container}: name an .mkv file with -o.") from None
        for item in reader.items("draw faces"):
            if not isinstance(item, tuple):
                item.stream = sound[item.stream.index]
                output.mux(item)
                continue
            pts, pixels = item
            if number < len(faces):
                _translate_frame(translator, pixels, faces[number], seed)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = pts, reader.stream.time_base
            output.mux(video.encode(frame))
            number += 1
        output.mux(video.encode(None))
    return number


def _translate_frame(translator: Translator, pixels: np.ndarray, aligns: list[np.ndarray], seed: int) -> None:
    if not aligns:
        return
    crops = np.stack([crop_aligned(pixels, align, translator.facts.resolution) for align in aligns])
    translated = translator.run(crops, "human2anime", seed, translator.masks(pixels, aligns))
    for align, anime in reversed(list(zip(aligns, translated, strict=True))):
        paste_face(pixels, anime, align)
