"""Recovery: how much of a known one-sided displacement the landmark engine reports, over the London photos.

    FACIALPALSY_ASSETS=... python benchmarks/recovery.py [OUT.json]

One region of one side of each photo is moved straight down by a known amount, with two families of warps, and the
engine looks at the original and at the warped picture. Each photo moves one side up and the other side down, a
person's next photo the other way round. The slope is the regression of measured on true displacement within one person;
the leak is the same for the side that did not move. Both are given as median and quartiles over people. Amounts that
would fold a face are left out and counted.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facialpalsy.detect import MediaPipeDetector, mediapipe_engine
from facialpalsy.errors import UsageError
from facialpalsy.face import Landmarks, Side, face_frame
from facialpalsy.media import read_photo
from facialpalsy.synth import Family, displace

FAMILIES: tuple[Family, ...] = ("gaussian", "piecewise")
# Up and down, in iod: what the region does in patients, as far as every face of the set allows it.
AMOUNTS = {"brow": (-0.02, 0.04), "lid": (-0.02, 0.02), "corner": (-0.02, 0.05), "ala": (-0.015, 0.03)}

Rows = list[tuple[float, float, float]]
"""True displacement, measured displacement of the same side, and of the other side, in iod."""


def main() -> None:
    """Measure, print the table and, with a file name, write the slopes."""
    root = Path(os.environ.get("FACIALPALSY_ASSETS", "")) / "london"
    if not root.is_dir():
        sys.exit("Set FACIALPALSY_ASSETS to the folder that holds london/ (see docs/reference/benchmarks.md).")
    rows, refused = measure(root)
    result = summary(rows)
    print_table(result, refused)
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(result, indent=2) + "\n", "utf-8")


def measure(root: Path) -> tuple[dict[tuple[str, str], dict[str, Rows]], dict[tuple[str, str], int]]:
    """(region, family) -> person -> rows, and how many warps were refused."""
    detector = MediaPipeDetector()
    rows: dict[tuple[str, str], dict[str, Rows]] = defaultdict(lambda: defaultdict(list))
    refused: dict[tuple[str, str], int] = defaultdict(int)
    photos_of: dict[str, int] = defaultdict(int)
    for path in sorted(root.glob("*_front/[0-9]*.jpg")):
        person = path.stem.split("_")[0]
        sides = list(Side)[:: 1 if photos_of[person] % 2 == 0 else -1]
        photos_of[person] += 1
        picture = read_photo(path).pixels
        before = detector.detect(picture).landmarks
        for region, amounts in AMOUNTS.items():
            rest = {side: height(before, region, side) for side in Side}
            for family in FAMILIES:
                found = rows[region, family][person]
                found.append((0.0, 0.0, 0.0))
                for side, amount in zip(sides, amounts, strict=True):
                    try:
                        moved = displace(picture, before, side=side, region=region, amount_iod=amount, family=family)
                    except UsageError:
                        refused[region, family] += 1
                        continue
                    after = detector.detect(moved.picture).landmarks
                    change = {each: height(after, region, each) - rest[each] for each in Side}
                    found.append((amount, change[side], change[side.other]))
    return rows, refused


def height(landmarks: Landmarks, region: str, side: Side) -> float:
    """Place of a region's measuring point down the face, in iod of the picture's own face frame."""
    frame = face_frame(landmarks)
    if region in ("corner", "ala"):
        point = landmarks.point({"corner": "commissure", "ala": "ala"}[region], side)
        return float(frame.to_frame(found(point))[1])
    curve = frame.to_frame(found(landmarks.curve({"brow": "brow_upper", "lid": "upper_lid"}[region], side)))
    canthi = [frame.to_frame(found(landmarks.point(f"{end}_canthus", side)))[0] for end in ("outer", "inner")]
    ordered = curve[np.argsort(curve[:, 0])]
    return float(np.interp(np.mean(canthi), ordered[:, 0], ordered[:, 1]))


def found(points: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """The points of a feature that the scheme of the engine has."""
    if points is None:
        sys.exit("The engine's landmark scheme lacks a point that this benchmark needs; use mediapipe478 or ibug68.")
    return points


def summary(rows: dict[tuple[str, str], dict[str, Rows]]) -> dict[str, dict[str, dict[str, object]]]:
    """Region -> family, or both together -> slope and leak (median, quartiles), r, numbers."""
    result: dict[str, dict[str, dict[str, object]]] = {}
    for region in AMOUNTS:
        people = {family: rows[region, family] for family in FAMILIES}
        names = sorted(set.union(*(set(each) for each in people.values())))
        both = {name: [row for family in FAMILIES for row in people[family].get(name, [])] for name in names}
        result[region] = {name: _of_people(each) for name, each in [*people.items(), ("both", both)]}
    return result


def _of_people(people: dict[str, Rows]) -> dict[str, object]:
    tables = [np.array(rows) for rows in people.values() if np.ptp(np.array(rows)[:, 0]) > 0]
    slopes = [np.polyfit(table[:, 0], table[:, 1], 1)[0] for table in tables]
    leaks = [np.polyfit(table[:, 0], table[:, 2], 1)[0] for table in tables]
    together = np.concatenate(tables)
    return {
        "slope": [round(float(q), 3) for q in np.percentile(slopes, (50, 25, 75))],
        "leak": [round(float(q), 3) for q in np.percentile(leaks, (50, 25, 75))],
        "r": round(float(np.corrcoef(together[:, 0], together[:, 1])[0, 1]), 3),
        "people": len(tables),
        "warps": int(np.count_nonzero(together[:, 0])),
    }


def print_table(result: dict[str, dict[str, dict[str, object]]], refused: dict[tuple[str, str], int]) -> None:
    """One Markdown row per region and family."""
    print("| region | warps | slope: median (quartiles) | r | leak to the other side | people | pictures | refused |")
    print("|---|---|---|---|---|---|---|---|")
    for region, families in result.items():
        for family, row in families.items():
            slope, leak = ("{:.2f} ({:.2f} to {:.2f})".format(*row[key]) for key in ("slope", "leak"))  # type: ignore[misc]
            left_out = sum(refused[region, each] for each in FAMILIES if family in (each, "both"))
            counts = f"{row['people']} | {row['warps']} | {left_out}"
            print(f"| {region} | {family} | {slope} | {row['r']:.2f} | {leak} | {counts} |")
    lower = {region: min(families[family]["slope"][0] for family in FAMILIES) for region, families in result.items()}
    stored = mediapipe_engine().recovery
    print("\nThe lower family, which the engine's card stores because it is the more cautious:")
    print(", ".join(f"{region} {slope:.2f} (stored {stored[region]:.2f})" for region, slope in lower.items()))


if __name__ == "__main__":
    main()
