"""Explain: `facialpalsy explain MODEL PATH --out DIR`, and the one function behind it and the document's script."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from facialpalsy.cli.corpus import LayoutName
from facialpalsy.cli.exam_data import (
    PREPARED,
    Jobs,
    Source,
    SplitFile,
    model_reader,
    prepared,
    read_one_fold,
    table_samples,
)
from facialpalsy.datasets import recognise
from facialpalsy.datasets.corpus import number_of
from facialpalsy.datasets.csv_table import ROMAN
from facialpalsy.datasets.sample import Sample
from facialpalsy.errors import EmptyFolderError, InputNotFoundError, LandmarkFileError, SwappedSidesError, UsageError
from facialpalsy.measure import panel
from facialpalsy.media import PHOTO_SUFFIXES
from facialpalsy.preparation import TABLE, Prepared
from facialpalsy.writing import make_folder, write_text

if TYPE_CHECKING:
    from facialpalsy.analysis.explain import TrainedGrader

SHEET = "sample_{number}_visualization.png"
BARS = "asymmetry_analysis.png"
REPORT = "asymmetry_report.txt"

_BY_MAP = "Model's asymmetry map (0 to 1)"
_BY_LANDMARKS = "Landmark measures (outer-canthus distances)"
_MEANING = {
    _BY_MAP: "mean of the map over a photo, every place counted by how much it is of the face; 0 where both halves "
    "look alike to the network, at most 1",
    _BY_LANDMARKS: "mean |left - right| over the lengths of the panel that have two sides",
}
_CAUTION = (
    "Software estimate for research and education, not a medical device. A map shows where the network saw a "
    "difference between the two halves of a face, not why. Photos are counted, not people."
)
_ROMAN = tuple(ROMAN)


@dataclass(frozen=True)
class Scored:
    """One photo and how asymmetric it is.

    Attributes:
        row: The photo.
        by_map: Mean of the model's asymmetry map; None without micro-attention.
        by_landmarks: Mean |left - right| of the lengths of the panel, in iod; None where nothing can be measured.
    """

    row: Prepared
    by_map: float | None
    by_landmarks: float | None


def run_explanation(
    model: Path,
    source: Source,
    out: Path,
    *,
    table: Path | None = None,
    split: Path | None = None,
    stated: Mapping[str, Any] | None = None,
    samples: int = 5,
    batch_size: int = 8,
) -> list[Scored]:
    """Write the maps of some photos, and the asymmetry of all of them by grade.

    Args:
        model: The trained model.
        source: A corpus or prepared folder, or a picture or an exam's folder.
        out: Gets sheets, bars and report, and what is prepared on the way.
        table: A table of pictures below the source's root, explained instead of the whole corpus.
        split: A frozen split, of which only the test people are explained.
        stated: What the caller says of the model's configuration.
        samples: Photos of a corpus that get a sheet, taken from each grade in turn; an exam's all do.
        batch_size: Photos that the network sees at once.

    Raises:
        FacialPalsyError: as the rooms that do the work say.
    """
    if samples < 1 or batch_size < 1:
        raise UsageError(f"{samples} samples in batches of {batch_size} were asked for; give at least 1 of each.")
    grader = model_reader()(model, stated or {})
    rows = _rows(source, out, grader.spec.image_size, table)
    if split is not None:
        rows = list(read_one_fold(split).apply(rows)[0].test)
    rows = [row for row in rows if row.crops]
    if not rows:
        raise EmptyFolderError("No photo has a face that was found, so there is nothing to explain.")
    chosen = _in_turn(rows, samples) if any(row.grade for row in rows) else rows
    scored = list(_explained(grader, rows, {row.key: n for n, row in enumerate(chosen, 1)}, out, batch_size))
    _summarise(out, grader, scored)
    typer.echo(
        f"{number_of(len(chosen), 'sheet')} and {REPORT} of {number_of(len(rows), 'photo')} are in {out.name or out}/.",
        err=True,
    )
    return scored


def landmark_score(row: Prepared) -> float | None:
    """Mean |left - right| in iod of the measures of the panel that are lengths with two sides, or None."""
    landmarks = row.landmarks(max(row.crops)) if row.crops else None
    if landmarks is None:
        return None
    try:
        found = [one.iod for one in panel(landmarks) if one.iod is not None and one.iod.left is not None]
    except (LandmarkFileError, SwappedSidesError):
        return None
    return float(np.mean([abs(sides.difference) for sides in found])) if found else None


def _rows(source: Source, out: Path, size: int, table: Path | None) -> list[Prepared]:
    if not source.root.exists():
        raise InputNotFoundError(f"There is no {source.root.name!r}; check the path of the pictures.")
    folder = make_folder(out) / PREPARED
    if table is not None:
        samples = [one for one in table_samples(table, source.root) if one.split in (None, "test")]
        return prepared(samples, folder, size, source.jobs)
    if source.layout is not None or (source.root / TABLE).is_file() or recognise(source.root) is not None:
        return source.rows(folder, size, graded=False)
    return prepared(_pictures(source.root), folder, size, source.jobs)


def _pictures(path: Path) -> list[Sample]:
    """A picture, or those of an exam's folder or of a folder of exams."""
    from facialpalsy.analysis import Settings, find_jobs

    jobs, errors = find_jobs([path], Settings())
    found = [
        Sample(
            "pictures", f"{job.name}/{one.source}", job.name, one.path, expression=one.expression, mirrored=one.mirrored
        )
        for job in jobs
        for one in job.captures
        if one.path.suffix.lower() in PHOTO_SUFFIXES
    ]
    if not found:
        raise errors[0][1] if errors else EmptyFolderError(f"{path.name!r} holds no picture; name a photo or an exam.")
    return found


