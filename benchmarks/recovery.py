"""Recovery: how much of a known one-sided displacement the landmark engine reports, over the London photos at rest.

    FACIALPALSY_ASSETS=... python benchmarks/recovery.py [--engine NAME] [--held-out] [OUT.json]

One region of one side of each photo is moved one way by a known amount, with two families of warps, and the engine
looks at the original and at the warped picture. The warps are steered by points that people placed (of those that
nobody placed, where our own engine finds them), so every engine sees the same pictures, and what is true does not
depend on who is asked: a point that an engine finds a little beside its place moves less than the place. Measured and
true displacement are both taken as the scales take the movement, along the true one; at the lid, of its upper margin
alone. brow, lid, corner and ala go straight down on one side and up on the other; lips, fold, philtrum and the corner
outwards or inwards go both amounts their own way. The next person has the sides exchanged. The slope is the regression
of measured on true displacement within one person; the leak is the same for the side that did not move, and the
difference that of measured left - right, which is what the scales read; the philtrum has no side. All are given as
median and quartiles over people. Amounts that would fold a face are left out and counted.

How far the skin round a point follows it is a choice, and the slope depends on it. The Gaussian bumps have standard
deviations of 0.09 iod at brow, corner of the mouth and fold, 0.07 on the lip (a quarter of the half that moves, between
a still corner and a still midline) and the philtrum, 0.06 at the ala and 0.04 on the lid, between neighbours that are
held; the piecewise-affine triangles reach to those neighbours (`facialpalsy.synth.BENCHMARK_REGIONS`).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facialpalsy.detect import DEFAULT_ENGINE, ENGINES, OWN, Detector, Engine, open_detector
from facialpalsy.errors import UsageError
from facialpalsy.face import Landmarks, Side, face_frame
from facialpalsy.measure import MOVEMENTS, FramedFace
from facialpalsy.measure.geometry import height_at
from facialpalsy.media import read_photo
from facialpalsy.synth import Family, displace
from london import is_held_out, person_of
from london_templates import placed_by_hand, template_of

FAMILIES: tuple[Family, ...] = ("gaussian", "piecewise")
# Region -> the movement that it is measured by, and the two amounts in iod: what the region does in patients, as far as
# every face of the set allows it.
REGIONS = {
    "brow": ("brow_elevation", (-0.02, 0.04)),
    "lid": ("upper_lid", (-0.02, 0.02)),
    "corner": ("commissure_excursion", (-0.02, 0.05)),
    "ala": ("alar_elevation", (-0.015, 0.03)),
    "corner_out": ("commissure_excursion", (0.03, 0.06)),
    "corner_in": ("commissure_excursion", (0.01, 0.03)),
    "upper_lip": ("upper_lip_elevation", (0.01, 0.025)),
    "lower_lip": ("lower_lip_depression", (0.01, 0.025)),
    "fold": ("fold_excursion", (0.02, 0.04)),
    "philtrum": ("philtrum", (0.02, 0.04)),
}

Rows = list[tuple[float, float, float]]
"""True displacement, measured displacement of the same side, and of the other side, in iod."""


def upper_lid(face: FramedFace, side: Side) -> NDArray[np.float64]:
    """(1,) height of the upper lid's margin over the middle of its eye, downwards."""
    return np.array([height_at(face.curve("upper_lid", side), float(face.eye_centre(side)[0]))])


def philtrum(face: FramedFace, side: Side) -> NDArray[np.float64]:
    """(2,) middle of the upper lip's border, x away from the midline on one side."""
    return face.point("upper_lip_mid") * (side.sign, 1)


PLACE = {
    "upper_lid": upper_lid,
    "philtrum": philtrum,
    **{definition.name: definition.place for definition in MOVEMENTS},
}


def main() -> None:
    """Measure, print the table and, with a file name, write the slopes."""
    parser = argparse.ArgumentParser(description="How much of a known displacement a landmark engine reports.")
    parser.add_argument("--engine", choices=ENGINES, default=DEFAULT_ENGINE)
    parser.add_argument("--held-out", action="store_true", help="only people that our own network has not seen")
    parser.add_argument("out", nargs="?", type=Path, metavar="OUT.json")
    given = parser.parse_args()
    root = Path(os.environ.get("FACIALPALSY_ASSETS", "")) / "london"
    if not root.is_dir():
        sys.exit("Set FACIALPALSY_ASSETS to the folder that holds london/ (see docs/reference/benchmarks.md).")
    detector = open_detector(given.engine)
    rows, refused = measure(root, detector, held_out=given.held_out or given.engine == OWN)
    result = summary(rows)
    print_table(result, refused, detector.engine)
    if given.out is not None:
        given.out.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


