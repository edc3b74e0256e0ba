"""Synthetic patients: speed of the renderer, exactness of the labels, and whether a landmark engine sees faces in them.

    FACIALPALSY_ASSETS=... python benchmarks/synth.py [--sheet docs/images/synthetic-patients.jpg]

Frames are those of `facialpalsy synth`. Nothing here was used to choose a parameter of the generator, except that the
natural asymmetry was set from the real limits that the last table compares with.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from PIL import Image

import norms_london
from facialpalsy.analysis.capture import Measured
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.norms import Z_LIMIT
from facialpalsy.clinical.scales.thresholds import SURELY_CLOSED_IOD
from facialpalsy.detect import MediaPipeDetector
from facialpalsy.errors import AssetNotInstalledError, NoFaceError
from facialpalsy.face import Side
from facialpalsy.synth import render, shot
from facialpalsy.synth.face_model import face_model
from facialpalsy.synth.labels import picture_labels
from facialpalsy.synth.palsy import Kind
from facialpalsy.synth.patient import Patient
from facialpalsy.synth.points import dense_points
from facialpalsy.synth.population import GRADES, draw_patient
from facialpalsy.synth.shot import Photograph, Shot, draw_shot, photograph
from facialpalsy.synth.sitter import seat
from facialpalsy.synth.truth import exam_truth

SEED = 20261121
TIMED, SEEN, GRADED, HEALTHY = 60, 500, 100, 40
SETTINGS = ("a", "b")
STAGES = {
    "pose": (shot, "pose_face"),
    "z-buffer": (render, "_visible"),
    "shadow map": (render, "shadow_map"),
    "shading": (render, "shade"),
    "sensor and file": (render, "develop"),
}


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sheet", type=Path, help="write the contact sheet there")
    chosen = parser.parse_args()
    try:
        face_model()
    except AssetNotInstalledError as missing:
        sys.exit(str(missing))
    if chosen.sheet is not None:
        contact_sheet(chosen.sheet)
        return
    speed()
    scaling()
    found()
    exactness()
    grades()
    healthy()


def random_shots(count: int, setting: str) -> Iterator[Shot]:
    """One shot of each of `count` people, expressions in turn."""
    for number in range(count):
        patient = draw_patient(f"{setting}{number:04d}", SEED, setting=setting, grade=1 + number % 6)
        yield draw_shot(patient, tuple(Expression)[number % len(Expression)], 0)


def everything_on(plain: Shot) -> Shot:
    """The same shot with long hair, a full beard, glasses, noise, blur and JPEG."""
    look = replace(plain.look, hair_style="long", beard=1.0, glasses=(0.05, 0.05, 0.05))
    return replace(plain, look=look, scene=replace(plain.scene, noise=0.03, blur_px=1.0, jpeg=75))


def speed() -> None:
    """Milliseconds per frame and per stage on one core, the person's texture and meshes being made."""
    model = face_model()
    print("| frame of 256 x 256 pixels | ms, median (quartiles) | frames/s |\n|---|---|---|")
    stages: dict[str, list[float]] = {name: [] for name in STAGES}
    for title, change in (("as drawn, setting a", lambda one: one), ("everything on", everything_on)):
        taken = []
        for plain in random_shots(TIMED, "a"):
            one = change(plain)
            photograph(model, one)
            with timed_stages(stages):
                start = time.perf_counter()
                photograph(model, one)
                taken.append(1000 * (time.perf_counter() - start))
        low, middle, high = np.percentile(taken, (25, 50, 75))
        print(f"| {title} | {middle:.1f} ({low:.1f} to {high:.1f}) | {1000 / middle:.0f} |")
    print("\n| stage | ms, median |\n|---|---|")
    for name, spent in stages.items():
        print(f"| {name} | {statistics.median(spent):.1f} |")
    seats = [seat_time(one) for one in list(random_shots(12, "a"))]
    print(f"| once per person: texture, hair, clothes | {statistics.median(seats):.0f} |\n")


