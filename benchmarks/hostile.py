"""Hostile: what our own engine and MediaPipe say of faces that are covered, turned away or none at all.

python benchmarks/hostile.py [--picture OUT.png]
Rendered people of setting b with one thing done to each; truth is that of the same photo without it. Of each thing: of
how many photos a face is found and used, in how many of them measures of each region are withheld, and how far those
that are given differ from the truth, left minus right.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from facialpalsy.analysis.capture import Measured, measure_picture
from facialpalsy.analysis.request import CaptureRequest, ExamHeader, Settings
from facialpalsy.clinical.expressions import Expression
from facialpalsy.detect import OWN, Detector, open_detector
from facialpalsy.errors import NoFaceError
from facialpalsy.face import FaceFrame, Landmarks, Mirrored, face_frame
from facialpalsy.face.alignment import Picture, resampled
from facialpalsy.measure import DEFINITIONS, panel
from facialpalsy.synth.face_model import face_model
from facialpalsy.synth.population import wanted_people
from facialpalsy.synth.shot import Shot, draw_shot, photograph

SEED, SETTING, PEOPLE, PIXELS = 2004, "b", 12, 448
REGIONS = ("brow", "eye", "midface", "mouth")
ZOOM = 2
"""Things are painted on a picture so much larger: Pillow's edges are hard."""

Thing = Callable[[Picture, Landmarks, tuple[int, ...]], Picture]


def painted(
    picture: Picture, frame: FaceFrame, shapes: list[tuple[list[tuple[float, float]], tuple[int, ...]]]
) -> Picture:
    """Polygons in the face frame, with soft edges."""
    image = Image.fromarray(picture)
    for corners, colour in shapes:
        image.paste(Image.new("RGB", image.size, colour), mask=inside(image.size, frame, corners))
    return np.asarray(image)


def inside(size: tuple[int, int], frame: FaceFrame, corners: list[tuple[float, float]]) -> Image.Image:
    """White inside of a polygon in the face frame, with soft edges."""
    white = Image.new("L", (size[0] * ZOOM, size[1] * ZOOM))
    ImageDraw.Draw(white).polygon([tuple(frame.to_pixels(np.array(one)) * ZOOM) for one in corners], fill=255)
    return white.filter(ImageFilter.GaussianBlur(ZOOM)).resize(size, Image.Resampling.BOX)


def round_about(x: float, y: float, wide: float, high: float) -> list[tuple[float, float]]:
    """An ellipse in the face frame."""
    turns = np.linspace(0, 2 * np.pi, 40)
    return list(zip(x + wide * np.cos(turns), y + high * np.sin(turns), strict=True))


def eye_covered(picture: Picture, truth: Landmarks, skin: tuple[int, ...]) -> Picture:
    """A hand or a patch over the right eye, brow included."""
    return painted(picture, face_frame(truth), [(round_about(-0.36, -0.06, 0.33, 0.26), skin)])


def strand(picture: Picture, truth: Landmarks, skin: tuple[int, ...]) -> Picture:
    """Dark hair over the left brow."""
    return painted(picture, face_frame(truth), [(round_about(0.38, -0.28, 0.34, 0.14), (30, 22, 18))])


def hand(picture: Picture, truth: Landmarks, skin: tuple[int, ...]) -> Picture:
    """Fingers on the right cheek that reach over the corner of the mouth."""
    darker = tuple(int(0.8 * one) for one in skin)
    fingers = [(round_about(-0.40, 0.52 + 0.14 * k, 0.34, 0.075), skin if k % 2 else darker) for k in range(4)]
    return painted(picture, face_frame(truth), fingers)


def mask(picture: Picture, truth: Landmarks, skin: tuple[int, ...]) -> Picture:
    """A surgical mask."""
    cloth = [(-0.62, 0.35), (0.0, 0.18), (0.62, 0.35), (0.5, 1.15), (0.0, 1.4), (-0.5, 1.15)]
    return painted(picture, face_frame(truth), [(cloth, (150, 185, 200))])


