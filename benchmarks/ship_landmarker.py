"""Ship face finder and landmarkers: what train_face_finder.py, train_landmarker.py and train_patch_landmarkers.py made.

FACIALPALSY_ASSETS=... python benchmarks/ship_landmarker.py --work FOLDER
Of FOLDER's face_finder.safetensors, landmarker_96.safetensors, eye_landmarker.safetensors and
mouth_landmarker.safetensors those that are there become ONNX files with their cards. FOLDER also holds the rendered
people of train_patch_landmarkers.py, some of whom say what ranges the numbers have. The card of the landmarker of whole
faces gets what recovery.py measures with all of them on people that they were not trained on; some minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Sequence
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows

from facialpalsy.detect import OWN, open_detector
from facialpalsy.detect.own import PATCHES
from facialpalsy.face import Side
from facialpalsy.face.patches import Patch
from facialpalsy.models.checkpoint import load_checkpoint
from facialpalsy.models.face_finder import FaceFinderSpec
from facialpalsy.models.landmarker import LandmarkerSpec, OrderedLandmarker
from facialpalsy.models.patch_landmarker import PatchLandmarkerSpec
from facialpalsy.models.quantised import export_quantised
from facialpalsy.training.landmarks import ORDER
from facialpalsy.weights import FACE_FINDER, LANDMARKER, ModelCard
from facialpalsy.weights.model_card import Preprocessing
from london import HELD_OUT
from recovery import measure, stored_slopes, summary
from train_face_finder import BATCH, Pictures, london, synthetic
from train_grader import OTHERS, SETTING
from train_patch_landmarkers import Person, as_person, cut, has_skin, kept_in

FOLDER = Path(str(resources.files("facialpalsy.weights")))
CAUTION = "trained on synthetic patients and healthy people, not validated on real patients"
SOME = range(0, 480, 23)
"""People of each setting, of those that the networks were trained on, whom quantising sees."""

NEVER = ("real patients", "people under treatment or operated on", "children")
TRAINED_ON = (
    "synthetic patients, and photos of {} healthy people of the Face Research Lab London Set (CC BY 4.0) under random "
    "warps; on a CPU"
)

FOUND_ON = (
    "synthetic patients, turned by up to 38 degrees, and {} photos of healthy people of the Face Research Lab London "
    "Set (CC BY 4.0), at sizes and places of chance; on a CPU"
)


def main() -> None:
    """Export, write the cards, measure, and write the first card with what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/train_vitau"))
    given = parser.parse_args()
    torch.manual_seed(0)
    people = seen(given.work)
    if (path := given.work / "face_finder.safetensors").exists():
        face_finder(path, given.work)
    if (path := given.work / "landmarker_96.safetensors").exists():
        whole_face(path, people)
    for name, patch in PATCHES.items():
        if (path := given.work / f"{name}.safetensors").exists():
            part_of_face(path, name, patch, people)
    rows, _ = measure(Path(os.environ["FACIALPALSY_ASSETS"]) / "london", open_detector(OWN), held_out=True)
    slopes = stored_slopes(summary(rows))
    about = f"London people whose number {HELD_OUT} divides, lower of two families of warps, median over people"
    card = ModelCard.model_validate_json((FOLDER / f"{LANDMARKER}.json").read_bytes())
    write(card.model_copy(update={"metrics": {"recovery": slopes, "recovery_of": about}}))


def seen(work: Path) -> list[Person]:
    """Some of the rendered people that the networks were trained on."""
    files = [
        kept_in(work / "large", setting, number, skin=has_skin(number))
        for number in SOME
        for setting in (SETTING, OTHERS)
    ]
    return [as_person(kept["photos"], kept["points"]) for kept in map(np.load, files)]


