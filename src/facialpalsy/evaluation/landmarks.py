"""Landmarks: how far an engine's points lie from those of a corpus, with intervals by person.

Two things that do not follow from each other: how near the points are (NME), and how much of a difference between the
sides is left. An engine can draw the sides together by as much as they differ while every point is still near its
place; the slope of found on true left minus right shows it, and 1 is unbiased.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from facialpalsy.errors import UsageError
from facialpalsy.evaluation.bootstrap import Estimate, bootstrap_rows
from facialpalsy.face import IBUG68, Landmarks, Side, face_frame
from facialpalsy.measure import DEFINITIONS, panel

Numbers = NDArray[np.float64]

CONTOUR = frozenset(index for side in Side for index in IBUG68.curve("contour", side) or ())
"""iBUG-68 points of the contour, which each engine places where it takes the outline of the face to be."""

SIDED = ("brow_to_canthus", "palpebral_fissure_height", "commissure_height", "alar_height")
"""Measures of `facialpalsy.measure` whose difference between the sides is judged."""

_INNER = [index for index in range(IBUG68.size) if index not in CONTOUR]
_TITLES = {one.name: one.title for one in DEFINITIONS}


@dataclass(frozen=True)
class PointErrors:
    """One photo by one engine.

    Attributes:
        subject: Who is seen; the unit of every interval.
        photo: Unique name of the photo.
        engine: Who placed the points.
        nme_inner: Mean distance of the 51 inner points from the true ones, in percent of the outer-canthus distance of
            the true ones.
        nme_all: The same of all 68.
        true: Measure -> left minus right of the true points, in iod; NaN where it is not measured.
        found: The same of the engine's points, in their own face frame.
    """

    subject: str
    photo: str
    engine: str
    nme_inner: float
    nme_all: float
    true: Mapping[str, float]
    found: Mapping[str, float]

    @classmethod
    def of(cls, subject: str, photo: str, found: Landmarks, true: Landmarks) -> PointErrors:
        """Hold the points of an engine against the true ones of the same picture, both as iBUG-68.

        Raises:
            LandmarkFileError, SwappedSidesError: points of either make no face frame.
        """
        there, here = true.to_ibug68(), found.to_ibug68()
        distances = np.linalg.norm(here.points - there.points, axis=1) * 100 / face_frame(there).iod
        return cls(
            subject,
            photo,
            found.engine,
            float(distances[_INNER].mean()),
            float(distances.mean()),
            left_minus_right(there),
            left_minus_right(here),
        )


def left_minus_right(landmarks: Landmarks, measures: Iterable[str] = SIDED) -> dict[str, float]:
    """Measure -> the subject's left minus right, in iod of the points' own face frame; NaN where it is not measured."""
    found = {one.name: one.sides for one in panel(landmarks)}
    return {name: float("nan") if (sides := found[name]) is None else sides.difference for name in measures}


def line(x: Numbers, y: Numbers) -> tuple[float, float] | None:
    """Slope of y on x, with an intercept, and their correlation; None where either does not vary."""
    if len(x) == 0 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    (of_x, both), (_, of_y) = np.cov(x, y)
    return float(both / of_x), float(both / np.sqrt(of_x * of_y))


@dataclass(frozen=True)
class LandmarkFigure:
    """How one figure is worked out.

    Attributes:
        title: Name in tables, with its unit.
        part: What it is read from: `nme_inner`, `nme_all`, or one of `SIDED`.
        of: From the means of people (k, m) to its value, None where it is not defined. m is 1, or for a measure 3: mean
            absolute error, true and found left minus right.
    """

    title: str
    part: str
    of: Callable[[Numbers], float | None]


def _mean(people: Numbers) -> float | None:
    return float(people[:, 0].mean()) if len(people) else None


def _line(place: int, people: Numbers) -> float | None:
    found = line(people[:, 1], people[:, 2])
    return None if found is None else found[place]


_OF_SIDES: Mapping[str, tuple[str, Callable[[Numbers], float | None]]] = {
    "error": ("mean absolute error, iod", _mean),
    "slope": ("slope of found on true", partial(_line, 0)),
    "correlation": ("correlation", partial(_line, 1)),
}

FIGURES: Mapping[str, LandmarkFigure] = {
    "nme_inner": LandmarkFigure("NME of the 51 inner points, %", "nme_inner", _mean),
    "nme_all": LandmarkFigure("NME of all 68 points, %", "nme_all", _mean),
    **{
        f"{measure}_{name}": LandmarkFigure(f"{_TITLES[measure]}, left minus right: {title}", measure, of)
        for measure in SIDED
        for name, (title, of) in _OF_SIDES.items()
    },
}
"""Name -> figure, in the order of tables."""


@dataclass(frozen=True)
class LandmarkTable:
    """All figures of several engines on the same photos.

    Attributes:
        people: How many people they are of.
        photos: How many photos.
        figures: Engine -> figure -> estimate, over people.
        compared: Every engine but the first -> figure -> that engine minus the first, drawn person by person.
    """

    people: int
    photos: int
    figures: Mapping[str, Mapping[str, Estimate]]
    compared: Mapping[str, Mapping[str, Estimate]]


def landmark_table(rows: Sequence[PointErrors]) -> LandmarkTable:
    """The figures of engines that placed points in the same photos; the photos of a person are averaged first.

    A measure counts in the photos where it is measured by everybody.

    Raises:
        UsageError: there is no row, or the engines are not of the same photos in the same order.
    """
    by_engine: dict[str, list[PointErrors]] = {}
    for row in rows:
        by_engine.setdefault(row.engine, []).append(row)
    photos = {tuple((row.subject, row.photo) for row in one) for one in by_engine.values()}
    if len(photos) != 1:
        raise UsageError("A table needs one engine or several that placed points in the same photos; give those alone.")
    subjects = np.array([subject for subject, _ in photos.pop()])
    parts = {engine: _parts(one) for engine, one in by_engine.items()}
    first, *others = parts
    figures: dict[str, dict[str, Estimate]] = {engine: {} for engine in parts}
    compared: dict[str, dict[str, Estimate]] = {engine: {} for engine in others}
    for name, figure in FIGURES.items():
        known = np.isfinite([one[figure.part] for one in parts.values()]).all(axis=(0, 2))
        people = {engine: _by_person(one[figure.part][known], subjects[known]) for engine, one in parts.items()}
        names = np.unique(subjects[known]).tolist()
        for engine, values in people.items():
            figures[engine][name] = bootstrap_rows(partial(_drawn, figure.of, values), names)
        for engine in others:
            both = people[engine], people[first]
            compared[engine][name] = bootstrap_rows(partial(_difference, figure.of, *both), names)
    return LandmarkTable(len(np.unique(subjects)), len(subjects), figures, compared)


def _parts(rows: Sequence[PointErrors]) -> dict[str, Numbers]:
    """Part of a figure -> (n, m) numbers of each photo."""
    parts = {name: np.array([[getattr(row, name)] for row in rows]) for name in ("nme_inner", "nme_all")}
    for name in SIDED:
        pairs = np.array([(row.true[name], row.found[name]) for row in rows])
        parts[name] = np.column_stack([np.abs(pairs[:, 1] - pairs[:, 0]), pairs])
    return parts


def _by_person(values: Numbers, subjects: NDArray[np.str_]) -> Numbers:
    """(k, m) means of (n, m) numbers over the photos of each person, in the order of their names."""
    names, person, photos = np.unique(subjects, return_inverse=True, return_counts=True)
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, person, values)
    return np.asarray(sums / photos[:, None])


def _drawn(of: Callable[[Numbers], float | None], people: Numbers, drawn: NDArray[np.intp]) -> float | None:
    return of(people[drawn])


def _difference(
    of: Callable[[Numbers], float | None], people: Numbers, others: Numbers, drawn: NDArray[np.intp]
) -> float | None:
    one, other = of(people[drawn]), of(others[drawn])
    return None if one is None or other is None else one - other
