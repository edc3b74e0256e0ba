"""Docs: links resolve, marked snippets run, and the tables say what the code says.

A snippet is run where its fence says so: three backticks, the language (`sh` or `python`) and the word `run`. The
snippets of one page run in order in one folder that holds `photo.png` and an exam of two photos.
"""

import dataclasses
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image
from typer.main import get_command

from facialpalsy import assessment, errors
from facialpalsy.cli.main import app
from facialpalsy.clinical.expressions import ORDERS, Expression
from facialpalsy.clinical.ratings import ALLOWED
from facialpalsy.clinical.scales import thresholds
from facialpalsy.clinical.scales.result import Item
from facialpalsy.detect import DEFAULT_ENGINE, ENGINES, find_engine
from facialpalsy.face import IBUG68, MEDIAPIPE478
from facialpalsy.measure import DEFINITIONS, MOVEMENTS, REGIONS
from facialpalsy.report.tables import EXAM_COLUMNS, MEASURE_COLUMNS

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
}
FENCE = re.compile(r"^( *)```(.*)\n((?:.*\n)*?)\1```$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TIMEOUT_S = 120


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def rows(page: str) -> dict[str, list[str]]:
    """First code word of each table row that begins with one -> the row's cells."""
    found = [cells(line) for line in PAGES[page].splitlines() if line.startswith("| `")]
    return {row[0].split("`")[1]: row for row in found}


def anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", PAGES[page]), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_resolve(page: str) -> None:
    for target in LINK.findall(FENCE.sub("", PAGES[page])):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path.resolve().relative_to(ROOT).as_posix()), target


def test_readme_leads_to_every_page() -> None:
    linked = set(LINK.findall(PAGES["README.md"]))
    assert {page for page in PAGES if page.startswith("docs/")} <= linked


