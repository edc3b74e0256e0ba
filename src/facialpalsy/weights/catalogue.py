"""Catalogue: what can be installed, by whom it was made, under which licence, and by which hash it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from facialpalsy.errors import UsageError, did_you_mean

_MIT = """\
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated \
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the \
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit \
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the \
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE \
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR \
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR \
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""

_APACHE = """\
Licensed under the Apache License, Version 2.0; you may not use this file except in compliance with the License, which \
is at http://www.apache.org/licenses/LICENSE-2.0. It is distributed on an "AS IS" BASIS, WITHOUT WARRANTIES OR \
CONDITIONS OF ANY KIND, either express or implied."""

_IBUG_300W = """\
These weights were learnt from the faces of iBUG 300-W, which its owners, the Intelligent Behaviour Understanding \
Group of Imperial College London, give for research and exclude from commercial use; dlib's author, who made the \
file, refers to them for any other use. The code of dlib is under the Boost Software License 1.0, which does not \
cover this file."""


@dataclass(frozen=True)
class Asset:
    """One thing that can be installed.

    Attributes:
        name: Name on the command line.
        title: What it is called by its owner.
        purpose: What it is needed for here.
        licence: SPDX identifier.
        licence_text: The licence, or the notice that stands for it; stored beside every copy.
        copyright: Who holds the rights.
        source: Where the owner publishes it, in words.
        accepts: What `--from` may name, in words.
        file: Name of the installed file.
        size: Bytes of that file.
        sha256: Of that file.
        contents: Array name -> SHA-256 of its values in C order, little-endian; empty where only the file counts. A
            file of another hash whose arrays are these is the same asset, packed otherwise.
    """

    name: str
    title: str
    purpose: str
    licence: str
    licence_text: str
    copyright: str
    source: str
    accepts: str
    file: str
    size: int
    sha256: str
    contents: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """The command that installs it."""
        return f"facialpalsy assets install {self.name} --from PATH"


ICT_FACEKIT = Asset(
    name="ict-facekit",
    title="ICT-FaceKit face model",
    purpose="synthetic patients",
    licence="MIT",
    licence_text=_MIT,
    copyright="Copyright (c) 2020 USC Institute for Creative Technologies",
    source="the GitHub repository ICT-VGL/ICT-FaceKit at commit da5f95a607f5e6b37755b38d3385d7f2853732e5",
    accepts="its zip archive, the unpacked folder, or an already converted ict_facekit.npz",
    file="ict_facekit.npz",
    size=16_920_321,
    sha256="cd3b85e5eb230da5ea72870d9b92191dbe62a03ac6a18e272518e45df6dda480",
    contents={
        "V": "92e87293b7e3c5bf2c013b94f15c0cf06f429cf046df6edfbfb719f77dd76781",
        "VT": "700440143151b836d41bf648aa9d176bdd782ad86bd85674726ed75de7513d02",
        "F": "8ab3c6fcb4f97d57fc9b5b6377ad687730ad039f558357f5cf16257cccf0a93b",
        "FT": "8064589b56cd23db551cd8aa20ba329c45b13dd3cf77c1c0ea15805e8ed6a169",
        "M": "283c47b7483382cf0b323a9f7fe832a3ab0ef1be6bfd574c3648411110c7812e",
        "E": "fc930387fc200d08555fbfdd6626a9f012217fbb9b96c038bf92d3cbc580ac6f",
        "I": "315c2d683eabdada64b255788526de9fe8044a9cf4a4bb76f8fbf6b019ff366e",
    },
)

FACE_LANDMARKER = Asset(
    name="face-landmarker",
    title="MediaPipe Face Landmarker (float16, version 1)",
    purpose="an optional landmark engine",
    licence="Apache-2.0",
    licence_text=_APACHE,
    copyright="Copyright The MediaPipe Authors, Google LLC",
    source="the model page of the Face Landmarker in Google's MediaPipe documentation",
    accepts="the file face_landmarker.task",
    file="face_landmarker.task",
    size=3_758_596,
    sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
)

DLIB_68 = Asset(
    name="dlib",
    title="68-point shape predictor of dlib",
    purpose="an optional landmark engine, for fidelity to work that used it; research only",
    licence="LicenseRef-iBUG-300-W",
    licence_text=_IBUG_300W,
    copyright="Davis E. King; the faces: Intelligent Behaviour Understanding Group, Imperial College London",
    source="the files page of dlib or the GitHub repository davisking/dlib-models",
    accepts="the unpacked file shape_predictor_68_face_landmarks.dat",
    file="shape_predictor_68_face_landmarks.dat",
    size=99_693_937,
    sha256="fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
)

ASSETS: Mapping[str, Asset] = {asset.name: asset for asset in (ICT_FACEKIT, FACE_LANDMARKER, DLIB_68)}


def find_entry(name: str) -> Asset:
    """The catalogue's entry `name`.

    Raises:
        UsageError: there is none.
    """
    if name not in ASSETS:
        raise UsageError(f"{name!r} is no asset. {did_you_mean(name, ASSETS)}")
    return ASSETS[name]
