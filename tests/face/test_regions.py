"""Regions: places of a face by hand, the mirror law, and the zones of rendered patients."""

import numpy as np
import pytest

from facialpalsy.errors import LandmarkFileError
from facialpalsy.face import IBUG68, SCHEMES, Landmarks, Scheme, Side, align, mirror_landmarks
from facialpalsy.face.regions import FACE_REGIONS, face_regions
from facialpalsy.synth.shot import ZONE_VALUES

both = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)

SIZE = 60
# The made-up face is 100 px between the canthi, 300 px wide, its eyes at (150, 110); one place is 5 px.
PLACES = {
    # x and y in outer-canthus distances from the middle of the eyes
    "forehead": [(0.3, -0.5), (-0.3, -0.5)],
    "left_eye": [(0.3, 0.02), (0.6, 0.02)],
    "right_eye": [(-0.3, 0.02), (-0.6, 0.02)],
    "nose": [(0.04, 0.3), (-0.4, 0.3)],
    "mouth": [(0.04, 0.7), (-0.2, 1.0)],
}
OUTSIDE = [(1.0, 0.3), (-1.0, 0.0), (0.04, 1.3), (0.6, 1.1), (0.7, -0.8)]


def at(masks, x, y):
    """Numbers of the regions at a place."""
    column, row = int((150 + 100 * x) / 5), int((110 + 100 * y) / 5)
    return [FACE_REGIONS[number] for number in np.flatnonzero(masks[:, row, column])]


@both
def test_every_place_of_a_face_is_of_one_region(make_face, scheme):
    masks = face_regions(make_face(scheme), SIZE)
    for region, places in PLACES.items():
        for place in places:
            assert at(masks, *place) == [region], place
    for place in OUTSIDE:
        assert at(masks, *place) == [], place
    assert masks.sum(axis=0).max() == 1


@both
def test_the_mirrored_face_exchanges_its_eyes(make_face, move, scheme):
    """On a face whose left brow hangs; 61 places have a middle column, which lies on the boundary of the eyes."""
    face = move(make_face(scheme), "brow_upper", Side.LEFT, 0, 6)
    masks, mirrored = face_regions(face, SIZE), face_regions(mirror_landmarks(face), SIZE)
    assert not np.array_equal(masks, masks[[0, 2, 1, 3, 4]][..., ::-1])
    np.testing.assert_array_equal(mirrored, masks[[0, 2, 1, 3, 4]][..., ::-1])


@both
def test_the_regions_turn_with_the_face(make_face, turn, scheme):
    """Regions of a turned picture, cut out upright, are those of the upright picture."""
    level = make_face(scheme)
    turned = turn(level, 25, scale=1.5, shift=(80, 10))
    picture = np.zeros((600, 600, 3), np.uint8)
    one = face_regions(align(picture, level, SIZE)[1], SIZE)
    other = face_regions(align(picture, turned, SIZE)[1], SIZE)
    np.testing.assert_array_equal(one, other)


def test_a_scheme_without_brows_has_no_regions(make_face):
    face = make_face(IBUG68)
    curves = {name: curve for name, curve in IBUG68.right_curves.items() if name != "brow_upper"}
    scheme = Scheme("browless", 68, IBUG68.mirror, IBUG68.midline, IBUG68.right_points, curves, IBUG68.right)
    with pytest.raises(LandmarkFileError, match="no brow_upper"):
        face_regions(Landmarks(scheme, face.points, face.image_size), SIZE)


def test_the_names_are_those_of_the_networks_maps():
    assert pytest.importorskip("facialpalsy.models.roi").REGIONS == FACE_REGIONS


@pytest.mark.parametrize("scheme", ["dense", "ibug68"])
def test_regions_are_the_zones_of_rendered_people(scheme, rendered_people):
    """Intersection over union of two thirds at least, over people and expressions; hair hides part of the forehead."""
    met, either = np.zeros(5), np.zeros(5)
    for zones, landmarks in rendered_people:
        points = landmarks.points if scheme == "dense" else landmarks.points[:68]
        masks = face_regions(Landmarks(SCHEMES[scheme], points, landmarks.image_size), zones.shape[0])
        masks[0] &= zones > 0
        true = np.stack([np.isin(zones, values) for values in TRUE])
        met += (masks & true).sum(axis=(1, 2))
        either += (masks | true).sum(axis=(1, 2))
    assert (met / either > 2 / 3).all(), met / either


def _values(zone, *sides):
    return [value for (side, one), value in ZONE_VALUES.items() if one.value == zone and side in sides]


TRUE = (
    _values("forehead", *Side),
    _values("eye", Side.LEFT),
    _values("eye", Side.RIGHT),
    _values("midface", *Side),
    _values("mouth", *Side),
)


@pytest.fixture(scope="module")
def rendered_people():
    """Zones and points of three synthetic people in three expressions."""
    pytest.importorskip("numba")
    from facialpalsy.clinical.expressions import Expression
    from facialpalsy.errors import AssetNotInstalledError
    from facialpalsy.synth.face_model import face_model
    from facialpalsy.synth.shot import draw_shot, photograph
    from facialpalsy.synth.stream import PatientStream

    try:
        model = face_model()
    except AssetNotInstalledError as reason:
        pytest.skip(f"needs the face model: {reason}")
    stream, found = PatientStream(seed=5), []
    for person in range(3):
        patient = stream.picture(9 * person).shot.patient
        for expression in (Expression.REST, Expression.BROW_RAISE, Expression.SMILE_OPEN):
            picture = photograph(model, draw_shot(patient, expression, 0))
            found.append((picture.zones(model), picture.landmarks))
    return found