def _in_turn(rows: Sequence[Prepared], count: int) -> list[Prepared]:
    """`count` rows, one of each grade in turn."""
    by_grade: dict[int, list[Prepared]] = defaultdict(list)
    for row in rows:
        by_grade[row.grade or 0].append(row)
    turns = zip_longest(*(by_grade[grade] for grade in sorted(by_grade)))
    return [row for row in chain.from_iterable(turns) if row is not None][:count]


def _explained(
    grader: TrainedGrader, rows: Sequence[Prepared], numbers: Mapping[str, int], out: Path, batch_size: int
) -> Iterator[Scored]:
    """Every photo's scores; those with a number get their sheet."""
    from facialpalsy.analysis.explain_figures import write_sheet
    from facialpalsy.training.exams import PreparedExams

    for start in range(0, len(rows), batch_size):
        batch = rows[start : start + batch_size]
        photos = PreparedExams((), [batch], grader.spec.image_size, {})[0]
        found = grader.explain(photos.images, photos.expressions)
        scores: Sequence[float | None] = found.scores() or [None] * len(batch)
        for place, (row, score) in enumerate(zip(batch, scores, strict=True)):
            scored = Scored(row, score, landmark_score(row))
            if row.key in numbers:
                write_sheet(
                    out / SHEET.format(number=numbers[row.key]),
                    photos.images[place].permute(1, 2, 0).numpy(),
                    _title(scored),
                    mask=None if found.mask is None else found.mask[place],
                    regions=None if found.regions is None else found.regions[place],
                    asymmetry=None if found.asymmetry is None else found.asymmetry[place],
                )
            yield scored


def _title(one: Scored) -> str:
    grade = "grade not known" if one.row.grade is None else f"House-Brackmann {_ROMAN[one.row.grade - 1]}"
    expression = "" if one.row.expression is None else f", {str(one.row.expression).replace('_', ' ')}"
    score = "" if one.by_map is None else f"\nmean asymmetry {one.by_map:.3f}"
    return f"{one.row.key}: {grade}{expression}{score}"


def _summarise(out: Path, grader: TrainedGrader, scored: Sequence[Scored]) -> None:
    """Bars where any photo has a grade, and the report."""
    from facialpalsy.analysis.explain_figures import write_bars

    tables: dict[str, dict[int, list[float]]] = {_BY_MAP: {}, _BY_LANDMARKS: {}}
    for one in scored:
        for name, value in ((_BY_MAP, one.by_map), (_BY_LANDMARKS, one.by_landmarks)):
            if value is not None:
                tables[name].setdefault(one.row.grade or 0, []).append(value)
    people = number_of(len({one.row.subject for one in scored}), "person", "people")
    lines = [
        "Asymmetry by House-Brackmann grade",
        f"{number_of(len(scored), 'photo')} of {people}; model {grader.path.name}.",
        _CAUTION,
    ]
    for name, by_grade in tables.items():
        lines += ["", f"{name}: {_MEANING[name]}.", *_table(by_grade)]
    write_text(out / REPORT, "\n".join(lines) + "\n")
    graded = {
        name: {grade: values for grade, values in by_grade.items() if grade}
        for name, by_grade in tables.items()
        if any(by_grade)
    }
    if graded:
        write_bars(out / BARS, graded)


def _table(by_grade: Mapping[int, Sequence[float]]) -> list[str]:
    if not by_grade:
        return ["Not defined: the model has no micro-attention, or nothing could be measured."]
    lines = [f"{'Grade':<8}{'Samples':>8}{'Mean':>9}{'Std':>9}{'Min':>9}{'Max':>9}"]
    for grade, values in sorted(by_grade.items()):
        name = _ROMAN[grade - 1] if grade else "none"
        spread = f"{np.std(values, ddof=1):9.4f}" if len(values) > 1 else f"{'-':>9}"
        numbers = f"{np.mean(values):9.4f}{spread}{min(values):9.4f}{max(values):9.4f}"
        lines.append(f"{name:<8}{len(values):>8}{numbers}")
    return lines


def explain(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="best_model.safetensors of a training.")],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Picture, exam's folder, corpus or prepared folder.")],
    out: Annotated[Path, typer.Option(help="Folder for maps and report; made if it does not exist.")],
    layout: LayoutName = None,
    split: SplitFile = None,
    num_samples: Annotated[int, typer.Option(help="Photos of a corpus that get a sheet.")] = 5,
    batch_size: Annotated[int, typer.Option(help="Photos that the network sees at once.")] = 8,
    jobs: Jobs = 1,
) -> None:
    """Show what a trained model looks at: regions and asymmetry maps, and the asymmetry by grade."""
    source = Source(path, layout, jobs=jobs)
    run_explanation(model, source, out, split=split, samples=num_samples, batch_size=batch_size)
