"""Style: two separately written settings of look, so that a model trained on one is tested on the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Style:
    """Ranges that looks and scenes are drawn from.

    Attributes:
        skin_brightness: Factor on the reflectance of skin.
        skin_jitter: Standard deviation of the logarithm of each channel of skin.
        bearded, bald, long_hair, glasses: Shares of people.
        shine: Range of the skin's gloss.
        key: Range of the key light's strength; the rest comes from the surroundings.
        key_spread_deg: How far the key light stands from the camera at most, sideways and up.
        warmth: Standard deviation of the colour temperature, as log red over blue.
        yaw_deg, pitch_deg, roll_deg: Standard deviations of the head's pose.
        focal_mm: Range of focal lengths (24 mm high square sensor).
        noise: Range of the sensor noise, as a share of white.
        blur_px: Range of the blur's standard deviation.
        jpeg: Range of the JPEG quality.
        grey: Share of grey pictures.
        backgrounds: Which backgrounds are drawn.
    """

    skin_brightness: float
    skin_jitter: float
    bearded: float
    bald: float
    long_hair: float
    glasses: float
    shine: tuple[float, float]
    key: tuple[float, float]
    key_spread_deg: tuple[float, float]
    warmth: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    focal_mm: tuple[float, float]
    noise: tuple[float, float]
    blur_px: tuple[float, float]
    jpeg: tuple[int, int]
    grey: float
    backgrounds: tuple[str, ...]


# A clinic: flash or window light, plain walls, people who hold still.
_CLINIC = Style(
    skin_brightness=0.80, skin_jitter=0.07, bearded=0.25, bald=0.10, long_hair=0.35, glasses=0.12,
    shine=(0.1, 0.6), key=(0.35, 0.9), key_spread_deg=(40, 35), warmth=0.12,
    yaw_deg=2.5, pitch_deg=4.0, roll_deg=2.5, focal_mm=(35, 85),
    noise=(0.002, 0.02), blur_px=(0.0, 0.7), jpeg=(70, 97), grey=0.0,
    backgrounds=("plain", "gradient", "wall"),
)  # fmt: skip
# At home: phones near the face, lamps from anywhere, rooms, stronger compression.
_HOME = Style(
    skin_brightness=0.70, skin_jitter=0.11, bearded=0.35, bald=0.16, long_hair=0.28, glasses=0.25,
    shine=(0.2, 1.0), key=(0.2, 1.1), key_spread_deg=(75, 55), warmth=0.28,
    yaw_deg=4.5, pitch_deg=6.0, roll_deg=5.0, focal_mm=(24, 60),
    noise=(0.005, 0.04), blur_px=(0.2, 1.3), jpeg=(40, 90), grey=0.1,
    backgrounds=("gradient", "room", "foliage"),
)  # fmt: skip

STYLES: Mapping[str, Style] = MappingProxyType({"a": _CLINIC, "b": _HOME, "c": _CLINIC})
"""The look of each setting; the motions under the same names are in `muscles`."""