class timed_stages:  # noqa: N801 - used like a function
    """Within it, every stage's time is added to its list."""

    def __init__(self, into: dict[str, list[float]]) -> None:
        self.into = into
        self.kept: list[tuple[object, str, Callable[..., object]]] = []

    def __enter__(self) -> None:
        for name, (module, function) in STAGES.items():
            plain = getattr(module, function)
            self.kept.append((module, function, plain))

            def wrapped(*given: object, _plain: Callable[..., object] = plain, _name: str = name) -> object:
                start = time.perf_counter()
                result = _plain(*given)
                self.into[_name].append(1000 * (time.perf_counter() - start))
                return result

            setattr(module, function, wrapped)

    def __exit__(self, *_: object) -> None:
        for module, function, plain in self.kept:
            setattr(module, function, plain)


def seat_time(one: Shot) -> float:
    """Milliseconds to paint and dress one person."""
    start = time.perf_counter()
    seat(face_model(), one.look, one.patient.neutral(face_model()))
    return 1000 * (time.perf_counter() - start)


def render_many(_: int) -> float:
    """Seconds for 54 frames of one person."""
    model, patient = face_model(), draw_patient("worker", SEED, setting="a", grade=4)
    shots = [draw_shot(patient, expression, number) for expression in Expression for number in range(6)]
    photograph(model, shots[0])
    start = time.perf_counter()
    for one in shots:
        photograph(model, one)
    return time.perf_counter() - start


@njit(cache=True)
def count_up(steps: int) -> float:
    """Work that touches no memory."""
    total = 0.0
    for step in range(steps):
        total += step % 7
    return total


def plain_loop(_: int) -> float:
    """Seconds for a loop that touches no memory: what the machine itself gains from a second core."""
    count_up(1)
    start = time.perf_counter()
    count_up(1_000_000_000)
    return time.perf_counter() - start


def scaling() -> None:
    """Work of two processes over that of one in the same time, interleaved.

    On a machine shared with others a second core's memory is not always free: the least times show what the renderer
    allows, the medians what was got.
    """
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(render_many, range(2)))
        for name, work in (("frames", render_many), ("a loop without memory", plain_loop)):
            times = [(pool.submit(work, 0).result(), max(pool.map(work, range(2)))) for _ in range(12)]
            alone, together = np.array(times).T
            least, middle = 2 * alone.min() / together.min(), 2 * np.median(alone) / np.median(together)
            print(f"Two processes do {least:.2f} times as much of {name} as one (least times; medians {middle:.2f}).")
    print()