def face_finder(path: Path, work: Path) -> None:
    """The network that finds faces."""
    found, file = load_checkpoint(path, FaceFinderSpec), FOLDER / f"{FACE_FINDER}.onnx"
    size = found.spec.image_size
    pictures = Pictures([synthetic(setting, work) for setting in (SETTING, OTHERS)], [london()], size)
    export_quantised(found.network, file, [pictures.drawn(BATCH).images for _ in range(10)])
    write_card(
        file,
        name=FACE_FINDER,
        task="six points of each face in a picture, enough to cut it out, from the picture shrunk",
        trained_on=FOUND_ON.format(found.about["photos"]),
        architecture="residual U-shaped network, a map of centres and of where six points are; 8-bit integers",
        preprocessing=Preprocessing(size=size, alignment="none: a picture whole, in the middle, or a part of it"),
        side_convention="un-mirrored photos, the subject's right on the image's left",
        inputs={"images": "(n, 3, size, size) float32 RGB in 0..1"},
        outputs={
            "faces": "(n, size / 4, size / 4) probability that a face's centre lies at a place",
            "points": "(n, 6, 2, size / 4, size / 4) x and y in pixels, in the order of facialpalsy.face.FACE6",
        },
        made_by=f"benchmarks/train_face_finder.py, {found.about['steps']} steps",
    )


def whole_face(path: Path, people: Sequence[Person]) -> None:
    """The network that sees a face whole."""
    found = load_checkpoint(path, LandmarkerSpec)
    ordered = OrderedLandmarker(found.network, ORDER, torch.tensor(found.about["factors"]))
    file = FOLDER / f"{LANDMARKER}.onnx"
    size = (found.spec.image_size, found.spec.image_size)
    photos = [F.interpolate(one.photos / 255, size, mode="bilinear", antialias=True) for one in people]
    export_quantised(ordered, file, photos)
    write_card(
        file,
        name=LANDMARKER,
        task="191 points of a face and how sure each is, from one photo",
        trained_on=TRAINED_ON.format(len(found.about["london"])),
        architecture="residual U-shaped network on each half of the face, soft-argmax of heat maps; 8-bit integers",
        preprocessing=Preprocessing(
            size=found.spec.image_size,
            alignment="facialpalsy.face.align: upright by the canthi, midline in the middle",
        ),
        side_convention=(
            "un-mirrored photos, the subject's left on the image's right; a mirrored photo has the mirrored points"
        ),
        inputs={"images": "(n, 3, size, size) float32 RGB in 0..1, aligned photos"},
        outputs={
            "points": "(n, 191, 2) x and y as shares of the photo, in the order of facialpalsy.face.DENSE",
            "sigma": "(n, 191) standard deviation of each coordinate as a share of the photo, of synthetic people",
        },
        made_by="a run by the settings of benchmarks/train_landmarker.py",
    )


def part_of_face(path: Path, name: str, patch: Patch, people: Sequence[Person]) -> None:
    """A network that sees a patch of one half."""
    found = load_checkpoint(path, PatchLandmarkerSpec)
    file = FOLDER / f"{name}.onnx"
    warped = [cut(patch, one, torch.zeros(len(one.photos), dtype=torch.long), warped=True) for one in people]
    export_quantised(found.network, file, [one.images.flatten(0, 1).clamp(0, 1) for one in warped])
    points = len(patch.points_on(Side.RIGHT))
    write_card(
        file,
        name=name,
        task=f"{points} points of one half of a face and how sure each is, from a patch of a photo",
        trained_on=TRAINED_ON.format(found.about["london"]),
        architecture="residual U-shaped network, soft-argmax of heat maps; 8-bit integers",
        preprocessing=Preprocessing(
            size=patch.rows, columns=patch.columns, alignment="facialpalsy.face.patches, the left half flipped"
        ),
        side_convention="patches of the subject's right half, and those of the left flipped",
        inputs={"images": "(n, 3, size, columns) float32 RGB in 0..1"},
        outputs={
            "points": f"(n, {points}, 2) x and y in pixels of the patch, in the order of its `points_on`",
            "sigma": f"(n, {points}) standard deviation of each coordinate in pixels, of synthetic people",
            "covered": f"(n, {points}) probability that something is in the way",
        },
        made_by=f"benchmarks/train_patch_landmarkers.py, the last run of {found.about['steps']} steps",
    )


def write_card(file: Path, **said: Any) -> None:
    """The card of a network that has just been written, from what is its own."""
    write(
        ModelCard(
            version=version("facialpalsy"),
            file=file.name,
            sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
            licence="Apache-2.0",
            caution=CAUTION,
            preset="small",
            metrics={},
            never_tested_on=NEVER,
            **said,
        )
    )


def write(card: ModelCard) -> None:
    """The card, beside its network."""
    (FOLDER / f"{card.name}.json").write_text(card.to_json(), "utf-8")


if __name__ == "__main__":
    main()
