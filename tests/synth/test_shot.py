"""Shot: laws of the rendered picture and of its truth."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("numba")

from facialpalsy.clinical.evidence import Zone
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import Side, head_pose, mirror_landmarks
from facialpalsy.face.schemes import DENSE
from facialpalsy.synth.labels import picture_labels
from facialpalsy.synth.look import MONK_TONES, draw_look
from facialpalsy.synth.population import draw_patient
from facialpalsy.synth.render import PIXELS
from facialpalsy.synth.shot import ZONE_VALUES, draw_shot, photograph
from facialpalsy.synth.style import STYLES
from facialpalsy.synth.truth import exam_truth

CASES = [("a", 1, Expression.SMILE_OPEN), ("b", 5, Expression.EYES_TIGHT), ("a", 6, Expression.SNARL)]
CASES += [("b", 3, Expression.BROW_RAISE), ("b", 2, Expression.PUCKER)]
SIDED = ("left", "right")


@pytest.fixture(scope="module")
def patients(model):
    return {
        (setting, grade): draw_patient(f"t{grade}", 11, setting=setting, grade=grade) for setting, grade, _ in CASES
    }


@pytest.mark.parametrize(("setting", "grade", "expression"), CASES)
def test_the_mirror_image_has_the_same_pixels(model, patients, setting, grade, expression):
    """Within one grey level, but for a pixel or two that lie just between two texels or two surfaces.

    JPEG, which rounds coefficients, makes a little more of a level's difference.
    """
    shot = draw_shot(patients[setting, grade], expression, 0)
    plain = replace(shot, scene=replace(shot.scene, jpeg=0))
    assert (differences(model, plain) > 1).sum() <= 3
    assert (differences(model, shot) > 1).mean() < 0.01


def differences(model, shot):
    seen = photograph(model, shot).frame.pixels.astype(int)
    other = photograph(model, shot.mirrored()).frame.pixels[:, ::-1].astype(int)
    return np.abs(seen - other).max(axis=2)


@pytest.mark.parametrize(("setting", "grade", "expression"), CASES)
def test_the_mirror_image_has_mirrored_labels(model, patients, setting, grade, expression):
    shot = draw_shot(patients[setting, grade], expression, 0)
    one, other = photograph(model, shot), photograph(model, shot.mirrored())
    mirrored = mirror_landmarks(other.landmarks)
    assert mirrored.points == pytest.approx(one.landmarks.points, abs=1e-4)
    assert np.array_equal(other.visible[list(DENSE.mirror)], one.visible)
    swapped = {1: 2, 2: 1, 3: 4, 4: 3, 5: 6, 6: 5, 7: 8, 8: 7, 0: 0}
    assert (np.vectorize(swapped.get)(other.zones(model)[:, ::-1]) != one.zones(model)).mean() < 1e-3
    rows = [picture_labels(picture, exam_truth(model, picture.shot.patient)) for picture in (one, other)]
    for name, value in rows[0].items():
        twin = rows[1][exchanged(name)]
        if name.startswith(("camera_yaw", "camera_roll", "gaze_left")):
            assert twin == pytest.approx(-value), name
        elif name == "affected_side":
            assert twin == {"left": "right", "right": "left"}.get(value, value)
        elif name.startswith(("movement_z", "rest_z")):
            assert twin == pytest.approx(-value, abs=1e-3), name
        elif name.endswith(SIDED):
            assert twin == pytest.approx(value, abs=1e-4), name


def exchanged(name):
    stem, _, side = name.rpartition("_")
    return f"{stem}_{'left' if side == 'right' else 'right'}" if side in SIDED else name


def test_the_same_shot_twice_is_identical(model, patients):
    shot = draw_shot(patients["b", 5], Expression.REST, 0)
    assert photograph(model, shot).frame.stored == photograph(model, shot).frame.stored
    again = draw_shot(draw_patient("t5", 11, setting="b", grade=5), Expression.REST, 0)
    assert photograph(model, again).frame.stored == photograph(model, shot).frame.stored


@pytest.mark.parametrize("threads", ["1", "2"])
def test_pixels_do_not_depend_on_the_number_of_threads(model, patients, threads):
    code = (
        "import hashlib; from facialpalsy.synth.face_model import face_model; "
        "from facialpalsy.synth.population import draw_patient; from facialpalsy.synth.shot import *; "
        "shot = draw_shot(draw_patient('t5', 11, setting='b', grade=5), Expression.SNARL, 0); "
        "seen = photograph(face_model(), shot); "
        "print(hashlib.sha256(seen.frame.pixels.tobytes() + seen.face.vertices.tobytes()).hexdigest())"
    )
    environment = os.environ | dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    here = photograph(model, draw_shot(patients["b", 5], Expression.SNARL, 0))
    assert done.stdout.strip() == hashlib.sha256(here.frame.pixels.tobytes() + here.face.vertices.tobytes()).hexdigest()


def test_takes_differ_and_the_person_stays(model, patients):
    shots = [draw_shot(patients["a", 6], Expression.REST, number) for number in range(2)]
    assert shots[0].look == shots[1].look
    assert shots[0].scene.yaw != shots[1].scene.yaw
    pictures = [photograph(model, shot).frame.pixels for shot in shots]
    assert not np.array_equal(*pictures)


def test_points_are_the_projected_vertices(model, patients):
    picture = photograph(model, draw_shot(patients["a", 1], Expression.SMILE_OPEN, 0))
    # The outer commissures of iBUG are vertices 5708 and 6213 of the archive (its README).
    for point, vertex in ((48, 5708), (54, 6213)):
        x, y, _ = picture.frame.camera.project(picture.face.vertices[[vertex]])[0]
        assert picture.landmarks.points[point].tolist() == pytest.approx([x, y], abs=1e-9)


def test_a_closed_eye_hides_its_iris_and_an_open_one_shows_it(model):
    patient = draw_patient("eyes", 3, setting="a", grade=1)
    for expression, shown in ((Expression.REST, True), (Expression.EYES_TIGHT, False)):
        shot = draw_shot(patient, expression, 0)
        plain = replace(shot, look=replace(shot.look, glasses=None, hair_style="bald"))
        picture = photograph(model, plain)
        pupils = [DENSE.point("pupil", side) for side in Side]
        assert picture.visible[pupils].tolist() == [shown, shown]


@pytest.mark.parametrize("hair_style", ["short", "fringe", "long"])
def test_hair_that_is_cut_away_throws_no_shadow(model, hair_style):
    """Below the eyes, where no strand of these reaches, the face is as bright as that of the same bald person."""
    shot = draw_shot(draw_patient("hair", 3, setting="a", grade=1), Expression.REST, 0)
    lit = replace(shot.scene, yaw=0.0, pitch=0.0, roll=0.0, noise=0.0, key=np.array([0.1, 0.2, 0.97]))
    seen = {}
    for hair in ("bald", hair_style):
        look = replace(shot.look, hair_style=hair, glasses=None, beard=0.0, hairline=0.0)
        picture = photograph(model, replace(shot, look=look, scene=lit))
        zones = picture.zones(model)
        seen[hair] = picture.frame.pixels[(zones >= 5) & (zones <= 8)].mean()
    assert seen[hair_style] == pytest.approx(seen["bald"], rel=0.03)


def test_a_point_outside_the_picture_is_not_visible(model, patients):
    shot = draw_shot(patients["a", 1], Expression.REST, 0)
    picture = photograph(model, replace(shot, scene=replace(shot.scene, shift=(0.0, 0.6))))
    outside = picture.landmarks.points[:, 1] > PIXELS
    assert outside.any()
    assert not picture.visible[outside].any()


def test_zones_lie_on_their_own_side_and_in_order(model):
    shot = draw_shot(draw_patient("zones", 3, setting="a", grade=1), Expression.REST, 0)
    straight = replace(shot, scene=replace(shot.scene, yaw=0.0, roll=0.0, pitch=0.0))
    picture = photograph(model, straight)
    zones = picture.zones(model)
    rows, columns = np.indices(zones.shape)
    middles = {key: (rows[zones == value].mean(), columns[zones == value].mean()) for key, value in ZONE_VALUES.items()}
    for side in Side:
        heights = [middles[side, zone][0] for zone in Zone]
        assert heights == sorted(heights)
    # The subject's right is on the picture's left.
    assert all(middles[Side.RIGHT, zone][1] < middles[Side.LEFT, zone][1] for zone in Zone)


@pytest.mark.parametrize(("angle", "field"), [("yaw", "yaw"), ("roll", "roll"), ("pitch", "pitch")])
def test_the_pose_measured_on_the_true_points_follows_the_camera(model, angle, field):
    shot = draw_shot(draw_patient("pose", 3, setting="a", grade=1), Expression.REST, 0)
    level = replace(shot.scene, yaw=0.0, pitch=0.0, roll=0.0, focal_mm=85.0)
    poses = [
        getattr(head_pose(photograph(model, replace(shot, scene=replace(level, **{angle: turned}))).landmarks), field)
        for turned in (-8.0, 8.0)
    ]
    assert poses[1] - poses[0] > 8


def test_every_skin_tone_is_drawn_and_gets_darker():
    looks = [draw_look(np.random.default_rng(seed), STYLES["a"]) for seed in range(300)]
    tones = {look.tone for look in looks}
    assert tones == set(range(1, len(MONK_TONES) + 1))
    brightness = [np.mean([look.skin for look in looks if look.tone == tone]) for tone in (1, 5, 6, 7, 8, 10)]
    assert brightness == sorted(brightness, reverse=True)
