"""Printing: tables of grades, of palsies and of landmarks as Markdown, as LaTeX and as rows of a CSV file."""

from __future__ import annotations

import re
from collections.abc import Mapping

from facialpalsy.datasets.corpus import number_of
from facialpalsy.errors import UsageError
from facialpalsy.evaluation.bootstrap import Estimate
from facialpalsy.evaluation.exam_grade import GRADES
from facialpalsy.evaluation.figures import FIGURES
from facialpalsy.evaluation.grading import Estimates, GradeTable
from facialpalsy.evaluation.landmarks import FIGURES as LANDMARK_FIGURES
from facialpalsy.evaluation.landmarks import LandmarkTable
from facialpalsy.evaluation.palsy import AUC, PalsyTable
from facialpalsy.evaluation.palsy import FIGURES as PALSY_FIGURES

ROMAN = dict(zip(GRADES, ("I", "II", "III", "IV", "V", "VI"), strict=True))
Cell = str | float | None

_END = " \\\\"  # of a row in LaTeX

_PALSY_TITLES = {name: figure.title for name, figure in PALSY_FIGURES.items()} | {AUC: "Area under the ROC curve"}


def markdown(tables: Mapping[str, GradeTable]) -> str:
    """One table of all methods and the two baselines, what was withheld, and a confusion table for each method.

    Args:
        tables: Name of the method -> its table, all of the same exams; the baselines are those of the first.

    Raises:
        UsageError: there is no table, or they are not of the same exams.
    """
    columns, notes = _columns(tables), dict[str, int]()
    first = next(iter(tables.values()))
    names = list(columns)
    lines = [
        f"{first.people} people, {first.exams} exams, {first.photos} photos. Intervals: 95 %, people drawn anew.",
        "",
        f"| figure | n | {' | '.join(names)} |",
        f"|---|---|{'---|' * len(names)}",
    ]
    for name, figure in FIGURES.items():
        found = [columns[column][name] for column in names]
        most = max(one.rows for one in found)
        cells = [_cell(one, most, notes, percent=figure.percent) for one in found]
        lines.append(f"| {figure.title} | {most} | {' | '.join(cells)} |")
    lines += ["", *(f"[{number}] {note}" for note, number in notes.items()), *_remarks(tables), ""]
    lines += [line for name, table in tables.items() for line in _confusion(name, table)]
    return "\n".join(lines)


def csv_rows(tables: Mapping[str, GradeTable]) -> list[dict[str, Cell]]:
    """One row per method (baselines too) and figure: method, figure, value, lower, upper, rows, people, reason."""
    return [
        _csv_row(method, name, one) for method, estimates in _columns(tables).items() for name, one in estimates.items()
    ]


def _csv_row(method: str, name: str, one: Estimate) -> dict[str, Cell]:
    return {
        "method": method,
        "figure": name,
        "value": one.value,
        "lower": one.lower,
        "upper": one.upper,
        "rows": one.rows,
        "people": one.people,
        "reason": one.reason,
    }


def palsy_markdown(tables: Mapping[str, PalsyTable]) -> str:
    """One table of all methods and the two baselines, and one of each question where there are several.

    Args:
        tables: Name of the method -> its table, all of the same exams; the baselines are those of the first.
    """
    first, notes = next(iter(tables.values())), dict[str, int]()
    columns = _with_baselines(tables)
    lines = [
        f"{first.people} people, {first.exams} exams. Intervals: 95 %, people drawn anew.",
        "",
        f"| figure | {' | '.join(columns)} |",
        f"|---|{'---|' * len(columns)}",
    ]
    for name, title in _PALSY_TITLES.items():
        found = [estimates[name] for estimates in columns.values()]
        most = max(one.rows for one in found)
        lines.append(f"| {title} | {' | '.join(_cell(one, most, notes, percent=name != AUC) for one in found)} |")
    if len(first.questions) > 1:
        lines += ["", f"| balanced accuracy | {' | '.join(tables)} |", f"|---|{'---|' * len(tables)}"]
        for question in first.questions:
            found = [table.by_question[question]["balanced_accuracy"] for table in tables.values()]
            most = max(one.rows for one in found)
            lines.append(f"| {question} | {' | '.join(_cell(one, most, notes, percent=True) for one in found)} |")
    lines += ["", *(f"[{number}] {note}" for note, number in notes.items())]
    lines += [
        f"{name} gave no answer {count} times: {reason}"
        for name, table in tables.items()
        for reason, count in table.withheld.items()
    ]
    return "\n".join(lines)


def palsy_csv_rows(tables: Mapping[str, PalsyTable]) -> list[dict[str, Cell]]:
    """One row per method (baselines too), question and figure; the question "all" is the mean of them."""
    rows = [
        ("all", method, name, one)
        for method, estimates in _with_baselines(tables).items()
        for name, one in estimates.items()
    ]
    rows += [
        (question, method, name, one)
        for method, table in tables.items()
        if len(table.questions) > 1
        for question, estimates in table.by_question.items()
        for name, one in estimates.items()
    ]
    return [{"question": question, **_csv_row(method, name, one)} for question, method, name, one in rows]


