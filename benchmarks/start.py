"""Start: time of `import facialpalsy` and of `analyze` on one photo, report included.

python benchmarks/start.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import skimage.data
from PIL import Image

TIMES = 5


def main() -> None:
    """Print medians over fresh processes, interleaved."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder, "astronaut.png")
        Image.fromarray(skimage.data.astronaut()).save(photo)
        commands = {
            "python starts": ["-c", "pass"],
            "import facialpalsy": ["-c", "import facialpalsy"],
            "analyze one photo, report included": [
                *("-m", "facialpalsy", "analyze", str(photo), "--out", folder, "--mirrored", "no"),
            ],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(TIMES):
            for name, command in commands.items():
                start = time.perf_counter()
                subprocess.run([sys.executable, *command], check=True, stderr=subprocess.DEVNULL)
                seconds[name].append(time.perf_counter() - start)
    print("| what | median s | range |\n|---|---|---|")
    for name, values in seconds.items():
        print(f"| {name} | {statistics.median(values):.2f} | {min(values):.2f}-{max(values):.2f} |")
    code = "import sys, facialpalsy; print('torch' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    print(f"\ntorch loaded by import facialpalsy: {loaded}")


if __name__ == "__main__":
    main()
