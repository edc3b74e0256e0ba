"""Withheld: what cannot be measured is None with its reason, and millimetres need two good irises."""

from dataclasses import replace

import numpy as np
import pytest

from facialpalsy.face import IBUG68, MEDIAPIPE478, SCHEMES, Side, face_frame, mirror_landmarks
from facialpalsy.measure import CLOSED_OPENNESS, FramedFace, Scale, iris_scale, openness

both = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)

# Fissures are 0.30 wide: 0.03 high is an openness of 0.10, closed; 0.04 is 0.133, open.
LEFT_CLOSED = {"upper_lid": (-0.05, 0.00), "lower_lid": (0.05, 0.03)}
LEFT_NARROW = {"upper_lid": (-0.05, -0.01), "lower_lid": (0.05, 0.03)}
BOTH_CLOSED = {"upper_lid": (0.01, 0.01), "lower_lid": (0.03, 0.03)}


@pytest.mark.parametrize("name", ["brow_height", "mrd1", "mrd2"])
def test_68_points_have_no_pupil(known, measured, name):
    measure = measured(known(IBUG68))[name]
    assert measure.sides is None
    assert measure.mm is None
    assert measure.ratio is None
    assert measure.withheld == {"value": "ibug68 has no iris, so there is no pupil to measure from"}


def test_68_points_have_no_fold(known, measured):
    measure = measured(known(IBUG68))["nasolabial_fold_angle"]
    assert measure.sides is None
    assert measure.withheld["value"] == "ibug68 has no nasolabial fold"


def test_68_points_have_no_millimetres(known, measured):
    for measure in measured(known(IBUG68)).values():
        assert measure.mm is None
        if measure.iod is not None:
            assert measure.withheld["mm"] == "ibug68 has no iris ring"


@both
def test_openness_is_height_over_width(known, scheme):
    landmarks = known(scheme)
    face = FramedFace.of(landmarks, face_frame(landmarks))
    assert openness(face, Side.RIGHT) == pytest.approx(1 / 3)
    assert openness(face, Side.LEFT) == pytest.approx(1 / 6)


def test_a_closed_eye_hides_its_pupil(known, measured):
    assert 0.10 < CLOSED_OPENNESS < 0.133
    found = measured(known(MEDIAPIPE478, lids=LEFT_CLOSED))
    for name in ("mrd1", "mrd2"):
        assert found[name].sides is None
        assert found[name].withheld["value"] == "the eye is closed, so the pupil cannot be seen"
    fissure = found["palpebral_fissure_height"].iod
    assert (fissure.left, fissure.right) == pytest.approx((0.03, 0.10), abs=1e-12)
    assert found["brow_to_canthus"].iod.left == pytest.approx(0.15, abs=1e-12)


def test_a_narrow_eye_is_still_measured(known, measured):
    mrd1 = measured(known(MEDIAPIPE478, lids=LEFT_NARROW))["mrd1"].iod
    assert (mrd1.left, mrd1.right) == pytest.approx((-0.01, 0.03), abs=1e-12)


def test_a_pupil_beside_its_lids_is_withheld(known, measured):
    landmarks = known(MEDIAPIPE478, points={"pupil": ((-0.30, -0.02), (0.53, -0.02))})
    measure = measured(landmarks)["palpebral_fissure_height"]
    assert measure.sides is None
    assert measure.withheld["value"] == "the curve does not reach the place where it is measured"


@both
def test_a_commissure_on_the_lower_lips_middle_has_no_angle(known, measured, scheme):
    landmarks = known(scheme, points={"commissure": ((-0.24, 0.78), (0.0, 0.85))})
    measure = measured(landmarks)["smile_angle"]
    assert measure.sides is None
    assert measure.withheld["value"] == "the commissure lies on the midline of the lower lip"


def test_the_iris_gives_the_scale(known):
    scale = iris_scale(known(MEDIAPIPE478))
    assert scale.mm_per_iod == pytest.approx(97.5)
    assert scale.iris_px == pytest.approx(24)
    assert scale.source == "iris"
    assert scale.withheld is None
    # 7 % between people and, from one set of points, a pixel in 24.
    assert scale.error_percent == pytest.approx(np.hypot(7, 100 / 24))
    assert iris_scale(known(MEDIAPIPE478), iris_mm=12.0).mm_per_iod == pytest.approx(100)


def test_both_irises_count(known):
    assert iris_scale(known(MEDIAPIPE478, iris_px=(25, 23))).mm_per_iod == pytest.approx(97.5)


def test_only_the_horizontal_chord_counts(known):
    landmarks = known(MEDIAPIPE478)
    scheme = landmarks.scheme
    points = landmarks.points.copy()
    for side in Side:
        _, top, _, bottom = scheme.curve("iris_ring", side)
        points[[top, bottom], 1] = 216
    assert iris_scale(landmarks.single(points)).mm_per_iod == pytest.approx(97.5)


