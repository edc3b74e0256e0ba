"""Landmarks: our own network beside MediaPipe, on held-out synthetic people and on held-out real healthy photos.

FACIALPALSY_ASSETS=... python benchmarks/landmarks.py    # the synthetic people are those of benchmarks/grader.py
What recovery.py measures on warped photos is measured here on 3-D faces, whose points are known: left minus right as
found against left minus right as it is. Beside it the error of the points, and on real healthy photos that nobody
trained on, how much a measure changes when only the picture does. The test people chose nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import roc_auc_score

from facialpalsy.clinical.expressions import Expression
from facialpalsy.detect import Detector, open_detector
from facialpalsy.errors import NoFaceError
from facialpalsy.evaluation import Estimate, bootstrap_rows, words
from facialpalsy.evaluation.landmarks import left_minus_right
from facialpalsy.face import Landmarks, Side, face_frame, mirror_landmarks, mirror_picture
from facialpalsy.measure import panel
from facialpalsy.media import read_photo
from facialpalsy.synth.face_model import face_model
from facialpalsy.synth.shot import draw_shot, photograph
from grader import TESTS
from london import is_held_out, person_of
from london_templates import LINES, template_of

ENGINES = ("own", "mediapipe")
MEASURES = {
    "brow": "brow_to_canthus",
    "mrd1": "mrd1",
    "fissure": "palpebral_fissure_height",
    "corner": "commissure_height",
    "ala": "alar_height",
}
SHARES = {"brow": "brow", "mrd1": "lid", "fissure": "lid", "corner": "corner", "ala": "ala"}
"""Region of an engine's card whose share is that of each measure."""

INNER = list(range(17, 68))
"""Of iBUG: all but the contour."""

# Number of a point in the templates of the London set.
PLACED: Mapping[tuple[str, Side | None], int] = {
    ("pupil", Side.RIGHT): 0,
    ("pupil", Side.LEFT): 1,
    ("outer_canthus", Side.RIGHT): 18,
    ("inner_canthus", Side.RIGHT): 22,
    ("inner_canthus", Side.LEFT): 23,
    ("outer_canthus", Side.LEFT): 27,
    ("commissure", Side.RIGHT): 87,
    ("commissure", Side.LEFT): 93,
    ("subnasale", None): 55,
    ("upper_lip_mid", None): 90,
    ("lower_lip_mid", None): 106,
    ("chin", None): 129,
}
BROWS = {side: LINES["brow_upper"][side] for side in Side}

SHUT, HALF, OPEN = 0.01, (0.02, 0.06), 0.08
"""Height of the true palpebral fissure in iod: up to, between and from."""

EVERY, SIZES = 4, (256, 512)
"""Synthetic people are asked of one in so many, and in photos of so many pixels."""

Picture = NDArray[np.uint8]
Numbers = NDArray[np.float64]


def differences(landmarks: Landmarks) -> dict[str, float]:
    """Region -> left minus right in iod, NaN where it is not measured."""
    found = left_minus_right(landmarks, MEASURES.values())
    return {region: found[name] for region, name in MEASURES.items()}


@dataclass(frozen=True)
class Photo:
    """A synthetic photo: whose, of which expression, its true points, and engine -> found ones."""

    subject: str
    expression: str
    truth: Landmarks
    found: Mapping[str, Landmarks]


def photos_of(setting: str, pixels: int, detectors: Mapping[str, Detector]) -> Iterator[Photo]:
    """Photos of some people of a setting; an engine that sees no face in one has none there."""
    settings, model = TESTS[setting], face_model()
    for number, wanted in list(enumerate(settings.wanted()))[::EVERY]:
        patient = wanted.drawn(number, settings.seed, setting)
        for expression in Expression:
            taken, found = photograph(model, draw_shot(patient, expression, 0), pixels), {}
            for name, detector in detectors.items():
                with contextlib.suppress(NoFaceError):
                    found[name] = detector.detect(taken.frame.pixels).landmarks
            yield Photo(patient.subject, expression, taken.landmarks, found)


