"""Landmarks: figures of points whose errors are known by construction, people as the unit, and the mirror law."""

from dataclasses import replace

import numpy as np
import pytest

from facialpalsy.errors import UsageError
from facialpalsy.evaluation.landmarks import CONTOUR, FIGURES, SIDED, PointErrors, landmark_table, left_minus_right
from facialpalsy.evaluation.printing import landmark_csv_rows, landmark_markdown
from facialpalsy.face import IBUG68, MEDIAPIPE478, SCHEMES, Side, mirror_landmarks

# One outer-canthus distance of the made-up face is 100 pixels.
MOVED = {
    "brow_upper": ("brow_to_canthus", -1),
    "upper_lid": ("palpebral_fissure_height", -1),
    "commissure": ("commissure_height", -1),
    "ala": ("alar_height", 1),
}
"""What is moved down -> the measure that follows, and its sign."""


def by(engine, landmarks):
    return replace(landmarks, engine=engine)


def test_the_contour_is_the_first_seventeen():
    assert sorted(CONTOUR) == list(range(17))


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize("zoom", [1, 2.5])
def test_a_shift_of_all_points_is_the_nme_and_leaves_the_sides_alone(make_face, turn, scheme, zoom):
    face = make_face(scheme, zoom)
    row = PointErrors.of("p", "a", turn(face, shift=(3 * zoom, 4 * zoom)), face)
    assert (row.nme_inner, row.nme_all) == (pytest.approx(5), pytest.approx(5))
    assert row.found == pytest.approx(row.true)


def test_the_contour_counts_among_all_points_alone(make_face):
    face = make_face(IBUG68)
    points = face.points.copy()
    points[sorted(CONTOUR)] += (0, 8)
    row = PointErrors.of("p", "a", replace(face, points=points), face)
    assert (row.nme_inner, row.nme_all) == (pytest.approx(0), pytest.approx(8 * 17 / 68))


@pytest.mark.parametrize("name", MOVED)
def test_left_minus_right_is_the_subjects_and_in_iod(make_face, move, name):
    measure, sign = MOVED[name]
    face = make_face(IBUG68)
    one = left_minus_right(move(face, name, Side.LEFT, 0, 6))
    other = left_minus_right(move(face, name, Side.RIGHT, 0, 6))
    assert one[measure] == pytest.approx(sign * 0.06)
    assert other[measure] == pytest.approx(-sign * 0.06)


def test_mirrored_points_have_the_same_nme_and_exchanged_sides(make_face, move, turn):
    true = move(make_face(IBUG68), "commissure", Side.LEFT, 0, 9)
    found = turn(move(make_face(MEDIAPIPE478), "brow_upper", Side.RIGHT, 0, 5), degrees=3, shift=(2, 1))
    row, twin = PointErrors.of("p", "a", found, true), PointErrors.of("p", "a", *map(mirror_landmarks, (found, true)))
    assert (twin.nme_inner, twin.nme_all) == (pytest.approx(row.nme_inner), pytest.approx(row.nme_all))
    for name in SIDED:
        assert twin.found[name] == pytest.approx(-row.found[name], abs=1e-12)
        assert twin.true[name] == pytest.approx(-row.true[name], abs=1e-12)


def test_what_is_not_measured_is_no_number(make_face, move):
    away = move(make_face(IBUG68), "brow_upper", Side.LEFT, 200, 0)
    found = left_minus_right(away)
    assert np.isnan(found["brow_to_canthus"])
    assert np.isfinite([found[name] for name in SIDED[1:]]).all()


@pytest.fixture
def rows(make_face, move, turn):
    """Six people whose left corner droops by 0 to 10 px: `half` reports half of it, `all` all, shifted by 5 px."""
    found = []
    for number in range(6):
        for photo in range(2):
            true = move(make_face(IBUG68), "commissure", Side.LEFT, 0, 2 * number)
            half = move(make_face(IBUG68), "commissure", Side.LEFT, 0, number)
            for one in (by("half", half), by("all", turn(true, shift=(3, 4)))):
                found.append(PointErrors.of(f"p{number}", f"p{number}/{photo}", one, true))
    return found


