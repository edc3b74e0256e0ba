"""Pose: signs, the roll, the mirror law, and that turning the picture turns nothing but the roll.

The head is the table of `pose.py` itself, projected here by its own rotation: whatever the gains, what is asked for
must come back up to them.
"""

import numpy as np
import pytest

from facialpalsy.face import IBUG68, MEDIAPIPE478, SCHEMES, Landmarks, Side, head_pose, mirror
from facialpalsy.face.pose import _LEFT_3D, _MIDLINE_3D

both = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)


def rotation(yaw, pitch, roll):
    """Pitch about the axis between the ears, then yaw about the vertical, then roll in the picture; degrees.

    Axes: x towards the subject's left (the picture's right), y down, z away from the camera. A yaw to the left takes
    the left ear away from the camera, a chin down takes the chin away from it, a roll takes the left ear down.
    """
    (cy, cp, cr), (sy, sp, sr) = (f(np.radians([yaw, pitch, roll])) for f in (np.cos, np.sin))
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def head(scheme, yaw=0, pitch=0, roll=0):
    points = np.zeros((scheme.size, 2))
    turn = rotation(yaw, pitch, roll)
    for name, place in _MIDLINE_3D.items():
        points[scheme.point(name)] = 20 * (turn @ place)[:2] + (150, 160)
    for name, (x, y, z) in _LEFT_3D.items():
        for side in Side:
            points[scheme.point(name, side)] = 20 * (turn @ (side.sign * x, y, z))[:2] + (150, 160)
    return Landmarks(scheme, points, (300, 300))


def test_the_rotation_of_this_test_has_the_signs_of_the_contract():
    nose = np.array([0, 0, -1.0])
    assert (rotation(10, 0, 0) @ nose)[0] > 0  # the nose points to the subject's left
    assert (rotation(0, 10, 0) @ nose)[1] > 0  # the nose points down
    assert (rotation(0, 0, 10) @ [1.0, 0, 0])[1] > 0  # the left ear is lower


@both
def test_yaw_is_positive_towards_the_subjects_left_and_proportional(scheme):
    reported = [head_pose(head(scheme, yaw=yaw)).yaw for yaw in (-20, -5, 0, 5, 10, 20)]
    np.testing.assert_allclose(reported, reported[4] / 10 * np.array([-20, -5, 0, 5, 10, 20]), atol=1e-9)
    assert reported[4] > 5


@both
def test_pitch_is_positive_chin_down_and_proportional_about_its_zero(scheme):
    zero = head_pose(head(scheme)).pitch
    reported = np.array([head_pose(head(scheme, pitch=pitch)).pitch for pitch in (-20, 0, 10, 20)]) - zero
    np.testing.assert_allclose(reported, reported[2] / 10 * np.array([-20, 0, 10, 20]), atol=1e-9)
    assert reported[2] > 5


@both
@pytest.mark.parametrize("roll", [-90, -20, 0, 7, 20, 170])
def test_roll_is_exact(scheme, roll):
    assert head_pose(head(scheme, roll=roll)).roll == pytest.approx(roll, abs=1e-9)
    assert head_pose(head(scheme, 8, 12, roll)).roll == pytest.approx(roll, abs=1e-9)


@both
@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (9, -6), (-15, 18)])
@pytest.mark.parametrize("roll", [-80, -20, 20])
def test_turning_the_picture_changes_only_the_roll(scheme, yaw, pitch, roll):
    level, tilted = head_pose(head(scheme, yaw, pitch)), head_pose(head(scheme, yaw, pitch, roll))
    assert tilted.yaw == pytest.approx(level.yaw, abs=1e-9)
    assert tilted.pitch == pytest.approx(level.pitch, abs=1e-9)


@both
def test_scale_and_place_change_nothing(turn, scheme):
    landmarks = head(scheme, 9, -6, 4)
    one, other = head_pose(landmarks), head_pose(turn(landmarks, scale=0.37, shift=(400, -90)))
    np.testing.assert_allclose([one.yaw, one.pitch, one.roll], [other.yaw, other.pitch, other.roll], atol=1e-9)


@both
def test_mirroring_negates_yaw_and_roll_and_keeps_pitch(scheme):
    landmarks = head(scheme, 9, -6, 14)
    noise = np.random.default_rng(4).normal(0, 1, landmarks.points.shape)
    landmarks = landmarks.single(landmarks.points + noise)
    one, other = head_pose(landmarks), head_pose(mirror(landmarks=landmarks)[1])
    np.testing.assert_allclose([other.yaw, other.pitch, other.roll], [-one.yaw, one.pitch, -one.roll], atol=1e-9)


def test_both_schemes_agree():
    one, other = (head_pose(head(scheme, 9, -6, 14)) for scheme in (MEDIAPIPE478, IBUG68))
    np.testing.assert_allclose([one.yaw, one.pitch, one.roll], [other.yaw, other.pitch, other.roll], atol=1e-9)


@both
def test_a_symmetric_face_looks_straight(make_face, scheme):
    pose = head_pose(make_face(scheme))
    assert pose.yaw == pytest.approx(0, abs=1e-9)
    assert pose.roll == pytest.approx(0, abs=1e-9)
