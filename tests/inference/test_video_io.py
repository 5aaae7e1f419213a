"""Videos of many kinds: colours, shape of the pixels, slow clips, sound, and files without a telling name."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.inference import Translator
from pipeline.inference.media_type import HEAD_BYTES, is_video
from pipeline.inference.video import translate_video
from pipeline.inference.video_io import VideoReader

BT709, BT601, BT2020 = 1, 6, 9
LIMITED, FULL, UNSPECIFIED = 1, 2, 2
#: Kr and Kb of the matrices (ITU-T H.273, table 4).
LUMA = {BT709: (0.2126, 0.0722), BT601: (0.299, 0.114), BT2020: (0.2627, 0.0593)}


@pytest.fixture(scope="module")
def face(portrait: Path) -> np.ndarray:
    return np.asarray(Image.open(portrait))


def to_yuv(rgb: np.ndarray, matrix: int, limits: int) -> np.ndarray:
    """Convert uint8 RGB to planar 4:2:0 by the formulas of H.273: an oracle without swscale."""
    kr, kb = LUMA[matrix]
    red, green, blue = np.moveaxis(rgb / 255.0, -1, 0)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = [(blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))]
    scale_y, offset, scale_c = (255, 0, 255) if limits == FULL else (219, 16, 224)
    height, width = luma.shape
    small = [c.reshape(height // 2, 2, width // 2, 2).mean((1, 3)) * scale_c + 128 for c in chroma]
    parts = [luma * scale_y + offset, *small]
    return np.concatenate([np.round(part).clip(0, 255).astype(np.uint8).ravel() for part in parts])


def write(path: Path, pictures: list[np.ndarray], codec: str = "libx264", rate: int = 10, **settings: Any) -> Path:
    """Encode pictures whose YUV was computed by `to_yuv`, with these tags; `sound` names the codec of a tone."""
    matrix, limits = settings.pop("matrix", BT601), settings.pop("limits", LIMITED)
    sound_codec, tags = settings.pop("sound", None), settings.pop("tags", {})
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = {"crf": "10"} if codec == "libx264" else {"qscale": "2"}
        for name, value in {**tags, **settings}.items():
            setattr(stream.codec_context, name, value)
        sound = container.add_stream(sound_codec, rate=8000, layout="mono") if sound_codec else None
        for index, picture in enumerate(pictures):
            planes = to_yuv(picture, matrix, limits).reshape(height * 3 // 2, width)
            frame = av.VideoFrame.from_ndarray(planes, format=stream.pix_fmt)
            for name, value in tags.items():
                setattr(frame, name, value)
            frame.pts, frame.time_base = index, Fraction(1, rate)
            container.mux(stream.encode(frame))
            if sound is not None:
                wave = np.sin(np.arange(8000 // rate) * 0.3) * 8000
                samples = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], "s16", "mono")
                samples.rate, samples.pts = 8000, index * (8000 // rate)
                container.mux(sound.encode(samples))
        container.mux(stream.encode(None))
        if sound is not None:
            container.mux(sound.encode(None))
    return path


def tags_of(path: Path) -> dict[str, int]:
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        return {
            name: int(getattr(context, name)) for name in ("colorspace", "color_primaries", "color_trc", "color_range")
        }


def first_frame(path: Path) -> np.ndarray:
    for _, frame in VideoReader(path).frames("test"):
        return frame
    raise AssertionError


def scene(face: np.ndarray) -> np.ndarray:
    """Frame, uint8 RGB [256, 384, 3]: the face, and a bar of one saturated colour next to it."""
    bar = np.full((256, 128, 3), (200, 60, 90), np.uint8)
    return np.hstack([face, bar])


@pytest.mark.parametrize(
    ("matrix", "limits", "tags"),
    [
        (BT709, LIMITED, {"colorspace": 1, "color_primaries": 1, "color_trc": 1, "color_range": 1}),
        (BT709, FULL, {"colorspace": 1, "color_primaries": 1, "color_trc": 1, "color_range": 2}),
        (BT601, LIMITED, {"colorspace": 6, "color_primaries": 6, "color_trc": 6, "color_range": 1}),
        (BT2020, LIMITED, {"colorspace": 9, "color_primaries": 9, "color_trc": 14, "color_range": 1}),
        (BT601, LIMITED, {}),
    ],
)
def test_colours_and_tags_are_kept(
    translator: Translator, face: np.ndarray, tmp_path: Path, matrix: int, limits: int, tags: dict[str, int]
) -> None:
    """The bar's colour is read and written with the right matrix: within 2 levels. BT.601 for BT.709 differs by 16."""
    clip = write(tmp_path / "in.mp4", [scene(face)] * 3, matrix=matrix, limits=limits, tags=tags)
    translate_video(translator, clip, tmp_path / "out.mp4")
    assert np.abs(first_frame(clip)[40:200, 300:360].mean((0, 1)) - (200, 60, 90)).max() <= 2
    assert np.abs(first_frame(tmp_path / "out.mp4")[40:200, 300:360].mean((0, 1)) - (200, 60, 90)).max() <= 2
    written = tags_of(tmp_path / "out.mp4")
    if tags:
        assert written == tags
    else:
        assert written["colorspace"] == UNSPECIFIED
    yuv = to_yuv(np.full((2, 2, 3), (200, 60, 90), np.uint8), matrix, limits)
    with av.open(str(tmp_path / "out.mp4")) as container:
        planes = next(container.decode(video=0)).to_ndarray()  # no conversion: what another player starts from
    assert abs(int(planes[100, 330]) - int(yuv[0])) <= 2


