"""Clip: every frame measured as a stream, and the key frames that stand for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facialpalsy.analysis.capture import Measured, capture_scale, measure_picture, pose_reasons, with_reasons
from facialpalsy.analysis.request import CaptureRequest, ExamHeader, Settings
from facialpalsy.assessment import Failure
from facialpalsy.clinical.expressions import Expression
from facialpalsy.detect import Detector
from facialpalsy.errors import FacialPalsyError, NoFaceError, UnreadableVideoError
from facialpalsy.face import Mirrored, SideFrame, head_pose, mirror_picture
from facialpalsy.measure import Measure, Scale, panel
from facialpalsy.media import Frame, file_sha256, read_frames, read_frames_at

Array = NDArray[np.float64]

# How far a movement must reach from rest, in iod, to be given as a key frame.
_REACH_IOD = 0.03
# Closed for at least this long is an attempt to close the eyes, shorter is a blink.
_BLINK_S = 0.4


@dataclass(frozen=True)
class FrameMeasures:
    """Measures of one frame.

    Attributes:
        source: Name of the clip.
        frame: Number of the frame in the clip.
        time_s: Time in seconds from the first frame.
        expression: What the user says the subject does in this clip.
        side_frame: What left and right mean.
        scale: Millimetres of this frame.
        measures: The panel, without z; one withheld measure named `face` where no face was found.
    """

    source: str
    frame: int
    time_s: float
    expression: Expression | None
    side_frame: SideFrame
    scale: Scale
    measures: tuple[Measure, ...]

    def place(self) -> dict[str, str | float | None]:
        """Where the measures belong, as the first cells of their rows."""
        return {
            "source": self.source,
            "frame": self.frame,
            "time_s": self.time_s,
            "expression": None if self.expression is None else self.expression.value,
            "side_frame": self.side_frame.value,
        }


_NO_FACE = (Measure("face", withheld={"value": "no face was found in this frame"}),)


@dataclass
class ClipReader:
    """Measures a clip frame by frame and keeps a few numbers per frame to choose key frames by.

    Iterate over `frames()` to the end, then ask for `key_frames()`.
    """

    request: CaptureRequest
    header: ExamHeader
    settings: Settings
    detector: Detector
    _signals: list[tuple[float, ...]] = field(default_factory=list)
    _index: list[int] = field(default_factory=list)
    _time: list[float] = field(default_factory=list)
    _read: int = 0
    _broken_off: UnreadableVideoError | None = None

    def frames(self) -> Iterator[FrameMeasures]:
        """Every frame with its measures, in constant memory; a clip that breaks off gives the frames before.

        Raises:
            UnreadableVideoError: not one frame can be read.
        """
        tracker = self.detector.tracker()
        side_frame = SideFrame.of(self.request.mirrored)
        for frame in self._frames():
            self._read += 1
            landmarks = tracker.update(_unmirrored(frame, self.request).pixels)
            scale, measures = Scale(None, withheld="no face"), list(_NO_FACE)
            if landmarks is not None:
                scale = capture_scale(landmarks, self.header, self.settings)
                measures = panel(landmarks, scale=scale)
                if side_frame is SideFrame.IMAGE:
                    measures = [measure.exchanged() for measure in measures]
                signals = _signals(measures)
                if signals is not None and not pose_reasons(head_pose(landmarks))[0]:
                    self._signals.append(signals)
                    self._index.append(frame.index)
                    self._time.append(frame.time_s)
            yield FrameMeasures(
                self.request.source,
                frame.index,
                frame.time_s,
                self.request.expression,
                side_frame,
                scale,
                tuple(measures),
            )

    def _frames(self) -> Iterator[Frame]:
        limit = self.settings.max_megapixels
        try:
            yield from read_frames(self.request.path, every=self.settings.every, max_megapixels=limit)
        except UnreadableVideoError as error:
            if self._read == 0:
                raise
            self._broken_off = error

    def key_frames(self) -> tuple[list[Measured], list[Failure]]:
        """Rest and the peak of each movement, measured anew like photos.

        Raises:
            NoFaceError: no frame shows a face from the front.
        """
        if not self._signals:
            raise NoFaceError(
                f"None of the {self._read} frames of {self.request.path.name!r} shows a face from the front "
                "(turned by up to 10 and pitched by up to 20 degrees); film the face from the front."
            )
        chosen = choose_key_frames(np.array(self._signals), np.array(self._time), self.request.expression)
        indices = [self._index[position] for position in chosen.values()]
        frames = read_frames_at(self.request.path, indices, max_megapixels=self.settings.max_megapixels)
        sha256 = file_sha256(self.request.path)
        captures, failures = [], []
        if self._broken_off is not None:
            failures.append(self._failure(str(self._broken_off), self._broken_off))
        for expression, frame in zip(chosen, frames, strict=True):
            try:
                captures.append(self._measured(expression, frame, sha256))
            except FacialPalsyError as error:
                failures.append(self._failure(f"Frame {frame.index}: {error}", error))
        return captures, failures

    def _failure(self, message: str, error: FacialPalsyError) -> Failure:
        return Failure(source=self.request.source, error=type(error).__name__, message=message)

    def _measured(self, expression: Expression, frame: Frame, sha256: str) -> Measured:
        request = CaptureRequest(self.request.path, self.request.source, expression, self.request.mirrored)
        measured = measure_picture(
            frame.pixels,
            sha256,
            request,
            self.header,
            self.settings,
            self.detector,
            frame=frame.index,
            time_s=frame.time_s,
        )
        if expression is self.request.expression:
            return measured
        return with_reasons(measured, f"This frame was chosen as {expression} by its movement, not named by the user.")


def choose_key_frames(signals: Array, time_s: Array, named: Expression | None) -> dict[Expression, int]:
    """Expression -> position of its key frame.

    Args:
        signals: (n, 5) brow height, fissure height, commissure distance, lip gap, lower lip height in iod, the means of
            both sides.
        time_s: (n,) seconds.
        named: The one movement of the clip, where the user names it: rest is then its least, the key frame its
            greatest. Otherwise rest is the frame nearest to the median face, and a movement is given where it reaches
            far enough.
    """
    brow, fissure, width, gap, lower = signals.T
    growth = {
        Expression.BROW_RAISE: brow,
        Expression.EYES_GENTLE: -fissure,
        Expression.EYES_TIGHT: -fissure,
        Expression.SMILE_OPEN: width,
        Expression.SMILE_CLOSED: width,
        Expression.SNARL: -lower,
        Expression.PUCKER: -width,
        Expression.LOWER_TEETH: lower,
    }
    if named in growth:
        return {Expression.REST: int(np.argmin(growth[named])), named: int(np.argmax(growth[named]))}
    spread = np.maximum(np.median(np.abs(signals - np.median(signals, axis=0)), axis=0), 0.005)
    rest = int(np.argmin((np.abs(signals - np.median(signals, axis=0)) / spread).sum(axis=1)))
    if named is Expression.REST:
        return {Expression.REST: rest}
    chosen = {Expression.REST: rest}
    for expression in (Expression.BROW_RAISE, Expression.SMILE_OPEN):
        peak = int(np.argmax(growth[expression]))
        if growth[expression][peak] - growth[expression][rest] > _REACH_IOD:
            closed = expression is Expression.SMILE_OPEN and gap[peak] < _REACH_IOD / 3
            chosen[Expression.SMILE_CLOSED if closed else expression] = peak
    if (closing := _longest_closure(fissure, fissure[rest], time_s)) is not None:
        chosen[Expression.EYES_GENTLE] = closing
    return chosen


def _longest_closure(fissure: Array, at_rest: float, time_s: Array) -> int | None:
    """Position of the narrowest fissure within the longest closure that is no blink."""
    shut = fissure < 0.5 * at_rest
    edges = np.flatnonzero(np.diff(np.concatenate([[False], shut, [False]]).astype(int)))
    spans = [(time_s[end - 1] - time_s[start], start, end) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    if not spans or max(spans)[0] < _BLINK_S:
        return None
    _, start, end = max(spans)
    return int(start + np.argmin(fissure[start:end]))


def _signals(measures: Sequence[Measure]) -> tuple[float, ...] | None:
    """What key frames are chosen by, or None where one of them is withheld: such a frame is no key frame."""
    names = (
        "brow_to_canthus",
        "palpebral_fissure_height",
        "commissure_position",
        "dental_show",
        "lower_lip_height",
    )
    found = {measure.name: measure.iod for measure in measures}
    values = [found[name] for name in names]
    known = [((one.left or 0.0) + (one.right or 0.0)) / 2 for one in values if one is not None]
    return tuple(known) if len(known) == len(values) else None


def _unmirrored(frame: Frame, request: CaptureRequest) -> Frame:
    if request.mirrored is not Mirrored.YES:
        return frame
    return Frame(frame.index, frame.time_s, mirror_picture(frame.pixels))
