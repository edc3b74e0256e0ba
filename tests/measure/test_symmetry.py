"""Symmetry: the root mean square of z per region, and over the regions."""

import numpy as np
import pytest

from facialpalsy.face import IBUG68, MEDIAPIPE478, SCHEMES, mirror
from facialpalsy.measure import DEFINITIONS, OVERALL, REGIONS, Measure, Sides, asymmetry, panel

both = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)

REGION_OF = {
    "brow": {"brow_height", "brow_to_canthus"},
    "eye": {"mrd1", "mrd2", "palpebral_fissure_height", "palpebral_fissure_width"},
    "midface": {"alar_height", "nasolabial_fold_angle"},
    "mouth": {
        "commissure_position", "commissure_height", "smile_angle", "upper_lip_height", "lower_lip_height",
        "dental_show", "philtrum_deviation",
    },
}  # fmt: skip
LIMITS = {"brow": 1.5, "eye": 1.6, "midface": 1.7, "mouth": 1.8, "overall": 1.4}


def scored(**z):
    return [Measure(name, iod=Sides(None, None, 0.0), z=value) for name, value in z.items()]


def test_the_chin_is_no_sign_of_the_facial_nerve():
    found = {definition.name: definition.region for definition in DEFINITIONS}
    assert {name: region for region, names in REGION_OF.items() for name in names} | {"chin_deviation": None} == found
    assert tuple(REGION_OF) == REGIONS


def test_root_mean_square_by_hand(make_norms):
    measures = scored(
        brow_height=1.0, brow_to_canthus=-2.0, mrd1=3.0, alar_height=-0.5, smile_angle=2.0, dental_show=2.0,
        philtrum_deviation=-1.0, chin_deviation=50.0,
    )  # fmt: skip
    found = asymmetry(measures, make_norms(MEDIAPIPE478, regions=LIMITS), "rest")
    assert found["brow"].z == pytest.approx(np.sqrt(2.5))
    assert found["eye"].z == pytest.approx(3)
    assert found["midface"].z == pytest.approx(0.5)
    assert found["mouth"].z == pytest.approx(np.sqrt(3))
    assert found[OVERALL].z == pytest.approx(np.sqrt((2.5 + 9 + 0.25 + 3) / 4))
    assert {name: one.healthy_limit for name, one in found.items()} == LIMITS
    assert all(one.withheld is None for one in found.values())


def test_a_region_without_any_z_says_why(make_norms):
    eye = [
        Measure("mrd1", withheld={"value": "the eye is closed, so the pupil cannot be seen"}),
        Measure("palpebral_fissure_height", iod=Sides(0.1, 0.1, 0.0), withheld={"z": "no limits", "mm": "no iris"}),
    ]
    measures = [*scored(brow_height=1.0, alar_height=1.0, smile_angle=1.0), *eye]
    found = asymmetry(measures, make_norms(MEDIAPIPE478, regions=LIMITS), "rest")
    assert (found["eye"].z, found["eye"].healthy_limit) == (None, None)
    assert found["eye"].withheld == "no limits; the eye is closed, so the pupil cannot be seen"
    assert found["brow"].z == 1.0
    assert found[OVERALL].z is None
    assert found[OVERALL].withheld == "no asymmetry of eye"


@pytest.mark.parametrize("expression", [None, "snarl"])
def test_without_limits_everything_is_withheld(known, make_norms, expression):
    norms = make_norms(IBUG68, regions=LIMITS)
    found = asymmetry(panel(known(IBUG68), norms=norms, expression=expression), norms, expression)
    assert list(found) == [*REGIONS, OVERALL]
    for one in found.values():
        assert (one.z, one.healthy_limit) == (None, None)
        assert one.withheld
    assert found[OVERALL].withheld == "no asymmetry of brow, eye, midface, mouth"


def test_norms_without_region_limits_still_give_z(make_norms):
    found = asymmetry(scored(brow_height=2.0), make_norms(MEDIAPIPE478), "rest")
    assert (found["brow"].z, found["brow"].healthy_limit) == (2.0, None)


@both
def test_mirroring_keeps_every_asymmetry(known, make_norms, scheme):
    spreads = {definition.name: 0.01 for definition in DEFINITIONS}
    norms = make_norms(scheme, measures=spreads, regions=LIMITS)
    landmarks = known(scheme)
    _, flipped, _ = mirror(landmarks=landmarks)
    one, other = (
        asymmetry(panel(each, norms=norms, expression="rest"), norms, "rest") for each in (landmarks, flipped)
    )
    for region in (*REGIONS, OVERALL):
        assert one[region].z > 0
        assert other[region].z == pytest.approx(one[region].z, rel=1e-9)


@both
def test_a_symmetric_face_has_asymmetry_zero(make_face, make_norms, scheme):
    norms = make_norms(scheme, measures={definition.name: 0.01 for definition in DEFINITIONS}, regions=LIMITS)
    for one in asymmetry(panel(make_face(scheme), norms=norms, expression="rest"), norms, "rest").values():
        assert one.z == pytest.approx(0, abs=1e-6)
