"""A drawn face hangs where it should, by what it should, and nowhere else; the truth is exact."""

import re

import numpy as np
import pytest

from facialpalsy.errors import UsageError
from facialpalsy.face import IBUG68, MEDIAPIPE478, Landmarks, Side, face_frame, mirror
from facialpalsy.measure import MOVEMENTS, FramedFace
from facialpalsy.synth import BENCHMARK_REGIONS, REGIONS, displace, simulate

SCHEMES = [MEDIAPIPE478, IBUG68]
FAMILIES = ["gaussian", "piecewise"]
ALL = list(REGIONS)


def frame_shift(landmarks: Landmarks, displacement: np.ndarray) -> np.ndarray:
    """(n, 2) towards the subject's left and downwards, in iod."""
    frame = face_frame(landmarks)
    return displacement @ np.stack([frame.u, frame.n], axis=1) / frame.iod


def rotated(landmarks: Landmarks, degrees: float) -> Landmarks:
    """The same face, tilted round the middle of the picture and made slightly uneven."""
    angle = np.radians(degrees)
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array(landmarks.image_size) / 2
    points = (landmarks.points - centre) @ linear.T + centre
    return landmarks.single(points + np.random.default_rng(3).normal(0, 0.4, points.shape))


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize("side", list(Side))
def test_a_complete_palsy_moves_what_clinicians_describe(make_face, noise, scheme, side):
    landmarks = make_face(scheme)
    shift = frame_shift(landmarks, simulate(noise, landmarks, side=side, severity=1, regions=ALL).displacement)
    healthy = -side.sign  # the direction of the other side
    commissure = shift[scheme.point("commissure", side)]
    np.testing.assert_allclose(commissure, [0.020 * healthy, 0.070], atol=1e-9)
    for middle in ("upper_lip_mid", "lower_lip_mid"):
        assert shift[scheme.point(middle)][0] * healthy == pytest.approx(0.020, abs=0.004)
    brow = shift[list(scheme.curve("brow_upper", side))]
    assert np.all((brow[:, 1] > 0.030) & (brow[:, 1] < 0.056))
    lower_lid = shift[list(scheme.curve("lower_lid", side))][1:-1, 1]
    assert 0.010 < lower_lid.max() <= 0.030
    assert np.abs(shift[list(scheme.curve("upper_lid", side))]).max() < 0.006
    ala = shift[scheme.point("ala", side)]
    assert 0.005 < ala[1] <= 0.015
    assert ala[0] * healthy > 0


@pytest.mark.parametrize("side", list(Side))
def test_canthi_iris_and_the_other_side_stay(make_face, noise, side):
    landmarks = make_face(MEDIAPIPE478)
    scheme = landmarks.scheme
    shift = np.linalg.norm(
        frame_shift(landmarks, simulate(noise, landmarks, side=side, severity=1, regions=ALL).displacement), axis=1
    )
    for each in Side:
        for canthus in ("outer_canthus", "inner_canthus"):
            assert shift[scheme.point(canthus, each)] < 1e-9
        assert shift[scheme.point("pupil", each)] < 0.004
    for still in ("brow_upper", "brow_lower", "upper_lid", "lower_lid", "iris_ring", "contour"):
        assert shift[list(scheme.curve(still, side.other))].max() < 0.002, still
    assert shift[scheme.point("commissure", side.other)] < 1e-9
    # Beside the mouth the other side's fold follows the pull on the midline a little.
    assert shift[list(scheme.curve("nasolabial_fold", side.other))].max() < 0.004


@pytest.mark.parametrize(("region", "above"), [("brow", True), ("eye", True), ("midface", False), ("mouth", False)])
def test_a_region_stays_in_its_half_of_the_face(make_face, noise, region, above):
    landmarks = make_face(MEDIAPIPE478)
    shift = simulate(noise, landmarks, side=Side.LEFT, severity=1, regions=[region]).displacement
    frame = face_frame(landmarks)
    moved = frame.to_frame(landmarks.points[np.linalg.norm(shift, axis=1) > 0.002 * frame.iod])
    assert len(moved)
    assert np.all(moved[:, 1] < 0.33) if above else np.all(moved[:, 1] > 0.1)
    if region != "mouth":
        assert moved[:, 0].min() > -0.1


def test_displacement_is_proportional_to_severity_at_the_corner(make_face, noise):
    landmarks = make_face(MEDIAPIPE478)
    corner = landmarks.scheme.point("commissure", Side.RIGHT)
    for severity in (0.25, 0.6):
        result = simulate(noise, landmarks, side=Side.RIGHT, severity=severity, regions=["mouth"])
        np.testing.assert_allclose(
            frame_shift(landmarks, result.displacement)[corner], [severity * 0.020, severity * 0.070], atol=1e-9
        )
        np.testing.assert_array_equal(result.landmarks.points, landmarks.points + result.displacement)
        assert result.landmarks.edited
        assert result.side is Side.RIGHT


