"""Simulate: `facialpalsy simulate PHOTO --side left --severity 0.6 --regions brow,eye,mouth`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from facialpalsy.assessment import NOTICE
from facialpalsy.detect import OwnDetector, write_landmarks
from facialpalsy.face import Side, face_frame
from facialpalsy.media import read_photo
from facialpalsy.writing import atomic_path, make_folder, write_text


def simulate(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="A frontal, unmirrored photo.")],
    side: Annotated[Side, typer.Option(help="The subject's own palsied side.")],
    severity: Annotated[float, typer.Option(help="From 0 (unchanged) to 1 (complete).")] = 0.6,
    regions: Annotated[
        str, typer.Option(help="Any of brow, eye, midface, mouth, separated by commas.")
    ] = "brow,eye,midface,mouth",
    out: Annotated[Path, typer.Option(help="Folder for the picture and its truth.")] = Path(),
    max_megapixels: Annotated[float, typer.Option(help="Largest picture that is decoded.")] = 100.0,
) -> None:
    """Warp a palsy at rest into a photo, with the exact displacement of every landmark."""
    # Imported here: SciPy would slow the start of every other command.
    from facialpalsy.synth import simulate as simulate_palsy

    picture = read_photo(photo, max_megapixels=max_megapixels).pixels
    landmarks = OwnDetector().detect(picture).landmarks
    names = [name.strip() for name in regions.split(",") if name.strip()]
    result = simulate_palsy(picture, landmarks, side=side, severity=severity, regions=names)
    make_folder(out)
    stem = f"{photo.stem}_{side}_{severity:g}"
    with atomic_path(out / f"{stem}.png") as temporary:
        Image.fromarray(result.picture).save(temporary, format="PNG")
    write_landmarks(out / f"landmarks_{stem}.json", result.landmarks)
    truth = {
        "schema": "facialpalsy.simulation/1",
        "notice": NOTICE,
        "picture": f"{stem}.png",
        "side": side.value,
        "severity": severity,
        "regions": names,
        "scheme": landmarks.scheme.name,
        "iod_px": face_frame(landmarks).iod,
        "landmarks_px": [[float(x), float(y)] for x, y in landmarks.points],
        "displacement_px": [[float(x), float(y)] for x, y in result.displacement],
    }
    write_text(out / f"displacement_{stem}.json", json.dumps(truth, indent=1) + "\n")
    typer.echo(f"{stem}.png and displacement_{stem}.json in {out.name or out}/.", err=True)
