"""Prepared exams of made-up people: noise for photos, and a face by formula of which one side moves less."""

from pathlib import Path

import numpy as np
from PIL import Image

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import MEDIAPIPE478, Pose, ReferenceSide, Side
from facialpalsy.preparation import Prepared
from facialpalsy.preparation.prepared import write_prepared
from facialpalsy.preparation.quality import Quality

CROP = 40


def moved_face(make_face, move, expression: Expression, side: Side, share: float):
    """A face that lifts brows and mouth by 8 pixels of an outer-canthus distance of 100; `side` by a share of that."""
    face = make_face(MEDIAPIPE478)
    if expression is Expression.REST:
        return face
    for name in ("brow_upper", "brow_lower", "commissure", "lower_lid"):
        for one in Side:
            face = move(face, name, one, 0.0, -8.0 * (share if one is side else 1))
    return face


def write_people(
    folder: Path, make_face, move, people: int, expressions=tuple(Expression), first: int = 0
) -> list[str]:
    """One exam of each person, grades I to VI in turn; the names come back."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(first, first + people):
        grade, side = 1 + number % 6, Side.LEFT if number % 2 else Side.RIGHT
        affected = ReferenceSide.NONE if grade == 1 else ReferenceSide(side.value)
        for expression in expressions:
            path = folder / f"{number}_{expression}.png"
            noise = np.random.default_rng([number, len(rows)]).integers(0, 256, (CROP, CROP, 3), np.uint8)
            Image.fromarray(noise).save(path)
            face = moved_face(make_face, move, expression, side, 1 - (grade - 1) / 5)
            rows.append(
                Prepared(
                    "made",
                    f"{number}/{expression}",
                    f"person{number}",
                    capture="exam",
                    expression=expression,
                    affected=affected,
                    grade=grade,
                    targets={
                        f"synth.palsy_{unit}_{one}": float(grade > 2 and one is side)
                        for unit in PALSY_UNITS
                        for one in Side
                    },
                    sha256=f"{number}{expression}",
                    crops={CROP: path},
                    scheme="mediapipe478",
                    points=face.points.astype(np.float32),
                    points_size=face.image_size[0],
                    pose=Pose(0.0, 0.0, 0.0),
                    quality=Quality(1.0, 128.0, 0.0),
                )
            )
    write_prepared(folder, rows, (CROP,))
    return sorted({row.subject for row in rows})
