"""Command line: `facialpalsy COMMAND`. A wrong value is one sentence and exit 2, failed inputs exit 1, else 0."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.metadata import version as package_version
from typing import Annotated

import typer

from facialpalsy.cli import analyze, assets, data, evaluate, explain, info, norms, prepare, simulate, synth, train
from facialpalsy.errors import FacialPalsyError, InputNotFoundError, UsageError

_STOPPED = 130

app = typer.Typer(
    name="facialpalsy",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("analyze")(analyze.analyze)
app.command("simulate")(simulate.simulate)
app.command("synth")(synth.synth)
app.command("prepare")(prepare.prepare)
app.command("evaluate")(evaluate.evaluate)
app.command("explain")(explain.explain)
app.command("info")(info.info)
app.add_typer(norms.app, name="norms")
app.add_typer(assets.app, name="assets")
app.add_typer(data.app, name="data")
app.add_typer(train.app, name="train")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"facialpalsy {package_version('facialpalsy')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Measure, grade and explain facial palsy from photos and videos.

    Research and education only; not a medical device.
    """


def run() -> None:
    """Entry point of the console script."""
    code = main()
    if code == _STOPPED:
        # Threads of the landmark engine may still be at work, which Python's own way out does not always survive.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    return exit_code(lambda: app(arguments, standalone_mode=False))


def exit_code(work: Callable[[], object]) -> int:
    """Do `work`, say in one sentence what goes wrong, and return the exit code."""
    code: object
    try:
        code = work()
    except typer.Exit as done:
        code = done.exit_code
    except typer.TyperException as wrong:
        code = _help(wrong) if type(wrong).__name__ == "NoArgsIsHelpError" else _complain(_sentence(wrong), 2)
    except (UsageError, InputNotFoundError) as wrong:
        # Inputs that are missing are rows of the result; what comes up to here is a wrong value of an option.
        code = _complain(str(wrong), 2)
    except FacialPalsyError as failed:
        code = _complain(f"{type(failed).__name__}: {failed}", 1)
    except (KeyboardInterrupt, typer.Abort):
        code = _STOPPED
    except BrokenPipeError:
        # The reader of a pipe went away: nothing is left to say, also not while Python closes stdout.
        _discard_output()
        code = 1
    except OSError as error:
        _discard_output()
        code = _complain(
            f"OutputError: Cannot write to standard output: {error.strerror}; check where it is sent to.", 1
        )
    # Typer turns the key that stops a command into this code on its own.
    if code == _STOPPED:
        _complain(
            "Stopped. What was finished is whole; run the same command again (analyze: with --resume) to do the rest.",
            _STOPPED,
        )
    return code if isinstance(code, int) else 0


def _discard_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _help(asked: typer.TyperException) -> int:
    """A command without its arguments asks for help."""
    typer.echo(str(getattr(asked, "message", asked)))
    return 0


def _sentence(wrong: typer.TyperException) -> str:
    message = getattr(wrong, "format_message", wrong.__str__)()
    return " ".join(str(message).replace("Value error, ", "").split())


def _complain(sentence: str, code: int) -> int:
    typer.echo(f"facialpalsy: {sentence}", err=True)
    return code
