"""Clips: streaming, time, turns, colour, jumping to a frame, memory, limits and damage."""

import os
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from facialpalsy.errors import InputNotFoundError, PictureTooLargeError, UnreadableVideoError, UsageError
from facialpalsy.media import VIDEO_SUFFIXES, file_sha256, read_frames, read_frames_at

Painter = Callable[[int], np.ndarray]


def corners(_: int = 0, height: int = 48, width: int = 64) -> np.ndarray:
    """Red top left, green top right, blue bottom left, white bottom right."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    pixels[height // 2 :, width // 2 :] = 255
    return pixels


def numbered(index: int) -> np.ndarray:
    """Eight black or white bars that spell `index` in binary, over a grey that moves."""
    pixels = np.full((48, 64, 3), 40 + (index * 7) % 160, np.uint8)
    for bit in range(8):
        pixels[8:24, bit * 8 : bit * 8 + 8] = 255 if index >> bit & 1 else 0
    return pixels


def number(pixels: np.ndarray) -> int:
    return sum((int(pixels[16, bit * 8 + 4, 1]) > 128) << bit for bit in range(8))


def clip(
    path: Path,
    paint: Painter = numbered,
    times: Sequence[int] = range(30),
    *,
    codec: str = "libx264",
    unit: Fraction = Fraction(1, 30),
    turn: tuple[int, bool, bool] | None = None,
    aspect: Fraction | None = None,
    gop: int = 10,
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
) -> Path:
    """Write a clip with one frame at each of `times` (in `unit` seconds)."""
    height, width, _ = paint(0).shape
    with av.open(str(path), "w", options=container or {}) as output:
        stream = output.add_stream(codec, rate=1 / unit, options=options or {})
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = gop
        stream.codec_context.time_base = unit
        if turn is not None:
            stream.set_display_rotation(*turn)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for index, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(paint(index), format="rgb24")
            frame.pts, frame.time_base = time, unit
            for packet in stream.encode(frame):
                output.mux(packet)
        for packet in stream.encode():
            output.mux(packet)
    return path


CONTAINERS = [
    ("c.mp4", "libx264"),
    ("c.mov", "libx264"),
    ("c.avi", "mpeg4"),
    ("c.avi", "libx264"),
    ("c.avi", "mjpeg"),
    ("c.webm", "libvpx"),
    ("c.webm", "libvpx-vp9"),
]
FAST = {"libvpx": {"deadline": "realtime"}, "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"}}


@pytest.mark.parametrize(("name", "codec"), CONTAINERS)
def test_every_container_gives_all_frames_in_order_with_their_times(tmp_path, name, codec):
    path = clip(tmp_path / name, codec=codec, options=FAST.get(codec))
    frames = list(read_frames(path))
    assert [frame.index for frame in frames] == list(range(30))
    assert [number(frame.pixels) for frame in frames] == list(range(30))
    # WebM counts in milliseconds; each stamp is off by half of one at most, and so is the first.
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(30) / 30, atol=0.001)
    assert frames[0].pixels.dtype == np.uint8
    assert frames[0].pixels.flags.c_contiguous
    assert path.suffix in VIDEO_SUFFIXES


@pytest.mark.parametrize(("name", "codec"), CONTAINERS)
def test_a_frame_by_number_equals_the_streamed_frame(tmp_path, name, codec):
    path = clip(tmp_path / name, codec=codec, options=FAST.get(codec))
    streamed = list(read_frames(path))
    for frame in read_frames_at(path, [29, 0, 17, 9, 10, 11, 17]):
        np.testing.assert_array_equal(frame.pixels, streamed[frame.index].pixels)
        assert frame.time_s == streamed[frame.index].time_s
    assert [frame.index for frame in read_frames_at(path, [29, 0, 17, 17])] == [29, 0, 17, 17]
    assert read_frames_at(path, []) == []


@pytest.mark.parametrize("options", [{"x264-params": "open-gop=1:bframes=3:keyint=10"}, {"intra-refresh": "1"}])
def test_a_frame_by_number_where_jumping_is_unsafe(tmp_path, options):
    path = clip(tmp_path / "c.mp4", times=range(60), options=options)
    streamed = list(read_frames(path))
    for frame in read_frames_at(path, range(60)):
        np.testing.assert_array_equal(frame.pixels, streamed[frame.index].pixels)


def test_a_frame_beyond_the_clip_is_a_usage_error(tmp_path):
    path = clip(tmp_path / "c.mp4", times=range(5))
    with pytest.raises(UsageError, match=r"Frame 5 .*fewer"):
        read_frames_at(path, [1, 5])
    with pytest.raises(UsageError, match=r"Frame -1 .*from 0"):
        read_frames_at(path, [-1])


def test_every_keeps_the_first_frame_at_or_after_each_multiple(tmp_path):
    path = clip(tmp_path / "c.mp4")  # 30 frames, a thirtieth of a second apart
    assert [frame.index for frame in read_frames(path, every=0.1)] == [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]
    assert [frame.index for frame in read_frames(path, every=0.25)] == [0, 8, 15, 23]  # 0.25 s lies at frame 7.5
    for short in (0.001, 1e-12):
        assert [frame.index for frame in read_frames(path, every=short)] == list(range(30))
    assert [frame.index for frame in read_frames(path, every=60)] == [0]


def test_a_variable_frame_rate_is_kept(tmp_path):
    times = [100, 110, 115, 180, 181, 182, 300]  # hundredths of a second, not from zero
    path = clip(tmp_path / "c.mp4", times=times, unit=Fraction(1, 100))
    frames = list(read_frames(path))
    np.testing.assert_allclose([frame.time_s for frame in frames], [0, 0.1, 0.15, 0.8, 0.81, 0.82, 2], atol=1e-9)
    # Multiples of 0.4 s: 0 -> 0; 0.4 and 0.8 -> 0.8; 1.2, 1.6 and 2 -> 2.
    assert [frame.index for frame in read_frames(path, every=0.4)] == [0, 3, 6]
    assert [frame.time_s for frame in read_frames_at(path, [6, 3])] == [frames[6].time_s, frames[3].time_s]


@pytest.mark.parametrize("every", [0.0, -1.0, float("nan"), float("inf")])
def test_every_must_be_above_zero(tmp_path, every):
    path = clip(tmp_path / "c.mp4", times=range(2))
    with pytest.raises(UsageError, match="--every"):
        read_frames(path, every=every)


R, G, B, W = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.mark.parametrize(
    ("turn", "shown"),
    [
        # Corners read top left, top right, bottom left, bottom right; the stored frame is R G / B W.
        ((0, False, False), (R, G, B, W)),
        ((90, False, False), (G, W, R, B)),  # a quarter turn counter-clockwise: the right column becomes the top row
        ((180, False, False), (W, B, G, R)),
        ((-90, False, False), (B, R, W, G)),
        ((0, True, False), (G, R, W, B)),  # mirrored left to right
        ((0, False, True), (B, W, R, G)),
        ((90, True, False), (W, G, B, R)),  # turned, then mirrored left to right
        ((-90, True, False), (R, B, G, W)),
    ],
)
@pytest.mark.parametrize("name", ["c.mp4", "c.mov"])
def test_the_display_matrix_is_applied_whole(tmp_path, name, turn, shown):
    path = clip(tmp_path / name, corners, range(3), turn=turn)
    for frame in (*read_frames(path), *read_frames_at(path, [1])):
        height, width, _ = frame.pixels.shape
        assert (height, width) == ((64, 48) if turn[0] in (90, -90) else (48, 64))
        found = [frame.pixels[y, x] for y in (height // 4, -height // 4) for x in (width // 4, -width // 4)]
        np.testing.assert_allclose(np.array(found, int), shown, atol=12)


def test_pixels_that_are_not_square_are_made_square(tmp_path):
    path = clip(tmp_path / "c.mp4", corners, range(2), aspect=Fraction(3, 2))
    frame = next(read_frames(path))
    assert frame.pixels.shape == (48, 96, 3)
    np.testing.assert_allclose(frame.pixels[10, 30].astype(int), R, atol=12)


# Weights of red and blue in luma: ITU-R BT.601 and BT.709, table 3.
KR_KB = {Colorspace.ITU601: (0.299, 0.114), Colorspace.ITU709: (0.2126, 0.0722)}
SKIN = (200, 120, 90)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("matrix", "named", "height"),
    [
        (Colorspace.ITU601, True, 48),
        (Colorspace.ITU709, True, 48),
        (Colorspace.ITU601, True, 720),
        (Colorspace.ITU601, False, 576),
        (Colorspace.ITU709, False, 720),
    ],
)
def test_colours_follow_matrix_and_range(tmp_path, matrix, named, height, full):
    kr, kb = KR_KB[matrix]
    r, g, b = (value / 255 for value in SKIN)
    luma = kr * r + (1 - kr - kb) * g + kb * b
    cb, cr = (b - luma) / (2 * (1 - kb)), (r - luma) / (2 * (1 - kr))
    scale, offset, chroma = (255, 0, 255) if full else (219, 16, 224)
    levels = (offset + scale * luma, 128 + chroma * cb, 128 + chroma * cr)
    path = tmp_path / "c.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=30, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, height, "yuv420p"
        if named:
            stream.codec_context.colorspace = {Colorspace.ITU601: 6, Colorspace.ITU709: 1}[matrix]
        stream.codec_context.color_range = ColorRange.JPEG if full else ColorRange.MPEG
        planes = [
            np.full(64 * height // (1 if i == 0 else 4), round(level), np.uint8) for i, level in enumerate(levels)
        ]
        frame = av.VideoFrame.from_ndarray(np.concatenate(planes).reshape(height * 3 // 2, 64), format="yuv420p")
        frame.pts = 0
        frame.color_range = stream.codec_context.color_range
        frame.colorspace = stream.codec_context.colorspace
        output.mux([*stream.encode(frame), *stream.encode()])
    pixels = next(read_frames(path)).pixels
    np.testing.assert_allclose(pixels[height // 2, 32].astype(int), SKIN, atol=3)


@pytest.mark.parametrize(("name", "codec"), [("c.mp4", "libx264"), ("c.avi", "mpeg4"), ("c.avi", "mjpeg")])
def test_a_cut_clip_gives_its_first_frames_and_then_a_named_error(tmp_path, name, codec):
    whole = clip(
        tmp_path / name, times=range(60), codec=codec, container={"movflags": "faststart"} if ".mp4" in name else {}
    )
    expected = list(read_frames(whole))
    cut = tmp_path / f"cut_{name}"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.8)])
    given = []
    with pytest.raises(UnreadableVideoError, match="copy it again"):
        for frame in read_frames(cut):
            given.append(frame)
    assert 20 < len(given) < 60
    for frame in given:
        np.testing.assert_array_equal(frame.pixels, expected[frame.index].pixels)
    np.testing.assert_array_equal(read_frames_at(cut, [5])[0].pixels, expected[5].pixels)
    with pytest.raises(UnreadableVideoError):
        read_frames_at(cut, [59])


def test_a_clip_without_its_index_is_a_named_error(tmp_path):
    whole = clip(tmp_path / "c.mp4").read_bytes()  # the index of an MP4 lies at its end
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableVideoError, match=r"'cut\.mp4' is damaged, cut short or no MP4"):
        next(read_frames(tmp_path / "cut.mp4"))


def test_a_damaged_packet_ends_the_stream_after_sound_frames(tmp_path):
    path = clip(tmp_path / "c.mp4", times=range(60), options={"bf": "0"})
    expected = list(read_frames(path))
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        position, size = packets[30].pos, packets[30].size
    data = bytearray(path.read_bytes())
    data[position : position + size] = b"\xff" * size
    path.write_bytes(data)
    given = []
    with pytest.raises(UnreadableVideoError):
        for frame in read_frames(path):
            given.append(frame)
    # Frame threads hold back a few frames (one a thread and the reordering delay).
    assert 30 - 2 * (os.cpu_count() or 1) - 16 <= len(given) <= 30
    for frame in given:
        np.testing.assert_array_equal(frame.pixels, expected[frame.index].pixels)


def test_missing_empty_folder_text_and_sound_only(tmp_path):
    with pytest.raises(InputNotFoundError, match="does not exist"):
        read_frames(tmp_path / "gone.mp4")
    with pytest.raises(InputNotFoundError):
        file_sha256(tmp_path / "gone.mp4")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(UnreadableVideoError, match="empty"):
        read_frames(tmp_path / "empty.mp4")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(UnreadableVideoError, match="folder"):
        read_frames_at(tmp_path / "folder.mp4", [0])
    (tmp_path / "text.mp4").write_text("Dear doctor, this is no clip.\n" * 100)
    with pytest.raises(UnreadableVideoError) as caught:
        next(read_frames(tmp_path / "text.mp4"))
    assert tmp_path.name not in str(caught.value)
    with av.open(str(tmp_path / "sound.mp4"), "w") as output:
        stream = output.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        output.mux([*stream.encode(frame), *stream.encode()])
    with pytest.raises(UnreadableVideoError, match="no pictures"):
        next(read_frames(tmp_path / "sound.mp4"))


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {}\n",
    ],
)
def test_a_playlist_in_disguise_opens_no_other_file(tmp_path, text):
    other = clip(tmp_path / "other.mp4", times=range(2))
    (tmp_path / "list.mp4").write_text(text.format(other.name))
    with pytest.raises(UnreadableVideoError):
        next(read_frames(tmp_path / "list.mp4"))


def test_a_huge_frame_is_refused_before_decoding(tmp_path):
    path = clip(tmp_path / "c.mp4", times=range(3))
    assert len(list(read_frames(path, max_megapixels=0.003072))) == 3  # 64 x 48 pixels
    with pytest.raises(PictureTooLargeError, match=r"64 x 48 .*--max-megapixels"):
        next(read_frames(path, max_megapixels=0.003))
    avi = bytearray(clip(tmp_path / "c.avi", times=range(3), codec="rawvideo").read_bytes())
    size = avi.index(struct.pack("<II", 64, 48), avi.index(b"strf"))
    avi[size : size + 8] = struct.pack("<II", 12000, 12000)
    (tmp_path / "huge.avi").write_bytes(avi)
    with pytest.raises(PictureTooLargeError, match=r"12000 x 12000 \(144 megapixels\)"):
        next(read_frames(tmp_path / "huge.avi"))
    avi[size : size + 8] = struct.pack("<II", 30000, 30000)  # beyond what FFmpeg itself believes
    (tmp_path / "huge.avi").write_bytes(avi)
    with pytest.raises(UnreadableVideoError):
        next(read_frames(tmp_path / "huge.avi"))


@pytest.mark.parametrize("limit", [0.0, float("nan")])
def test_a_limit_that_is_none_is_a_usage_error(tmp_path, limit):
    path = clip(tmp_path / "c.mp4", times=range(2))
    with pytest.raises(UsageError, match="--max-megapixels"):
        read_frames(path, max_megapixels=limit)


def test_names_with_spaces_foreign_letters_newlines_and_colons(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    original = clip(tmp_path / "c.mp4", times=range(2)).read_bytes()
    for name in ("a b.mp4", "лицо 顔.mp4", "two\nlines.mp4", "concat:c.mp4|c.mp4", "http:x.mp4", "%03d.mp4", "-i.mp4"):
        for path in (tmp_path / name, Path(name)):
            path.write_bytes(original)
            assert len(list(read_frames(path))) == 2


def test_sha256_of_a_known_message(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert file_sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


PEAK = """
import resource, sys
from pathlib import Path
from facialpalsy.media import read_frames
seen = sum(1 for _ in read_frames(Path(sys.argv[1])))
print(seen, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_length_of_the_clip(tmp_path):
    peaks = []
    for length in (300, 3000):
        path = clip(
            tmp_path / f"{length}.mp4",
            lambda index: np.tile(numbered(index), (5, 5, 1)),
            range(length),
            options={"preset": "ultrafast"},
        )
        done = subprocess.run([sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True)
        seen, peak = map(int, done.stdout.split())
        assert seen == length
        peaks.append(peak)
    assert peaks[1] <= 1.05 * peaks[0]