def landmark_markdown(table: LandmarkTable) -> str:
    """One table of all engines, and one of how each differs from the first."""
    first, notes = next(iter(table.figures)), dict[str, int]()
    intervals = "One person gives no interval." if table.people == 1 else "Intervals: 95 %, people drawn anew."
    counts = f"{number_of(table.people, 'person', 'people')}, {number_of(table.photos, 'photo')}"
    lines = [f"{counts}, those of a person averaged first. {intervals}", ""]
    lines += _landmark_rows(table.figures, notes)
    if table.compared:
        lines += ["", *_landmark_rows({f"{name} minus {first}": one for name, one in table.compared.items()}, notes)]
    return "\n".join([*lines, "", *(f"[{number}] {note}" for note, number in notes.items())])


def _landmark_rows(columns: Mapping[str, Mapping[str, Estimate]], notes: dict[str, int]) -> list[str]:
    lines = [f"| figure | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for name, figure in LANDMARK_FIGURES.items():
        found = [estimates[name] for estimates in columns.values()]
        most = max(one.rows for one in found)
        lines.append(f"| {figure.title} | {' | '.join(_cell(one, most, notes, percent=False) for one in found)} |")
    return lines


def landmark_csv_rows(table: LandmarkTable) -> list[dict[str, Cell]]:
    """One row per engine and figure, and one per difference: minus (the other engine or nothing), method, figure ..."""
    first = next(iter(table.figures))
    return [
        {"minus": minus, **_csv_row(engine, name, one)}
        for minus, columns in (("", table.figures), (first, table.compared))
        for engine, estimates in columns.items()
        for name, one in estimates.items()
    ]


def latex(page: str) -> str:
    """The tables of a Markdown page as LaTeX, to be put into a paper; what stands between them is left out."""
    lines, rows = [], list[list[str]]()
    for line in [*page.splitlines(), ""]:
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not set("".join(cells)) <= {"-"}:
                rows.append([_escaped(cell) for cell in cells])
        elif rows:
            head, *body = rows
            lines += [f"\\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}", "\\hline"]
            lines += [" & ".join(head) + _END, "\\hline", *(" & ".join(row) + _END for row in body)]
            lines += ["\\hline", "\\end{tabular}", ""]
            rows = []
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return re.sub(r"([%&_#$])", r"\\\1", text)


def words(estimate: Estimate, *, percent: bool = False) -> str:
    """`87.1 % (82.5 to 91.3)` or `0.87 (0.82 to 0.91)`; the reason where there is no value."""
    if estimate.value is None:
        return f"not defined: {estimate.reason}"
    factor, digits, unit = (100, 1, " %") if percent else (1, 3, "")
    value = f"{factor * estimate.value:.{digits}f}{unit}"
    if estimate.lower is None or estimate.upper is None:
        return value
    return f"{value} ({factor * estimate.lower:.{digits}f} to {factor * estimate.upper:.{digits}f})"


def _columns(tables: Mapping[str, GradeTable]) -> dict[str, Estimates]:
    if len({(one.people, one.exams, one.photos) for one in tables.values()}) != 1:
        raise UsageError("A table needs one method or several that graded the same exams; evaluate all on one split.")
    return _with_baselines(tables)


def _with_baselines(tables: Mapping[str, GradeTable | PalsyTable]) -> dict[str, Estimates]:
    first = next(iter(tables.values()))
    baselines = {"majority": first.majority, "identity": first.identity}
    return {name: table.figures for name, table in tables.items()} | {
        name: estimates for name, estimates in baselines.items() if estimates is not None
    }


def _cell(estimate: Estimate, rows: int, notes: dict[str, int], *, percent: bool) -> str:
    if estimate.reason is None:
        mark = ""
    else:
        note = estimate.reason[0].upper() + estimate.reason[1:].rstrip(".") + "."
        mark = f" [{notes.setdefault(note, len(notes) + 1)}]"
    value = "not defined" if estimate.value is None else words(estimate, percent=percent)
    fewer = "" if estimate.value is None or estimate.rows == rows else f" n = {estimate.rows}"
    return value + fewer + mark


def _remarks(tables: Mapping[str, GradeTable]) -> list[str]:
    remarks = []
    for name, table in tables.items():
        remarks += [f"{name} gave no grade {count} times: {reason}" for reason, count in table.withheld.items()]
        if table.absent:
            grades = ", ".join(ROMAN[grade] for grade in table.absent)
            remarks.append(f"No exam of grade {grades} for {name}: balanced accuracy and macro F1 leave it out.")
    return remarks


def _confusion(name: str, table: GradeTable) -> list[str]:
    rows = [
        f"| {ROMAN[grade]} | {' | '.join(map(str, counts))} |"
        for grade, counts in zip(GRADES, table.confusion, strict=True)
    ]
    return [
        f"| true, and by {name} | {' | '.join(ROMAN.values())} |",
        f"|---|{'---|' * len(GRADES)}",
        *rows,
        "",
    ]
