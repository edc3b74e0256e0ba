"""Shade: the colour of every pixel that the rasteriser found, in numba on one thread, in linear light.

Skin scatters red light further than blue, so its terminator is softer and redder; gloss is Blinn-Phong; light from all
around is a quadratic form of the normal; the key light's shadow is a depth map seen from it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facialpalsy.synth.materials import (
    EYE,
    HEAD,
    MOUTH,
    SKIN,
    TEETH,
    Surface,
    between,
    compiled,
    eye,
    inside,
    one_between,
    outside,
    skin,
    texel_of,
)
from facialpalsy.synth.shadow import SHADOW_HALF_CM, SHADOW_SIZE

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

_BIAS_CM = 0.22

_LIGHT = np.arange(16385) / 16384
_SRGB = np.where(_LIGHT <= 0.0031308, _LIGHT * 12.92, 1.055 * _LIGHT ** (1 / 2.4) - 0.055).astype(np.float32)

# How far red, green and blue light reach behind skin's terminator, as a share of the key light's cosine.
_SKIN_WRAP = np.array([0.30, 0.12, 0.06], np.float32)
_SKIN_SPREAD = 1 / (1 + _SKIN_WRAP) ** 2


class Lighting(NamedTuple):
    """Where light and camera stand.

    Attributes:
        camera: Its distance from the origin along z, samples per unit of x over distance, and the sample (x, y) in
            which it sees the origin.
        key, fill: (2, 3) direction and colour.
        axes: (3, 3) right and up as seen from the key light, and towards it.
        shadow: (SHADOW_SIZE, SHADOW_SIZE) its depth map.
    """

    camera: tuple[float, float, float, float]
    key: Floats
    fill: Floats
    axes: Floats
    shadow: Floats


@compiled
def lit_vertices(normals: Floats, shelter: Floats, wrinkle: Floats, ambient: Floats) -> Floats:
    """(n, 8): normal, light from all around, shelter and strength of lines of each vertex, together in memory.

    Args:
        normals: (n, 3) in world axes.
        shelter: (n,) share of the surroundings that each vertex sees.
        wrinkle: (n,) strength of the lines.
        ambient: (3, 4, 4) quadratic form of the normal (x, y, z, 1) for each colour.
    """
    lit = np.empty((len(normals), 8), np.float32)
    for i in range(len(normals)):
        x, y, z = normals[i, 0], normals[i, 1], normals[i, 2]
        lit[i, 0], lit[i, 1], lit[i, 2], lit[i, 6], lit[i, 7] = x, y, z, shelter[i], wrinkle[i]
        for k in range(3):
            total = ambient[k, 3, 3] + 2 * (ambient[k, 0, 3] * x + ambient[k, 1, 3] * y + ambient[k, 2, 3] * z)
            total += ambient[k, 0, 0] * x * x + ambient[k, 1, 1] * y * y + ambient[k, 2, 2] * z * z
            total += 2 * (ambient[k, 0, 1] * x * y + ambient[k, 0, 2] * x * z + ambient[k, 1, 2] * y * z)
            # What little light reaches a fold has been coloured red by the skin around it.
            seen = shelter[i] * (1.3 - 0.3 * shelter[i]) if k == 0 else shelter[i]
            lit[i, 3 + k] = max(0.0, total) * seen
    return lit


@compiled
def shade(
    owner: Ints, weights: Floats, depth: Floats, surface: Surface, lighting: Lighting, background: Floats
) -> Floats:
    """(h / 2, w / 2, 3) the mean of four samples for each pixel.

    Args:
        owner, weights, depth: (h, w), (h, w, 2) and (h, w) from the rasteriser.
        surface: What is drawn.
        lighting: How it is lit and seen.
        background: (h / 2, w / 2, 3).
    """
    # Fields are taken out once: numba counts references at every access to a tuple of arrays.
    triangles, parts, uv, lit, mean_face, strand, texture, turn, colours, eyes, shine, pupil, handed = surface
    camera, key, fill, axes, shadow = lighting
    away, scale, middle_x, middle_y = camera
    shrink = np.float32(1 / scale)
    height, width = owner.shape[0] // 2, owner.shape[1] // 2
    out = np.zeros((height, width, 3), np.float32)
    for y in range(height):
        for x in range(width):
            whole = _one_part(owner, parts, 2 * y, 2 * x)
            share, kept = (np.float32(0.25), np.float32(1)) if whole else (np.float32(1), np.float32(0))
            mean_x = mean_y = mean_z = base_red = base_green = base_blue = np.float32(0)
            around_red = around_green = around_blue = glossy = open_ = far = np.float32(0)
            for sample in range(4):
                row, column = 2 * y + sample // 2, 2 * x + sample % 2
                t = owner[row, column]
                if t < 0:
                    for k in range(3):
                        out[y, x, k] += np.float32(0.25) * background[y, x, k]
                    continue
                wb, wc = weights[row, column, 0], weights[row, column, 1]
                at = (triangles[t, 0], triangles[t, 1], triangles[t, 2], np.float32(1) - (wb + wc), wb, wc)
                part = parts[t]
                nx, ny, nz = between(lit, 0, at)
                if part == SKIN:
                    v, u = texel_of(uv, t, at, texture.shape[0])
                    strength = one_between(lit, 7, at)
                    sx, sy, sz = _tilt(turn, texture, v, u, strength)
                    nx, ny, nz = nx - sx, ny - sy, nz - sz
                    red, green, blue, gloss, power = skin(texture, v, u, strength, shine)
                else:
                    qx, qy, qz = between(mean_face, 0, at)
                    if part == EYE:
                        red, green, blue, gloss, power = eye(qx, qy, qz, eyes, colours, pupil, handed)
                    elif part in (TEETH, MOUTH):
                        red, green, blue, gloss, power = inside(part, qz)
                    else:
                        place = one_between(strand, 0, at)
                        red, green, blue, gloss, power = outside(part, qx * handed, qy, place, colours, shine)
                ambient_red, ambient_green, ambient_blue = between(lit, 3, at)
                # Where all four samples lie on one part their surfaces are averaged and lit once.
                mean_x, mean_y, mean_z = (
                    kept * mean_x + share * nx,
                    kept * mean_y + share * ny,
                    kept * mean_z + share * nz,
                )
                base_red, base_green, base_blue = (
                    kept * base_red + share * red,
                    kept * base_green + share * green,
                    kept * base_blue + share * blue,
                )
                around_red, around_green, around_blue = (
                    kept * around_red + share * ambient_red,
                    kept * around_green + share * ambient_green,
                    kept * around_blue + share * ambient_blue,
                )
                glossy = kept * glossy + share * gloss
                open_ = kept * open_ + share * one_between(lit, 6, at)
                far = kept * far + share * depth[row, column]
                if whole and sample < 3:
                    continue
                right = 2 * x + 1 if whole else column + 0.5
                down = 2 * y + 1 if whole else row + 0.5
                px = np.float32(right - middle_x) * far * shrink
                py = np.float32(middle_y - down) * far * shrink
                nx, ny, nz = _unit(mean_x, mean_y, mean_z)
                vx, vy, vz = _unit(-px, -py, far)
                arrives = _arriving(px, py, np.float32(away) - far, axes, shadow)
                graze = max(np.float32(0), 1 - max(np.float32(0), vx * nx + vy * ny + vz * nz))
                gloss = glossy * (np.float32(0.04) + np.float32(0.5) * graze * graze * graze * graze)
                on_key, bright_key = _lit(nx, ny, nz, vx, vy, vz, key, power)
                on_fill, bright_fill = _lit(nx, ny, nz, vx, vy, vz, fill, power)
                bright_key *= arrives * gloss
                bright_fill *= gloss
                nearby = np.float32(0.5) + np.float32(0.5) * open_
                wraps = 1 if part <= HEAD else 0
                for k in range(3):
                    wrap = wraps * _SKIN_WRAP[k]
                    # Scattering carries a little light into the shadow's edge.
                    direct = key[1, k] * max(np.float32(0), on_key + wrap) * max(arrives, np.float32(0.35) * wrap)
                    direct += fill[1, k] * max(np.float32(0), on_fill + wrap)
                    spread = nearby * (wraps * _SKIN_SPREAD[k] + (1 - wraps))
                    base = base_red if k == 0 else base_green if k == 1 else base_blue
                    ambient = around_red if k == 0 else around_green if k == 1 else around_blue
                    light = base * (ambient + direct * spread) + ambient * gloss * np.float32(0.5)
                    light += key[1, k] * bright_key + fill[1, k] * bright_fill
                    out[y, x, k] += light if whole else np.float32(0.25) * light
    return out


@compiled
def _one_part(owner: Ints, parts: NDArray[np.uint8], row: int, column: int) -> bool:
    """Whether all four samples of a pixel show one part of the sitter."""
    a, b, c, d = owner[row, column], owner[row, column + 1], owner[row + 1, column], owner[row + 1, column + 1]
    if min(a, b, c, d) < 0:
        return False
    return parts[a] == parts[b] and parts[a] == parts[c] and parts[a] == parts[d]


@compiled
def _tilt(turn: Floats, texture: Floats, row: int, column: int, strength: float) -> tuple[float, float, float]:
    """How the lines' slope tilts the normal, in world axes."""
    x, y, z = texture[row, column, 3], texture[row, column, 4], texture[row, column, 5]
    return (
        strength * (turn[0, 0] * x + turn[0, 1] * y + turn[0, 2] * z),
        strength * (turn[1, 0] * x + turn[1, 1] * y + turn[1, 2] * z),
        strength * (turn[2, 0] * x + turn[2, 1] * y + turn[2, 2] * z),
    )


