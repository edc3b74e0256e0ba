"""Scene: how one picture of a synthetic person is taken: camera, light, background and sensor.

World axes: x to the picture's right (the subject's left in an unmirrored picture), y up, z towards the camera; the
origin is between the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facialpalsy.synth.style import Style

_SENSOR_MM = 24.0
_FLIP = np.array([-1.0, 1.0, 1.0])

Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scene:
    """One capture's surroundings.

    Attributes:
        seed: Of the sensor's noise.
        handed: 1, or -1 for the mirror image.
        yaw, pitch, roll: Head pose in degrees as in `face.pose`: towards the subject's left, chin down, towards the
            subject's left shoulder.
        focal_mm: On a square sensor of 24 mm.
        face_share: Height of the head (24 cm) as a share of the picture's.
        shift: (2,) where the face's centre lies off the picture's, as shares of its size, x right and y down.
        key, fill: Direction to the two light sources (3,), unit length.
        key_colour, fill_colour: (3,) linear RGB.
        ambient: (3, 4, 4) light from all around as a quadratic form of the normal (x, y, z, 1) for red, green, blue.
        shine: Gloss of the skin.
        background, background_seed: Kind of background, and which of its kind.
        background_colours: (2, 3) linear RGB.
        exposure: Factor before the sensor.
        blur_px: Standard deviation of the blur in pixels of the picture.
        noise: Standard deviation of the sensor's noise at white, as a share of white.
        jpeg: JPEG quality, or 0 for none.
        grey: Whether the picture is grey.
    """

    seed: int
    handed: int
    yaw: float
    pitch: float
    roll: float
    focal_mm: float
    face_share: float
    shift: tuple[float, float]
    key: Doubles
    fill: Doubles
    key_colour: Doubles
    fill_colour: Doubles
    ambient: Doubles
    shine: float
    background: str
    background_seed: int
    background_colours: Doubles
    exposure: float
    blur_px: float
    noise: float
    jpeg: int
    grey: bool

    def mirrored(self) -> Scene:
        """The scene of the mirror image."""
        flip4 = np.diag([-1.0, 1.0, 1.0, 1.0])
        return replace(
            self,
            handed=-self.handed,
            yaw=-self.yaw,
            roll=-self.roll,
            shift=(-self.shift[0], self.shift[1]),
            key=self.key * _FLIP,
            fill=self.fill * _FLIP,
            ambient=flip4 @ self.ambient @ flip4,
        )

    def rotation(self) -> Doubles:
        """(3, 3) head to world."""
        yaw, pitch, roll = np.radians([self.yaw, self.pitch, -self.roll])
        turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        nod = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
        tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
        return np.asarray(tilt @ nod @ turn)


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera: `project` is the truth of every label.

    Attributes:
        rotation: (3, 3) head to world.
        centre: (3,) centimetres, the point of the head that the camera looks at.
        distance: Centimetres from the camera to that point.
        scale: Pixels per unit of x over distance.
        middle: (2,) pixels where that point is seen.
    """

    rotation: Doubles
    centre: Doubles
    distance: float
    scale: float
    middle: tuple[float, float]

    @classmethod
    def of(cls, scene: Scene, centre: Doubles, size: int) -> Camera:
        """The camera of a scene for a square picture of `size` pixels."""
        scale = size * scene.focal_mm / _SENSOR_MM
        distance = scale * 24.0 / (scene.face_share * size)
        middle = (size * (0.5 + scene.shift[0]), size * (0.5 + scene.shift[1]))
        return cls(scene.rotation(), centre, distance, scale, middle)

    def project(self, vertices: NDArray[np.float32]) -> Doubles:
        """(n, 3): x right and y down in pixels from the outer corner of the first, and the distance in centimetres."""
        world = (vertices.astype(np.float64) - self.centre) @ self.rotation.T
        distance = self.distance - world[:, 2]
        x = self.middle[0] + self.scale * world[:, 0] / distance
        y = self.middle[1] - self.scale * world[:, 1] / distance
        return np.stack([x, y, distance], axis=1)


