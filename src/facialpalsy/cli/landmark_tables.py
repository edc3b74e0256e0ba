"""Landmark tables: every landmark engine against the points that a corpus brings."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from facialpalsy.cli.exam_data import prepared, require_outside
from facialpalsy.cli.tested import Tables
from facialpalsy.datasets import ORIGIN, Corpus, Sample, read_points
from facialpalsy.datasets.corpus import number_of
from facialpalsy.detect import ENGINES, check_installed, detector_class, find_engine
from facialpalsy.errors import AssetHashError, AssetNotInstalledError, CorpusError, LandmarkFileError, NoFaceError
from facialpalsy.face import Landmarks
from facialpalsy.preparation import found_landmarks

if TYPE_CHECKING:
    from facialpalsy.evaluation.landmarks import PointErrors

NAME = "landmarks"
"""What is named in the place of a model."""

_CROP = 32  # of each face the smallest crop, which nobody looks at
_DIGITS = 6

Found = Mapping[str, "Landmarks | str"]
"""Photo -> the 68 points that an engine placed, or the name of the error why there are none."""


def made(corpus: Corpus, out: Path, jobs: int) -> Tables:
    """The tables of all engines that can be opened here.

    Args:
        corpus: A corpus with points.
        out: Where what each engine finds is kept, in a folder of its own, so that a stopped run goes on.
        jobs: Photos worked on side by side.

    Raises:
        CorpusError: no photo has points.
        NoFaceError: there is no photo with sound points in which every engine found a face.
        UsageError: `out` lies in the corpus.
    """
    from facialpalsy.evaluation.landmarks import landmark_table
    from facialpalsy.evaluation.printing import landmark_csv_rows, landmark_markdown

    require_outside(out, corpus)
    samples = _with_points(corpus)
    engines, closed = _engines()
    found = {engine: _found(samples, out / engine, engine, jobs) for engine in engines}
    errors, unusable = _errors(samples, found)
    compared = [one for sample in samples if len(one := errors[sample.key]) == len(engines)]
    seen = [_counted(engine, photos) for engine, photos in found.items()]
    if not compared:
        raise NoFaceError(
            f"Of {number_of(len(samples), 'photo')} there is none with sound points in which every engine found a face "
            f"({'; '.join(f'{engine} {count}' for engine, count, _ in seen)}; points of {len(unusable)} unusable); "
            "look at pictures and points with `facialpalsy data check`."
        )
    table = landmark_table([row for one in compared for row in one.values()])
    page = [
        f"{number_of(len(samples), 'photo')} of {number_of(len({one.subject for one in samples}), 'person', 'people')} "
        f"with points; in the layout {corpus.name} they are {ORIGIN[corpus.name]}.{_without_points(corpus, samples)}",
        "",
        "| engine | photos with a face | without |",
        "|---|---|---|",
        *(f"| {engine} | {count} | {without} |" for engine, count, without in seen),
        "",
        *(f"- Not opened: {engine}. {why}" for engine, why in closed.items()),
        *([f"- Points of {number_of(len(unusable), 'photo')} left out, the first {unusable[0]}"] if unusable else []),
        "",
        "## In photos where every engine found a face",
        "",
        "NME is the mean distance from the points of the corpus in percent of their outer-canthus distance; the inner "
        "points are all but the contour, which engines take to be different lines. Left minus right is read from the "
        "68 points in their own face frame: a slope of 1 shows a difference between the sides as it is, less flattens "
        "it, which NME does not see.",
        "",
        landmark_markdown(table),
    ]
    rows = [_prediction(sample, engine, found[engine], errors) for sample in samples for engine in engines]
    return Tables(page, landmark_csv_rows(table), rows)


def _with_points(corpus: Corpus) -> list[Sample]:
    samples = [sample for sample in corpus.samples if sample.landmarks is not None]
    if not samples:
        brings = "has none here" if corpus.name in ORIGIN else "never brings any"
        raise CorpusError(
            f"None of the {number_of(len(corpus.samples), 'picture')} of {corpus.root.name!r} has points to hold "
            f"engines against; the layout {corpus.name} {brings}. Give a corpus in one of the layouts "
            f"{', '.join(ORIGIN)}; of pictures of your own, place 68 points in a .pts file beside each and give "
            "--layout aflfp."
        )
    return samples


def _without_points(corpus: Corpus, samples: Sequence[Sample]) -> str:
    count = len(corpus.samples) - len(samples)
    return f" {number_of(count, 'picture')} without points left out: see `facialpalsy data check`." if count else ""


def _engines() -> tuple[list[str], dict[str, str]]:
    """Names of the engines that can be opened, and why the others cannot."""
    closed = {}
    for name in ENGINES:
        try:
            check_installed(name)
        except (AssetNotInstalledError, AssetHashError) as error:
            closed[name] = f"{type(error).__name__}: {error}"
    return [name for name in ENGINES if name not in closed], closed


def _found(samples: Sequence[Sample], folder: Path, engine: str, jobs: int) -> Found:
    typer.echo(f"Landmarks by {engine}.", err=True)
    found: dict[str, Landmarks | str] = {}
    for row in prepared(samples, folder, _CROP, jobs, detector_class(engine)):
        landmarks = found_landmarks(row, folder, find_engine(engine))
        found[row.key] = row.failure or NoFaceError.__name__ if landmarks is None else landmarks.to_ibug68()
    return found


def _errors(
    samples: Sequence[Sample], found: Mapping[str, Found]
) -> tuple[dict[str, dict[str, PointErrors]], list[str]]:
    """Photo -> engine -> errors of its points, and why points of photos in which a face was found cannot be used."""
    from facialpalsy.evaluation.landmarks import PointErrors

    errors: dict[str, dict[str, PointErrors]] = {}
    unusable = []
    for sample in samples:
        placed = {engine: one for engine, photos in found.items() if isinstance(one := photos[sample.key], Landmarks)}
        errors[sample.key] = {}
        try:
            for engine, landmarks in placed.items():
                true = read_points(sample, landmarks.image_size)
                errors[sample.key][engine] = PointErrors.of(sample.subject, sample.key, landmarks, true)
        except (CorpusError, LandmarkFileError) as error:
            unusable.append(f"{sample.key!r}, {type(error).__name__}: {error}")
    return errors, unusable


def _counted(engine: str, photos: Found) -> tuple[str, str, str]:
    """The engine, in how many photos it found a face, and what happened in the others."""
    failures = Counter(one for one in photos.values() if isinstance(one, str))
    without = ", ".join(f"{count} {name}" for name, count in failures.most_common())
    return engine, f"{len(photos) - failures.total()} of {len(photos)}", without or "none"


def _prediction(
    sample: Sample, engine: str, photos: Found, errors: Mapping[str, Mapping[str, PointErrors]]
) -> dict[str, object]:
    from facialpalsy.evaluation.landmarks import SIDED

    one, placed = errors[sample.key].get(engine), photos[sample.key]
    figures: dict[str, float] = {}
    if one is not None:
        figures = {"nme_inner": one.nme_inner, "nme_all": one.nme_all}
        figures |= {f"{name}_found": value for name, value in one.found.items()}
        figures |= {f"{name}_true": value for name, value in one.true.items()}
    columns = ("nme_inner", "nme_all", *(f"{name}_{which}" for name in SIDED for which in ("found", "true")))
    known = {name: round(value, _DIGITS) for name, value in figures.items() if not math.isnan(value)}
    return {
        "subject": sample.subject,
        "photo": sample.key,
        "engine": engine,
        **{name: known.get(name) for name in columns},
        "failure": placed if isinstance(placed, str) else None if one else "points cannot be used",
    }