def found() -> None:
    """In how many random frames MediaPipe finds the face, and how far its points lie from the truth."""
    model = face_model()
    print(
        "| setting | frames | face found | inner points' distance, % of the outer-canthus distance |\n|---|---|---|---|"
    )
    for setting in SETTINGS:
        hits, errors = 0, []
        for one in random_shots(SEEN // 2, setting):
            picture = photograph(model, one)
            try:
                seen = detector().detect(picture.frame.pixels).landmarks.to_ibug68().points[17:68]
            except NoFaceError:
                continue
            hits += 1
            true = picture.landmarks.points[17:68]
            iod = np.linalg.norm(picture.landmarks.points[45] - picture.landmarks.points[36])
            errors.append(100 * float(np.linalg.norm(seen - true, axis=1).mean() / iod))
        print(f"| {setting} | {SEEN // 2} | {100 * hits / (SEEN // 2):.1f} % | {statistics.median(errors):.1f} |")
    print()


def exactness() -> None:
    """Points against a projection written anew from the camera's columns, and visibility against the depth buffer."""
    model = face_model()
    farthest, hidden, free, total = 0.0, 0, 0, 0
    for setting in SETTINGS:
        for one in random_shots(54, setting):
            picture = photograph(model, one)
            row = picture_labels(picture, exam_truth(model, one.patient))
            points, depth = projected_anew(picture, row)
            farthest = max(farthest, float(np.abs(points - np.array([row["points_x"], row["points_y"]]).T).max()))
            right, down = (np.floor(2 * points).astype(int).clip(0, 511)).T
            inside = ((points > 0) & (points < 256)).all(axis=1)
            near, far = depths_around(picture.frame.depth, down, right)
            hidden += int((picture.visible & ~(inside & (depth <= far + 0.3))).sum())
            free += int((~picture.visible & inside & (depth <= near - 0.3)).sum())
            total += len(points)
    print(f"Largest distance of a labelled point from its projection in float64: {farthest:.1e} px.")
    print(f"Of {total} points, {hidden} are called visible and lie over 3 mm behind what is drawn at their place;")
    print(f"{free} are called hidden and lie over 3 mm before it.\n")


def projected_anew(picture: Photograph, row: dict[str, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels (191, 2) and distance (191,) of the points, from the angles and numbers in the table alone."""
    vertices = picture.face.vertices.astype(np.float64)[list(dense_points())]
    yaw, pitch, roll = (np.radians(row[f"camera_{name}_deg"]) for name in ("yaw", "pitch", "roll"))
    x, y, z = (vertices - np.array([0.0, 1.2, 4.0])).T
    x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
    y, z = y * np.cos(pitch) - z * np.sin(pitch), z * np.cos(pitch) + y * np.sin(pitch)
    x, y = x * np.cos(roll) + y * np.sin(roll), y * np.cos(roll) - x * np.sin(roll)
    distance = row["camera_distance_cm"] - z
    right = row["camera_middle_x"] + row["camera_scale_px"] * x / distance
    down = row["camera_middle_y"] - row["camera_scale_px"] * y / distance
    return np.stack([right, down], axis=1), distance


def depths_around(
    depth: NDArray[np.float32], down: NDArray[np.int_], right: NDArray[np.int_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The nearest and the farthest surface among each place's nine samples, since a point may lie on an edge."""
    last = len(depth) - 1
    around = [depth[(down + i).clip(0, last), (right + j).clip(0, last)] for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return np.min(around, axis=0), np.max(around, axis=0)


def grades() -> None:
    """How often the rule, written anew here and given the table's columns, gives the table's grade."""
    model = face_model()
    print("| setting | people | rule written anew gives the labelled grade | labelled grade is the one asked for |")
    print("|---|---|---|---|")
    for setting in SETTINGS:
        count: Counter[str] = Counter()
        for number in range(GRADED * 6):
            asked = GRADES[number % 6]
            row = exam_truth(model, draw_patient(f"g{number:05d}", SEED, setting=setting, grade=asked)).row()
            sides = Side if row["affected_side"] == "none" else (Side(row["affected_side"]),)
            count["rule"] += max(rule(row, side) for side in sides) == row["grade"]
            count["asked"] += row["grade"] == asked
        print(f"| {setting} | {GRADED * 6} | {count['rule']} | {count['asked']} |")
    print()


def rule(row: dict[str, Any], side: Side) -> int:
    """House-Brackmann I-VI as 1-6 of one side against the other, by the six lines of docs/reference/scales.md."""
    shares, beyond = {}, {}
    for name in ("brow_raise", "snarl", "smile_open", "pucker", "lower_teeth"):
        shares[name] = row[f"movement_{name}_{side}"] / row[f"movement_{name}_{side.other}"]
        beyond[name] = abs(row[f"movement_z_{name}"]) > Z_LIMIT
    zones = [shares[name] for name in ("brow_raise", "snarl", "smile_open")]
    open_ = {name: row[f"fissure_{name}_{side}"] > SURELY_CLOSED_IOD for name in ("eyes_gentle", "eyes_tight")}
    rest = any(abs(row[f"rest_z_{zone}"]) > Z_LIMIT for zone in ("brow", "eye", "mouth"))
    largest = max(value for name, value in row.items() if name.startswith("synkinesis_") and name.endswith(str(side)))
    synkinesis = sum(largest >= step for step in (0.10, 0.25, 0.50))
    if open_["eyes_tight"] and max(zones) <= 0.05:
        return 6
    if open_["eyes_tight"] and max(zones) <= 0.25 and rest:
        return 5
    if open_["eyes_tight"] or synkinesis == 3 or (shares["brow_raise"] <= 0.05 and shares["smile_open"] < 0.5):
        return 4
    if open_["eyes_gentle"] or synkinesis == 2 or any(shares[name] < 0.75 and beyond[name] for name in shares):
        return 3
    return 2 if synkinesis == 1 or any(beyond.values()) else 1


def healthy() -> None:
    """How often measures of healthy people lie within the healthy limits, as `analyze` reports them."""
    print("| people | expression | people analysed | measures within the 95 % limits | people with all within |")
    print("|---|---|---|---|---|")
    london = assets() / "london"
    if london.is_dir():
        print_rates(
            "real (London), whom the limits were made from", norms_london.measure_people(london, detector()).values()
        )
    for setting in SETTINGS:
        people = [draw_patient(f"h{number:03d}", SEED, setting=setting, kind=Kind.HEALTHY) for number in range(HEALTHY)]
        print_rates(f"synthetic, setting {setting}", [analysed(patient) for patient in people])


def assets() -> Path:
    """The folder that holds what the benchmarks read."""
    return Path(os.environ.get("FACIALPALSY_ASSETS", ""))


def print_rates(title: str, exams: Iterable[Iterable[Measured]]) -> None:
    """One row for each expression of the people's `exams`."""
    rates: dict[str, tuple[list[bool], list[bool]]] = {}
    for exam in exams:
        for measured in exam:
            capture = measured.capture
            within = [abs(measure.z) <= Z_LIMIT for measure in capture.measures if measure.z is not None]
            measures, whole = rates.setdefault(str(capture.expression), ([], []))
            measures += within
            whole += [all(within)] if within else []
    for expression, (measures, whole) in rates.items():
        inside, complete = 100 * np.mean(measures), 100 * np.mean(whole)
        print(f"| {title} | {expression} | {len(whole)} | {inside:.1f} % | {complete:.0f} % |")


def analysed(patient: Patient) -> list[Measured]:
    """Rest and both smiles as `analyze` measures them, the head nearly straight as an exam asks for."""
    found = []
    for expression in (Expression.REST, Expression.SMILE_CLOSED, Expression.SMILE_OPEN):
        one = draw_shot(patient, expression, 0)
        straight = replace(one.scene, yaw=one.scene.yaw / 3, pitch=one.scene.pitch / 3)
        picture = photograph(face_model(), replace(one, scene=straight))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{expression}.{'jpg' if one.scene.jpeg else 'png'}"
            path.write_bytes(picture.frame.stored)
            found.append(norms_london.measure(path, expression, detector()))
    return found


@cache
def detector() -> MediaPipeDetector:
    """One engine for all pictures."""
    return MediaPipeDetector()


def contact_sheet(path: Path, tile: int = 112) -> None:
    """48 patients, one a row of nine expressions: eight of each grade, both sides, both settings."""
    model, rows = face_model(), []
    for grade in GRADES:
        wanted = [(side, setting) for side in Side for setting in SETTINGS for _ in range(2)]
        number = 0
        while wanted:
            side, setting = wanted[0]
            patient = draw_patient(f"s{grade}{number:03d}", SEED, setting=setting, grade=grade)
            number += 1
            if grade > 1 and patient.palsy.side is not side:
                continue
            wanted.pop(0)
            row = [photograph(model, draw_shot(patient, expression, 0)).frame.pixels for expression in Expression]
            rows.append(np.concatenate(row, axis=1))
    left, right = np.concatenate(rows[:24]), np.concatenate(rows[24:])
    sheet = Image.fromarray(np.concatenate([left, right], axis=1))
    sheet.resize((18 * tile, 24 * tile), Image.Resampling.LANCZOS).save(path, quality=80)


if __name__ == "__main__":
    main()
