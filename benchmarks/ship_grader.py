"""Ship the grader: a finished training as the ONNX file and card that the package holds.

python benchmarks/ship_grader.py MODEL.safetensors --work FOLDER
The figures of the card are those of `benchmarks/grader.py` on the same folder.
"""

from __future__ import annotations

import argparse
import hashlib
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

from facialpalsy.evaluation import grade_table
from facialpalsy.models.checkpoint import Loaded, load_checkpoint
from facialpalsy.models.export import export_onnx
from facialpalsy.weights import GRADER, ModelCard, open_model
from facialpalsy.weights.model_card import Preprocessing
from grader import COMPARED, TESTS, by_network, prepared

CAUTION = "trained on synthetic patients, not validated on real ones"
FIGURES = (*COMPARED, "grade_1_against_2", "kappa", "side_3_to_6")


def main() -> None:
    """Export, write the card, evaluate, and write the card with its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--work", type=Path, default=Path("build/grader"))
    parser.add_argument("--people", required=True, help="whom it was trained and chosen on")
    parser.add_argument("--made-by", required=True, help="the command that trained the model")
    given = parser.parse_args()
    folder = Path(str(resources.files("facialpalsy.weights")))
    loaded = load_checkpoint(given.model)
    export_onnx(loaded.network, folder / f"{GRADER}.onnx")
    (folder / f"{GRADER}.json").write_text(card(loaded, folder, given, {}).to_json(), "utf-8")
    metrics = figures(given.work)
    (folder / f"{GRADER}.json").write_text(card(loaded, folder, given, metrics).to_json(), "utf-8")


def card(loaded: Loaded, folder: Path, given: argparse.Namespace, metrics: dict[str, Any]) -> ModelCard:
    """The card of the exported network."""
    spec = loaded.spec
    return ModelCard(
        name=GRADER,
        version=version("facialpalsy"),
        task="House-Brackmann grade, affected side, five face regions and an asymmetry map from the photos of one exam",
        file=f"{GRADER}.onnx",
        sha256=hashlib.sha256((folder / f"{GRADER}.onnx").read_bytes()).hexdigest(),
        licence="Apache-2.0",
        trained_on=(
            f"synthetic patients only, setting a: {given.people}; one rendered photo of each of nine expressions; on a "
            "CPU"
        ),
        caution=CAUTION,
        architecture="HTNet with diagonal micro-attention and region module, photos of an exam pooled by expression",
        preset="small",
        preprocessing=Preprocessing(
            size=spec.image_size, alignment="facialpalsy.face.align: upright by the canthi, midline in the middle"
        ),
        side_convention=(
            "un-mirrored photos, the subject's left on the image's right; a mirrored exam gets the same grade and the "
            "other side"
        ),
        inputs={
            "images": "(n, 3, size, size) float32 RGB in 0..1, aligned photos of one exam",
            "expressions": "(n,) int64, place in facialpalsy.clinical.expressions.Expression, 9 where not known",
        },
        outputs={
            "grade": "(6,) probabilities of House-Brackmann I to VI of the exam",
            "photo_grades": "(n, 6) of each photo alone",
            "side": "(1,) probability that the palsy is on the image's right half, the subject's left",
            "regions": "(n, 5, g, g) forehead, left eye, right eye, nose, mouth, in 0..1",
            "mask": "(n, 1, g, g) face, in 0..1",
            "asymmetry": "(n, 1, g, g) how much left and right differ, in 0..1, symmetric",
        },
        metrics=metrics,
        never_tested_on=("real patients", "people under treatment or operated on", "clips", "children"),
        made_by=given.made_by,
    )


def figures(work: Path) -> dict[str, Any]:
    """Figures on held-out people of both settings, with their intervals by person."""
    model = open_model(GRADER)
    found: dict[str, Any] = {}
    for setting, settings in TESTS.items():
        exams = prepared(work, f"test_{setting}", settings, model.card.preprocessing.size)
        whole, _, _ = by_network(model, exams)
        table = grade_table(whole)
        found[f"held-out synthetic people, setting {setting}"] = {"people": table.people} | {
            name: {"value": one.value, "lower": one.lower, "upper": one.upper, "reason": one.reason}
            for name, one in table.figures.items()
            if name in FIGURES
        }
    return found


if __name__ == "__main__":
    main()