def glare(picture: Picture, truth: Landmarks, skin: tuple[int, ...]) -> Picture:
    """Both eyes behind dark glasses."""
    lenses = [(round_about(side * 0.35, 0.0, 0.24, 0.16), (20, 20, 22)) for side in (-1, 1)]
    return painted(
        picture,
        face_frame(truth),
        [*lenses, ([(-0.12, -0.03), (0.12, -0.03), (0.12, 0.0), (-0.12, 0.0)], (20, 20, 22))],
    )


def in_front(behind: Picture, truth: Landmarks, front: Picture, landmarks: Landmarks) -> Picture:
    """A smaller face in front of the left cheek."""
    frame, other = face_frame(truth), face_frame(landmarks)
    there = replace(frame, origin=frame.to_pixels(np.array([0.62, 0.25])), iod=0.7 * frame.iod)
    linear = there.iod / other.iod * np.column_stack([there.u, there.n]) @ np.stack([other.u, other.n])
    image = Image.fromarray(behind)
    forward = np.column_stack([linear, there.origin - linear @ other.origin])
    moved = Image.fromarray(resampled(Image.fromarray(front), forward, image.size))
    image.paste(moved, mask=inside(image.size, there, round_about(0.0, 0.35, 0.66, 0.9)))
    return np.asarray(image)


THINGS: Mapping[str, Thing] = {
    "nothing": lambda picture, truth, skin: picture,
    "right eye and brow covered": eye_covered,
    "hair over the left brow": strand,
    "hand over the right corner of the mouth": hand,
    "surgical mask": mask,
    "dark glasses": glare,
}


def turned(degrees: float) -> Callable[[Shot], Shot]:
    """The head turned away."""
    return lambda shot: replace(shot, scene=replace(shot.scene, yaw=degrees))


def bearded(shot: Shot) -> Shot:
    """With a full beard."""
    return replace(shot, look=replace(shot.look, beard=1.0))


def stone(shot: Shot) -> Shot:
    """A statue: one grey everywhere."""
    grey = (0.35, 0.35, 0.35)
    look = replace(shot.look, skin=grey, lips=grey, iris=grey, hair=grey, redness=0.0, freckles=0.0, pupil=0.05)
    return replace(shot, look=look)


SHOTS: Mapping[str, Callable[[Shot], Shot]] = {
    "full beard": bearded,
    "turned by 40 degrees": turned(40.0),
    "profile, 75 degrees": turned(75.0),
    "statue": stone,
}


def cartoon(number: int) -> Picture:
    """A drawn face."""
    image = Image.new("RGB", (448, 448), (235, 235, 220))
    draw, random = ImageDraw.Draw(image), np.random.default_rng(number)
    skin = tuple(int(one) for one in random.integers(120, 255, 3))
    draw.ellipse((110, 70, 340, 390), fill=skin, outline=(0, 0, 0), width=4)
    for x in (175, 275):
        draw.ellipse((x - 26, 185, x + 26, 225), fill=(255, 255, 255), outline=(0, 0, 0), width=3)
        draw.ellipse((x - 9, 196, x + 9, 214), fill=(0, 0, 0))
        draw.line((x - 30, 160, x + 30, 155), fill=(0, 0, 0), width=7)
    draw.line((225, 215, 215, 270, 235, 272), fill=(0, 0, 0), width=4)
    draw.arc((170, 270, 280, 340), 10, 170, fill=(160, 0, 0), width=7)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(1)))


def no_faces() -> dict[str, list[Picture]]:
    """Pictures of no person."""
    from skimage import data

    noise = np.random.default_rng(0)
    return {
        "cartoon": [cartoon(number) for number in range(6)],
        "cat": [data.chelsea()],
        "cup of coffee": [data.coffee()],
        "noise": [noise.integers(0, 256, (300, 300, 3), np.uint8) for _ in range(3)],
        "nothing at all": [np.full((300, 300, 3), level, np.uint8) for level in (0, 127, 255)],
    }


def asked(detector: Detector, picture: Picture) -> Measured | None:
    """What is measured; None where no face is found or its picture may not be used."""
    request = CaptureRequest(Path("photo"), "photo", Expression.REST, Mirrored.NO)
    try:
        found = measure_picture(picture, "0" * 64, request, ExamHeader(), Settings(), detector)
    except NoFaceError:
        return None
    return found if found.capture.quality.usable else None