def synthetic(photos: Sequence[Photo]) -> str:
    """Slope and r of each region, the error of the points, and how well closure is told, by engine."""
    missed = ", ".join(f"{name} {sum(name not in photo.found for photo in photos)}" for name in ENGINES)
    seen = [photo for photo in photos if len(photo.found) == len(ENGINES)]
    subjects = [photo.subject for photo in seen]
    lines = [
        f"{len(seen)} photos of {len(set(subjects))} people; without a face: {missed}.",
        "",
        "| region | engine | slope | r |",
        "|---|---|---|---|",
    ]
    for region in MEASURES:
        for name in ENGINES:
            x, y, known = true_and_found(seen, name, region)
            who = np.array(subjects)[known].tolist()
            slope, r = (bootstrap_rows(of, who) for of in _line(x, y))
            lines.append(f"| {region} | {name} | {words(slope)} | {words(r)} |")
    for name in ENGINES:
        mean = bootstrap_rows(partial(_mean, np.array([error(photo, name) for photo in seen])), subjects)
        lines.append(
            f"\nInner points, {name}: {words(mean, percent=True)} of the outer-canthus distance from the truth."
        )
        for what, found in (("circle", circle), ("pupil", pupil)):
            beside = np.concatenate([iris_errors(photo, name, found) for photo in seen])
            lines.append(
                f"Irises of open eyes, {name}: centre of the {what} {np.median(beside):.2f} pixels from the truth "
                f"(95 % below {np.quantile(beside, 0.95):.2f})."
            )
    return "\n".join([*lines, "", closure(seen), "", *(noise_told(seen, name) for name in ENGINES)])


def true_and_found(seen: Sequence[Photo], name: str, region: str) -> tuple[Numbers, Numbers, NDArray[np.bool_]]:
    """Left minus right as it is and as found, where both are measured, and (photos,) where that is."""
    pairs = np.array([(differences(one.truth)[region], differences(one.found[name])[region]) for one in seen])
    known = np.isfinite(pairs).all(axis=1)
    return pairs[known, 0], pairs[known, 1], known


def error(photo: Photo, name: str) -> float:
    """Mean distance of the inner points from the truth, as a share of the outer-canthus distance."""
    apart = photo.found[name].to_ibug68().points[INNER] - photo.truth.to_ibug68().points[INNER]
    return float(np.linalg.norm(apart, axis=1).mean()) / face_frame(photo.truth).iod


def noise_told(seen: Sequence[Photo], name: str) -> str:
    """Of how many differences, and changes of them from rest, the error lies within 1.96 of the noise that is told."""
    within: dict[str, tuple[list[bool], list[bool]]] = {region: ([], []) for region in MEASURES}
    rest: dict[tuple[str, str], tuple[float, float]] = {}
    for photo in sorted(seen, key=lambda one: one.expression != Expression.REST):
        found = {one.name: one for one in panel(photo.found[name])}
        true = differences(photo.truth)
        for region, measure in MEASURES.items():
            sides, noise = found[measure].sides, found[measure].noise
            if sides is None or noise is None or np.isnan(true[region]):
                continue
            off = sides.difference - true[region]
            within[region][0].append(abs(off) < 1.96 * noise)
            before = rest.setdefault((photo.subject, region), (off, noise))
            if photo.expression != Expression.REST:
                within[region][1].append(abs(off - before[0]) < 1.96 * np.hypot(noise, before[1]))
    shares = ", ".join(f"{region} {np.mean(one):.0%} and {np.mean(two):.0%}" for region, (one, two) in within.items())
    return f"- {name}: errors of a difference and of its change from rest within 1.96 noise: {shares}"


def iris_errors(photo: Photo, name: str, centre: Callable[[Landmarks, Side], Numbers]) -> Numbers:
    """Distances in pixels of the centres of irises from the truth, of eyes that are at least half open."""
    seen = [side for side, height in zip(Side, fissures(photo.truth), strict=True) if height > HALF[0]]
    pairs = [(centre(photo.found[name], side), centre(photo.truth, side)) for side in seen]
    return np.array([np.linalg.norm(found - true) for found, true in pairs])


