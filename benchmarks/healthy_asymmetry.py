"""Healthy asymmetry: how far left and right of the true measures differ in healthy synthetic people, beside real ones.

The real figures: `hand-placed` are root mean square differences of the points placed by hand on 52 people (Face
Research Lab London Set, CC BY 4.0), which no engine flattened; `engine` are the shipped healthy limits (MediaPipe).
"""

from __future__ import annotations

import argparse

import numpy as np

from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.norms import default_norms
from facialpalsy.measure import panel
from facialpalsy.measure.movement import movements
from facialpalsy.synth.face_model import face_model
from facialpalsy.synth.frontal import frontal_landmarks
from facialpalsy.synth.palsy import Kind
from facialpalsy.synth.patient import draw_patient, plain_take, pose_face

ASKED = (Expression.SMILE_OPEN, Expression.BROW_RAISE, Expression.EYES_TIGHT, Expression.PUCKER)
PLACED = {
    "brow_to_canthus": 0.0166,
    "palpebral_fissure_height": 0.0063,
    "palpebral_fissure_width": 0.0113,
    "mrd1": 0.0052,
    "commissure_height": 0.0176,
    "commissure_position": 0.0338,
    "philtrum_deviation": 0.0200,
    "chin_deviation": 0.0302,
}


def main(people: int, seed: int) -> None:
    """Print the table."""
    model = face_model()
    found: dict[tuple[str, str], list[float]] = {}
    for number in range(people):
        patient = draw_patient(f"h{number}", seed, setting="ab"[number % 2], kind=Kind.HEALTHY)
        seen = {
            expression: frontal_landmarks(pose_face(model, patient, plain_take(patient, expression)).vertices)
            for expression in (Expression.REST, *ASKED)
        }
        for expression, landmarks in seen.items():
            for measure in panel(landmarks):
                if measure.sides is not None:
                    found.setdefault((expression, measure.name), []).append(measure.sides.difference)
        for expression in ASKED:
            for movement in movements(seen[Expression.REST], seen[expression], expression):
                if movement.iod is not None:
                    found.setdefault((expression, movement.measure), []).append(movement.iod.difference)
    norms = default_norms("mediapipe")
    print("| expression | left minus right of | synthetic | hand-placed | engine |\n|---|---|---|---|---|")
    for (asked, name), differences in found.items():
        table = norms.expressions.get(asked)
        engine = None if table is None else {**table.measures, **table.movements}.get(name)
        placed = PLACED.get(name) if asked == Expression.REST else None
        spread = float(np.sqrt(np.mean(np.square(differences))))
        print(f"| {asked} | {name} | {spread:.4f} | {_figure(placed)} | {_figure(engine)} |")


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    main(arguments.people, arguments.seed)