def test_severity_zero_is_the_same_picture(make_face, noise):
    landmarks = make_face(MEDIAPIPE478)
    result = simulate(noise, landmarks, side=Side.LEFT, severity=0, regions=ALL)
    assert np.array_equal(result.picture, noise)
    assert not result.displacement.any()


def test_the_order_of_regions_does_not_matter(make_face, noise):
    landmarks = make_face(MEDIAPIPE478)
    one = simulate(noise, landmarks, side=Side.LEFT, severity=0.7, regions=ALL)
    two = simulate(noise, landmarks, side=Side.LEFT, severity=0.7, regions=[*ALL[::-1], "brow"])
    np.testing.assert_allclose(one.displacement, two.displacement, atol=1e-9)


def test_pixels_far_from_the_palsied_side_are_bit_identical(make_face, noise):
    result = simulate(noise, make_face(MEDIAPIPE478), side=Side.LEFT, severity=1, regions=["brow", "eye"])
    # The subject's left is the right of the picture.
    assert np.array_equal(result.picture[:, :125], noise[:, :125])
    assert np.array_equal(result.picture[165:], noise[165:])
    assert not np.array_equal(result.picture[:165, 150:], noise[:165, 150:])


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize("how", ["simulate", *FAMILIES])
def test_mirror_law(make_face, noise, scheme, how):
    landmarks = rotated(make_face(scheme), 7)

    def run(picture, points, side):
        if how == "simulate":
            return simulate(picture, points, side=side, severity=0.8, regions=ALL)
        return displace(picture, points, side=side, region="corner", amount_iod=0.04, family=how)

    plain = run(noise, landmarks, Side.LEFT)
    mirrored = run(*mirror(noise, landmarks)[:2], Side.RIGHT)
    back_picture, back_points, _ = mirror(mirrored.picture, mirrored.landmarks)
    np.testing.assert_allclose(back_points.points, plain.landmarks.points, atol=1e-9)
    flipped = mirrored.displacement[list(scheme.mirror)] * (-1, 1)
    np.testing.assert_allclose(flipped, plain.displacement, atol=1e-9)
    assert np.abs(back_picture.astype(int) - plain.picture.astype(int)).max() <= 1


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("region", "amount"), [("brow", 0.03), ("brow", -0.02), ("lid", 0.02), ("lid", -0.02)])
@pytest.mark.parametrize("side", list(Side))
def test_displace_is_exact_at_brow_and_lid(make_face, noise, scheme, family, region, amount, side):
    landmarks = rotated(make_face(scheme), -5)
    result = displace(noise, landmarks, side=side, region=region, amount_iod=amount, family=family)
    before, after = (face_frame(landmarks).to_frame(points.points) for points in (landmarks, result.landmarks))
    curve = list(scheme.curve("brow_upper" if region == "brow" else "upper_lid", side))
    eye = np.mean([before[scheme.point(f"{end}_canthus", side), 0] for end in ("outer", "inner")])
    heights = []
    for points in (before, after):
        ordered = points[curve][np.argsort(points[curve, 0])]
        heights.append(np.interp(eye, ordered[:, 0], ordered[:, 1]))
    assert heights[1] - heights[0] == pytest.approx(amount, abs=1e-9)
    assert np.abs((after - before)[list(scheme.curve("upper_lid", side.other))]).max() < 1e-3


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("region", "point"), [("corner", "commissure"), ("ala", "ala")])
@pytest.mark.parametrize("side", list(Side))
def test_displace_is_exact_at_corner_and_ala(make_face, noise, scheme, family, region, point, side):
    landmarks = rotated(make_face(scheme), 12)
    for amount in (-0.02, 0.03):
        result = displace(noise, landmarks, side=side, region=region, amount_iod=amount, family=family)
        shift = frame_shift(landmarks, result.displacement)
        np.testing.assert_allclose(shift[scheme.point(point, side)], [0, amount], atol=1e-9)
        np.testing.assert_allclose(shift[scheme.point(point, side.other)], 0, atol=1e-9)
        for each in Side:
            np.testing.assert_allclose(shift[scheme.point("outer_canthus", each)], 0, atol=1e-9)


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("region", "out", "up"), [("corner_out", 0.8, 0.6), ("corner_in", -1.0, 0.0)])
@pytest.mark.parametrize("side", list(Side))
def test_a_corner_moves_as_in_a_smile_or_a_pucker(make_face, noise, scheme, family, region, out, up, side):
    landmarks = rotated(make_face(scheme), 12)
    result = displace(noise, landmarks, side=side, region=region, amount_iod=0.03, family=family)
    shift = frame_shift(landmarks, result.displacement)
    expected = [0.03 * side.sign * out, -0.03 * up]
    np.testing.assert_allclose(shift[scheme.point("commissure", side)], expected, atol=1e-9)
    np.testing.assert_allclose(shift[scheme.point("commissure", side.other)], 0, atol=1e-9)


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("region", "measure"), [("upper_lip", "upper_lip_elevation"), ("lower_lip", "lower_lip_depression")]
)
@pytest.mark.parametrize("side", list(Side))
def test_half_a_lip_moves_by_what_is_measured_there(make_face, noise, scheme, family, region, measure, side):
    landmarks = rotated(make_face(scheme), -5)
    result = displace(noise, landmarks, side=side, region=region, amount_iod=0.02, family=family)
    before, after = (FramedFace.of(points, face_frame(points)) for points in (landmarks, result.landmarks))
    moved = {
        (one.name, each): (one.place(after, each) - one.place(before, each)).item()
        for one in MOVEMENTS
        for each in Side
        if one.name in ("upper_lip_elevation", "lower_lip_depression")
    }
    assert moved.pop((measure, side)) == pytest.approx(0.02, abs=1e-3)
    assert max(map(abs, moved.values())) < 0.01
    shift = frame_shift(landmarks, result.displacement)
    for still in ("commissure", "outer_canthus"):
        np.testing.assert_allclose(shift[scheme.point(still, side)], 0, atol=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("side", list(Side))
def test_the_fold_moves_out_and_up_below_a_still_ala(make_face, noise, family, side):
    landmarks = rotated(make_face(MEDIAPIPE478), 7)
    scheme = landmarks.scheme
    result = displace(noise, landmarks, side=side, region="fold", amount_iod=0.03, family=family)
    shift = frame_shift(landmarks, result.displacement)
    ala, *fold = scheme.curve("nasolabial_fold", side)
    np.testing.assert_allclose(shift[fold], [(0.024 * side.sign, -0.018)] * len(fold), atol=1e-9)
    np.testing.assert_allclose(shift[[ala, scheme.point("commissure", side)]], 0, atol=1e-9)


@pytest.mark.parametrize("region", [None, "brow", "corner", "ala"])
def test_a_dot_is_found_where_the_truth_says(make_face, region):
    landmarks = make_face(MEDIAPIPE478, zoom=4)
    scheme = landmarks.scheme
    middle_brow, ala = scheme.curve("brow_upper", Side.LEFT)[2], scheme.point("ala", Side.LEFT)
    indices = [middle_brow, ala, scheme.point("commissure", Side.LEFT), scheme.midline["chin"]]
    rows, columns = np.mgrid[:1200, :1200] + 0.5
    distance = [(columns - x) ** 2 + (rows - y) ** 2 for x, y in landmarks.points[indices]]
    dots = np.rint(80 + 120 * np.exp(-np.array(distance) / (2 * 1.1**2)).sum(axis=0))
    picture = np.repeat(dots[..., None], 3, axis=2).astype(np.uint8)
    if region is None:
        result = simulate(picture, landmarks, side=Side.LEFT, severity=1, regions=ALL)
    else:
        result = displace(picture, landmarks, side=Side.LEFT, region=region, amount_iod=0.04, family="gaussian")
    assert np.hypot(*result.displacement[indices].T).max() > 15
    for x, y in result.landmarks.points[indices]:
        light = np.where((columns - x) ** 2 + (rows - y) ** 2 < 144, result.picture[..., 0] - 80.0, 0)
        found = np.array([(columns * light).sum(), (rows * light).sum()]) / light.sum()
        assert np.linalg.norm(found - (x, y)) < 0.1


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("region", list(BENCHMARK_REGIONS))
def test_a_fold_is_refused_with_the_largest_amount(make_face, noise, family, region):
    landmarks = make_face(MEDIAPIPE478)
    with pytest.raises(UsageError, match="until it folds; the largest possible here is") as caught:
        displace(noise, landmarks, side=Side.LEFT, region=region, amount_iod=0.5, family=family)
    largest = float(re.search(r"here is ([0-9.e-]+)\.$", str(caught.value)).group(1))
    assert 0.01 < largest < 0.5
    displace(noise, landmarks, side=Side.LEFT, region=region, amount_iod=largest, family=family)


def test_a_brow_on_the_lid_limits_the_severity(make_face, noise):
    landmarks = make_face(MEDIAPIPE478)
    points = landmarks.points.copy()
    for curve in ("brow_upper", "brow_lower"):
        points[list(landmarks.scheme.curve(curve, Side.LEFT)), 1] += 12
    with pytest.raises(UsageError, match="The severity 1 would stretch this face"):
        simulate(noise, landmarks.single(points), side=Side.LEFT, severity=1, regions=["brow"])


def test_a_closed_eye_is_refused_or_exact(make_face, noise):
    landmarks = make_face(MEDIAPIPE478)
    points = landmarks.points.copy()
    scheme = landmarks.scheme
    points[list(scheme.curve("upper_lid", Side.LEFT))] = points[list(scheme.curve("lower_lid", Side.LEFT))]
    closed = landmarks.single(points)
    result = simulate(noise, closed, side=Side.LEFT, severity=0.5, regions=["eye"])
    upper, lower = (result.landmarks.curve(name, Side.LEFT) for name in ("upper_lid", "lower_lid"))
    np.testing.assert_allclose(upper, lower, atol=1e-9)
    with pytest.raises(UsageError):
        displace(noise, closed, side=Side.LEFT, region="lid", amount_iod=0.02, family="piecewise")


@pytest.mark.parametrize("severity", [-0.1, 1.01, float("nan"), float("inf")])
def test_severity_outside_0_to_1(make_face, noise, severity):
    with pytest.raises(UsageError, match=r"is not allowed; give a number from 0 \(unchanged\) to 1"):
        simulate(noise, make_face(MEDIAPIPE478), side=Side.LEFT, severity=severity, regions=["brow"])


@pytest.mark.parametrize("amount", [-1.5, float("nan"), float("inf")])
def test_amount_outside_the_face(make_face, noise, amount):
    with pytest.raises(UsageError, match="iod is not allowed"):
        displace(noise, make_face(IBUG68), side=Side.LEFT, region="brow", amount_iod=amount, family="gaussian")


def test_unknown_and_missing_regions(make_face, noise):
    landmarks = make_face(MEDIAPIPE478)
    with pytest.raises(UsageError, match=r"Unknown region 'moth'\. Did you mean 'mouth'"):
        simulate(noise, landmarks, side=Side.LEFT, severity=0.5, regions=["brow", "moth"])
    with pytest.raises(UsageError, match="Allowed are brow, lid, corner, ala"):
        displace(noise, landmarks, side=Side.LEFT, region="mouth", amount_iod=0.01, family="gaussian")
    with pytest.raises(UsageError, match="name at least one of brow, eye, midface, mouth"):
        simulate(noise, landmarks, side=Side.LEFT, severity=0.5, regions=[])


def test_landmarks_of_another_picture(make_face, noise):
    with pytest.raises(UsageError, match="300 x 300 pixels, but this one has 200 x 300"):
        simulate(noise[:, :200], make_face(MEDIAPIPE478), side=Side.LEFT, severity=0.5, regions=["brow"])


def test_points_that_are_no_face(make_face, noise):
    landmarks = make_face(MEDIAPIPE478)
    points = landmarks.points.copy()
    points[landmarks.scheme.point("chin")] = (150, 9e6)
    with pytest.raises(UsageError, match="do not form a frontal face"):
        simulate(noise, landmarks.single(points), side=Side.LEFT, severity=0.5, regions=["mouth"])


def test_a_real_photo():
    pytest.importorskip("mediapipe", reason="mediapipe is not installed")
    data = pytest.importorskip("skimage.data", reason="scikit-image is not installed")
    from facialpalsy.detect import MediaPipeDetector

    picture = data.astronaut()
    detector = MediaPipeDetector()
    landmarks = detector.detect(picture).landmarks
    result = simulate(picture, landmarks, side=Side.LEFT, severity=0.6, regions=["brow", "eye", "mouth"])
    again = detector.detect(result.picture).landmarks
    scheme = landmarks.scheme
    corner = scheme.point("commissure", Side.LEFT)
    np.testing.assert_allclose(frame_shift(landmarks, result.displacement)[corner], [-0.012, 0.042], atol=1e-9)
    # An engine sees at least half of the true droop, on the right side, and little on the other.
    seen = frame_shift(landmarks, again.points - landmarks.points)[:, 1]
    assert 0.021 < seen[corner] < 0.060
    assert abs(seen[scheme.point("commissure", Side.RIGHT)]) < 0.015
    assert seen[list(scheme.curve("brow_upper", Side.LEFT))].mean() > 0.005
    assert np.array_equal(result.picture[300:], picture[300:])
