"""Read and write videos: upright RGB frames with their times, colour tags and sound."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np

from ..errors import Kind, UserError, damaged_file
from ..progress import progress_bar

#: Suffix of an output file: container format of FFmpeg.
CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
#: Allowed container formats. Playlists could make the decoder open other files and addresses.
READABLE = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,flv,asf"
MAX_PIXELS = 40_000_000
MAX_DAMAGED_PACKETS = 1000
#: Pixel aspect ratios beyond this factor are ignored as damaged.
MAX_ASPECT = 4

# Numbers of H.273 (colour tags): unspecified, the matrices that swscale converts, limited and full range.
_UNSPECIFIED, _BT709, _BT601 = 2, 1, 6
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
_LIMITED, _FULL = 1, 2
#: px. Untagged frames of at least this height are read as BT.709, as players do.
_HD_HEIGHT = 720


@dataclass(frozen=True)
class Colour:
    """Colour tags of a stream, and the matrix and range that convert its frames to RGB and back."""

    matrix: int
    range: int
    tags: tuple[int, int, int, int]  #: colorspace, color_primaries, color_trc, color_range

    @classmethod
    def of(cls, frame: Any) -> "Colour":
        """Return the colour of a decoded frame."""
        space, limits = int(frame.colorspace), int(frame.color_range)
        if limits not in (_LIMITED, _FULL):
            limits = _FULL if frame.format.name.startswith("yuvj") else _LIMITED
        if space not in _MATRICES:  # untagged, RGB, or not supported by swscale
            guess = _BT709 if frame.height >= _HD_HEIGHT else _BT601
            space, matrix = (space if space == _UNSPECIFIED else guess), _MATRICES[guess]
        else:
            matrix = _MATRICES[space]
        return cls(matrix, limits, (space, int(frame.color_primaries), int(frame.color_trc), limits))

    def to_rgb(self, frame: Any) -> np.ndarray:
        """Convert a decoded frame to uint8 RGB [H, W, 3]."""
        return frame.to_ndarray(
            format="rgb24",
            src_colorspace=self.matrix,
            src_color_range=self.range,
            dst_color_range=_FULL,
            interpolation=_exact(),
        )

    def from_rgb(self, pixels: np.ndarray) -> Any:
        """Convert uint8 RGB [H, W, 3] to a frame in yuv420p."""
        import av

        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
            format="yuv420p",
            dst_colorspace=self.matrix,
            src_color_range=_FULL,
            dst_color_range=self.range,
            interpolation=_exact(),
        )
        self.tag(frame)
        return frame

    def tag(self, target: Any) -> None:
        """Set the tags of a frame or an encoder."""
        target.colorspace, target.color_primaries, target.color_trc, target.color_range = self.tags


def _exact() -> Any:
    """Return the flags of swscale without which RGB is 2 levels too dark after each conversion."""
    from av.video.reformatter import Interpolation

    return Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


class VideoReader:
    """Decodes the best video stream of a file.

    Attributes:
        shape: Height and width of every frame, after the first one was read.
        aspect: Width of an upright pixel divided by its height, after the first frame was read.
        colour: Colour of the frames, after the first one was read.
        damaged: Packets that could not be decoded.
    """

    def __init__(self, source: Path) -> None:
        """Open a video.

        Raises:
            UserError: The file has no video stream, or its frames are too large.
        """
        import av
        from av.stream import Disposition

        self.container = av.open(str(source), options={"format_whitelist": READABLE, "protocol_whitelist": "file"})
        streams = [one for one in self.container.streams.video if not one.disposition & Disposition.attached_pic]
        if not streams:
            raise damaged_file(source, "it has no video stream", "Pass a video")
        self.stream: Any = max(streams, key=lambda one: one.width * one.height)
        if self.stream.width * self.stream.height > MAX_PIXELS:
            text = f"the frames of the video have more than {MAX_PIXELS // 10**6} million pixels. Make it smaller."
            raise UserError(text, kind=Kind.BAD_VALUE, subject=source)
        self.stream.thread_type = "AUTO"
        self.damaged = 0
        self.aspect = Fraction(1)
        self.shape: tuple[int, int] | None = None
        self.colour: Colour | None = None

    def frames(self, label: str) -> Iterator[tuple[float, np.ndarray]]:
        """Yield (time in s, uint8 RGB [H, W, 3] upright and of one even size) for each frame."""
        for item in self.items(label):
            if isinstance(item, tuple):
                yield float(item[0] * self.stream.time_base), item[1]

    def items(self, label: str) -> Iterator[Any]:
        """Yield (pts, frame as above) for each frame and the packets of the sound, in the order of the file."""
        import av

        last = -1
        streams = [self.stream, *self.container.streams.audio]
        bar = progress_bar(total=self._estimate(), desc=label, unit="frame")
        with self.container, bar:
            packets = self.container.demux(streams)
            while True:
                try:
                    packet = next(packets)
                    if packet.stream.type != "video":
                        yield packet
                        continue
                    decoded: list[Any] = list(packet.decode())
                except StopIteration:
                    return
                except av.error.InvalidDataError:
                    # A truncated file ends here. A damaged packet in the middle loses its frames.
                    self.damaged += 1
                    if self.damaged > MAX_DAMAGED_PACKETS:
                        raise
                    continue
                for frame in decoded:
                    # Times must rise; streams without times are played at their mean rate.
                    step = round(1 / ((self.stream.average_rate or 25) * self.stream.time_base))
                    last = max(last + 1, frame.pts if frame.pts is not None else last + max(step, 1))
                    yield last, self._upright(frame)
                    bar.update()

    def _estimate(self) -> int | None:
        """Return the approximate number of frames, for the progress bar."""
        if self.stream.frames:
            return int(self.stream.frames)
        if self.container.duration and self.stream.average_rate:
            return int(self.container.duration / 1e6 * self.stream.average_rate)
        return None

    def _upright(self, frame: Any) -> np.ndarray:
        if self.colour is None:
            self.colour = Colour.of(frame)
        # Phones store their orientation next to the pixels.
        turns = round(frame.rotation / 90) % 4
        pixels = np.rot90(self.colour.to_rgb(frame), turns)
        height, width = pixels.shape[:2]
        if self.shape is None:
            self.shape = (height + height % 2, width + width % 2)
            self.aspect = _aspect(self.stream.sample_aspect_ratio, turns)
        if (height + height % 2, width + width % 2) != self.shape:  # some streams change their size midway
            return cv2.resize(np.ascontiguousarray(pixels), self.shape[::-1], interpolation=cv2.INTER_AREA)
        # H.264 with halved colour needs even sides.
        return np.ascontiguousarray(np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), "edge"))


def _aspect(ratio: Any, turns: int) -> Fraction:
    aspect = Fraction(ratio.numerator, ratio.denominator) if ratio else Fraction(1)
    if not 1 / MAX_ASPECT <= aspect <= MAX_ASPECT:
        return Fraction(1)
    return 1 / aspect if turns % 2 else aspect


class VideoWriter:
    """Writes H.264 with the times, colour tags and pixel aspect ratio of a reader, and its sound.

    Attributes:
        notes: Sentences about differences from the source.
    """

    def __init__(self, target: Path, container: str, reader: VideoReader, first: VideoReader) -> None:
        """Open the output.

        Args:
            target: File to write.
            container: FFmpeg's name of the container format.
            reader: Reader whose frames and sound will be written.
            first: Reader of the same file that has read its frames, so that size, aspect and colour are known.
        """
        import av

        assert first.shape is not None
        assert first.colour is not None
        self.output: Any = av.open(str(target), "w", format=container)
        self.notes: list[str] = []
        self._colour, self._time_base = first.colour, reader.stream.time_base
        self._video: Any = self.output.add_stream("libx264", rate=reader.stream.average_rate or Fraction(25))
        self._video.height, self._video.width = first.shape
        self._video.pix_fmt = "yuv420p"
        context = self._video.codec_context
        context.time_base, context.sample_aspect_ratio = self._time_base, first.aspect
        self._colour.tag(context)
        # On some processors, the macroblock tree of x264 makes the bytes differ from run to run.
        self._video.options = {"crf": "18", "preset": "veryfast", "mbtree": "0"}
        self._resamplers: dict[int, Any] = {}
        self._sound = {stream.index: self._add_sound(stream) for stream in reader.container.streams.audio}

    def _add_sound(self, stream: Any) -> tuple[Any, bool]:
        """Return the output stream of a sound, and whether its packets are copied."""
        codec = stream.codec_context.name
        try:
            # FFmpeg writes PCM to .mp4 only if the layout of its channels is known, and few players read it.
            if not (codec.startswith("pcm_") and self.output.format.name == "mp4"):
                return self.output.add_stream_from_template(stream), True
        except ValueError:  # the container does not support this codec
            pass
        self.notes.append(f"its sound was converted from {codec} to AAC.")
        layout = stream.layout.name
        if " channels" in layout:  # the file does not say which channels
            layout = "mono" if stream.channels == 1 else "stereo"
        return self.output.add_stream("aac", rate=stream.rate, layout=layout), False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        with self.output:
            if kind is None:
                self.output.mux(self._video.encode(None))
                for index, (stream, copied) in self._sound.items():
                    if not copied:
                        if index in self._resamplers:
                            self._encode_sound(index, None)
                        self.output.mux(stream.encode(None))

    def write_frame(self, pts: int, pixels: np.ndarray) -> None:
        """Add a frame, uint8 RGB [H, W, 3], at a time in the reader's time base."""
        frame = self._colour.from_rgb(pixels)
        frame.pts, frame.time_base = pts, self._time_base
        self.output.mux(self._video.encode(frame))

    def write_sound(self, packet: Any) -> None:
        """Add a packet of sound of the reader."""
        stream, copied = self._sound[packet.stream.index]
        if not copied:
            for frame in packet.decode():
                self._encode_sound(packet.stream.index, frame)
        elif packet.dts is not None:
            packet.stream = stream
            self.output.mux(packet)

    def _encode_sound(self, index: int, frame: Any) -> None:
        """Encode a decoded frame of sound; None: flush the resampler."""
        import av

        stream, _ = self._sound[index]
        if index not in self._resamplers:
            context = stream.codec_context
            self._resamplers[index] = av.AudioResampler("fltp", context.layout.name, context.rate)
        for resampled in self._resamplers[index].resample(frame):
            self.output.mux(stream.encode(resampled))