@compiled
def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    shrink = 1 / np.sqrt(x * x + y * y + z * z + np.float32(1e-9))
    return x * shrink, y * shrink, z * shrink


@compiled
def _lit(
    x: float, y: float, z: float, vx: float, vy: float, vz: float, light: Floats, power: int
) -> tuple[float, float]:
    """Cosine of a light on the normal (x, y, z), and Blinn and Phong's highlight of it seen from (vx, vy, vz)."""
    along = light[0, 0] * x + light[0, 1] * y + light[0, 2] * z
    if along <= 0:
        return along, np.float32(0)
    hx, hy, hz = light[0, 0] + vx, light[0, 1] + vy, light[0, 2] + vz
    half = max(np.float32(0), hx * x + hy * y + hz * z) / np.sqrt(hx * hx + hy * hy + hz * hz)
    # Below, even the widest highlight is too faint to see.
    return along, np.float32(along * (power + 2) / 8 * half**power) if half > 0.6 else np.float32(0)


@compiled
def _arriving(x: float, y: float, z: float, axes: Floats, shadow: Floats) -> float:
    """Share of the key light that arrives at a place, blended over four texels of its depth map."""
    right = axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z
    up = axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z
    behind = -(axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z)
    u = (right / SHADOW_HALF_CM + 1) * 0.5 * SHADOW_SIZE - 0.5
    v = (1 - up / SHADOW_HALF_CM) * 0.5 * SHADOW_SIZE - 0.5
    column, row = int(np.floor(u)), int(np.floor(v))
    if min(column, row) < 0 or max(column, row) >= SHADOW_SIZE - 1:
        return np.float32(1)
    fu, fv = u - column, v - row
    top = (1 - fu) * _open(behind - shadow[row, column]) + fu * _open(behind - shadow[row, column + 1])
    bottom = (1 - fu) * _open(behind - shadow[row + 1, column]) + fu * _open(behind - shadow[row + 1, column + 1])
    return np.float32((1 - fv) * top + fv * bottom)


