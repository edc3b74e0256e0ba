"""Drawn pictures and clips, and what a reading of them says by kind of problem."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from facialpalsy.datasets import Corpus, read_corpus


def drawn(seed: int, size: tuple[int, int] = (64, 64)) -> np.ndarray:
    """Coloured blotches, large and small as in photos, others for every seed."""
    generator = np.random.default_rng(seed)
    layers = [generator.integers(0, 256, (side, side, 3), np.uint8) for side in (4, 8, 16, 32)]
    resized = [np.asarray(Image.fromarray(layer).resize(size, Image.Resampling.BICUBIC), float) for layer in layers]
    return np.average(resized, axis=0, weights=[8, 4, 2, 1]).astype(np.uint8)


@pytest.fixture(scope="session")
def picture() -> Callable[..., Path]:
    """Draw a picture; each name gives another one unless a seed is given."""

    def draw(path: Path, seed: int | None = None, size: tuple[int, int] = (64, 64), grey: bool = False) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        number = (
            sum(ord(one) * 31**place for place, one in enumerate("/".join(path.parts[-3:]))) if seed is None else seed
        )
        image = Image.fromarray(drawn(number % 2**32, size))
        (image.convert("L") if grey else image).save(path)
        return path

    return draw


@pytest.fixture(scope="session")
def clip() -> Callable[..., Path]:
    """Write a clip of a few frames."""

    def write(path: Path, frames: int = 3) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as output:
            stream = output.add_stream("mjpeg" if path.suffix.lower() == ".avi" else "libx264", rate=25)
            stream.width, stream.height = 64, 64
            stream.pix_fmt = "yuvj420p" if path.suffix.lower() == ".avi" else "yuv420p"
            for index in range(frames):
                for packet in stream.encode(av.VideoFrame.from_ndarray(drawn(index), format="rgb24")):
                    output.mux(packet)
            for packet in stream.encode():
                output.mux(packet)
        return path

    return write


@pytest.fixture(scope="session")
def text() -> Callable[[Path, str], Path]:
    """Write a text file, its folders with it."""

    def write(path: Path, content: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def workbook() -> Callable[[Path, list[list[object]]], Path]:
    """Write rows as the first sheet of an .xlsx file."""
    openpyxl = pytest.importorskip("openpyxl")

    def write(path: Path, rows: list[list[object]]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
        return path

    return write


class Read:
    """A corpus with its samples by key and the paths of its problems by kind."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.samples = {one.key: one for one in corpus.samples}
        self.clips = {one.key: one for one in corpus.clips}
        self.problems: dict[str, list[str]] = defaultdict(list)
        for problem in corpus.problems:
            self.problems[problem.kind.value].append(problem.path)
        self.messages = [f"{one.path}: {one.message}" for one in corpus.problems]

    def said(self, *words: str) -> bool:
        """Whether one problem holds all these words."""
        return any(all(word in message for word in words) for message in self.messages)


@pytest.fixture
def read() -> Callable[..., Read]:
    return lambda root, layout, **options: Read(read_corpus(root, layout, **options))
