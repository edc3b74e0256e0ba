"""Every benchmark one after the other, as one Markdown page on standard output."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPTS = (
    "start",
    "video",
    "recovery",
    "norms_london",
    "pose",
    "healthy_asymmetry",
    "synth",
    "htnet",
    "grader",
    "vitau",
)


def main() -> None:
    """Run each script; the docstring's first line is its heading."""
    failed = []
    for name in SCRIPTS:
        path = Path(__file__).with_name(f"{name}.py")
        heading = path.read_text("utf-8").split('"""')[1].splitlines()[0]
        print(f"\n## {heading}\n", flush=True)
        if subprocess.run([sys.executable, str(path)], check=False).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