def test_untagged_high_definition_is_bt709(face: np.ndarray, tmp_path: Path) -> None:
    large = np.tile(scene(face), (3, 2, 1))[:720]
    clip = write(tmp_path / "in.mp4", [large], matrix=BT709)
    assert np.abs(first_frame(clip)[40:200, 300:360].mean((0, 1)) - (200, 60, 90)).max() <= 2


def test_aspect_ratio_of_pixels_is_kept(translator: Translator, face: np.ndarray, tmp_path: Path) -> None:
    """The face is stored at half its width: it is found in square pixels and drawn in place."""
    narrow = cv2.resize(np.hstack([face, face[:, :128]]), (192, 256), interpolation=cv2.INTER_AREA)
    clip = write(tmp_path / "in.mp4", [narrow] * 3, sample_aspect_ratio=Fraction(2, 1))
    report = translate_video(translator, clip, tmp_path / "out.mp4")
    assert report.with_faces == 3
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.sample_aspect_ratio) == (192, 256, Fraction(2, 1))
    change = np.abs(first_frame(tmp_path / "out.mp4").astype(int) - first_frame(clip)).mean(axis=2)
    _, columns = np.nonzero(change > 30)
    assert 50 < columns.mean() < 78  # the face's centre is near column 64 of 192
    assert columns.max() - columns.min() < 130


@pytest.mark.parametrize("rate", [1, 2, 10])
def test_slow_clips_are_translated(translator: Translator, face: np.ndarray, tmp_path: Path, rate: int) -> None:
    clip = write(tmp_path / "in.mp4", [face] * 4, codec="mpeg4", rate=rate)
    report = translate_video(translator, clip, tmp_path / "out.mp4")
    assert (report.frames, report.with_faces) == (4, 4)
    with av.open(str(tmp_path / "out.mp4")) as container:
        times = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    assert times == pytest.approx([index / rate for index in range(4)])


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "aac"), (".mov", "pcm_s16le"), (".mkv", "pcm_s16le")])
def test_sound_of_an_avi_is_kept(
    translator: Translator, face: np.ndarray, tmp_path: Path, suffix: str, codec: str
) -> None:
    clip = write(tmp_path / "in.avi", [face] * 10, codec="mjpeg", limits=FULL, sound="pcm_s16le")
    report = translate_video(translator, clip, tmp_path / f"out{suffix}")
    assert bool(report.notes) == (codec == "aac")
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        stream = container.streams.audio[0]
        samples = np.concatenate([frame.to_ndarray().astype(np.float64).ravel() for frame in container.decode(stream)])
        assert stream.codec_context.name == codec
    assert abs(len(samples) - 8000) <= 1024
    assert samples.std() > 0.1 * np.abs(samples).max()


def test_best_stream_is_taken(translator: Translator, face: np.ndarray, tmp_path: Path) -> None:
    """The first stream is a small preview without a face."""
    with av.open(str(tmp_path / "in.mkv"), "w") as container:
        streams = [container.add_stream("libx264", rate=10) for _ in range(2)]
        for stream, (height, width) in zip(streams, ((64, 64), face.shape[:2]), strict=True):
            stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        for _ in range(3):
            for stream, picture in zip(streams, (np.zeros((64, 64, 3), np.uint8), face), strict=True):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        for stream in streams:
            container.mux(stream.encode(None))
    report = translate_video(translator, tmp_path / "in.mkv", tmp_path / "out.mp4")
    assert report.with_faces == 3
    assert first_frame(tmp_path / "out.mp4").shape[:2] == face.shape[:2]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".ts", ".m2ts", ".3gp", ".flv"])
def test_videos_are_recognised_by_content(face: np.ndarray, tmp_path: Path, suffix: str) -> None:
    codecs = {
        ".flv": "flv",
        ".webm": "libvpx",
        ".avi": "mjpeg",
        ".mpg": "mpeg2video",
        ".ts": "mpeg2video",
        ".m2ts": "mpeg2video",
    }
    rate = 25 if suffix in (".mpg", ".ts", ".m2ts") else 10
    picture = cv2.resize(face, (176, 144))
    clip = write(tmp_path / f"in{suffix}", [picture] * 3, codec=codecs.get(suffix, "mpeg4"), rate=rate)
    assert is_video(clip.read_bytes()[:HEAD_BYTES])
    assert first_frame(clip).shape == (144, 176, 3)


def test_pictures_and_texts_are_no_videos(portrait: Path, tmp_path: Path) -> None:
    for suffix in (".png", ".webp", ".gif", ".tiff", ".avif"):
        Image.open(portrait).save(tmp_path / f"face{suffix}")
        assert not is_video((tmp_path / f"face{suffix}").read_bytes()[:HEAD_BYTES])
    for data in (b"", b"G" * 3, b"Good morning", b"\0\0\0\x18ftypheic" + bytes(99)):
        assert not is_video(data)


def test_folder_with_a_video_of_another_name(face: np.ndarray, tiny_bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write(tmp_path / "clip.ts", [face] * 3, codec="mpeg2video", rate=25).rename(folder / "clip.dat")
    (folder / "notes.txt").write_text("no video")
    words = ["translate", str(folder), "-o", str(tmp_path / "out"), "--model", str(tiny_bundle)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["clip.mp4"]
    assert "1 .txt" in done.stderr
