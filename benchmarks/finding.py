"""Finding: in how many photos our own engine and MediaPipe find the face, and how often they see one where none is.

FACIALPALSY_ASSETS=... python benchmarks/finding.py    # three minutes
Photos of the London people whom no network has seen, and rendered people of setting b, as they are and made harder; no
picture here was trained with, nor the one that small faces lie on. A face is found where the middle of the eyes lies
within a quarter of the outer-canthus distance from where it is.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from skimage import data

from facialpalsy.clinical.expressions import Expression
from facialpalsy.detect import OWN, Detector, open_detector
from facialpalsy.errors import NoFaceError
from facialpalsy.face import Landmarks, face_frame
from facialpalsy.media import read_photo
from facialpalsy.synth.face_model import face_model
from facialpalsy.synth.population import wanted_people
from facialpalsy.synth.shot import draw_shot, photograph
from london import photos
from train_grader import SEED

SETTING, PEOPLE, PIXELS = "b", 40, 448
NEAR, CANVAS, NARROW = 0.25, 640, 60
"""Greatest distance in iod, side of a picture with a small face, and how wide that face is."""

FACE_WIDTHS = 1.6
"""Width of a face in outer-canthus distances."""

Picture = NDArray[np.uint8]
Place = tuple[NDArray[np.float64], float]
"""Middle of the eyes in pixels, and the outer-canthus distance."""


def turned(degrees: float) -> Callable[[Picture, Place], tuple[Picture, Place]]:
    """The picture turned about its middle."""

    def turn(picture: Picture, place: Place) -> tuple[Picture, Place]:
        angle, middle = np.radians(degrees), np.array(picture.shape[1::-1]) / 2
        back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        image = Image.fromarray(picture).rotate(degrees, Image.Resampling.BICUBIC)
        return np.asarray(image), (back @ (place[0] - middle) + middle, place[1])

    return turn


def small(picture: Picture, place: Place) -> tuple[Picture, Place]:
    """A face 60 pixels wide somewhere in a picture of 640."""
    zoom = NARROW / (FACE_WIDTHS * place[1])
    size = tuple(int(one * zoom) for one in picture.shape[1::-1])
    corner = np.random.default_rng(int(place[0].sum())).integers(0, CANVAS - np.array(size))
    canvas = Image.fromarray(np.asarray(Image.fromarray(data.coffee()).resize((CANVAS, CANVAS)).convert("RGB")))
    canvas.paste(Image.fromarray(picture).resize(size, Image.Resampling.BOX), tuple(int(one) for one in corner))
    return np.asarray(canvas), (place[0] * zoom + corner, place[1] * zoom)


def tight(picture: Picture, place: Place) -> tuple[Picture, Place]:
    """The face alone, from the brows to the chin."""
    (x, y), iod = place
    left, top = max(0, int(x - 0.75 * iod)), max(0, int(y - 0.5 * iod))
    cut = picture[top : int(y + 1.25 * iod), left : int(x + 0.75 * iod)]
    return np.ascontiguousarray(cut), (place[0] - (left, top), iod)


def seen_as(change: Callable[[Image.Image], Image.Image]) -> Callable[[Picture, Place], tuple[Picture, Place]]:
    """A change that moves nothing."""
    return lambda picture, place: (np.asarray(change(Image.fromarray(picture)).convert("RGB")), place)


def compressed(image: Image.Image) -> Image.Image:
    """As JPEG of quality 15."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=15)
    return Image.open(buffer)


MADE_HARDER: Mapping[str, Callable[[Picture, Place], tuple[Picture, Place]]] = {
    "as it is": lambda picture, place: (picture, place),
    "turned by 15 degrees": turned(15),
    "turned by 30 degrees": turned(-30),
    "60 px wide, on a picture": small,
    "the face alone": tight,
    "dark": seen_as(lambda image: image.point(lambda value: value // 5)),
    "grey": seen_as(lambda image: image.convert("L")),
    "blurred": seen_as(lambda image: image.filter(ImageFilter.GaussianBlur(image.width / 120))),
    "JPEG 15": seen_as(compressed),
}


def real() -> list[tuple[Picture, Place]]:
    """London photos, and where MediaPipe sees the face in them as they are."""
    detector, found = open_detector("mediapipe"), []
    for _, _, path in photos(held_out=True):
        picture = read_photo(path).pixels
        found.append((picture, place_of(detector.detect(picture).landmarks)))
    return found


def rendered(yaw: float) -> list[tuple[Picture, Place]]:
    """Rendered people at rest, turned further by `yaw`."""
    model, found = face_model(), []
    for number, person in enumerate(wanted_people(PEOPLE, SEED, SETTING, block=0)[:PEOPLE]):
        shot = draw_shot(person.drawn(number, SEED, SETTING), Expression.REST, 0)
        taken = photograph(model, replace(shot, scene=replace(shot.scene, yaw=shot.scene.yaw + yaw)), PIXELS)
        found.append((taken.frame.pixels, place_of(taken.landmarks)))
    return found


def place_of(landmarks: Landmarks) -> Place:
    """Where a face is."""
    frame = face_frame(landmarks)
    return frame.origin, frame.iod


def share(detector: Detector, pictures: list[tuple[Picture, Place]]) -> str:
    """How many faces are found, and the median time."""
    found, times = 0, []
    for picture, (middle, iod) in pictures:
        begun = time.perf_counter()
        try:
            seen = face_frame(detector.detect(picture).landmarks)
        except NoFaceError:
            continue
        finally:
            times.append(time.perf_counter() - begun)
        found += bool(np.linalg.norm(seen.origin - middle) < NEAR * iod)
    return f"{found} of {len(pictures)} ({1000 * np.median(times):.0f} ms)"


def main() -> None:
    """Print the tables."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    detectors = {name: open_detector(name) for name in (OWN, "mediapipe")}
    portraits = real()
    print(f"| photos | {' | '.join(detectors)} |\n|---|---|---|")
    for name, harder in MADE_HARDER.items():
        made = [harder(*one) for one in portraits]
        print(f"| London, {name} | {' | '.join(share(one, made) for one in detectors.values())} |", flush=True)
    for yaw in (0, 15, 25):
        made = rendered(yaw)
        name = f"rendered, turned by {yaw} degrees"
        print(f"| {name} | {' | '.join(share(one, made) for one in detectors.values())} |", flush=True)
    for name in ("chelsea", "coffee", "retina", "coins", "clock", "moon", "cell", "text", "motorcycle_left"):
        picture = data.stereo_motorcycle()[0] if name == "motorcycle_left" else getattr(data, name)()
        picture = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
        for engine, detector in detectors.items():
            try:
                faces = detector.detect(np.ascontiguousarray(picture)).faces
            except NoFaceError:
                continue
            print(f"{engine} sees {faces} in {name}")


if __name__ == "__main__":
    main()