def test_the_scales_error_shrinks_with_repeats(known):
    # Both medial ends moved by -1, 0, 1 px: chords of 24 -+ 1, a standard deviation of 1 px, of the mean 1 / sqrt(3).
    landmarks = known(MEDIAPIPE478)
    repeats = np.repeat(landmarks.points[None], 3, axis=0)
    for side in Side:
        repeats[:, landmarks.scheme.curve("iris_ring", side)[0], 0] += side.sign * np.array([-1, 0, 1])
    scale = iris_scale(replace(landmarks, repeats=repeats))
    assert scale.error_percent == pytest.approx(np.hypot(7, 100 * 1.96 / np.sqrt(3) / 24))


@pytest.mark.parametrize(
    ("iris_px", "reason"),
    [
        ((7.9, 7.9), "the iris is 7.9 px wide; 8 px are needed for millimetres"),
        ((8.5, 7.9), "the iris is 7.9 px wide; 8 px are needed for millimetres"),
        ((24.0, 21.0), "the irises measure 21.0 and 24.0 px, more than 10 % apart"),
        ((21.0, 24.0), "the irises measure 21.0 and 24.0 px, more than 10 % apart"),
    ],
)
def test_small_or_unequal_irises_give_no_millimetres(known, measured, iris_px, reason):
    landmarks = known(MEDIAPIPE478, iris_px=iris_px)
    assert iris_scale(landmarks).mm_per_iod is None
    for measure in measured(landmarks).values():
        assert measure.mm is None
        if measure.iod is not None:
            assert measure.withheld["mm"] == reason


@pytest.mark.parametrize("iris_px", [(8.1, 8.1), (24.0, 22.0)])
def test_just_enough_iris_gives_millimetres(known, iris_px):
    scale = iris_scale(known(MEDIAPIPE478, iris_px=iris_px))
    assert scale.mm_per_iod == pytest.approx(11.7 * 200 / np.mean(iris_px))


def test_a_given_scale_needs_no_iris(known, measured):
    found = measured(known(IBUG68), scale=Scale(80.0, "ruler"))
    assert found["palpebral_fissure_height"].mm.right == pytest.approx(8.0)
    assert "mm" not in found["palpebral_fissure_height"].withheld


def test_a_withheld_scale_passes_on_its_reason(known, measured):
    found = measured(known(MEDIAPIPE478), scale=Scale(None, withheld="the ruler is out of the picture"))
    assert found["mrd1"].mm is None
    assert found["mrd1"].withheld["mm"] == "the ruler is out of the picture"


def test_closed_eyes_give_no_scale(known):
    assert iris_scale(known(MEDIAPIPE478, lids=LEFT_CLOSED)).withheld == "an eye is closed, so its iris cannot be seen"
    assert iris_scale(known(MEDIAPIPE478, lids=BOTH_CLOSED)).mm_per_iod is None


@both
def test_what_rests_on_a_hidden_point_is_withheld_and_says_which(known, measured, scheme):
    landmarks = known(scheme)
    hidden = np.zeros(scheme.size, bool)
    hidden[scheme.point("commissure", Side.LEFT)] = True
    found = measured(replace(landmarks, hidden=hidden))
    plain = measured(landmarks)
    for name in ("commissure_position", "commissure_height", "smile_angle", "upper_lip_height", "lower_lip_height"):
        assert found[name].sides is None
        assert found[name].withheld["value"] == "commissure: covered or unclear in the picture"
    for name in ("brow_to_canthus", "palpebral_fissure_height", "alar_height"):
        assert found[name].sides == plain[name].sides


@both
def test_a_hidden_right_side_is_withheld_as_a_hidden_left_one(known, measured, scheme):
    landmarks, hidden = known(scheme), np.zeros(scheme.size, bool)
    hidden[list(scheme.curve("upper_lid", Side.LEFT))[1:-1]] = True
    mirrored = measured(mirror_landmarks(replace(landmarks, hidden=hidden)))
    for name, measure in measured(replace(landmarks, hidden=hidden)).items():
        assert mirrored[name].withheld.get("value") == measure.withheld.get("value")
    assert mirrored["palpebral_fissure_height"].withheld["value"] == "upper lid: covered or unclear in the picture"


@both
@pytest.mark.parametrize("beyond", [False, True])
def test_a_curve_may_have_up_to_a_third_of_its_points_hidden(known, measured, scheme, beyond):
    curve = list(scheme.curve("brow_upper", Side.LEFT))
    hidden = np.zeros(scheme.size, bool)
    hidden[curve[: len(curve) // 3 + beyond]] = True
    found = measured(replace(known(scheme), hidden=hidden))["brow_to_canthus"]
    assert (found.sides is None) is beyond
