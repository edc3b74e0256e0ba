"""Video: the frames of a clip as upright 8-bit RGB pixels, streamed in constant memory.

Documented choices:

- The container's display matrix is applied whole, as a player does: quarter turns and, where it has one, its mirroring
  (the counterpart of EXIF orientations 2, 4, 5 and 7). Pixels that are not square are made square.
- Colours follow the matrix and range that the clip names; where it names none, BT.709 above 576 lines and BT.601 else,
  limited range. HDR clips are converted by their matrix and not tone-mapped.
- Time comes from each frame's own timestamp, relative to the first frame, so a variable frame rate is kept.
- At the first packet that the decoder finds damaged, or where the file is cut, `UnreadableVideoError` ends the stream;
  the frames before it have been given, but for the few still inside the decoder. A frame that a decoder patched up
  would be measured as if it were the face. Not detectable: a cut WebM file, which looks like a shorter clip, and
  damage that still decodes (often so in HEVC, VP8 and VP9).
- Only the container formats named here are opened, from the local file alone; sound is never decoded.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from facialpalsy.errors import UnreadableVideoError, UsageError
from facialpalsy.media.source import require_above_zero, require_file, require_megapixels

VIDEO_SUFFIXES: frozenset[str] = frozenset({".mp4", ".m4v", ".mov", ".avi", ".webm"})

# FFmpeg's names; without the list a text file could be taken for a playlist that names other files or addresses.
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,avi,matroska,webm"

# Codecs of which one packet is one frame, so that packets can be counted instead of frames.
_COUNTABLE = frozenset({"h264", "hevc", "vp9", "av1"})

_UNSPECIFIED_COLORSPACE = 2  # AVCOL_SPC_UNSPECIFIED
_SD_LINES = 576


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a clip.

    Attributes:
        index: Position in the clip, counting every frame from 0, kept or not.
        time_s: Seconds after the first frame.
        pixels: (h, w, 3) RGB, upright.
    """

    index: int
    time_s: float
    pixels: NDArray[np.uint8]


def read_frames(path: Path, *, every: float | None = None, max_megapixels: float = 100.0) -> Iterator[Frame]:
    """Stream the frames of `path` in order; a few frames are held at any time, however long the clip.

    Args:
        path: An MP4, MOV, AVI or WebM file.
        every: Seconds; only the first frame at or after each multiple is given. None gives all.
        max_megapixels: Largest frame, in millions of pixels, checked before any decoding.

    Raises:
        UsageError: `every` or `max_megapixels` is not above zero.
        InputNotFoundError: nothing of that name exists.
        UnreadableVideoError: no clip, or damaged; raised where the damage is met, after the frames before it.
        PictureTooLargeError: frames above the limit.
    """
    require_above_zero("--max-megapixels", max_megapixels)
    if every is not None:
        require_above_zero("--every", every)
    require_file(path, UnreadableVideoError)
    return _stream(path, every, max_megapixels)


def read_frames_at(path: Path, indices: Sequence[int], *, max_megapixels: float = 100.0) -> list[Frame]:
    """The frames at `indices`, in that order, identical to those that `read_frames` streams.

    It jumps to the key frame before each wanted one where packet times name the frames beyond doubt and the jump lands
    where it was aimed; everywhere else it decodes from the start.

    Raises:
        UsageError: an index below 0 or at or beyond the number of frames.
        InputNotFoundError, UnreadableVideoError, PictureTooLargeError: as `read_frames`.
    """
    if any(index < 0 for index in indices):
        raise UsageError(f"Frame {min(indices)} of {path.name!r} was asked for; frames are counted from 0.")
    require_above_zero("--max-megapixels", max_megapixels)
    require_file(path, UnreadableVideoError)
    wanted = set(indices)
    found = _sought(path, wanted, max_megapixels)
    if missing := wanted - found.keys():
        for frame in _stream(path, None, max_megapixels):
            if frame.index in missing:
                found[frame.index] = frame
            if frame.index >= max(missing):
                break
        else:
            raise UsageError(f"Frame {max(missing)} of {path.name!r} was asked for; the clip has fewer frames.")
    return [found[index] for index in indices]