def circle(landmarks: Landmarks, side: Side) -> Numbers:
    """The centre of the iris as its edge says."""
    return landmarks.curve("iris_ring", side).mean(axis=0)


def pupil(landmarks: Landmarks, side: Side) -> Numbers:
    """The pupil."""
    return landmarks.point("pupil", side)


def draw(photos: Sequence[Photo], path: Path) -> None:
    """True against found left minus right, one panel for each region and engine."""
    seen = [photo for photo in photos if len(photo.found) == len(ENGINES)]
    regions = [region for region in MEASURES if region != "mrd1"]
    figure, panels = plt.subplots(
        len(ENGINES), len(regions), figsize=(3 * len(regions), 6.4), sharex="col", sharey="col"
    )
    for row, name in zip(panels, ENGINES, strict=True):
        for panel_, region in zip(row, regions, strict=True):
            x, y, _ = true_and_found(seen, name, region)
            most = float(np.abs(x).max()) * 1.05
            panel_.plot([-most, most], [-most, most], color="0.6", linewidth=1)
            panel_.scatter(x, y, s=5, alpha=0.5, linewidths=0, color="tab:blue" if name == "own" else "tab:orange")
            panel_.set_title(f"{region}, {name}", fontsize=10)
    for panel_ in panels[-1]:
        panel_.set_xlabel("true left - right, iod")
    for panel_ in panels[:, 0]:
        panel_.set_ylabel("found")
    figure.tight_layout()
    figure.savefig(path, dpi=80)


def fissures(landmarks: Landmarks) -> list[float]:
    """Heights of both palpebral fissures in iod, NaN where they are not measured."""
    sides = next(measure.sides for measure in panel(landmarks) if measure.name == MEASURES["fissure"])
    if sides is None or sides.left is None or sides.right is None:
        return [float("nan")] * 2
    return [sides.left, sides.right]


def closure(seen: Sequence[Photo]) -> str:
    """How well each engine tells shut from half open eyes, and half open from open ones: area under the curve."""
    true = np.array([fissures(photo.truth) for photo in seen]).ravel()
    shut, half, wide = true <= SHUT, (true >= HALF[0]) & (true <= HALF[1]), true >= OPEN
    lines = [f"Eyes: {shut.sum()} shut, {half.sum()} half open, {wide.sum()} open.", ""]
    for name in ENGINES:
        found = np.array([fissures(photo.found[name]) for photo in seen]).ravel()
        known = np.isfinite(found)
        pairs = [(less & known, more & known) for less, more in ((shut, half), (half, wide), (shut, wide))]
        areas = [
            roc_auc_score(np.repeat([0, 1], [less.sum(), more.sum()]), np.concatenate([found[less], found[more]]))
            for less, more in pairs
        ]
        lines.append(
            f"- {name}: shut against half {areas[0]:.4f}, half against open {areas[1]:.4f}, shut against open "
            f"{areas[2]:.4f}; {np.mean(~known):.1%} not measured"
        )
    return "\n".join(lines)


def _mean(values: NDArray[np.float64], drawn: NDArray[np.intp]) -> float:
    return float(values[drawn].mean())


