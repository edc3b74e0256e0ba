"""`python -m facialpalsy` is the command `facialpalsy`."""

from facialpalsy.cli.main import run

run()