@pytest.mark.parametrize("page", PAGES)
def test_no_machine_paths_and_no_loose_ends(page: str) -> None:
    assert not re.search(r"/(home|root|tmp|work|Users)/|\b[A-Z]:\\|TODO|FIXME|XXX", PAGES[page])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = pytest.importorskip("skimage.data", reason="the snippets use the portrait of scikit-image (extra demo)")
    portrait = Image.fromarray(data.astronaut())
    (tmp_path / "exam").mkdir()
    for name in ("photo.png", "exam/rest.png", "exam/smile_open.png"):
        portrait.save(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("page", [page for page, text in PAGES.items() if " run\n" in text])
def test_marked_snippets_run(page: str, folder: Path) -> None:
    commands = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    runners = {"sh run": ["bash", "-euo", "pipefail", "-c"], "python run": [sys.executable, "-c"]}
    snippets = [(runners[kind], code) for _, kind, code in FENCE.findall(PAGES[page]) if kind.endswith(" run")]
    assert snippets
    for runner, code in snippets:
        done = subprocess.run(
            [*runner, code], cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        assert done.returncode == 0, f"{code}\n{done.stderr}"


def options() -> dict[str, dict[str, object]]:
    """Command -> option -> default, as the command line has them."""
    found = {}
    waiting = [("", get_command(app))]
    while waiting:
        name, command = waiting.pop()
        children = getattr(command, "commands", None)
        if children is not None:
            waiting += [(f"{name} {child}".strip(), one) for child, one in children.items()]
            continue
        found[name] = {"--help": None}
        for parameter in command.params:
            if parameter.param_type_name == "option":
                names = [*parameter.opts, *parameter.secondary_opts]
                found[name] |= dict.fromkeys(names, parameter.default)
    return found


def documented_options() -> dict[str, dict[str, str]]:
    """Command -> option -> cell of its default, as the page has them."""
    found = {}
    for section in re.split(r"^## facialpalsy ", PAGES["docs/reference/commands.md"], flags=re.MULTILINE)[1:]:
        name = " ".join(word for word in section.splitlines()[0].split() if word.islower())
        table = [cells(line) for line in section.splitlines() if line.startswith("| `--")]
        found[name] = {option: row[1] for row in table for option in re.findall(r"`(--[a-z-]+)", row[0])}
    return found


def test_commands_page_names_every_option_and_no_other() -> None:
    documented = {command: set(names) for command, names in documented_options().items()}
    assert documented == {command: set(names) for command, names in options().items()}


def test_commands_page_has_the_defaults() -> None:
    documented = documented_options()
    for command, found in options().items():
        for option, default in found.items():
            if isinstance(default, int | float) and not isinstance(default, bool):
                assert documented[command][option] == f"{default:g}"
            elif isinstance(default, str):
                assert documented[command][option] == f"`{default}`"


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_snippets_have_options_that_exist(page: str) -> None:
    known = options()
    code = "".join(code for _, _, code in FENCE.findall(PAGES[page]))
    for line in re.findall(r"^ *facialpalsy ([^|\n]*)", code, re.MULTILINE):
        command = next(name for name in known if line.startswith(name))
        assert set(re.findall(r"(?<!\S)--[a-z-]+", line)) <= set(known[command]), line


def test_errors_page_names_every_error_and_no_other() -> None:
    classes = dict(inspect.getmembers(errors, inspect.isclass))
    named = {name for name, kind in classes.items() if issubclass(kind, errors.FacialPalsyError)}
    assert set(rows("docs/reference/errors.md")) == named


def test_measures_page_names_every_measure_and_movement() -> None:
    page = rows("docs/reference/measures.md")
    assert set(page) == {one.name for one in (*DEFINITIONS, *MOVEMENTS)}
    for definition in DEFINITIONS:
        assert page[definition.name][2] == definition.unit
    for movement in MOVEMENTS:
        assert set(re.findall(r"`(\w+)`", page[movement.name][1])) == set(movement.expressions)


def test_asymmetry_page_has_the_regions() -> None:
    lines = [cells(line) for line in PAGES["docs/reference/asymmetry.md"].splitlines() if line.startswith("| ")]
    page = {row[0]: set(re.findall(r"`(\w+)`", row[1])) for row in lines if row[0] in REGIONS}
    assert page == {region: {one.name for one in DEFINITIONS if one.region == region} for region in REGIONS}


def constants(module: ModuleType) -> dict[str, tuple[float, ...]]:
    found = {name: value for name, value in vars(module).items() if name.isupper()}
    return {name: value if isinstance(value, tuple) else (value,) for name, value in found.items()}


def test_scales_page_has_the_thresholds() -> None:
    page = rows("docs/reference/scales.md")
    for name, values in constants(thresholds).items():
        assert tuple(float(number) for number in page[name][1].split(", ")) == values, name


def test_assessment_page_names_every_field() -> None:
    page = PAGES["docs/reference/assessment.md"]
    for name in assessment.__all__:
        kind = getattr(assessment, name)
        fields = getattr(kind, "model_fields", None) or getattr(kind, "__dataclass_fields__", {})
        for field in fields:
            if name not in ("RegionScore", "Asymmetry"):
                assert f"`{field.removesuffix('_')}`" in page, f"{name}.{field}"
    for field in dataclasses.fields(Item):
        assert f"`{field.name}`" in page, field.name


def test_published_schema_is_the_current_one() -> None:
    published = json.loads((ROOT / "docs/reference/assessment.schema.json").read_text("utf-8"))
    assert published == assessment.json_schema()


def test_tables_page_names_every_column() -> None:
    for column in (*MEASURE_COLUMNS, *EXAM_COLUMNS):
        assert f"`{column}`" in PAGES["docs/reference/files.md"], column


def test_exam_pages_name_expressions_orders_and_rated_items() -> None:
    folder_page = PAGES["docs/how-to/exam-folder.md"]
    for expression in Expression:
        assert f"`{expression}`" in folder_page
        assert f"| `{expression}` |" in PAGES["docs/how-to/take-photos-for-an-exam.md"]
    for order in ORDERS:
        assert f"`--order {order}`" in folder_page
    for item in ALLOWED:
        assert f"{item.rpartition('.')[2]}`" in folder_page, item


def test_schemes_page_has_the_indices() -> None:
    page = PAGES["docs/reference/landmark-schemes.md"]
    for scheme in (MEDIAPIPE478, IBUG68):
        for name, indices in scheme.right_curves.items():
            if (scheme, name) != (IBUG68, "contour"):
                assert " ".join(map(str, indices)) in page, name
        for name, index in (*scheme.right_points.items(), *scheme.midline.items()):
            assert re.search(rf"\b{index}\b", page), name


def test_pages_state_the_engine_and_its_recovery() -> None:
    engine = find_engine(DEFAULT_ENGINE)
    slopes = [f"{slope:g}" for slope in engine.recovery.values()]
    assert engine.sha256 in PAGES["docs/reference/engines.md"]
    for page in ("README.md", "docs/concepts/noise-and-limits.md", "docs/reference/engines.md"):
        assert all(re.search(rf"\b{re.escape(slope)}\b", PAGES[page]) for slope in slopes), page


@pytest.mark.parametrize("name", ENGINES)
def test_engines_page_holds_every_card(name: str) -> None:
    engine = find_engine(name)
    section = re.split(rf"^## {name}$", PAGES["docs/reference/engines.md"], flags=re.MULTILINE)[1].split("\n## ")[0]
    slopes = ", ".join(f"{region} {slope:g}" for region, slope in engine.recovery.items())
    for fact in (engine.sha256, engine.licence, slopes):
        assert fact in section


def test_benchmarks_page_names_every_script() -> None:
    for script in sorted((ROOT / "benchmarks").glob("*.py")):
        if script.stem not in ("run_all", "demo"):
            assert f"benchmarks/{script.name}" in PAGES["docs/reference/benchmarks.md"]
