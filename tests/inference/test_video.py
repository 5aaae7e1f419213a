"""Videos: clips made here, with a moving face."""

import errno
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import Kind, UserError
from pipeline.inference import NoFaceError, Translator
from pipeline.inference.tracking import Tracker, to_pose
from pipeline.inference.video import translate_video
from pipeline.inference.video_io import VideoReader

FRAMES = 24


def scene(face: np.ndarray, frame: int) -> np.ndarray:
    """Frame of a clip, uint8 RGB [180, 322, 3]: a face drifts and nods over a coloured ground, with noise."""
    rng = np.random.default_rng(frame)
    ground = np.broadcast_to(np.linspace(40, 200, 322)[None, :, None], (180, 322, 3)).copy()
    matrix = cv2.getRotationMatrix2D((128, 128), 6 * np.sin(frame / 5), 0.65)
    matrix[:, 2] += [4 * frame - 40, -38]
    warped = cv2.warpAffine(face, matrix, (322, 180), flags=cv2.INTER_AREA)
    mask = cv2.warpAffine(np.ones((256, 256), np.float32), matrix, (322, 180))[..., None]
    return np.clip(ground * (1 - mask) + warped * mask + rng.normal(0, 3, ground.shape), 0, 255).astype(np.uint8)


def write_clip(
    path: Path, pictures: list[np.ndarray], pts: list[int] | None = None, audio: bool = False, rotation: int = 0
) -> Path:
    """Encode pictures at 25 frames a second, or at `pts` in 1/1000 s."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=25)
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt, video.options = "yuv420p", {"crf": "12", "preset": "ultrafast"}
        base = Fraction(1, 1000) if pts else Fraction(1, 25)
        video.codec_context.time_base = base
        if rotation:
            video.set_display_rotation(rotation)
        sound = output.add_stream("aac", rate=48_000, layout="mono") if audio else None
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = pts[index] if pts else index, base
            output.mux(video.encode(frame))
            if sound:
                wave = np.sin(2 * np.pi * 440 * (np.arange(1920) + 1920 * index) / 48_000) * 8000
                samples = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
                samples.rate, samples.pts, samples.time_base = 48_000, 1920 * index, Fraction(1, 48_000)
                output.mux(sound.encode(samples))
        output.mux(video.encode(None))
        if sound:
            output.mux(sound.encode(None))
    return path


def look(path: Path) -> tuple[list[Fraction], list[bytes], float]:
    """Return the times of the frames, the packets of the sound and the duration in s."""
    with av.open(str(path)) as container:
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
        duration = container.duration / 1e6
    with av.open(str(path)) as container:
        sound = (
            [bytes(packet) for packet in container.demux(audio=0) if packet.dts is not None]
            if (container.streams.audio)
            else []
        )
    return times, sound, duration


@pytest.fixture(scope="module")
def face(portrait: Path) -> np.ndarray:
    return np.asarray(Image.open(portrait))


@pytest.fixture(scope="module")
def clip(face: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_clip(path, [scene(face, frame) for frame in range(FRAMES)], audio=True)


def test_frames_times_and_sound_stay(translator: Translator, clip: Path, tmp_path: Path) -> None:
    report = translate_video(translator, clip, tmp_path / "out.mp4")
    times, sound, duration = look(clip)
    new_times, new_sound, new_duration = look(tmp_path / "out.mp4")
    assert (report.frames, report.with_faces, report.damaged) == (FRAMES, FRAMES, 0)
    assert new_times == times
    assert sound
    assert new_sound == sound
    assert new_duration == pytest.approx(duration, abs=0.05)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_equal_clips_give_equal_bytes(translator: Translator, clip: Path, tmp_path: Path) -> None:
    made = set()
    for _ in range(4):
        translate_video(translator, clip, tmp_path / "out.mp4")
        made.add((tmp_path / "out.mp4").read_bytes())
    assert len(made) == 1


def test_the_face_is_drawn_where_it_is_and_trembles_less(translator: Translator, clip: Path) -> None:
    """Against the detector frame by frame: the drawn path's second difference is less than half as large."""
    tracker, seen = Tracker(), []
    for moment, frame in VideoReader(clip).frames("test"):
        aligns = translator.find(frame)
        seen.append(to_pose(aligns[0]))
        tracker.add(moment, aligns, cv2.resize(frame, (32, 18)))
    drawn = np.array([to_pose(aligns[0]) for aligns in tracker.finish()])
    found = np.array(seen)
    assert np.abs(drawn[:, :2] - found[:, :2]).max() < 4  # px, of a face 110 px wide
    tremble = [np.abs(np.diff(poses[:, :2], n=2, axis=0)).mean() for poses in (found, drawn)]
    assert tremble[1] < 0.5 * tremble[0]


