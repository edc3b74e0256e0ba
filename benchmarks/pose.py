"""Pose: gains and zero of `face/pose.py`, from renders with known pose and from frontal portraits.

    FACIALPALSY_ASSETS=... python benchmarks/pose.py

Random identities of ICT-FaceKit are drawn by a plain painter's algorithm at known yaw and pitch; MediaPipe finds the
points, and the raw angles are regressed on the true ones. The zero of the pitch is the mean over the London portraits.
Then the same faces move with a still head: what an expression does to the measured pitch.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from facialpalsy.detect import MediaPipeDetector
from facialpalsy.errors import NoFaceError
from facialpalsy.face import head_pose
from facialpalsy.face.pose import PITCH_GAIN, PITCH_ZERO_DEG, YAW_GAIN
from facialpalsy.media import read_photo

SIZE, FACES, YAW, PITCH = 400, 40, 15.0, 20.0
MOVING_FACES = 8
# Expression -> shapes of the face model, both sides.
EXPRESSIONS = {
    "brow_raise": ("browInnerUp", "browOuterUp"),
    "eyes_tight": ("eyeBlink", "cheekSquint", "eyeSquint", "noseSneer"),
    "smile": ("mouthSmile",),
    "snarl": ("noseSneer", "mouthUpperUp"),
    "pucker": ("mouthPucker",),
    "lower_teeth": ("mouthLowerDown", "mouthStretch"),
}
# Colour of each material of the face model; None is not drawn.
COLOURS = {
    "Sclera": (235, 235, 235),
    "Iris": (60, 45, 30),
    "Lacrimal": (200, 130, 120),
    "Teeth": (230, 225, 215),
    "Gums": (180, 90, 90),
    "Lash": None,
    "Occlusion": None,
    "Blend": None,
}
SKIN = (205, 160, 135)

Array = NDArray[np.float64]


def main() -> None:
    """Print the measured constants beside those in the package."""
    assets = Path(os.environ.get("FACIALPALSY_ASSETS", ""))
    if not (assets / "ict_facekit.npz").is_file():
        sys.exit("Set FACIALPALSY_ASSETS to the folder that holds ict_facekit.npz and london/.")
    detector = MediaPipeDetector()
    true, raw = renders(assets / "ict_facekit.npz", detector)
    print("| angle | gain | used | residual, degrees (SD, after the gain) |\n|---|---|---|---|")
    for column, (name, used) in enumerate((("yaw", YAW_GAIN), ("pitch", PITCH_GAIN))):
        gain, offset = np.polyfit(true[:, column], raw[:, column], 1)
        residual = np.std(raw[:, column] - gain * true[:, column] - offset) / gain
        print(f"| {name} | {gain:.2f} | {used} | {residual:.1f} |")
    portraits = [
        raw_angles(detector, read_photo(path).pixels)[1] for path in sorted(assets.glob("london/neutral*/[0-9]*.jpg"))
    ]
    print(
        f"\nPitch zero: {np.mean(portraits):.1f} degrees over {len(portraits)} portraits "
        f"(SD {np.std(portraits):.1f}); used {PITCH_ZERO_DEG}."
    )
    print("\n| expression, head still | change of the measured pitch, degrees: mean (least to most) |\n|---|---|")
    for name, changes in expression_pitch(assets / "ict_facekit.npz", detector).items():
        print(f"| {name} | {np.mean(changes):+.1f} ({min(changes):+.1f} to {max(changes):+.1f}) |")


def renders(path: Path, detector: MediaPipeDetector) -> tuple[Array, Array]:
    """True and raw (yaw, pitch) of random faces."""
    with np.load(path) as archive:
        model = dict(archive)
    rng = np.random.default_rng(0)
    true, raw = [], []
    for _ in range(FACES):
        identity = rng.normal(size=len(model["I"])) * 0.8
        angles = rng.uniform(-YAW, YAW), rng.uniform(-PITCH, PITCH)
        try:
            raw.append(raw_angles(detector, draw(model, identity, *angles)))
            true.append(angles)
        except NoFaceError:
            continue
    return np.array(true), np.array(raw)


def expression_pitch(path: Path, detector: MediaPipeDetector) -> dict[str, list[float]]:
    """Expression -> change of the measured pitch against the same face at rest, head still."""
    with np.load(path) as archive:
        model = dict(archive)
    rng = np.random.default_rng(1)
    changes: dict[str, list[float]] = {name: [] for name in EXPRESSIONS}
    for _ in range(MOVING_FACES):
        identity = rng.normal(size=len(model["I"])) * 0.7

        def pitch(shapes: tuple[str, ...], identity: Array = identity) -> float:
            sided = {f"{shape}{side}" for shape in shapes for side in ("", "_L", "_R")}
            moved = sum(model["E"][index].astype(float) for index, name in enumerate(model["ex"]) if name in sided)
            return head_pose(detector.detect(draw({**model, "V": model["V"] + moved}, identity, 0, 0)).landmarks).pitch

        at_rest = pitch(())
        for name, shapes in EXPRESSIONS.items():
            changes[name].append(pitch(shapes) - at_rest)
    return changes


def raw_angles(detector: MediaPipeDetector, picture: NDArray[np.uint8]) -> tuple[float, float]:
    """Yaw and pitch before gain and zero."""
    pose = head_pose(detector.detect(picture).landmarks)
    return pose.yaw * YAW_GAIN, pose.pitch * PITCH_GAIN + PITCH_ZERO_DEG


def draw(model: dict[str, Array], identity: Array, yaw: float, pitch: float) -> NDArray[np.uint8]:
    """One flat-shaded face; yaw + towards its left, pitch + chin down, in degrees."""
    vertices = model["V"].astype(float) + np.tensordot(identity, model["I"].astype(float), 1)
    y, p = np.radians([yaw, pitch])
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    points = (vertices - [0, 0, 4]) @ (turn @ nod).T
    zoom = SIZE * 0.775 * 60 / 24 / (60 - points[:, 2])
    screen = np.stack([SIZE / 2 + points[:, 0] * zoom, SIZE / 2 - points[:, 1] * zoom], axis=1)
    corners = points[model["F"]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    light = np.clip(normals @ np.array([0.3, 0.5, 0.81]), 0, 1) * 0.7 + 0.3
    colours = [next((c for key, c in COLOURS.items() if key in str(name)), SKIN) for name in model["mats"]]
    image = Image.new("RGB", (SIZE, SIZE), (120, 130, 140))
    pen = ImageDraw.Draw(image)
    for index in np.argsort(corners[:, :, 2].mean(axis=1)):
        colour = colours[model["M"][index]]
        if colour is not None and normals[index, 2] > 0:
            shade = tuple(int(channel * light[index]) for channel in colour)
            pen.polygon([tuple(corner) for corner in screen[model["F"][index]]], fill=shade)
    return np.asarray(image)


if __name__ == "__main__":
    main()
