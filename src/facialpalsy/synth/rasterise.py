"""Rasterise: triangles to pixels by a z-buffer, and a face model bent into a shape, in numba on one thread.

Everything runs in a fixed order on one thread, so the same input gives the same pixels on any number of processes.
Sums over a triangle's second and third corner are bracketed: these two exchange places in a mirror image, and so the
result is the same to the last bit.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

_STRAND_ENDS_CM = np.random.default_rng(0).normal(0, 0.3, 1024).clip(-0.9, 0.9).astype(np.float32)
_LONGEST_END_CM = 0.9


@njit(cache=True, nogil=True, error_model="numpy")
def add_shape(vertices: Floats, indices: Ints, deltas: Floats, weight: float) -> None:
    """Add `weight` times a sparse shape to `vertices` (n, 3), in place."""
    for k in range(len(indices)):
        i = indices[k]
        for axis in range(3):
            vertices[i, axis] += np.float32(weight) * deltas[k, axis]


@njit(cache=True, nogil=True, error_model="numpy")
def vertex_normals(vertices: Floats, triangles: Ints) -> Floats:
    """(n, 3) unit normals, the area-weighted mean over the triangles of each vertex."""
    normals = np.zeros_like(vertices)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
        vx, vy, vz = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for i in (a, b, c):
            normals[i, 0] += nx
            normals[i, 1] += ny
            normals[i, 2] += nz
    for i in range(len(normals)):
        length = np.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2)
        if length > 0:
            for axis in range(3):
                normals[i, axis] /= length
    return normals


@njit(cache=True, nogil=True, error_model="numpy")
def rasterise(screen: Floats, triangles: Ints, depth: Floats, owner: Ints, weights: Floats, first: int) -> None:
    """Draw triangles into the buffers, in place; the nearer surface stays.

    Args:
        screen: (n, 3) x and y in pixels (pixel centres at .5), and distance from the camera.
        triangles: (m, 3); only those that face the camera are drawn.
        depth: (h, w) distance of what is seen, infinite where nothing is.
        owner: (h, w) `first` plus the number of the triangle that is seen, -1 where nothing is.
        weights: (h, w, 2) its barycentric weights of the second and third corner.
        first: Number of the first triangle, so that several meshes share the buffers.
    """
    height, width = depth.shape
    one, half = np.float32(1), np.float32(0.5)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        xa, ya, za = screen[a, 0], screen[a, 1], screen[a, 2]
        xb, yb, zb = screen[b, 0], screen[b, 1], screen[b, 2]
        xc, yc, zc = screen[c, 0], screen[c, 1], screen[c, 2]
        # Twice the signed area: with y downwards, a triangle that is counter-clockwise from outside has it negative.
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        if area >= 0 or za <= 0 or zb <= 0 or zc <= 0:
            continue
        x0 = max(0, int(np.ceil(min(xa, xb, xc) - 0.5)))
        x1 = min(width - 1, int(np.floor(max(xa, xb, xc) - 0.5)))
        y0 = max(0, int(np.ceil(min(ya, yb, yc) - 0.5)))
        y1 = min(height - 1, int(np.floor(max(ya, yb, yc) - 0.5)))
        if x1 < x0 or y1 < y0:
            continue
        inverse = one / area
        bx, by = (yc - ya) * inverse, (xc - xa) * inverse
        cx, cy = (yb - ya) * inverse, (xb - xa) * inverse
        zb, zc = zb - za, zc - za
        for y in range(y0, y1 + 1):
            down = np.float32(y) + half - ya
            b_row, c_row = down * by, down * cy
            for x in range(x0, x1 + 1):
                right = np.float32(x) + half - xa
                wb = right * bx - b_row
                wc = c_row - right * cx
                if wb < 0 or wc < 0 or wb + wc > one:
                    continue
                z = za + (wb * zb + wc * zc)
                if z < depth[y, x]:
                    depth[y, x] = z
                    owner[y, x] = first + t
                    weights[y, x, 0] = wb
                    weights[y, x, 1] = wc


@njit(cache=True, nogil=True, error_model="numpy")
def rasterise_hair(
    screen: Floats,
    triangles: Ints,
    cut: Floats,
    strand: Floats,
    depth: Floats,
    owner: Ints,
    weights: Floats,
    first: int,
) -> None:
    """As `rasterise`, but only where `cut` is below the strands' ragged ends; both faces of the shell are drawn."""
    height, width = depth.shape
    one, half = np.float32(1), np.float32(0.5)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        if min(cut[a], cut[b], cut[c]) > _LONGEST_END_CM:
            continue
        xa, ya, za = screen[a, 0], screen[a, 1], screen[a, 2]
        xb, yb, zb = screen[b, 0], screen[b, 1], screen[b, 2]
        xc, yc, zc = screen[c, 0], screen[c, 1], screen[c, 2]
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        if area == 0 or za <= 0 or zb <= 0 or zc <= 0:
            continue
        x0 = max(0, int(np.ceil(min(xa, xb, xc) - 0.5)))
        x1 = min(width - 1, int(np.floor(max(xa, xb, xc) - 0.5)))
        y0 = max(0, int(np.ceil(min(ya, yb, yc) - 0.5)))
        y1 = min(height - 1, int(np.floor(max(ya, yb, yc) - 0.5)))
        inverse = one / area
        bx, by = (yc - ya) * inverse, (xc - xa) * inverse
        cx, cy = (yb - ya) * inverse, (xb - xa) * inverse
        ragged = max(cut[a], cut[b], cut[c]) > -_LONGEST_END_CM
        for y in range(y0, y1 + 1):
            down = np.float32(y) + half - ya
            b_row, c_row = down * by, down * cy
            for x in range(x0, x1 + 1):
                right = np.float32(x) + half - xa
                wb = right * bx - b_row
                wc = c_row - right * cx
                wa = one - (wb + wc)
                if wb < 0 or wc < 0 or wa < 0:
                    continue
                z = wa * za + (wb * zb + wc * zc)
                if z >= depth[y, x]:
                    continue
                if ragged:
                    place = wa * strand[a] + (wb * strand[b] + wc * strand[c])
                    end = _STRAND_ENDS_CM[int(np.floor(place * 6)) & 1023]
                    if wa * cut[a] + (wb * cut[b] + wc * cut[c]) > end:
                        continue
                depth[y, x] = z
                owner[y, x] = first + t
                weights[y, x, 0] = wb
                weights[y, x, 1] = wc
