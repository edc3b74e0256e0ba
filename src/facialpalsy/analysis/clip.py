"""Clip: every frame measured as a stream, and the key frames that stand for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facialpalsy.analysis.capture import (
    FACE_MIN_PX,
    PITCH_LIMITS_DEG,
    ROLL_LIMITS_DEG,
    YAW_LIMITS_DEG,
    Measured,
    capture_scale,
    measure_picture,
    pose_reasons,
    with_reasons,
)
from facialpalsy.analysis.request import CaptureRequest, ExamHeader, Settings
from facialpalsy.assessment import Failure
from facialpalsy.clinical.expressions import Expression
from facialpalsy.detect import Detector
from facialpalsy.errors import FacialPalsyError, NoFaceError, UnreadableVideoError
from facialpalsy.face import Mirrored, Pose, SideFrame, head_pose, mirror_picture
from facialpalsy.measure import Measure, Scale, panel
from facialpalsy.media import Frame, file_sha256, read_frames, read_frames_at

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

# How far a movement must reach from rest, in iod, to be given as a key frame.
_REACH_IOD = 0.03
# Closed for at least this long is an attempt to close the eyes, shorter is a blink.
_BLINK_S = 0.4
# How far around a frame others tell how it moves; one farther from their median is bad: it is no peak.
_STEADY_S, _STEADY_IOD = 0.2, 0.01
# Share of the frames with the least of the named movement whose median face is rest.
_LITTLE_SHARE = 0.3
# Of the fissure in a clip's widest tenth (its median may be shut): eyes that are open less are shut or blinking.
_OPEN_SHARE, _WIDE = 0.5, 0.9
# Of a peak: a frame from the front that shows as much is taken before one from a turned head.
_NEAR_PEAK_SHARE = 0.9
# The pose of a frame measured alone differs a little from the pose by which it is chosen.
_POSE_MARGIN_DEG = 1.5


@dataclass(frozen=True)
class FrameMeasures:
    """Measures of one frame.

    Attributes:
        source: Name of the clip.
        frame: Number of the frame in the clip.
        time_s: Time in seconds from the first frame.
        expression: What the user says the subject does in this clip.
        side_frame: What left and right mean.
        pose: Pose of the head, None where no face was found.
        usable: Whether pose and size of the face are within the limits of a photo that scales may use.
        scale: Millimetres of this frame.
        measures: The panel, without z; one withheld measure named `face` where no face was found.
    """

    source: str
    frame: int
    time_s: float
    expression: Expression | None
    side_frame: SideFrame
    pose: Pose | None
    usable: bool
    scale: Scale
    measures: tuple[Measure, ...]

    def place(self) -> dict[str, str | float | bool | None]:
        """Where the measures belong, as the first cells of their rows."""
        # Of an image it can only be said towards which of its halves the head is turned and tilted.
        sign = -1 if self.side_frame is SideFrame.IMAGE else 1
        return {
            "source": self.source,
            "frame": self.frame,
            "time_s": self.time_s,
            "expression": None if self.expression is None else self.expression.value,
            "side_frame": self.side_frame.value,
            "yaw": None if self.pose is None else sign * self.pose.yaw,
            "pitch": None if self.pose is None else self.pose.pitch,
            "roll": None if self.pose is None else sign * self.pose.roll,
            "usable": self.usable,
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
    _turned: list[float] = field(default_factory=list)
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
            scale, measures, pose, usable = Scale(None, withheld="no face"), list(_NO_FACE), None, False
            if landmarks is not None:
                pose = head_pose(landmarks)
                usable = not pose_reasons(pose)[0] and float(np.ptp(landmarks.points[:, 0])) >= FACE_MIN_PX
                scale = capture_scale(landmarks, self.header, self.settings)
                measures = panel(landmarks, scale=scale)
                if side_frame is SideFrame.IMAGE:
                    measures = [measure.exchanged() for measure in measures]
                signals = _signals(measures)
                if signals is not None and _admitted(pose):
                    self._signals.append(signals)
                    self._turned.append(_turned(pose))
                    self._index.append(frame.index)
                    self._time.append(frame.time_s)
            yield FrameMeasures(
                self.request.source,
                frame.index,
                frame.time_s,
                self.request.expression,
                side_frame,
                pose,
                usable,
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
                "(turned by up to 8.5 and pitched by up to 18.5 degrees); film the face from the front."
            )
        chosen = choose_key_frames(
            np.array(self._signals), np.array(self._time), np.array(self._turned), self.request.expression
        )
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


def choose_key_frames(signals: Array, time_s: Array, turned: Array, named: Expression | None) -> dict[Expression, int]:
    """Expression -> position of its key frame.

    Args:
        signals: (n, 5) brow height, fissure height, commissure distance, lip gap, lower lip height in iod, the means of
            both sides.
        time_s: (n,) seconds.
        turned: (n,) yaw or pitch of the head as a share of what is good; up to 1 counts as from the front.
        named: The one movement of the clip, where the user names it: its key frame is then its steady greatest, and
            rest a frame near the median face of the frames with little of it. Otherwise rest is a frame near the
            median face of the clip, and a movement is given where it reaches far enough.
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
    eyes_open = fissure >= _OPEN_SHARE * np.quantile(fissure, _WIDE)
    frontal = turned <= 1
    if named in growth:
        movement = growth[named]
        little = eyes_open & (movement <= np.quantile(movement[eyes_open], _LITTLE_SHARE))
        peak = _peak(movement, float(np.median(movement[little])), time_s, frontal)
        before = np.arange(len(movement)) < peak
        return {Expression.REST: _near_median(signals, time_s, little, turned, before), named: peak}
    rest = _near_median(signals, time_s, eyes_open, turned, eyes_open)
    if named is Expression.REST:
        return {Expression.REST: rest}
    chosen = {Expression.REST: rest}
    for expression in (Expression.BROW_RAISE, Expression.SMILE_OPEN):
        peak = _peak(growth[expression], growth[expression][rest], time_s, frontal)
        if growth[expression][peak] - growth[expression][rest] > _REACH_IOD:
            closed = expression is Expression.SMILE_OPEN and gap[peak] < _REACH_IOD / 3
            chosen[Expression.SMILE_CLOSED if closed else expression] = peak
    if (closure := _longest_closure(fissure, fissure[rest], time_s)) is not None:
        start, end = closure
        within = slice(start, end)
        closing = _peak(-fissure[within], -fissure[rest], time_s[within], frontal[within])
        chosen[Expression.EYES_GENTLE] = start + closing
    return chosen