def test_a_variable_frame_rate_keeps_its_times(translator: Translator, face: np.ndarray, tmp_path: Path) -> None:
    pts = np.cumsum([0, 40, 40, 120, 17, 33, 200, 40, 41, 39, 40, 80]).tolist()
    clip = write_clip(tmp_path / "in.mkv", [scene(face, frame) for frame in range(12)], pts=pts)
    translate_video(translator, clip, tmp_path / "out.mp4")
    times, _, _ = look(tmp_path / "out.mp4")
    assert [round(float(time) * 1000) for time in times] == pts


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_telephone_held_sideways(translator: Translator, face: np.ndarray, tmp_path: Path, rotation: int) -> None:
    """Frames stored sideways with a rotation flag come out upright, with a face."""
    pictures = [np.rot90(scene(face, frame), -rotation // 90) for frame in range(4)]
    clip = write_clip(tmp_path / "in.mp4", pictures, rotation=rotation)
    report = translate_video(translator, clip, tmp_path / "out.mp4")
    assert report.with_faces == 4
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
        assert (frame.height, frame.width, frame.rotation) == (180, 322, 0)


def test_a_cut_off_file_gives_what_there_is(translator: Translator, face: np.ndarray, tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mkv", [scene(face, frame) for frame in range(FRAMES)])
    data = whole.read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) * 2 // 3])
    report = translate_video(translator, tmp_path / "cut.mkv", tmp_path / "out.mp4")
    assert 8 <= report.frames < FRAMES
    assert len(look(tmp_path / "out.mp4")[0]) == report.frames


def test_a_cut_and_frames_without_a_face(translator: Translator, face: np.ndarray, tmp_path: Path) -> None:
    blank = np.full((180, 322, 3), 90, np.uint8)
    pictures = [scene(face, 10)] * 6 + [blank] * 18 + [scene(face, 14)[:, ::-1]] * 6
    clip = write_clip(tmp_path / "in.mp4", pictures)
    report = translate_video(translator, clip, tmp_path / "out.mp4")
    assert (report.frames, report.with_faces) == (30, 12)
    with av.open(str(tmp_path / "out.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert np.abs(frames[12].astype(int) - blank).mean() < 3
    assert np.abs(frames[3].astype(int) - pictures[3]).mean() > 5


def test_clips_without_a_face_or_a_picture_are_refused(translator: Translator, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "blank.mp4", [np.full((64, 64, 3), 99, np.uint8)] * 3)
    with pytest.raises(NoFaceError):
        translate_video(translator, clip, tmp_path / "out.mp4")
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty.mp4").touch()
    # A playlist under another name must not make the decoder open what it lists.
    (tmp_path / "list.mp4").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{clip}\n#EXT-X-ENDLIST\n")
    for name in ("text.mp4", "empty.mp4", "list.mp4"):
        with pytest.raises(UserError) as caught:
            translate_video(translator, tmp_path / name, tmp_path / "out.mp4")
        assert (caught.value.kind, caught.value.subject) == (Kind.DAMAGED, str(tmp_path / name))
    with pytest.raises(UserError) as caught:
        translate_video(translator, clip, tmp_path / "out.gif")
    assert caught.value.kind == Kind.BAD_VALUE
    assert not (tmp_path / "out.mp4").exists()


def test_full_disk_is_reported(
    translator: Translator, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*words: object) -> int:
        raise av.error.OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pipeline.inference.video._draw", full)
    with pytest.raises(UserError) as caught:
        translate_video(translator, clip, tmp_path / "out.mp4")
    assert (caught.value.kind, caught.value.subject) == (Kind.NO_SPACE, str(tmp_path / "out.mp4"))
    assert list(tmp_path.iterdir()) == []


def test_a_terminated_command_leaves_nothing(face: np.ndarray, tiny_bundle: Path, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "long.mp4", [scene(face, 12)] * 250)
    command = [
        sys.executable,
        "-c",
        "from pipeline.cli import app; app()",
        "translate",
        clip,
        "-o",
        tmp_path / "out.mkv",
    ]
    with subprocess.Popen([*map(str, command), "--model", str(tiny_bundle)]) as process:
        while process.poll() is None and not list(tmp_path.glob(".out.mkv.*.partial")):
            time.sleep(0.01)
        process.terminate()
    assert process.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == [clip]


def test_an_interrupted_run_leaves_nothing(
    translator: Translator, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(100))

    def run(*words: object, **options: object) -> np.ndarray:
        if next(calls) == 5:
            raise KeyboardInterrupt
        return original(*words, **options)

    original = translator.run
    monkeypatch.setattr(translator, "run", run)
    with pytest.raises(KeyboardInterrupt):
        translate_video(translator, clip, tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


def test_damaged_parts_are_reported(face: np.ndarray, tiny_bundle: Path, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [scene(face, frame) for frame in range(FRAMES)])
    with av.open(str(clip)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.dts is not None]
    data = bytearray(clip.read_bytes())
    position, size = places[len(places) // 2]
    data[position : position + size] = bytes(size)
    clip.write_bytes(data)
    result = CliRunner().invoke(
        app, ["translate", str(clip), "-o", str(tmp_path / "o.mp4"), "--model", str(tiny_bundle)]
    )
    assert result.exit_code == 0
    (note,) = [line for line in result.stderr.splitlines() if line.startswith("note: ")]
    assert f"{clip}: damaged" in note
