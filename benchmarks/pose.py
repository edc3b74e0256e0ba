"""Pose: gains and zero of `face/pose.py` for an engine, from rendered people whose pose is known and from portraits.

    FACIALPALSY_ASSETS=... python benchmarks/pose.py [--engine NAME]

Rendered people of setting c at rest look at the camera from known yaw and pitch; the engine finds the points, and the
raw angles are regressed on the true ones. The zero of the pitch is the mean over the London portraits at rest. Then
people move with a still head: what an expression does to the measured pitch.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facialpalsy.clinical.expressions import Expression
from facialpalsy.detect import DEFAULT_ENGINE, ENGINES, Detector, open_detector
from facialpalsy.errors import NoFaceError
from facialpalsy.face import head_pose
from facialpalsy.face.pose import calibration
from facialpalsy.media import read_photo
from facialpalsy.synth.face_model import face_model
from facialpalsy.synth.population import wanted_people
from facialpalsy.synth.shot import Shot, draw_shot, photograph

SETTING, SEED, PIXELS, PEOPLE, YAW, PITCH = "c", 3001, 320, 60, 10.0, 20.0
MOVING = 12
EXPRESSIONS = (
    Expression.BROW_RAISE,
    Expression.EYES_TIGHT,
    Expression.SMILE_OPEN,
    Expression.SNARL,
    Expression.PUCKER,
    Expression.LOWER_TEETH,
)

Array = NDArray[np.float64]


def main() -> None:
    """Print the measured constants beside those in the package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=ENGINES, default=DEFAULT_ENGINE)
    given = parser.parse_args()
    portraits = sorted(Path(os.environ.get("FACIALPALSY_ASSETS", "")).glob("london/neutral*/[0-9]*.jpg"))
    if not portraits:
        sys.exit("Set FACIALPALSY_ASSETS to the folder that holds london/.")
    detector = open_detector(given.engine)
    used = calibration(detector.detect(read_photo(portraits[0]).pixels).landmarks)
    people = [
        one.drawn(number, SEED, SETTING)
        for number, one in enumerate(wanted_people(PEOPLE, SEED, SETTING, block=0)[:PEOPLE])
    ]
    random, true, raw = np.random.default_rng(0), [], []
    for person in people:
        yaw, pitch = random.uniform(-YAW, YAW), random.uniform(-PITCH, PITCH)
        try:
            raw.append(angles(detector, facing(draw_shot(person, Expression.REST, 0), yaw, pitch)))
        except NoFaceError:
            continue
        true.append((yaw, pitch))
    print(f"{len(true)} of {len(people)} rendered people found.\n")
    print("| angle | gain | used | residual, degrees (SD, after the gain) |\n|---|---|---|---|")
    for column, (name, gained) in enumerate((("yaw", used.yaw_gain), ("pitch", used.pitch_gain))):
        x, y = np.array(true)[:, column], np.array(raw)[:, column]
        gain, offset = np.polyfit(x, y, 1)
        print(f"| {name} | {gain:.2f} | {gained} | {np.std(y - gain * x - offset) / gain:.1f} |")
    zeros = [as_fitted(detector, read_photo(path).pixels)[1] for path in portraits]
    print(
        f"\nPitch zero: {np.mean(zeros):.1f} degrees over {len(zeros)} portraits (SD {np.std(zeros):.1f}); used "
        f"{used.pitch_zero}."
    )
    print("\n| expression, head still | change of the measured pitch, degrees: mean (least to most) |\n|---|---|")
    for expression in EXPRESSIONS:
        changes = []
        for person in people[:MOVING]:
            rest, moved = (
                angles(detector, facing(draw_shot(person, one, 0), 0, 0))[1] / used.pitch_gain
                for one in (Expression.REST, expression)
            )
            changes.append(moved - rest)
        print(f"| {expression.value} | {np.mean(changes):+.1f} ({min(changes):+.1f} to {max(changes):+.1f}) |")


def facing(shot: Shot, yaw: float, pitch: float) -> Shot:
    """The same shot of a head that is turned so."""
    return replace(shot, scene=replace(shot.scene, yaw=yaw, pitch=pitch))


def angles(detector: Detector, shot: Shot) -> tuple[float, float]:
    """Yaw and pitch of a rendered photo before gain and zero."""
    return as_fitted(detector, photograph(face_model(), shot, PIXELS).frame.pixels)


def as_fitted(detector: Detector, picture: NDArray[np.uint8]) -> tuple[float, float]:
    """Yaw and pitch before gain and zero."""
    landmarks = detector.detect(picture).landmarks
    pose, used = head_pose(landmarks), calibration(landmarks)
    return pose.yaw * used.yaw_gain, pose.pitch * used.pitch_gain + used.pitch_zero


if __name__ == "__main__":
    main()