def _near_median(signals: Array, time_s: Array, among: Flags, turned: Array, rather: Flags) -> int:
    """Position of the frame that stands for the frames `among`.

    Of their calmer half, and of these near their median face (the nearer half, and all that differ by its spread) the
    head turned least; of those from the front, one of `rather` if there is any, and of these the nearest.
    """
    window = _window(time_s)
    from scipy.ndimage import maximum_filter1d, minimum_filter1d

    motion = (maximum_filter1d(signals, window, axis=0) - minimum_filter1d(signals, window, axis=0)).max(axis=1)
    calm = among & (motion <= np.median(motion[among]))
    centre = np.median(signals[calm], axis=0)
    # In the five signals' own spread; below 0.005 iod they are noise.
    spread = np.maximum(np.median(np.abs(signals[calm] - centre), axis=0), 0.005)
    distance = (np.abs(signals - centre) / spread).sum(axis=1)
    near = calm & (distance <= max(np.median(distance[calm]), signals.shape[1]))
    near &= np.maximum(turned, 1) <= max(1, turned[near].min())
    near = near & rather if (near & rather).any() else near
    return int(np.argmin(np.where(near, distance, np.inf)))


def _window(time_s: Array) -> int:
    """Odd number of frames within `_STEADY_S`; 1 where they are too far apart to confirm each other."""
    step = np.median(np.diff(time_s)) if len(time_s) > 1 else np.inf
    return 1 + 2 * round(_STEADY_S / 2 / step)


def _peak(movement: Array, at_rest: float, time_s: Array, frontal: Flags) -> int:
    """Position of the greatest movement that neighbouring frames confirm, from the front where that shows it too."""
    from scipy.ndimage import median_filter

    steady = median_filter(movement, size=_window(time_s), mode="nearest")
    deviation = np.abs(movement - steady)
    # A bad frame counts for less than its neighbours, or one amid a held movement would stand for it.
    seen = np.where(deviation <= _STEADY_IOD, movement, steady - deviation)
    near = frontal & (seen - at_rest >= _NEAR_PEAK_SHARE * (seen.max() - at_rest))
    return int(np.argmax(np.where(near, seen, -np.inf) if near.any() else seen))


def _longest_closure(fissure: Array, at_rest: float, time_s: Array) -> tuple[int, int] | None:
    """First position of the longest closure that is no blink, and the position after its last."""
    shut = fissure < 0.5 * at_rest
    edges = np.flatnonzero(np.diff(np.concatenate([[False], shut, [False]]).astype(int)))
    spans = [(time_s[end - 1] - time_s[start], start, end) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    if not spans or max(spans)[0] < _BLINK_S:
        return None
    _, start, end = max(spans)
    return int(start), int(end)


def _turned(pose: Pose) -> float:
    """Yaw or pitch as a share of what is good, whichever is the larger share."""
    return max(abs(pose.yaw) / YAW_LIMITS_DEG[0], abs(pose.pitch) / PITCH_LIMITS_DEG[0])


def _admitted(pose: Pose) -> bool:
    """Whether a frame measured alone will surely pass the limits of the pose."""
    limits = (YAW_LIMITS_DEG, PITCH_LIMITS_DEG, ROLL_LIMITS_DEG)
    angles = (pose.yaw, pose.pitch, pose.roll)
    return all(abs(angle) <= limit - _POSE_MARGIN_DEG for angle, (_, limit) in zip(angles, limits, strict=True))


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