def measure(
    root: Path, detector: Detector, *, held_out: bool = False
) -> tuple[dict[tuple[str, str], dict[str, Rows]], dict[tuple[str, str], int]]:
    """(region, family) -> person -> rows, and how many warps were refused."""
    rows: dict[tuple[str, str], dict[str, Rows]] = defaultdict(lambda: defaultdict(list))
    refused: dict[tuple[str, str], int] = defaultdict(int)
    own = open_detector(OWN)
    asked = [
        path for path in sorted(root.glob("neutral_front/[0-9]*.jpg")) if is_held_out(person_of(path)) or not held_out
    ]
    for number, path in enumerate(asked):
        person, sides = person_of(path), list(Side)[:: 1 if number % 2 == 0 else -1]
        picture, template = read_photo(path).pixels, template_of(path)
        assert template is not None, path.name  # noqa: S101  every photo at rest has one
        seen = own.detect(picture).landmarks
        placed = seen.single(placed_by_hand(seen.points, template))
        found_before = detector.detect(picture).landmarks
        for region, (movement, amounts) in REGIONS.items():
            rest, before = places(placed, movement), places(found_before, movement)
            for family in FAMILIES:
                found = rows[region, family][person]
                found.append((0.0, 0.0, 0.0))
                for side, amount in zip(sides, amounts, strict=True):
                    try:
                        moved = displace(picture, placed, side=side, region=region, amount_iod=amount, family=family)
                    except UsageError:
                        refused[region, family] += 1
                        continue
                    truth = places(moved.landmarks, movement)[side] - rest[side]
                    true = math.copysign(float(np.linalg.norm(truth)), amount)
                    after = places(detector.detect(moved.picture).landmarks, movement)
                    change = {each: float((after[each] - before[each]) @ truth / true) for each in Side}
                    found.append((true, change[side], 0.0 if region == "philtrum" else change[side.other]))
    return rows, refused


def places(landmarks: Landmarks, movement: str) -> dict[Side, NDArray[np.float64]]:
    """Side -> where a movement is taken, in iod of the picture's own face frame, x away from the midline."""
    # Also where an engine would withhold it.
    face = FramedFace.of(replace(landmarks, hidden=None), face_frame(landmarks))
    return {side: PLACE[movement](face, side) for side in Side}


def summary(rows: dict[tuple[str, str], dict[str, Rows]]) -> dict[str, dict[str, dict[str, object]]]:
    """Region -> family, or both together -> slope, leak and difference (median, quartiles), r, numbers."""
    result: dict[str, dict[str, dict[str, object]]] = {}
    for region in REGIONS:
        people = {family: rows[region, family] for family in FAMILIES}
        names = sorted(set.union(*(set(each) for each in people.values())))
        both = {name: [row for family in FAMILIES for row in people[family].get(name, [])] for name in names}
        result[region] = {name: _of_people(each) for name, each in [*people.items(), ("both", both)]}
    return result


def _of_people(people: dict[str, Rows]) -> dict[str, object]:
    tables = [np.array(rows) for rows in people.values() if np.ptp(np.array(rows)[:, 0]) > 0]
    slopes, leaks = (np.array([np.polyfit(table[:, 0], table[:, of], 1)[0] for table in tables]) for of in (1, 2))
    together = np.concatenate(tables)
    return {
        **{
            name: [round(float(q), 3) for q in np.percentile(values, (50, 25, 75))]
            for name, values in (("slope", slopes), ("leak", leaks), ("difference", slopes - leaks))
        },
        "r": round(float(np.corrcoef(together[:, 0], together[:, 1])[0, 1]), 3),
        "people": len(tables),
        "warps": int(np.count_nonzero(together[:, 0])),
    }


def stored_slopes(result: dict[str, dict[str, dict[str, object]]]) -> dict[str, float]:
    """Region -> what an engine's card stores: of the difference, the lower median of the two families."""
    return {
        region: max(0.0, round(min(families[family]["difference"][0] for family in FAMILIES), 2))  # type: ignore[index]
        for region, families in result.items()
    }


def print_table(
    result: dict[str, dict[str, dict[str, object]]], refused: dict[tuple[str, str], int], engine: Engine
) -> None:
    """One Markdown row per region and family."""
    print("| region | warps | slope: median (quartiles) | r | leak | difference | people | pictures | refused |")
    print("|---|---|---|---|---|---|---|---|---|")
    for region, families in result.items():
        for family, row in families.items():
            cells = ("{:.2f} ({:.2f} to {:.2f})".format(*row[key]) for key in ("slope", "leak", "difference"))  # type: ignore[misc]
            slope, leak, difference = cells
            left_out = sum(refused[region, each] for each in FAMILIES if family in (each, "both"))
            counts = f"{row['people']} | {row['warps']} | {left_out}"
            print(f"| {region} | {family} | {slope} | {row['r']:.2f} | {leak} | {difference} | {counts} |")
    lower = stored_slopes(result)
    print("\nThe lower difference of the two families, which the engine's card stores because it is the more cautious:")
    stored = {region: f"{slope:.2f}" for region, slope in engine.recovery.items()}
    print(", ".join(f"{region} {slope:.2f} (stored {stored.get(region)})" for region, slope in lower.items()))


if __name__ == "__main__":
    main()