def row(detector: Detector, photos: list[tuple[Picture, Landmarks]]) -> str:
    """One line of the table."""
    used, withheld, errors = 0, dict.fromkeys(REGIONS, 0), {region: [] for region in REGIONS}
    for picture, truth in photos:
        if (found := asked(detector, picture)) is None:
            continue
        used += 1
        seen, true = ({one.name: one.sides for one in some} for some in (found.capture.measures, panel(truth)))
        for region in REGIONS:
            names = [one.name for one in DEFINITIONS if one.region == region and one.unit == "iod" and true[one.name]]
            pairs = [(seen[name], true[name]) for name in names]
            withheld[region] += any(one is None for one, _ in pairs)
            errors[region] += [abs(one.difference - other.difference) for one, other in pairs if one is not None]
    cells = [
        f"{withheld[region]}, {np.median(errors[region]):.3f}" if errors[region] else f"{withheld[region]}, none"
        for region in REGIONS
    ]
    return f"{used} of {len(photos)} | " + " | ".join(cells if used else ["" for _ in REGIONS])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path, help="PNG of one photo of each thing with the points of our own engine")
    given = parser.parse_args()
    model, detectors = face_model(), {name: open_detector(name) for name in (OWN, "mediapipe")}
    people = [
        one.drawn(number, SEED, SETTING)
        for number, one in enumerate(wanted_people(PEOPLE, SEED, SETTING, block=0)[:PEOPLE])
    ]
    shots = [draw_shot(one, Expression.REST, 0) for one in people]
    photos: dict[str, list[tuple[Picture, Landmarks]]] = {}
    for name, other in {"": lambda shot: shot, **SHOTS}.items():
        taken = [photograph(model, other(shot), PIXELS) for shot in shots]
        if name:
            photos[name] = [(one.frame.pixels, one.landmarks) for one in taken]
            continue
        for thing, done in THINGS.items():
            photos[thing] = []
            for one in taken:
                cheek = face_frame(one.landmarks).to_pixels(np.array([-0.35, 0.4])).astype(int)
                skin = tuple(int(value) for value in one.frame.pixels[cheek[1], cheek[0]])
                photos[thing].append((done(one.frame.pixels, one.landmarks, skin), one.landmarks))
        photos["another face in front"] = [
            (in_front(one.frame.pixels, one.landmarks, other.frame.pixels, other.landmarks), one.landmarks)
            for one, other in zip(taken, [*taken[1:], taken[0]], strict=True)
        ]
    shown = {"engine": "used | brow | eye | midface | mouth"}
    print(f"| thing | {' | '.join(shown)} | {shown['engine']} |\n|---|---|---|---|---|---|---|")
    for thing, taken in photos.items():
        for name, detector in detectors.items():
            print(f"| {thing} | {name} | {row(detector, taken)} |", flush=True)
    for thing, pictures in no_faces().items():
        for name, detector in detectors.items():
            used = sum(asked(detector, picture) is not None for picture in pictures)
            print(f"| {thing} | {name} | {used} of {len(pictures)} | | | | |", flush=True)
    if given.picture is not None:
        Image.fromarray(sheet(detectors[OWN], [taken[0][0] for taken in photos.values()])).save(given.picture)


def sheet(detector: Detector, pictures: list[Picture]) -> Picture:
    """The photos side by side, with points: hidden ones red."""
    tiles = []
    for picture in pictures:
        image = Image.fromarray(picture)
        draw = ImageDraw.Draw(image)
        try:
            found = detector.detect(picture).landmarks
        except NoFaceError:
            found = None
        if found is not None and found.hidden is not None:
            for (x, y), hidden in zip(found.points, found.hidden, strict=True):
                draw.ellipse((x - 1, y - 1, x + 1, y + 1), fill=(255, 0, 0) if hidden else (0, 255, 0))
        tiles.append(np.asarray(image))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 5)
    return np.concatenate([np.concatenate(tiles[k : k + 5], 1) for k in range(0, len(tiles), 5)])


if __name__ == "__main__":
    main()
