"""Capture: one picture read, its face found and measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from facialpalsy.analysis.request import CaptureRequest, ExamHeader, Settings
from facialpalsy.assessment import Capture, Face, LandmarkSet, Quality
from facialpalsy.assessment import Pose as PoseModel
from facialpalsy.clinical.expressions import Expression
from facialpalsy.detect import Detection, Detector, read_landmarks
from facialpalsy.face import (
    Landmarks,
    Mirrored,
    Pose,
    Side,
    SideFrame,
    colour_spread,
    face_frame,
    head_pose,
    iris_light,
    mirror_picture,
)
from facialpalsy.measure import Measure, Scale, asymmetry, iris_scale, panel
from facialpalsy.measure.panel import STRAIGHT_YAW_DEG
from facialpalsy.media import read_photo

Picture = NDArray[np.uint8]

# Up to the first angle good, up to the second warned, beyond no scale uses the capture.
YAW_LIMITS_DEG = (STRAIGHT_YAW_DEG, 10.0)
PITCH_LIMITS_DEG = (10.0, 20.0)
# The landmark engine places points well up to about 30 degrees of tilt, and badly on sideways or upside-down pictures.
ROLL_LIMITS_DEG = (30.0, 45.0)
FACE_MIN_PX = 60.0
# Mean standard deviation of the points over the repeats, as a share of the outer-canthus distance. The 104 London
# photos reach 0.0089 upright and 0.0151 with a face 60 px wide; upside down they begin at 0.0164.
REPEAT_LIMIT_IOD = 0.016
# Light of the iris over that of the white: in any face, and in one of one colour, as a statue is, or anybody in black
# and white. The 104 London photos reach 0.64 and, twice as bright, 0.71; rendered people 0.81 and, with pale irises in
# photos of 256 px, 0.87. Of rendered statues 95 % have more than 0.91.
IRIS_LIGHT_LIMITS = (0.9, 0.8)
# Spread of the colours of a face. London people have 0.0146 and more, rendered ones 0.0114, rendered statues to 0.0093.
ONE_COLOUR = 0.0105
# Height of both palpebral fissures from which the irises of a person are seen; of laughing eyes 0.05 wide not always.
OPEN_IOD = 0.06
LIPS_APART_IOD = 0.02
IRIS_COARSE_PX = 20.0


@dataclass(frozen=True)
class Measured:
    """A capture with what its JSON does not hold.

    Attributes:
        capture: The result.
        landmarks: Points with their repeats, of the unmirrored picture.
        picture: (h, w, 3) RGB, un-mirrored, or None once it is no longer needed.
    """

    capture: Capture
    landmarks: Landmarks
    picture: Picture | None


def measure_photo(request: CaptureRequest, header: ExamHeader, settings: Settings, detector: Detector) -> Measured:
    """Read, find and measure one photo.

    Raises:
        FacialPalsyError: the picture or its landmark file cannot be used, or no face was found.
    """
    photo = read_photo(request.path, max_megapixels=settings.max_megapixels)
    return measure_picture(photo.pixels, photo.sha256, request, header, settings, detector, remarks=photo.notes)


def measure_picture(
    picture: Picture,
    sha256: str,
    request: CaptureRequest,
    header: ExamHeader,
    settings: Settings,
    detector: Detector,
    *,
    remarks: tuple[str, ...] = (),
    frame: int | None = None,
    time_s: float | None = None,
) -> Measured:
    """Find and measure the face in a decoded picture; mirrored pictures are un-mirrored first."""
    mirrored = request.mirrored is Mirrored.YES
    if mirrored:
        picture = mirror_picture(picture)
    if request.landmarks is None:
        detection = detector.detect(picture)
    else:
        size = (picture.shape[1], picture.shape[0])
        detection = _given(read_landmarks(request.landmarks, size, mirrored=mirrored))
    landmarks = detection.landmarks
    pose = head_pose(landmarks)
    scale = capture_scale(landmarks, header, settings)
    expression = request.expression
    side_frame = SideFrame.of(request.mirrored)
    measures = panel_of(landmarks, scale, side_frame, settings, expression)
    # Whoever placed points has seen a face, and may have made it unrecognisable since.
    statue = None if request.landmarks else _statue(picture, landmarks, measures)
    kind: Literal["photo", "frame"] = "photo" if frame is None else "frame"
    capture = Capture(
        source=request.source,
        sha256=sha256,
        kind=kind,
        frame=frame,
        time_s=time_s,
        expression=expression,
        mirrored=request.mirrored,
        side_frame=side_frame,
        face=_face(detection, pose, side_frame),
        quality=_quality(detection, statue, pose, scale, (*_lips_apart(measures, expression), *remarks)),
        scale=scale,
        measures=tuple(measures),
        asymmetry=dict(asymmetry(measures, settings.norms, expression)),
    )
    return Measured(capture, landmarks, picture)


def panel_of(
    landmarks: Landmarks, scale: Scale, side_frame: SideFrame, settings: Settings, expression: Expression | None
) -> list[Measure]:
    """The panel in a capture's side frame: the landmarks' sides, or the halves of the image, left on the left."""
    measures = panel(landmarks, scale=scale, norms=settings.norms, expression=expression)
    return [measure.exchanged() for measure in measures] if side_frame is SideFrame.IMAGE else measures


def capture_scale(landmarks: Landmarks, header: ExamHeader, settings: Settings) -> Scale:
    """Millimetres by the ruler where one was used, else by the visible iris."""
    if header.ruler_mm is not None:
        # One millimetre is what a ruler held before a face can be read to.
        return Scale(header.ruler_mm, "ruler", error_percent=100 / header.ruler_mm)
    return iris_scale(landmarks, iris_mm=header.iris_mm or settings.iris_mm)


def with_scale(measured: Measured, scale: Scale, settings: Settings) -> Measured:
    """The same capture in the millimetres of another capture of the exam."""
    carried = replace(scale, source="rest capture")
    capture = measured.capture
    measures = panel_of(measured.landmarks, carried, capture.side_frame, settings, capture.expression)
    remarks = tuple(reason for reason in capture.quality.reasons if reason != _no_millimetres(capture.scale))
    quality = capture.quality.model_copy(update={"reasons": remarks})
    update = {"scale": carried, "measures": tuple(measures), "quality": quality}
    return replace(measured, capture=capture.model_copy(update=update))


def with_reasons(measured: Measured, *reasons: str, usable: bool = True) -> Measured:
    """The same capture with more remarks; `usable=False` keeps it from the scales."""
    quality = measured.capture.quality
    updated = Quality(
        usable=quality.usable and usable,
        reasons=(*quality.reasons, *reasons),
        blocking=quality.blocking if usable else (*quality.blocking, *reasons),
    )
    return replace(measured, capture=measured.capture.model_copy(update={"quality": updated}))


def pose_reasons(pose: Pose) -> tuple[list[str], list[str]]:
    """What keeps a face in this pose from the scales, and what is to be said about it otherwise."""
    blocking: list[str] = []
    reasons: list[str] = []
    angles = (
        ("turned", pose.yaw, YAW_LIMITS_DEG, "Retake the photo from the front."),
        ("pitched", pose.pitch, PITCH_LIMITS_DEG, "Retake the photo from the front."),
        ("tilted", pose.roll, ROLL_LIMITS_DEG, "Turn the picture upright."),
    )
    for word, angle, (good, limit), advice in angles:
        if abs(angle) > limit:
            blocking.append(
                f"The head is {word} by {abs(angle):.1f} degrees (limit {limit:.0f}): values are kept, but no scale "
                f"uses them. {advice}"
            )
        elif abs(angle) > good:
            reasons.append(
                f"The head is {word} by {abs(angle):.1f} degrees; up to {good:.0f} is good, "
                "so left-right differences are less certain."
            )
    return blocking, reasons


def _given(landmarks: Landmarks) -> Detection:
    low, high = landmarks.points.min(axis=0), landmarks.points.max(axis=0)
    return Detection(
        landmarks=landmarks,
        box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        warnings=("The landmarks were read from a file: placed or moved by hand or by another tool.",),
    )


def _face(detection: Detection, pose: Pose, side_frame: SideFrame) -> Face:
    # Of an image it can only be said towards which of its halves the head is turned and tilted.
    sign = -1 if side_frame is SideFrame.IMAGE else 1
    landmarks = detection.landmarks
    sigma = landmarks.sigma()
    return Face(
        box=detection.box,
        detector=landmarks.engine,
        landmarks=LandmarkSet(
            scheme=landmarks.scheme.name,
            engine=landmarks.engine,
            image_size=landmarks.image_size,
            points=tuple((round(float(x), 3), round(float(y), 3)) for x, y in landmarks.points),
            sigma=None if sigma is None else tuple(round(float(value), 3) for value in sigma),
            edited=landmarks.edited,
            hidden=() if landmarks.hidden is None else tuple(np.flatnonzero(landmarks.hidden).tolist()),
        ),
        pose_deg=PoseModel(yaw=sign * pose.yaw, pitch=pose.pitch, roll=sign * pose.roll),
    )


def _quality(detection: Detection, statue: str | None, pose: Pose, scale: Scale, remarks: tuple[str, ...]) -> Quality:
    blocking, reasons = pose_reasons(pose)
    width = detection.box[2] - detection.box[0]
    if width < FACE_MIN_PX:
        blocking.append(f"The face is only {width:.0f} px wide; below {FACE_MIN_PX:.0f} px landmarks are not reliable.")
    if detection.overlapped:
        blocking.append(
            "Another face overlaps with the measured one, so points of both may be mixed: retake the photo with one "
            "person in it."
        )
    blocking += _unreliable(detection.landmarks)
    if statue is not None:
        blocking.append(
            f"{statue}, as of a statue or doll: photograph a person, with light on the face and no flash into the eyes."
        )
    if scale.mm_per_iod is None:
        reasons.append(_no_millimetres(scale))
    elif scale.iris_px is not None and scale.iris_px < IRIS_COARSE_PX:
        reasons.append(
            f"The iris is only {scale.iris_px:.0f} px wide, so millimetres are coarse; give a larger or closer photo."
        )
    return Quality(
        usable=not blocking,
        reasons=(*detection.warnings, *blocking, *reasons, *remarks),
        blocking=tuple(blocking),
    )


def _statue(picture: Picture, landmarks: Landmarks, measures: Sequence[Measure]) -> str | None:
    """What tells a face from that of a person, or None."""
    light, (limit, plain_limit) = iris_light(picture, landmarks), IRIS_LIGHT_LIMITS
    # Colours are looked at only where irises leave it open.
    if light is not None:
        if plain_limit < light <= limit and colour_spread(picture, landmarks) < ONE_COLOUR:
            limit = plain_limit
        said = f"Both irises are nearly as light as the white of the eyes ({light:.2f} of it, limit {limit})"
        return said if light > limit else None
    fissure = next((measure.iod for measure in measures if measure.name == "palpebral_fissure_height"), None)
    opening = 0.0 if fissure is None else min(fissure.left or 0.0, fissure.right or 0.0)
    has_irises = landmarks.curve("iris_ring", Side.RIGHT) is not None
    if has_irises and opening > OPEN_IOD and colour_spread(picture, landmarks) < ONE_COLOUR:
        return "Between open lids no iris is seen, and the face has one colour"
    return None


def _lips_apart(measures: Sequence[Measure], expression: Expression | None) -> Iterator[str]:
    gap = next((measure.iod for measure in measures if measure.name == "dental_show"), None)
    if gap is None or expression not in (Expression.REST, Expression.SMILE_CLOSED):
        return
    if min(gap.left or 0.0, gap.right or 0.0) > LIPS_APART_IOD:
        yield (
            f"The lips are apart in {expression}, which shifts the measures of the mouth: ask for closed lips and "
            "retake, or name the photo by what it shows."
        )


def _unreliable(landmarks: Landmarks) -> Iterator[str]:
    """Why the points cannot be trusted: they contradict each other, or their place is not in the picture."""
    sigma = landmarks.sigma()
    if sigma is not None and (share := float(sigma.mean()) / face_frame(landmarks).iod) > REPEAT_LIMIT_IOD:
        yield (
            f"Repeated looks at the face differ by {share:.1%} of the eye distance (limit {REPEAT_LIMIT_IOD:.1%}): "
            "it may be upside down, covered or cut off. Retake the photo, or turn it upright."
        )
    scheme = landmarks.scheme
    curves = [curve for name, curve in scheme.right_curves.items() if name != "contour"]
    right = {*scheme.right_points.values(), *(index for curve in curves for index in curve)}
    points = landmarks.points[sorted(right | {scheme.mirror[index] for index in right})]
    if (points < 0).any() or (points > landmarks.image_size).any():
        yield "The face is cut off by the edge of the picture: retake the photo with the whole head in it."
    canthi = [scheme.right_points[f"{end}_canthus"] for end in ("outer", "inner")]
    if landmarks.hidden is not None and landmarks.hidden[[*canthi, *(scheme.mirror[one] for one in canthi)]].any():
        yield (
            "A corner of an eye is covered or unclear, and everything is measured from these: retake the photo with "
            "both eyes free."
        )


def _no_millimetres(scale: Scale) -> str:
    return f"No millimetres: {scale.withheld}."
