"""Ship the landmarker: what train_landmarker.py made, as the ONNX file and card that the package holds.

FACIALPALSY_ASSETS=... python benchmarks/ship_landmarker.py MODEL.safetensors
The card holds what recovery.py measures with it on people that it was not trained on; some minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from importlib import resources
from importlib.metadata import version
from pathlib import Path

import torch

from facialpalsy.detect import OWN, open_detector
from facialpalsy.models.checkpoint import load_checkpoint
from facialpalsy.models.export import export_onnx
from facialpalsy.models.landmarker import LandmarkerSpec, OrderedLandmarker
from facialpalsy.training.landmarks import ORDER
from facialpalsy.weights import LANDMARKER, ModelCard
from facialpalsy.weights.model_card import Preprocessing
from london import HELD_OUT
from recovery import measure, stored_slopes, summary


def main() -> None:
    """Export, write the card, measure, and write the card with what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    given = parser.parse_args()
    folder = Path(str(resources.files("facialpalsy.weights")))
    found = load_checkpoint(given.model, LandmarkerSpec)
    ordered = OrderedLandmarker(found.network, ORDER, torch.tensor(found.about["factors"]))
    file = folder / f"{LANDMARKER}.onnx"
    export_onnx(ordered, found.spec.image_size, file)
    card = ModelCard(
        name=LANDMARKER,
        version=version("facialpalsy"),
        task="191 points of a face and how sure each is, from one photo",
        file=file.name,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        licence="Apache-2.0",
        trained_on=(
            f"synthetic patients, and photos of {len(found.about['london'])} healthy people of the Face Research Lab "
            "London Set (CC BY 4.0) under random warps; on a CPU"
        ),
        caution="trained on synthetic patients and healthy people, not validated on real patients",
        architecture="residual U-shaped network on each half of the face, soft-argmax of heat maps",
        preset="small",
        preprocessing=Preprocessing(
            size=found.spec.image_size, alignment="facialpalsy.face.align: upright by the canthi, midline in the middle"
        ),
        side_convention=(
            "un-mirrored photos, the subject's left on the image's right; a mirrored photo has the mirrored points"
        ),
        inputs={"images": "(n, 3, size, size) float32 RGB in 0..1, aligned photos"},
        outputs={
            "points": "(n, 191, 2) x and y as shares of the photo, in the order of facialpalsy.face.DENSE",
            "sigma": "(n, 191) standard deviation of each coordinate as a share of the photo, of synthetic people",
        },
        metrics={},
        never_tested_on=("real patients", "people under treatment or operated on", "children"),
        made_by="a run by the settings of benchmarks/train_landmarker.py",
    )
    path = folder / f"{LANDMARKER}.json"
    path.write_text(card.to_json(), "utf-8")
    rows, _ = measure(Path(os.environ["FACIALPALSY_ASSETS"]) / "london", open_detector(OWN), held_out=True)
    slopes = stored_slopes(summary(rows))
    about = f"London people whose number {HELD_OUT} divides, lower of two families of warps, median over people"
    card = card.model_copy(update={"metrics": {"recovery": slopes, "recovery_of": about}})
    path.write_text(card.to_json(), "utf-8")


if __name__ == "__main__":
    main()
