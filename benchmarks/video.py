"""Video: frames per second and memory of `facialpalsy analyze` on 720p clips of 10 seconds and 10 minutes.

    FACIALPALSY_ASSETS=... python benchmarks/video.py

The clip is the Pexels one, enlarged to 720p and repeated by copying packets. Peak memory is that of the process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av

SHORT_S, LONG_S, FPS = 10, 600, 25


def main() -> None:
    """Print one row per clip and the ratio of their peaks."""
    source = Path(os.environ.get("FACIALPALSY_ASSETS", "")) / "expressions_pexels.mp4"
    if not source.is_file():
        sys.exit("Set FACIALPALSY_ASSETS to the folder that holds expressions_pexels.mp4.")
    with tempfile.TemporaryDirectory() as folder:
        short, long = Path(folder, "short.mp4"), Path(folder, "long.mp4")
        enlarge(source, short, SHORT_S * FPS)
        repeat(short, long, LONG_S // SHORT_S)
        print("| clip | frames | frames/s, start and report included | peak MB |\n|---|---|---|---|")
        peaks = []
        for name, path, seconds in (("10 s", short, SHORT_S), ("10 min", long, LONG_S)):
            wall, peak = analyse(path, Path(folder, name.replace(" ", "")))
            frames = seconds * FPS
            peaks.append(peak)
            print(f"| {name}, 1280 x 720 | {frames} | {frames / wall:.0f} | {peak:.0f} |", flush=True)
        print(f"\nPeak of 10 min over 10 s: {peaks[1] / peaks[0]:.3f}")


def enlarge(source: Path, target: Path, frames: int) -> None:
    """The first `frames` frames at 1280 x 720 and a constant rate."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        stream = writer.add_stream("libx264", rate=FPS, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for index, frame in enumerate(reader.decode(video=0)):
            if index == frames:
                break
            larger = frame.reformat(1280, 720, "yuv420p")
            larger.pts, larger.time_base = index, Fraction(1, FPS)
            writer.mux(stream.encode(larger))
        writer.mux(stream.encode(None))


def repeat(source: Path, target: Path, times: int) -> None:
    """The clip many times over, without encoding it anew."""
    with av.open(str(target), "w") as writer:
        with av.open(str(source)) as reader:
            stream = writer.add_stream_from_template(reader.streams.video[0])
        for turn in range(times):
            with av.open(str(source)) as reader:
                template = reader.streams.video[0]
                length = round(SHORT_S / template.time_base)
                for packet in reader.demux(template):
                    if packet.dts is not None:
                        packet.dts += turn * length
                        packet.pts += turn * length
                        packet.stream = stream
                        writer.mux(packet)


def analyse(clip: Path, out: Path) -> tuple[float, float]:
    """Wall seconds and peak MB of one run in a process of its own."""
    command = [sys.executable, "-m", "facialpalsy", "analyze", str(clip), "--out", str(out), "--mirrored", "no"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"analyze failed on {clip.name}")
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return time.perf_counter() - start, usage.ru_maxrss / unit


if __name__ == "__main__":
    main()