def draw_scene(rng: np.random.Generator, style: Style) -> Scene:
    """A scene of one session: `again` varies it from capture to capture."""
    warmth = float(rng.normal(0, style.warmth))
    white = np.exp(np.array([0.5, 0.0, -0.5]) * warmth)
    key_strength = rng.uniform(*style.key)
    side, up = style.key_spread_deg
    key = _direction(rng.uniform(-side, side), rng.uniform(-0.2 * up, up))
    fill = _direction(rng.uniform(-80, 80), rng.uniform(-30, 60))
    backgrounds = style.backgrounds
    return Scene(
        seed=int(rng.integers(2**31)),
        handed=1,
        yaw=float(rng.normal(0, style.yaw_deg)),
        pitch=float(rng.normal(0, style.pitch_deg)),
        roll=float(rng.normal(0, style.roll_deg)),
        focal_mm=float(np.exp(rng.uniform(*np.log(style.focal_mm)))),
        face_share=float(rng.uniform(0.62, 0.95)),
        shift=(float(rng.normal(0, 0.02)), float(rng.normal(0.02, 0.02))),
        key=key,
        fill=fill,
        key_colour=key_strength * white * np.exp(rng.normal(0, 0.05, 3)),
        fill_colour=rng.uniform(0, 0.35) * key_strength * np.exp(rng.normal(0, 0.12, 3)),
        ambient=_surroundings(rng, white),
        shine=float(rng.uniform(*style.shine)),
        background=str(backgrounds[int(rng.integers(len(backgrounds)))]),
        background_seed=int(rng.integers(2**31)),
        background_colours=_muted(rng),
        exposure=float(np.exp(rng.normal(0, 0.15))),
        blur_px=float(rng.uniform(*style.blur_px)),
        noise=float(np.exp(rng.uniform(*np.log(style.noise)))),
        jpeg=int(rng.integers(style.jpeg[0], style.jpeg[1] + 1)),
        grey=bool(rng.random() < style.grey),
    )


def again(scene: Scene, rng: np.random.Generator, style: Style) -> Scene:
    """The same session a moment later: the head, the hand and the noise have moved, the light has not."""
    return replace(
        scene,
        seed=int(rng.integers(2**31)),
        yaw=scene.yaw + float(rng.normal(0, 0.4 * style.yaw_deg)),
        pitch=scene.pitch + float(rng.normal(0, 0.4 * style.pitch_deg)),
        roll=scene.roll + float(rng.normal(0, 0.4 * style.roll_deg)),
        face_share=float(np.clip(scene.face_share * np.exp(rng.normal(0, 0.03)), 0.5, 1.0)),
        shift=(scene.shift[0] + float(rng.normal(0, 0.012)), scene.shift[1] + float(rng.normal(0, 0.012))),
        exposure=scene.exposure * float(np.exp(rng.normal(0, 0.04))),
    )


def _muted(rng: np.random.Generator) -> Doubles:
    """Two colours (2, 3) as walls and rooms have them: mostly grey."""
    return np.asarray(rng.uniform(0.03, 0.85, (2, 1)) * np.exp(rng.normal(0, 0.25, (2, 3))))


def _direction(sideways_deg: float, up_deg: float) -> Doubles:
    a, b = np.radians([sideways_deg, up_deg])
    return np.array([np.sin(a) * np.cos(b), np.sin(b), np.cos(a) * np.cos(b)])


def _surroundings(rng: np.random.Generator, white: Doubles) -> Doubles:
    """Light from a ceiling, a floor and three soft spots; Ramamoorthi and Hanrahan 2001: nine numbers suffice.

    A spot in direction d lights a normal n by max(0, n.d), whose second-order expansion is
    1/4 + x/2 + 5/32 (3 x^2 - 1) with x = n.d.
    """
    ambient = np.zeros((3, 4, 4))
    spots = [(np.array([0.0, 1.0, 0.0]), rng.uniform(0.1, 0.45)), (np.array([0.0, -1.0, 0.0]), rng.uniform(0.02, 0.2))]
    spots += [(_direction(rng.uniform(-110, 110), rng.uniform(-20, 60)), rng.uniform(0.05, 0.4)) for _ in range(3)]
    spots.append((np.array([0.0, 0.0, 1.0]), rng.uniform(0.1, 0.35)))
    for direction, strength in spots:
        form = np.zeros((4, 4))
        form[:3, :3] = 15 / 32 * np.outer(direction, direction)
        form[:3, 3] = form[3, :3] = direction / 4
        form[3, 3] = 1 / 4 - 5 / 32
        colour = strength * white * np.exp(rng.normal(0, 0.06, 3))
        ambient += colour[:, None, None] * form
    return ambient