@dataclass(frozen=True)
class _Turn:
    """How a frame is turned to be shown: rows and columns exchanged first, then flipped."""

    exchanged: bool
    flip_columns: bool
    flip_rows: bool

    @classmethod
    def of(cls, frame: VideoFrame) -> _Turn:
        """What the frame's display matrix says, to the nearest quarter turn.

        The matrix maps a pixel (p, q) to (a p + c q, b p + d q), x right and y down (FFmpeg, libavutil/display.h).
        """
        try:
            matrix: Any = frame.side_data.get("DISPLAYMATRIX")
        except ValueError:  # PyAV met side data that it has no name for; the rotation alone is still known
            quarters = round(frame.rotation / 90) % 4
            return cls(quarters % 2 == 1, quarters in (2, 3), quarters in (1, 2))
        if matrix is None:
            return cls(False, False, False)
        a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].tolist()
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(True, c < 0, b < 0)
        return cls(False, a < 0, d < 0)

    def applied(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A contiguous copy of (h, w, 3) `pixels`, turned."""
        turned = pixels.swapaxes(0, 1) if self.exchanged else pixels
        return turned[:: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1].copy()


@dataclass
class _Clip:
    """An opened clip: its name, container, video stream, pixel limit, and the one converter of all its frames."""

    name: str
    container: InputContainer
    stream: VideoStream
    max_megapixels: float
    # A frame's own converter starts threads and lives until the garbage collector comes by: hundreds of megabytes.
    converter: VideoReformatter = field(default_factory=VideoReformatter)
    turn: _Turn | None = None

    @property
    def is_avi(self) -> bool:
        return self.container.format.name == "avi"

    def ends_early(self, path: Path) -> bool:
        """Whether the file is shorter than its header (AVI) or its list of frames (MP4, MOV) says."""
        if self.is_avi:
            with path.open("rb") as file:
                expected = 8 + int.from_bytes(file.read(8)[4:], "little")
        else:
            expected = max((entry.pos + entry.size for entry in self.stream.index_entries), default=0)
        return expected > path.stat().st_size

    def pixels(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """(h, w, 3) RGB of a decoded frame, with square pixels, upright."""
        width = max(1, round(frame.width * (self.stream.sample_aspect_ratio or 1)))
        require_megapixels(self.name, width, frame.height, self.max_megapixels)
        unnamed = Colorspace.ITU709 if frame.height > _SD_LINES else Colorspace.ITU601
        matrix = unnamed if frame.colorspace == _UNSPECIFIED_COLORSPACE else None
        rgb = self.converter.reformat(frame, width=width, format="rgb24", src_colorspace=matrix, threads=1)
        # Asked of the first frame only: PyAV keeps each frame that is asked until the garbage collector comes by.
        self.turn = self.turn or _Turn.of(frame)
        return self.turn.applied(rgb.to_ndarray().astype(np.uint8, copy=False))


class _Clock:
    """Seconds after the first frame; a frame without a timestamp follows the last one by the mean interval.

    AVI has no display times: its frames carry the time of another frame, but leave the decoder in even steps.
    """

    def __init__(self, clip: _Clip) -> None:
        self._avi = clip.is_avi
        self._interval = 1 / (clip.stream.average_rate or Fraction(25))
        self._first: Fraction | None = None
        self._last = -self._interval

    def time(self, frame: VideoFrame) -> Fraction:
        ticks = frame.dts if self._avi else frame.pts
        if ticks is None or frame.time_base is None:
            self._last += self._interval
        else:
            stamp = ticks * frame.time_base
            if self._first is None:
                self._first = stamp
            self._last = stamp - self._first
        return self._last


@contextmanager
def _opened(path: Path, max_megapixels: float) -> Iterator[_Clip]:
    """The clip; whatever FFmpeg raises while it is read becomes UnreadableVideoError."""
    # Decoders pad frames to whole blocks, so their own bound lies above ours, which every frame meets as well.
    decoder = {"max_pixels": str(min(int(2e6 * max_megapixels) + 2**16, 2**31 - 1)), "err_detect": "explode"}
    demuxer = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
    try:
        # "file:" keeps FFmpeg from taking a name such as "concat:a.mp4" for an address.
        with av.open(f"file:{path}", options=decoder | demuxer, metadata_errors="replace") as container:
            stream = container.streams.best("video")
            if not isinstance(stream, VideoStream) or stream.codec_context is None:
                raise UnreadableVideoError(f"{path.name!r} holds no pictures that can be decoded; choose another clip.")
            require_megapixels(path.name, stream.codec_context.width, stream.codec_context.height, max_megapixels)
            stream.codec_context.options = decoder
            stream.thread_type = "AUTO"
            yield _Clip(path.name, container, stream, max_megapixels)
    except av.FFmpegError as error:
        raise _damaged(path.name, error.strerror or "unknown error") from error


def _damaged(name: str, reason: str) -> UnreadableVideoError:
    return UnreadableVideoError(
        f"{name!r} is damaged, cut short or no MP4, MOV, AVI or WebM clip ({reason}); copy it again from where it "
        "came, or save it anew as MP4."
    )


def _stream(path: Path, every: float | None, max_megapixels: float) -> Iterator[Frame]:
    # 0.1 as a binary fraction lies above 1/10 and would miss the frame at exactly a tenth of a second.
    step = None if every is None else max(Fraction(every).limit_denominator(1_000_000), Fraction(1, 1_000_000))
    due = Fraction(0)
    with _opened(path, max_megapixels) as clip:
        clock = _Clock(clip)
        for index, frame in enumerate(clip.container.decode(clip.stream)):
            if frame.is_corrupt:
                raise _damaged(path.name, f"frame {index} is incomplete")
            time = clock.time(frame)
            if step is None or time >= due:
                yield Frame(index, float(time), clip.pixels(frame))
                due = due if step is None else (time // step + 1) * step
        if clip.ends_early(path):
            raise _damaged(path.name, "the file ends before its last frame")


def _sought(path: Path, wanted: set[int], max_megapixels: float) -> dict[int, Frame]:
    """Those of the `wanted` frames that jumping finds beyond doubt."""
    found: dict[int, Frame] = {}
    try:
        with _opened(path, max_megapixels) as clip:
            stamps, keys = _packet_stamps(clip)
            for index in sorted(wanted & set(range(len(stamps)))):
                frame = _jump(clip, keys[bisect_right(keys, stamps[index]) - 1], stamps[index])
                if frame is not None and frame.time_base is not None:
                    time_s = float((stamps[index] - stamps[0]) * frame.time_base)
                    found[index] = Frame(index, time_s, clip.pixels(frame))
    except UnreadableVideoError:
        return found  # decoding from the start reaches what is sound and names the damage
    return found


def _packet_stamps(clip: _Clip) -> tuple[list[int], list[int]]:
    """Ascending timestamps of all frames and of the key frames, without decoding; empty where they are in doubt."""
    stamps: list[int] = []
    keys: list[int] = []
    if clip.is_avi or clip.stream.codec_context.name not in _COUNTABLE:
        return [], []
    for packet in clip.container.demux(clip.stream):
        if not packet.size:
            continue
        if packet.pts is None or packet.is_discard or packet.is_corrupt or not (keys or packet.is_keyframe):
            return [], []
        stamps.append(packet.pts)
        if packet.is_keyframe:
            keys.append(packet.pts)
    distinct = sorted(set(stamps))
    sound = len(distinct) == len(stamps) and keys[:1] == distinct[:1]
    return (distinct, sorted(keys)) if sound else ([], [])


def _jump(clip: _Clip, key: int, target: int) -> VideoFrame | None:
    """The frame stamped `target`, decoded from the key frame stamped `key`; None where either is not met."""
    clip.container.seek(key, stream=clip.stream)
    landed = False
    for packet in clip.container.demux(clip.stream):
        if not landed and packet.pts != key:
            return None
        landed = True
        for frame in packet.decode():
            if frame.pts == target:
                return frame
            if frame.pts is None or frame.pts > target:
                return None
    return None