def _line(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[Callable[[NDArray[np.intp]], float], Callable[[NDArray[np.intp]], float]]:
    def slope(rows: NDArray[np.intp]) -> float:
        return float(np.polyfit(x[rows], y[rows], 1)[0])

    def correlation(rows: NDArray[np.intp]) -> float:
        return float(np.corrcoef(x[rows], y[rows])[0, 1])

    return slope, correlation


def variants(picture: Picture) -> Iterator[tuple[Picture, bool]]:
    """The picture, mirrored (true), turned, shrunk and recompressed."""
    yield picture, False
    yield mirror_picture(picture), True
    image = Image.fromarray(picture)
    for degrees in (-5, 5):
        yield np.asarray(image.rotate(degrees, Image.Resampling.BICUBIC)), False
    small = (round(image.width * 0.7), round(image.height * 0.7))
    yield np.asarray(image.resize(small, Image.Resampling.BOX)), False
    packed = io.BytesIO()
    image.save(packed, "JPEG", quality=50)
    yield np.asarray(Image.open(packed).convert("RGB")), False


def healthy(root: Path, detectors: Mapping[str, Detector]) -> str:
    """How much left minus right changes with the picture alone, and its 95 % limits over people at rest."""
    lines = [
        "| region | engine | repeat noise, iod | over the share found | 95 % of left minus right at rest |",
        "|---|---|---|---|---|",
    ]
    noise: dict[tuple[str, str], list[float]] = {}
    limits: dict[tuple[str, str], list[float]] = {}
    people: list[str] = []
    at_rest: list[str] = []
    for path in sorted(root.glob("*_front/[0-9]*.jpg")):
        if not is_held_out(person_of(path)):
            continue
        picture = read_photo(path).pixels
        people.append(person_of(path))
        if path.parent.name == "neutral_front":
            at_rest.append(person_of(path))
        for name, detector in detectors.items():
            found = []
            for variant, flipped in variants(picture):
                landmarks = detector.detect(variant).landmarks
                found.append(differences(mirror_landmarks(landmarks) if flipped else landmarks))
            for region in MEASURES:
                values = np.array([one[region] for one in found])
                noise.setdefault((region, name), []).append(float(np.nanstd(values, ddof=1)))
                if path.parent.name == "neutral_front":
                    limits.setdefault((region, name), []).append(float(values[0]))
    for (region, name), values in sorted(noise.items()):
        usual = bootstrap_rows(partial(_median, np.array(values)), people)
        share = detectors[name].engine.recovery.get(SHARES[region], 0.0)
        over = f"{usual.value / share:.4f}" if share and usual.value is not None else "nothing found"
        spread = bootstrap_rows(partial(_limit, np.array(limits[region, name])), at_rest)
        lines.append(f"| {region} | {name} | {_four(usual)} | {over} | {words(spread)} |")
    return "\n".join(lines)


def _median(values: Numbers, drawn: NDArray[np.intp]) -> float:
    return float(np.nanmedian(values[drawn]))


def _limit(values: Numbers, drawn: NDArray[np.intp]) -> float:
    return float(np.nanquantile(np.abs(values[drawn]), 0.95))


def _four(estimate: Estimate) -> str:
    return f"{estimate.value:.4f} ({estimate.lower:.4f} to {estimate.upper:.4f})"


def hand_placed(root: Path, detectors: Mapping[str, Detector]) -> str:
    """How far named points lie from those placed by hand, and how far left and right of either differ, at rest."""
    apart: dict[str, list[float]] = {name: [] for name in detectors}
    heights: dict[str, list[Numbers]] = {name: [] for name in ("by hand", *detectors)}
    people = []
    for path in sorted(root.glob("neutral_front/[0-9]*.jpg")):
        if not is_held_out(person_of(path)):
            continue
        picture = read_photo(path).pixels
        placed = template_of(path)
        assert placed is not None, path.name  # noqa: S101  every photo at rest has one
        eyes = {side: placed[[PLACED["outer_canthus", side], PLACED["inner_canthus", side]]] for side in Side}
        iod = float(np.linalg.norm(eyes[Side.LEFT][0] - eyes[Side.RIGHT][0]))
        axis = eyes[Side.LEFT].mean(axis=0) - eyes[Side.RIGHT].mean(axis=0)
        down = np.array([-axis[1], axis[0]]) / np.linalg.norm(axis) / iod
        people.append(person_of(path))
        by_hand = {side: (placed[PLACED["commissure", side]], placed[list(BROWS[side])]) for side in Side}
        heights["by hand"].append(_higher(by_hand, eyes, down))
        for name, detector in detectors.items():
            found = detector.detect(picture).landmarks
            distances = [
                np.linalg.norm(point - placed[index]) / iod
                for (feature, side), index in PLACED.items()
                if (point := found.point(feature, side)) is not None
            ]
            apart[name].append(float(np.mean(distances)))
            curves = {side: (found.point("commissure", side), found.curve("brow_upper", side)) for side in Side}
            heights[name].append(_higher(curves, eyes, down))
    lines = [f"{len(people)} people, {len(PLACED)} points placed by hand.", ""]
    for name, values in apart.items():
        mean = bootstrap_rows(partial(_mean, np.array(values)), people)
        lines.append(f"- {name}: {words(mean, percent=True)} of the outer-canthus distance from them")
    lines += ["", "| 95 % of left minus right, iod | corner | brow |", "|---|---|---|"]
    for name, found_heights in heights.items():
        corner, brow = (words(bootstrap_rows(partial(_limit, one), people)) for one in np.array(found_heights).T)
        lines.append(f"| {name} | {corner} | {brow} |")
    return "\n".join(lines)


def _higher(sides: Mapping[Side, tuple[Any, Any]], eyes: Mapping[Side, Numbers], down: Numbers) -> Numbers:
    """(2,) how much lower the subject's left corner of the mouth and upper edge of the brow are than the right ones.

    Of the brow the mean over its eye, from canthus to canthus: who places points has an own way along an edge.
    """
    found = {}
    for side, (corner, brow) in sides.items():
        along = np.array([down[1], -down[0]])
        edge = brow[np.argsort(brow @ along)]
        over = np.interp(np.linspace(*np.sort(eyes[side] @ along), 21), edge @ along, edge @ down)
        found[side] = np.array([float(corner @ down), float(over.mean())])
    return found[Side.LEFT] - found[Side.RIGHT]


def speed(root: Path, detectors: Mapping[str, Detector]) -> str:
    """Milliseconds of a photo, and of a frame of 720p that is tracked, and measured too."""
    picture = read_photo(next(iter(sorted(root.glob("neutral_front/[0-9]*.jpg"))))).pixels
    frame = np.asarray(Image.new("RGB", (1280, 720), (127, 127, 127)))
    face = np.asarray(Image.fromarray(picture).resize((640, 640), Image.Resampling.BOX))
    frame = frame.copy()
    frame[40:680, 320:960] = face
    lines = []
    for name, detector in detectors.items():
        follow, measure = detector.tracker().update, detector.tracker().update
        asked: dict[str, Callable[[], object]] = {
            "photo": partial(detector.detect, picture),
            "frame": partial(follow, frame),
            "frame with measures": lambda measure=measure: panel(measure(frame)),
        }
        spent: dict[str, list[float]] = {what: [] for what in asked}
        for _ in range(100):
            for what, do in asked.items():
                start = time.perf_counter()
                do()
                spent[what].append(time.perf_counter() - start)
        said = ", ".join(
            f"{what} {1000 * np.median(took[3:]):.1f} ms (95 % below {1000 * np.quantile(took[3:], 0.95):.1f})"
            for what, took in spent.items()
        )
        lines.append(f"{name}: {said}")
    return "\n".join(lines)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path, help="PNG of true against found differences, small photos of setting b")
    given = parser.parse_args()
    detectors = {name: open_detector(name) for name in ENGINES}
    for setting, pixels in product(TESTS, SIZES):
        photos = list(photos_of(setting, pixels, detectors))
        print(f"\n### Synthetic people of setting {setting}, {pixels} pixels\n\n{synthetic(photos)}", flush=True)
        if given.picture is not None and (setting, pixels) == ("b", SIZES[0]):
            draw(photos, given.picture)
    root = Path(os.environ.get("FACIALPALSY_ASSETS", "")) / "london"
    if not root.is_dir():
        print("\nLondon photos: skipped, FACIALPALSY_ASSETS does not name the folder that holds london/.")
        return
    print("\n### Real healthy people that nobody trained on\n")
    print(healthy(root, detectors), hand_placed(root, detectors), speed(root, detectors), sep="\n\n")


if __name__ == "__main__":
    main()
