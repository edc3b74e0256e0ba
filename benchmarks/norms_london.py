"""Healthy limits from the London set: measures 52 people and writes the table that the package ships.

    FACIALPALSY_ASSETS=... python benchmarks/norms_london.py [--engine NAME] [--write]

Without --write the limits are printed beside the shipped ones. Our own networks learnt from half of these people; of
them it is printed too how far the sides of those differ, and of the others. The photos are read in place; only the
table is kept.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path

import numpy as np

from facialpalsy.analysis.capture import Measured, measure_photo
from facialpalsy.analysis.controls import fit_norms
from facialpalsy.analysis.request import CaptureRequest, ExamHeader, Settings
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.norms import Norms, default_norms, write_norms
from facialpalsy.detect import DEFAULT_ENGINE, ENGINES, OWN, Detector, Engine, open_detector
from facialpalsy.face import Mirrored
from london import is_held_out, person_of

# The set asks for "neutral" and "smiling" without saying how: a gap between the lips tells open from closed smiles
# (their means fall below 0.007 or above 0.023 iod, with nothing between).
OPEN_SMILE_GAP_IOD = 0.01


def main() -> None:
    """Fit, print and, with --write, store the table."""
    parser = argparse.ArgumentParser(description="Healthy limits from the London set.")
    parser.add_argument("--engine", choices=ENGINES, default=DEFAULT_ENGINE)
    parser.add_argument("--write", action="store_true", help="store the table in the package")
    given = parser.parse_args()
    root = Path(os.environ.get("FACIALPALSY_ASSETS", "")) / "london"
    if not root.is_dir():
        sys.exit("Set FACIALPALSY_ASSETS to the folder that holds london/ (see docs/reference/benchmarks.md).")
    detector = open_detector(given.engine)
    people = measure_people(root, detector)
    norms = fit_norms(people, name="london", source=_source(root, list(people), detector.engine))
    if given.write:
        write_norms(Path(str(resources.files("facialpalsy.clinical") / f"norms_london_{given.engine}.json")), norms)
    print_table(norms, default_norms(given.engine))
    if given.engine == OWN:
        print_learnt(people)


def measure_people(root: Path, detector: Detector) -> dict[str, list[Measured]]:
    """Person -> neutral and smiling capture."""
    people: dict[str, list[Measured]] = {}
    for folder, expression in (("neutral_front", Expression.REST), ("smiling_front", Expression.SMILE_OPEN)):
        for path in sorted((root / folder).glob("[0-9]*.jpg")):
            measured = measure(path, expression, detector)
            gap = next(m.iod for m in measured.capture.measures if m.name == "dental_show")
            if (
                expression is Expression.SMILE_OPEN
                and gap is not None
                and (gap.left + gap.right) / 2 < OPEN_SMILE_GAP_IOD
            ):
                measured = measure(path, Expression.SMILE_CLOSED, detector)
            people.setdefault(person_of(path), []).append(measured)
    return people


def measure(path: Path, expression: Expression, detector: Detector) -> Measured:
    """One photo of the set; its people are photographed unmirrored."""
    request = CaptureRequest(path, path.name, expression, Mirrored.NO)
    return measure_photo(request, ExamHeader(), Settings(), detector)


def _source(root: Path, people: Collection[str], engine: Engine) -> str:
    with (root / "london_info.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["face_id"] in people]
    ages = [int(row["face_age"]) for row in rows if row["face_age"].isdecimal()]
    women = sum(row["face_gender"] == "female" for row in rows)
    name = {OWN: "our own networks", "mediapipe": "MediaPipe"}.get(engine.name, engine.name)
    learnt = f", which learnt from {sum(not is_held_out(one) for one in people)} of them" if engine.name == OWN else ""
    return (
        f"{len(people)} people of the Face Research Lab London Set (DeBruine and Jones 2017, "
        f"doi 10.6084/m9.figshare.5047666, CC BY 4.0), {women} women, "
        f"median age {statistics.median(ages):.0f} ({min(ages)}-{max(ages)}), "
        f"neutral and smiling, studio portraits, measured with {name} {engine.version}{learnt}"
    )


def print_learnt(people: Mapping[str, Sequence[Measured]]) -> None:
    """How far the sides differ at rest in people whom our own networks learnt from, and in the others."""
    differences: dict[str, dict[bool, list[float]]] = {}
    for person, shown in people.items():
        for measure in (
            one for seen in shown if seen.capture.expression is Expression.REST for one in seen.capture.measures
        ):
            if measure.iod is not None and measure.iod.difference is not None:
                both = differences.setdefault(measure.name, {True: [], False: []})
                both[is_held_out(person)].append(measure.iod.difference)
    spreads = {
        name: [np.sqrt(np.mean(np.square(both[one]))) for one in (False, True)] for name, both in differences.items()
    }
    print("\n| measure at rest | root mean square of left - right: learnt from | others |\n|---|---|---|")
    for name, (learnt, others) in spreads.items():
        print(f"| {name} | {learnt:.4f} | {others:.4f} |")
    ratio = np.median([learnt / others for learnt, others in spreads.values()])
    print(f"\nMedian over measures of learnt from over others: {ratio:.2f}")


def print_table(norms: Norms, shipped: Norms) -> None:
    """The 95 % limits of left minus right as a Markdown table."""
    print(norms.source, "\n")
    print("| expression (people) | measure | 95 % limit of left - right | shipped |\n|---|---|---|---|")
    for expression, table in norms.expressions.items():
        old = asdict(shipped)["expressions"].get(expression, {})
        for kind in ("measures", "movements", "regions"):
            for name, value in getattr(table, kind).items():
                factor = 1.0 if kind == "regions" else 1.96
                before = old.get(kind, {}).get(name)
                print(
                    f"| {expression} ({table.people}) | {name} | {factor * value:.3f} | "
                    f"{'-' if before is None else f'{factor * before:.3f}'} |"
                )


if __name__ == "__main__":
    main()