def test_a_flattening_engine_has_the_better_nme_and_the_slope_of_its_share(rows):
    table = landmark_table(rows)
    half, full = table.figures["half"], table.figures["all"]
    assert (table.people, table.photos) == (6, 12)
    assert full["nme_inner"].value == pytest.approx(5)
    assert half["nme_inner"].value < 0.1
    # Two of the 51 points are the corner: 0 to 5 px away, 2.5 on average (the inner corner stays where it was).
    assert half["nme_inner"].value == pytest.approx(2.5 / 51)
    assert half["commissure_height_slope"].value == pytest.approx(0.5)
    assert half["commissure_height_correlation"].value == pytest.approx(1)
    assert half["commissure_height_error"].value == pytest.approx(0.025)
    assert full["commissure_height_slope"].value == pytest.approx(1)
    assert full["commissure_height_error"].value == pytest.approx(0)
    assert half["commissure_height_slope"].rows == half["commissure_height_slope"].people == 6
    # Nobody's brows differ, so there is nothing to have a slope on.
    assert half["brow_to_canthus_slope"].value is None


def test_engines_are_compared_person_by_person(rows):
    (compared,) = landmark_table(rows).compared.values()
    assert list(landmark_table(rows).compared) == ["all"]
    difference = compared["nme_inner"]
    assert difference.value == pytest.approx(5 - 2.5 / 51)
    # The shift is the same for everybody, so that only the other engine's errors vary.
    assert 5 - 5 / 51 < difference.lower < difference.value < difference.upper < 5
    assert compared["commissure_height_slope"].value == pytest.approx(0.5)


def test_photos_of_one_person_are_averaged_first(make_face, turn):
    face = make_face(IBUG68)
    shifts = {"a": [1, 1, 1, 1], "b": [5]}
    rows = [
        PointErrors.of(who, f"{who}{n}", turn(face, shift=(shift, 0)), face)
        for who, many in shifts.items()
        for n, shift in enumerate(many)
    ]
    assert landmark_table(rows).figures["file"]["nme_all"].value == pytest.approx(3)


def test_a_measure_counts_where_everybody_measures_it(rows):
    holed = [
        replace(row, found={**row.found, "alar_height": float("nan")})
        if row.engine == "all" and row.subject == "p0"
        else row
        for row in rows
    ]
    table = landmark_table(holed)
    assert [one["alar_height_error"].people for one in table.figures.values()] == [5, 5]
    assert table.figures["all"]["nme_all"].people == 6
    assert "n = 5" not in landmark_markdown(landmark_table(rows))


def test_one_person_gives_figures_and_no_interval(rows):
    table = landmark_table([row for row in rows if row.subject == "p3"])
    for estimates in table.figures.values():
        assert estimates["nme_inner"].value is not None
        assert estimates["nme_inner"].lower is None
        assert estimates["commissure_height_slope"].value is None
    page = landmark_markdown(table)
    assert page.startswith("1 person, 2 photos, those of a person averaged first. One person gives no interval.")
    assert "There is one person, and an interval needs two." in page


def test_engines_of_other_photos_are_no_table(rows):
    with pytest.raises(UsageError, match="the same photos"):
        landmark_table(rows[1:])
    with pytest.raises(UsageError, match="the same photos"):
        landmark_table([])


def test_the_page_and_the_rows_hold_every_figure(rows):
    table = landmark_table(rows)
    page = landmark_markdown(table)
    assert "| figure | half | all |" in page
    assert "| figure | all minus half |" in page
    for figure in FIGURES.values():
        assert page.count(f"| {figure.title} |") == 2
    found = landmark_csv_rows(table)
    assert len(found) == 3 * len(FIGURES)
    assert [(row["minus"], row["method"]) for row in found[:: len(FIGURES)]] == [
        ("", "half"), ("", "all"), ("half", "all"),
    ]  # fmt: skip
