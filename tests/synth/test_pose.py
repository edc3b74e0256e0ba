"""Pose: what a palsy does to a face, read from the vertices; never the other way round."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from facialpalsy.clinical.evidence import Zone
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import DENSE, Side
from facialpalsy.measure import panel
from facialpalsy.measure.movement import movements
from facialpalsy.synth.asymmetry import SYMMETRIC, draw_asymmetry
from facialpalsy.synth.frontal import frontal_landmarks, frontal_measures
from facialpalsy.synth.palsy import HEALTHY, Kind, Operation, Palsy, Synkinesis
from facialpalsy.synth.patient import Patient, draw_take, plain_take, pose_face
from facialpalsy.synth.points import dense_points, eyeballs

E = Expression
STYLES = pytest.mark.parametrize("setting", ["a", "b"])
ALL_STYLES = pytest.mark.parametrize("setting", ["a", "b", "c"])
LEFT, RIGHT = 0, 1


def person(palsy=HEALTHY, setting="a", seed=1, asymmetry=SYMMETRIC):
    rng = np.random.default_rng(seed)
    return Patient("p", seed, setting, rng.normal(0, 1, 100).astype(np.float32), asymmetry, palsy)


def right_palsy(share=0.0, **changes):
    return Palsy(Kind.PERIPHERAL, Side.RIGHT, function={(Side.RIGHT, zone): share for zone in Zone}, **changes)


def posed(model, patient, expression):
    return pose_face(model, patient, plain_take(patient, expression))


def measured(model, patient, expression, name):
    return frontal_measures(posed(model, patient, expression).vertices)[name]


def point(face, name, side):
    return face.vertices[dense_points()[DENSE.point(name, side)]]


def excursion(model, patient, expression, name):
    seen = [frontal_landmarks(posed(model, patient, one).vertices) for one in (E.REST, expression)]
    found = {movement.measure: movement.iod for movement in movements(seen[0], seen[1], expression)}
    return found[name].left, found[name].right


@ALL_STYLES
def test_a_symmetric_healthy_face_is_its_own_mirror_image(model, setting):
    patient = person(setting=setting)
    for expression in Expression:
        vertices = posed(model, patient, expression).vertices
        np.testing.assert_allclose(model.mirrored(vertices), vertices, atol=1e-5)


@ALL_STYLES
def test_a_mirrored_patient_is_the_mirror_image(model, setting):
    asymmetry = draw_asymmetry(np.random.default_rng(4))
    synkinesis = Synkinesis(0.3, 0.2, 0.4, 0.1)
    patient = person(
        right_palsy(0.3, droop=0.6, contracture=0.2, synkinesis=synkinesis), setting=setting, asymmetry=asymmetry
    )
    for expression in Expression:
        take = draw_take(patient, expression, 2)
        face, twin = pose_face(model, patient, take), pose_face(model, patient.mirrored(), take.mirrored())
        np.testing.assert_allclose(model.mirrored(face.vertices), twin.vertices, atol=1e-5)
        assert twin.strengths == {unit: (right, left) for unit, (left, right) in face.strengths.items()}
        assert twin.wrinkles == {name: (right, left) for name, (left, right) in face.wrinkles.items()}


def test_the_same_take_gives_the_same_vertices(model):
    patient = person(right_palsy(0.4))
    one, other = (pose_face(model, patient, draw_take(patient, E.SMILE_OPEN, 3)) for _ in range(2))
    assert np.array_equal(one.vertices, other.vertices)
    assert one.strengths == other.strengths


@STYLES
@pytest.mark.parametrize(
    ("expression", "name"),
    [
        (E.BROW_RAISE, "brow_elevation"),
        (E.EYES_GENTLE, "lid_closure"),
        (E.EYES_TIGHT, "lid_closure"),
        (E.SMILE_OPEN, "commissure_excursion"),
        (E.SMILE_CLOSED, "commissure_excursion"),
        (E.SNARL, "upper_lip_elevation"),
        (E.SNARL, "alar_elevation"),
        (E.LOWER_TEETH, "lower_lip_depression"),
    ],
)
def test_movement_falls_with_function(model, setting, expression, name):
    moved = [
        excursion(model, person(right_palsy(share), setting), expression, name) for share in (1, 0.75, 0.5, 0.25, 0)
    ]
    palsied = [right for _, right in moved]
    # Shut lids lie on each other to within some tenths of a millimetre.
    slack = 0.004 if name == "lid_closure" else 1e-9
    assert all(after <= before + slack for before, after in itertools.pairwise(palsied))
    assert palsied[-1] < 0.7 * palsied[0]
    assert all(right <= left + max(slack, 1e-6) for left, right in moved)


@STYLES
def test_without_function_brow_corner_and_lip_stay(model, setting):
    patient = person(right_palsy(0.0), setting)
    left, right = excursion(model, patient, E.BROW_RAISE, "brow_elevation")
    assert left > 0.04
    assert abs(right) < 0.1 * left
    left, right = excursion(model, patient, E.SMILE_OPEN, "commissure_excursion")
    assert left > 0.08
    assert right < 0.1 * left
    left, right = excursion(model, patient, E.LOWER_TEETH, "lower_lip_depression")
    assert right < 0.5 * left


@STYLES
def test_the_palsied_corner_is_never_above_its_healthy_partner(model, setting):
    for share in (0.0, 0.3, 0.6, 0.9):
        for expression in (E.REST, E.SMILE_CLOSED, E.SMILE_OPEN, E.SNARL):
            face = posed(model, person(right_palsy(share, droop=0.6), setting), expression)
            assert point(face, "commissure", Side.RIGHT)[1] < point(face, "commissure", Side.LEFT)[1] + 1e-6


@STYLES
def test_the_flaccid_side_hangs_at_rest(model, setting):
    patient = person(right_palsy(0.0, droop=0.8), setting)
    brow, eye, mouth = (
        measured(model, patient, E.REST, name)
        for name in ("brow_to_canthus", "palpebral_fissure_height", "commissure_height")
    )
    assert brow[RIGHT] < brow[LEFT] - 0.02
    assert eye[RIGHT] > eye[LEFT] + 0.01
    assert mouth[RIGHT] < mouth[LEFT] - 0.02
    assert posed(model, patient, E.REST).wrinkles["nasolabial"][RIGHT] == pytest.approx(-0.8)


@STYLES
def test_contracture_draws_the_side_together(model, setting):
    patient = person(right_palsy(0.6, contracture=0.8), setting)
    eye, mouth = (measured(model, patient, E.REST, name) for name in ("palpebral_fissure_height", "commissure_height"))
    assert eye[RIGHT] < eye[LEFT] - 0.01
    assert mouth[RIGHT] > mouth[LEFT] + 0.01
    assert posed(model, patient, E.REST).wrinkles["nasolabial"][RIGHT] > 0.3


@STYLES
def test_the_lid_comes_down_without_the_nerve_but_does_not_close(model, setting):
    patient = person(right_palsy(0.0, lid_descent=0.4), setting)
    opened = measured(model, patient, E.REST, "palpebral_fissure_height")
    for expression in (E.EYES_GENTLE, E.EYES_TIGHT):
        closed = measured(model, patient, expression, "palpebral_fissure_height")
        assert closed[LEFT] < 0.011
        assert closed[RIGHT] == pytest.approx(0.6 * opened[RIGHT], rel=0.25)


# Tight closure is complete from about 0.65 of function, gentle from about 0.85.
@STYLES
@pytest.mark.parametrize(("share", "gentle", "tight"), [(0.55, True, True), (0.72, True, False), (0.9, False, False)])
def test_effort_closes_an_eye_that_ease_leaves_open(model, setting, share, gentle, tight):
    patient = person(right_palsy(share), setting)
    stays = [
        measured(model, patient, one, "palpebral_fissure_height")[RIGHT] > 0.011
        for one in (E.EYES_GENTLE, E.EYES_TIGHT)
    ]
    assert stays == [gentle, tight]


@STYLES
def test_the_eyes_roll_up_when_they_try_to_close(model, setting):
    patient = person(right_palsy(0.0, bell=1.0), setting)
    for side in Side:
        ball = eyeballs()[side]
        up = [ball.axis(posed(model, patient, one).vertices)[1] for one in (E.REST, E.EYES_GENTLE, E.EYES_TIGHT)]
        assert abs(up[0]) < 0.03
        assert up[2] > up[1] + 0.1 > up[0] + 0.2


@STYLES
def test_no_eyeball_shows_through_a_closed_lid(model, setting):
    for seed in range(6):
        patient = person(replace(HEALTHY, bell=seed / 5), setting, seed)
        face = posed(model, patient, E.EYES_TIGHT)
        lid = face.vertices[[dense_points()[i] for i in DENSE.curve("upper_lid", Side.LEFT)[2:-2]]]
        ball = face.vertices[slice(*eyeballs()[Side.LEFT].vertices)]
        before = ball[ball[:, 1] > lid[:, 1].mean() + 0.1][:, 2].max()
        skin = face.vertices[:9409]
        over = skin[(np.abs(skin[:, 0] - lid[:, 0].mean()) < 0.5) & (np.abs(skin[:, 1] - lid[:, 1].mean() - 0.4) < 0.3)]
        assert over[:, 2].max() > before


@STYLES
def test_lips_and_philtrum_go_to_the_healthy_side(model, setting):
    flaccid = posed(model, person(right_palsy(0, droop=0.8), setting), E.REST)
    rest = {m.name: m for m in panel(frontal_landmarks(flaccid.vertices))}
    smile = posed(model, person(right_palsy(0), setting), E.SMILE_OPEN)
    deviation = {m.name: m for m in panel(frontal_landmarks(smile.vertices))}
    assert rest["philtrum_deviation"].iod.difference > 0.005
    assert deviation["philtrum_deviation"].iod.difference > 0.01


@STYLES
def test_a_pucker_moves_the_middle_of_the_lips_to_the_healthy_side(model, setting):
    patient = person(right_palsy(0), setting)
    middle = dense_points()[DENSE.point("upper_lip_mid")]
    assert posed(model, patient, E.PUCKER).vertices[middle, 0] > posed(model, patient, E.REST).vertices[middle, 0] + 0.1


@STYLES
def test_wrinkles_vanish_on_the_palsied_side(model, setting):
    patient = person(right_palsy(0), setting)
    for expression, name in [
        (E.BROW_RAISE, "forehead"), (E.SMILE_OPEN, "nasolabial"), (E.EYES_TIGHT, "crow"), (E.SNARL, "nose"),
    ]:  # fmt: skip
        left, right = posed(model, patient, expression).wrinkles[name]
        assert left > 0.4
        assert right == 0


@STYLES
def test_the_jaw_opens_on_both_sides_whatever_the_palsy(model, setting):
    strengths = posed(model, person(right_palsy(0), setting), E.SMILE_OPEN).strengths
    assert strengths["AU26"][LEFT] == strengths["AU26"][RIGHT] > 0
    assert strengths["AU12"][RIGHT] == 0


@STYLES
def test_synkinesis_is_on_the_palsied_side_only(model, setting):
    plain, synkinetic = (
        person(right_palsy(0.7, synkinesis=one), setting) for one in (Synkinesis(), Synkinesis(0.4, 0.4, 0.4, 0.4))
    )
    for expression in (E.SMILE_OPEN, E.PUCKER):
        before, after = (measured(model, one, expression, "palpebral_fissure_height") for one in (plain, synkinetic))
        assert after[RIGHT] == pytest.approx(0.6 * before[RIGHT], rel=0.15)
        assert after[LEFT] == pytest.approx(before[LEFT], abs=5e-4)
    for expression in (E.EYES_TIGHT, E.BROW_RAISE):
        before, after = (measured(model, one, expression, "commissure_height") for one in (plain, synkinetic))
        assert after[RIGHT] - before[RIGHT] > after[LEFT] - before[LEFT] + 0.02


@STYLES
def test_a_corner_goes_no_further_against_the_will_than_at_will(model, setting):
    patient = person(right_palsy(0.3, synkinesis=Synkinesis(corner_on_closure=0.9, corner_on_brow=0.9)), setting)
    smile = posed(model, patient, E.SMILE_OPEN).strengths["AU12"]
    for expression in (E.EYES_TIGHT, E.BROW_RAISE):
        pulled = posed(model, patient, expression).strengths["AU12"]
        assert pulled == pytest.approx((0, smile[RIGHT]))


@STYLES
def test_a_healthy_eye_narrows_a_little_in_a_smile_and_a_corner_moves_with_the_brows(model, setting):
    natural = replace(SYMMETRIC, eye_narrowing=-0.06, corner_pull=0.05)
    plain, own = person(setting=setting), person(setting=setting, asymmetry=natural)
    for expression in (E.SMILE_OPEN, E.SMILE_CLOSED, E.PUCKER):
        before, after = (measured(model, one, expression, "palpebral_fissure_height") for one in (plain, own))
        assert after[RIGHT] == pytest.approx(0.94 * before[RIGHT], rel=0.01)
        assert after[LEFT] == pytest.approx(before[LEFT], abs=1e-4)
    for expression in (E.EYES_GENTLE, E.EYES_TIGHT, E.BROW_RAISE):
        left, right = posed(model, own, expression).strengths["AU12"]
        assert 0 < left < 0.06
        assert right == 0


def test_nothing_natural_moves_without_the_nerve(model):
    natural = replace(SYMMETRIC, eye_narrowing=-0.06, corner_pull=-0.05)
    still, own = (person(right_palsy(0.0), asymmetry=one) for one in (SYMMETRIC, natural))
    for expression in Expression:
        assert np.array_equal(posed(model, still, expression).vertices, posed(model, own, expression).vertices)


@STYLES
def test_a_central_palsy_spares_the_forehead(model, setting):
    function = {(Side.RIGHT, Zone.FOREHEAD): 0.95, (Side.RIGHT, Zone.EYE): 0.9, (Side.RIGHT, Zone.MOUTH): 0.1}
    patient = person(Palsy(Kind.CENTRAL, Side.RIGHT, function=function), setting)
    left, right = excursion(model, patient, E.BROW_RAISE, "brow_elevation")
    assert right > 0.9 * left
    left, right = excursion(model, patient, E.SMILE_OPEN, "commissure_excursion")
    assert right < 0.3 * left


@STYLES
def test_operations(model, setting):
    flaccid = right_palsy(0.0, droop=0.8)
    eye, mouth = "palpebral_fissure_height", "commissure_height"
    plain = person(flaccid, setting)
    weight, sewn, held = (person(replace(flaccid, operations=(one,)), setting) for one in Operation)
    assert measured(model, weight, E.EYES_TIGHT, eye)[RIGHT] < 0.6 * measured(model, plain, E.EYES_TIGHT, eye)[RIGHT]
    assert measured(model, sewn, E.REST, eye)[RIGHT] < 0.85 * measured(model, plain, E.REST, eye)[RIGHT]
    assert measured(model, held, E.REST, mouth)[RIGHT] > measured(model, plain, E.REST, mouth)[RIGHT] + 0.02


def test_posing_writes_to_nothing_that_is_kept(model):
    patient = person(right_palsy(0.2))
    before = patient.neutral(model).copy()
    posed(model, patient, E.SNARL)
    assert np.array_equal(patient.neutral(model), before)
    assert not patient.neutral(model).flags.writeable
