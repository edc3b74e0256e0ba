"""Ship a network: a finished training as the ONNX file and card that the package holds.

python benchmarks/ship.py MODEL.safetensors --work FOLDER --people WHOM --made-by COMMAND
The kind of network follows from the file; the figures of the card are on held-out synthetic people of both settings,
who are rendered and prepared in FOLDER if they are not there yet.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from facialpalsy.analysis.explain import TrainedNetwork
from facialpalsy.cli import grade_tables, palsy_tables
from facialpalsy.cli.asked import NEEDED, asked
from facialpalsy.cli.tested import Tested
from facialpalsy.models.export import export_onnx
from facialpalsy.weights import GRADER, POINTS, RECOGNISER, REGIONS, ModelCard
from facialpalsy.weights.model_card import Preprocessing
from grader import TESTS, prepared

CAUTION = "trained on synthetic patients, not validated on real ones"
# What recognition.py found on the London photos.
LONDON = "; of 52 real healthy people the recogniser called 20 palsied"
SHOWN = (
    "exact", "within_one", "exact_3_to_6", "grade_1_against_2", "kappa", "kappa_quadratic", "rps", "side_3_to_6",
    "balanced_accuracy", "sensitivity", "specificity", "f1", "auc",
)  # fmt: skip


@dataclass(frozen=True)
class About:
    """What the card of a kind of network says besides what its file does."""

    task: str
    architecture: str
    outputs: Mapping[str, str]


ABOUT = MappingProxyType(
    {
        GRADER: About(
            "House-Brackmann grade, affected side, five face regions and an asymmetry map from the photos of one exam",
            "HTNet with diagonal micro-attention and region module, photos of an exam pooled by expression",
            {
                "grade": "(6,) probabilities of House-Brackmann I to VI of the exam",
                "photo_grades": "(n, 6) of each photo alone",
                "side": "(1,) probability that the palsy is on the image's right half, the subject's left",
                "regions": "(n, 5, g, g) forehead, left eye, right eye, nose, mouth, in 0..1",
                "mask": "(n, 1, g, g) face, in 0..1",
                "asymmetry": "(n, 1, g, g) how much left and right differ, in 0..1, symmetric",
            },
        ),
        RECOGNISER: About(
            "whether the photos of one exam, or any part of it, show a facial palsy",
            "vision transformer over the tokens of a residual network, photos of an exam pooled by expression, "
            "beside a reader of points",
            {
                "palsy": "(1,) calibrated probability that the exam shows a palsy",
                "photo_palsy": "(n,) calibrated probability that each photo alone does, by the picture",
                POINTS: "(n, 191, 2) of the faces, shares of the picture, as facialpalsy.models.landmarker finds them",
            },
        ),
        REGIONS: About(
            "which of thirteen action units are palsied on which side, and where in each photo",
            "encoder, generator and pyramid interpreter of ViTAU at a small size, photos pooled by expression, "
            "beside a reader of points",
            {
                "palsy": "(26,) probability that each unit is palsied on the left and on the right",
                "maps": "(n, 26, s, s) heat maps about -1 to 1, positive where palsied, in the same order",
            },
        ),
    }
)


def main() -> None:
    """Export, write the card, evaluate, and write the card with its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--work", type=Path, default=Path("build/grader"))
    parser.add_argument("--preset", default="small", help="name of the network's size")
    parser.add_argument("--people", required=True, help="whom it was trained on, and their settings")
    parser.add_argument("--made-by", required=True, help="the command that trained the model")
    given = parser.parse_args()
    folder = Path(str(resources.files("facialpalsy.weights")))
    trained = TrainedNetwork(given.model)
    export_onnx(trained.network, trained.spec.image_size, folder / f"{trained.kind}.onnx", points=points_of(trained))
    path = folder / f"{trained.kind}.json"
    path.write_text(card(trained, folder, given, {}).to_json(), "utf-8")
    found = figures(trained.kind, given.work)
    path.write_text(card(trained, folder, given, found).to_json(), "utf-8")


def points_of(trained: TrainedNetwork) -> int:
    """How many points of each face the file is given, because a network that is asked before has found them."""
    found = getattr(trained.spec, "landmarker", None)
    return 2 * found.pairs + found.middle if trained.kind == REGIONS and found is not None else 0


def card(trained: TrainedNetwork, folder: Path, given: argparse.Namespace, metrics: dict[str, Any]) -> ModelCard:
    """The card of the exported network."""
    about, validation = ABOUT[trained.kind], trained.about["validation"]
    points = points_of(trained)
    decided = {"palsy": validation["decision"]["threshold"]} if "decision" in validation else {}
    return ModelCard(
        name=trained.kind,
        version=version("facialpalsy"),
        task=about.task,
        file=f"{trained.kind}.onnx",
        sha256=hashlib.sha256((folder / f"{trained.kind}.onnx").read_bytes()).hexdigest(),
        licence="Apache-2.0",
        trained_on=f"synthetic patients only: {given.people}; one take of each of nine expressions; on a CPU",
        caution=CAUTION + (LONDON if trained.kind == RECOGNISER else ""),
        architecture=about.architecture,
        preset=given.preset,
        preprocessing=Preprocessing(
            size=trained.spec.image_size,
            alignment="facialpalsy.face.align: upright by the canthi, midline in the middle",
        ),
        side_convention=(
            "un-mirrored photos, the subject's left on the image's right; a mirrored exam gets the same answer and the "
            "other side"
        ),
        inputs={
            "images": "(n, 3, size, size) float32 RGB in 0..1, aligned photos of one exam",
            "expressions": "(n,) int64, place in facialpalsy.clinical.expressions.Expression, 9 where not known",
        }
        | ({POINTS: f"(n, {points}, 2) float32, the output of the recogniser"} if points else {}),
        outputs=dict(about.outputs),
        thresholds={**decided, **validation.get("thresholds", {})},
        metrics=metrics,
        never_tested_on=("real patients", "people under treatment or operated on", "clips", "children"),
        made_by=given.made_by,
    )


def figures(kind: str, work: Path) -> dict[str, Any]:
    """Figures on held-out people of both settings, whole exams, with their intervals by person."""
    model = asked(kind)
    found: dict[str, Any] = {}
    for setting, settings in TESTS.items():
        tested = Tested(prepared(work, f"test_{setting}", settings, NEEDED[kind]), None, setting)
        if kind == GRADER:
            rows = grade_tables.made([model], tested).figures
        else:
            rows = palsy_tables.made([model], tested, choose=False).figures
        found[f"held-out synthetic people, setting {setting}"] = {"people": settings.patients} | {
            str(row["figure"]): {name: row[name] for name in ("value", "lower", "upper", "reason")}
            for row in rows
            if row["unit"] == "exam"
            and row["method"] == model.name
            and row["figure"] in SHOWN
            and row.get("question", "all") == "all"
        }
    return found


if __name__ == "__main__":
    main()