@compiled
def _open(gap: float) -> float:
    """1 where nothing lies between a place and the light, 0 where something does, and a soft step between."""
    return 1 - min(1.0, max(0.0, (gap - _BIAS_CM) / 0.25))


@compiled
def blurred(picture: Floats, line: Floats) -> Floats:
    """The picture (h, w, 3) under the filter `line` (5,) in both directions; its edge pixels go on beyond it."""
    height, width = picture.shape[:2]
    across, out = np.empty_like(picture), np.empty_like(picture)
    for y in range(height):
        for x in range(width):
            left, lefter = max(x - 1, 0), max(x - 2, 0)
            right, righter = min(x + 1, width - 1), min(x + 2, width - 1)
            for k in range(3):
                across[y, x, k] = line[2] * picture[y, x, k] + (
                    line[1] * (picture[y, left, k] + picture[y, right, k])
                    + line[0] * (picture[y, lefter, k] + picture[y, righter, k])
                )
    for y in range(height):
        up, upper, down, downer = max(y - 1, 0), max(y - 2, 0), min(y + 1, height - 1), min(y + 2, height - 1)
        for x in range(width):
            for k in range(3):
                out[y, x, k] = line[2] * across[y, x, k] + (
                    line[1] * (across[up, x, k] + across[down, x, k])
                    + line[0] * (across[upper, x, k] + across[downer, x, k])
                )
    return out


@compiled
def expose(
    picture: Floats, grain: Floats, tint: Floats, exposure: float, noise: float, grey: bool
) -> NDArray[np.uint8]:
    """The picture (h, w, 3) in linear light as sRGB.

    Args:
        picture: Linear light, 1 is white.
        grain: (h, w) unit noise of brightness.
        tint: (h / 2, w / 2, 3) unit noise of colour.
        exposure: Factor.
        noise: Size of the noise at white; it grows with the square root of the light.
        grey: Whether colour is left out.
    """
    height, width = grain.shape
    out = np.empty((height, width, 3), np.uint8)
    colour = np.zeros(3, np.float32)
    for y in range(height):
        for x in range(width):
            for k in range(3):
                light = picture[y, x, k] * exposure
                if light > 0.6:
                    # A shoulder keeps bright skin from clipping hard.
                    light = 1 - 0.4 * np.exp((0.6 - light) / 0.4)
                speck = 0.8 * grain[y, x] + 0.6 * tint[y // 2, x // 2, k]
                light = min(1.0, max(0.0, light + noise * np.sqrt(max(light, 0.01)) * speck))
                colour[k] = _SRGB[int(light * 16384 + 0.5)]
            if grey:
                colour[:] = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
            for k in range(3):
                out[y, x, k] = np.uint8(colour[k] * 255 + 0.5)
    return out
