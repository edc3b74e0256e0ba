"""Inputs: what is taken for an exam, how results are named, and what is refused."""

import os

import pytest

from facialpalsy.analysis import Settings, find_jobs
from facialpalsy.clinical.expressions import ORDERS, Expression
from facialpalsy.errors import UsageError
from facialpalsy.face import Mirrored, ReferenceSide

E = Expression


@pytest.fixture
def touch(tmp_path):
    """Empty files below a fresh folder: what a picture holds is read later."""

    def make(*names):
        for name in names:
            path = tmp_path / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / "in"

    return make


def jobs_of(*paths, **settings):
    jobs, errors = find_jobs(paths, Settings(**settings))
    assert errors == []
    return jobs


def refusals_of(*paths, **settings):
    _, errors = find_jobs(paths, Settings(**settings))
    return [(source, type(error).__name__, str(error)) for source, error in errors]


def test_a_folder_with_two_named_expressions_is_an_exam(touch):
    folder = touch("01_rest.jpg", "2 smile-open.png", "other.webp", "notes.txt")
    (job,) = jobs_of(folder)
    assert (job.kind, job.name) == ("exam", "in")
    assert [(one.source, one.expression) for one in job.captures] == [
        ("01_rest.jpg", E.REST), ("2 smile-open.png", E.SMILE_OPEN), ("other.webp", None),
    ]  # fmt: skip


def test_a_folder_with_one_named_expression_is_independent_pictures(touch):
    jobs = jobs_of(touch("rest.jpg", "other.jpg", "clip.mp4"))
    assert [(job.kind, job.name) for job in jobs] == [("clip", "clip"), ("photo", "other"), ("photo", "rest")]
    assert [job.captures[0].expression for job in jobs] == [None, None, E.REST]


def test_settings_reach_every_capture_where_nothing_else_is_said(touch):
    folder = touch("rest.jpg", "snarl.jpg", "third.jpg")
    (job,) = jobs_of(folder, expression=E.PUCKER, mirrored=Mirrored.YES, reference_side=ReferenceSide.LEFT)
    assert [one.expression for one in job.captures] == [E.REST, E.SNARL, E.PUCKER]
    assert {one.mirrored for one in job.captures} == {Mirrored.YES}
    assert job.header.reference_side is ReferenceSide.LEFT


def test_a_folder_of_exams_gives_one_job_each_named_by_its_folder(touch):
    root = touch(
        "b/rest.jpg", "b/snarl.jpg", "a/rest.jpg", "a/snarl.jpg", "a/deep/rest.jpg", "a/deep/pucker.jpg", "lone.jpg"
    )
    jobs = jobs_of(root)
    assert [(job.kind, job.name) for job in jobs] == [
        ("photo", "lone"),
        ("exam", "a"),
        ("exam", "a_deep"),
        ("exam", "b"),
    ]
    assert [one.source for one in jobs[2].captures] == ["a/deep/rest.jpg", "a/deep/pucker.jpg"]


def test_captures_of_an_exam_are_in_the_order_of_an_exam_whatever_their_names(touch):
    names = [f"{letter}_{expression}.jpg" for letter, expression in zip("ihgfedcba", E, strict=True)]
    (job,) = jobs_of(touch(*names, "0_unknown.jpg"))
    assert [one.expression for one in job.captures] == [*E, None]


def test_takes_of_one_expression_are_in_natural_order(touch):
    takes = ["rest.jpg", "rest-2.jpg", "rest-10.jpg", "smile_open 2.jpg", "smile_open 11.jpg"]
    (job,) = jobs_of(touch(*reversed(takes)))
    assert [one.source for one in job.captures] == takes


def test_takes_of_a_table_are_in_its_order_but_rest_comes_first(touch):
    folder = touch("1.jpg", "2.jpg", "3.jpg")
    (folder / "exam.csv").write_text("file,expression\n3.jpg,snarl\n1.jpg,snarl\n2.jpg,rest\n")
    (job,) = jobs_of(folder)
    assert [one.source for one in job.captures] == ["2.jpg", "3.jpg", "1.jpg"]


def test_a_dot_in_a_folders_name_is_no_suffix(touch):
    root = touch("2026.03.01/rest.jpg", "2026.03.01/snarl.jpg", "2026.03.02/rest.jpg", "2026.03.02/snarl.jpg")
    assert [job.name for job in jobs_of(root)] == ["2026.03.01", "2026.03.02"]


def test_repeated_captures_by_number_stay_repeats(touch):
    (job,) = jobs_of(touch("rest_1.jpg", "rest_2.jpg", "smile_open-10.jpg", "smile_open-9.jpg"))
    assert [one.source for one in job.captures] == ["rest_1.jpg", "rest_2.jpg", "smile_open-9.jpg", "smile_open-10.jpg"]
    assert [one.expression for one in job.captures] == [E.REST, E.REST, E.SMILE_OPEN, E.SMILE_OPEN]


def test_order_meei_names_eight_pictures_by_their_natural_order(touch):
    folder = touch(*(f"Normal8_{number}.jpg" for number in (10, 9, 8, 7, 6, 5, 4, 3)))
    (job,) = jobs_of(folder, order="meei")
    assert job.kind == "exam"
    assert [one.source for one in job.captures] == [f"Normal8_{number}.jpg" for number in range(3, 11)]
    # Greene 2020: rest, brow, gentle, tight, small smile, large smile, pucker, lower teeth.
    assert [one.expression for one in job.captures] == [
        E.REST, E.BROW_RAISE, E.EYES_GENTLE, E.EYES_TIGHT, E.SMILE_CLOSED, E.SMILE_OPEN, E.PUCKER, E.LOWER_TEETH,
    ]  # fmt: skip
    assert tuple(one.expression for one in job.captures) == ORDERS["meei"]


def test_an_order_with_the_wrong_number_of_pictures_is_refused_and_says_both_counts(touch):
    ((source, error, message),) = refusals_of(touch("1.jpg", "2.jpg", "clip.mp4"), order="meei")
    assert (source, error) == ("in", "ExamError")
    assert "has 8 captures" in message
    assert "holds 2 pictures" in message


def test_an_unknown_order_is_a_usage_error_with_the_nearest_name(touch):
    with pytest.raises(UsageError, match="Did you mean 'meei'"):
        find_jobs([touch("1.jpg")], Settings(order="meie"))


def test_hidden_files_are_left_aside_and_links_do_not_lead_round_in_circles(touch, tmp_path):
    root = touch("one.jpg", ".hidden.jpg", "._one.jpg", ".cache/two.jpg", "sub/three.jpg")
    (root / "sub" / "loop").symlink_to(root)
    (root / "self.jpg").symlink_to(root / "self.jpg")
    (root / "dangling.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (root / "linked.jpg").symlink_to(root / "sub" / "three.jpg")
    assert [job.name for job in jobs_of(root)] == ["linked", "one", "sub_three"]


def test_names_of_results_are_unique_also_where_letters_differ_only_in_case(touch):
    root = touch("a.jpg", "A.png", "a.webp", "b/c.jpg", "b_c.jpg", "a-2.jpg")
    names = [job.name for job in jobs_of(root)]
    assert len({name.casefold() for name in names}) == len(names) == 6


def test_two_files_of_one_name_have_two_names(touch):
    root = touch("one/a.jpg", "two/a.jpg")
    jobs = jobs_of(root / "one" / "a.jpg", root / "two" / "a.jpg")
    assert [(job.name, job.captures[0].path.parent.name) for job in jobs] == [("a", "one"), ("a-2", "two")]


def test_a_path_that_is_given_twice_is_analysed_once(touch, tmp_path, monkeypatch):
    root = touch("a.jpg", "b/rest.jpg", "b/snarl.jpg")
    monkeypatch.chdir(root)
    (tmp_path / "link.jpg").symlink_to(root / "a.jpg")
    twice = [root / "b", "a.jpg", "b/", root / "a.jpg", "./b/../a.jpg", tmp_path / "link.jpg"]
    assert [(job.name, job.kind) for job in jobs_of(*twice)] == [("b", "exam"), ("a", "photo")]
    # The first of the names given stays.
    assert [job.name for job in jobs_of(tmp_path / "link.jpg", "a.jpg")] == ["link"]


def test_what_cannot_be_followed_is_refused_all_the_same(tmp_path):
    loop = tmp_path / "loop.jpg"
    loop.symlink_to(loop)
    for path in (loop, "nul\0.jpg"):
        ((_, kind, message),) = refusals_of(path)
        assert kind == "InputNotFoundError"
        assert message.startswith("There is no file or folder '")


def test_an_empty_path_is_not_the_current_folder(touch, monkeypatch):
    monkeypatch.chdir(touch("a.jpg"))
    jobs, ((source, error),) = find_jobs(["", "a.jpg"], Settings())
    assert [job.name for job in jobs] == ["a"]
    assert (source, type(error).__name__) == ("", "InputNotFoundError")
    assert str(error).startswith("An empty path was given; name a photo, a clip or a folder")
    assert [job.name for job in jobs_of(".")] == ["a"]


RESULTS = ["measures.csv", "exams.csv", "changes.csv", "failures.csv", "index.html", "assessment.json", "report.html"]


@pytest.mark.parametrize("name", [*RESULTS, "exams", "Index.HTML"])
def test_no_result_takes_the_name_of_a_file_that_a_batch_writes(touch, name):
    root = touch(f"{name}/rest.jpg", f"{name}/snarl.jpg", f"{name}.jpg", f"{name}_.jpg", "a.jpg")
    assert sorted(job.name for job in jobs_of(root)) == sorted([f"{name}_", f"{name}_-2", f"{name}_-3", "a"])


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("two words.jpg", "two words"),
        ("лицо 笑顔.jpg", "лицо 笑顔"),
        ("line\nbreak.jpg", "line_break"),
        ("tab\tand: colon?.jpg", "tab_and_ colon_"),
        ("dots...jpg", "dots"),
        ("UPPER.JPG", "UPPER"),
    ],
)
def test_names_of_results_are_file_names(touch, name, result):
    (job,) = jobs_of(touch(name))
    assert job.name == result
    assert job.captures[0].source == name


@pytest.mark.parametrize(
    ("name", "error"),
    [("nowhere.jpg", "InputNotFoundError"), ("nowhere", "InputNotFoundError"), ("x" * 300, "InputNotFoundError")],
)
def test_a_path_without_a_file_is_refused_by_name_only(tmp_path, name, error):
    ((source, kind, message),) = refusals_of(tmp_path / name)
    assert (source, kind) == (name, error)
    assert str(tmp_path) not in message


@pytest.mark.parametrize("name", ["pipe.jpg", "pipe.mp4", "pipe"])
def test_a_pipe_is_refused_by_name_and_left_aside_in_a_folder(touch, name):
    """Opening a pipe that nobody writes to would wait for ever."""
    root = touch("a.jpg")
    os.mkfifo(root / name)
    ((source, kind, message),) = refusals_of(root / name)
    assert (source, kind) == (name, "UnreadablePictureError")
    assert message == f"'{name}' is no regular file; give a photo, a clip or a folder."
    assert [job.name for job in jobs_of(root)] == ["a"]
    assert refusals_of("/dev/null")[0][1] == "UnreadablePictureError"


def test_pipes_in_place_of_tables_and_landmarks_do_not_wait(touch, tmp_path):
    folder = touch("rest.jpg", "snarl.jpg")
    points = tmp_path / "points"
    points.mkdir()
    for pipe in (folder / "exam.csv", folder / "ratings.csv", points / "rest.json"):
        os.mkfifo(pipe)
    (job,) = jobs_of(folder, landmarks=points)
    assert job.ratings is None
    assert not any(one.landmarks.is_file() for one in job.captures)


def test_names_that_are_not_utf_8_are_shown_with_question_marks(touch, tmp_path):
    # Latin-1, as disks of the last century have it; not every file system takes it.
    folder = tmp_path / os.fsdecode(b"f\xe4lle")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    for name in (b"rest_\xe4.jpg", b"snarl_\xe4.jpg"):
        (folder / os.fsdecode(name)).touch()
    (job,) = jobs_of(folder)
    assert (job.name, [one.source for one in job.captures]) == ("f_lle", ["rest_?.jpg", "snarl_?.jpg"])
    odd = [folder / os.fsdecode(name) for name in (b"n\xe4.txt", b"gone\xe4.jpg")]
    odd[0].touch()
    empty = tmp_path / os.fsdecode(b"leer\xe4")
    empty.mkdir()
    refusals = refusals_of(*odd, empty)
    assert [source for source, _, _ in refusals] == ["n?.txt", "gone?.jpg", "leer?"]
    for source, _, message in refusals:
        assert f"'{source}'" in message
        message.encode()
    (folder / "exam.csv").write_text("no\n")
    assert [source for source, _, _ in refusals_of(tmp_path)] == ["f?lle"]


def test_a_file_of_another_kind_is_refused_with_the_kinds_allowed(touch):
    ((source, kind, message),) = refusals_of(touch("notes.txt") / "notes.txt")
    assert (source, kind) == ("notes.txt", "UnreadablePictureError")
    assert ".jpg" in message
    assert ".mp4" in message


def test_an_empty_folder_is_refused_by_name_also_from_within(tmp_path, monkeypatch):
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.txt").touch()
    ((source, kind, message),) = refusals_of(empty)
    assert (source, kind) == ("empty", "EmptyFolderError")
    assert "'empty' holds no picture and no clip" in message
    monkeypatch.chdir(empty)
    assert refusals_of(".") == [(source, kind, message)]


def test_one_empty_folder_beside_others_is_still_refused(touch, tmp_path):
    root = touch("a.jpg")
    empty = tmp_path / "empty"
    empty.mkdir()
    jobs, errors = find_jobs([root, empty], Settings())
    assert [job.name for job in jobs] == ["a"]
    assert [(source, type(error).__name__) for source, error in errors] == [("empty", "EmptyFolderError")]


def test_a_broken_exam_table_does_not_stop_the_others(touch):
    root = touch("good/rest.jpg", "good/snarl.jpg", "bad/rest.jpg")
    (root / "bad" / "exam.csv").write_text("file,expresion\nrest.jpg,rest\n")
    jobs, errors = find_jobs([root], Settings())
    assert [job.name for job in jobs] == ["good"]
    assert [(source, type(error).__name__) for source, error in errors] == [("bad", "ExamError")]


def test_a_folder_that_cannot_be_listed_is_refused(touch, monkeypatch):
    root = touch("a.jpg")

    def forbidden(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("facialpalsy.analysis.inputs.os.scandir", forbidden)
    ((source, kind, message),) = refusals_of(root)
    assert (source, kind) == ("in", "InputNotFoundError")
    assert "Permission denied" in message


def test_ratings_of_the_folder_belong_to_its_exam_unless_others_are_given(touch, tmp_path):
    root = touch("rest.jpg", "snarl.jpg", "ratings.csv")
    (job,) = jobs_of(root)
    assert job.ratings == root / "ratings.csv"
    (job,) = jobs_of(root, ratings=tmp_path / "mine.csv")
    assert job.ratings == tmp_path / "mine.csv"


def test_landmarks_of_a_folder_are_found_by_the_pictures_name(touch, tmp_path):
    root = touch("rest.jpg", "snarl.jpg")
    points = tmp_path / "points"
    points.mkdir()
    (points / "landmarks_rest.json").touch()
    # Where there is none, reading fails for that picture alone.
    (job,) = jobs_of(root, landmarks=points)
    assert [one.landmarks.is_file() for one in job.captures] == [True, False]
    (points / "snarl.pts").touch()
    (job,) = jobs_of(root, landmarks=points)
    assert [one.landmarks.name for one in job.captures] == ["landmarks_rest.json", "snarl.pts"]


def test_the_results_of_an_earlier_run_are_no_input(touch):
    """Results below the pictures' folder: overlays are pictures, and `overlay_1_rest.png` even states an expression."""
    root = touch("rest.jpg", "snarl.jpg", "out/assessment.json", "out/overlay_1_rest.png", "out/overlay_2_snarl.png")
    assert [job.name for job in jobs_of(root)] == ["in"]
    root = touch("assessment.json", "overlay_1_rest.png", "overlay_2_snarl.png")
    (job,) = jobs_of(root)
    assert [one.source for one in job.captures] == ["rest.jpg", "snarl.jpg"]


def test_two_pictures_never_share_a_landmark_file(touch, tmp_path):
    root = touch("march/rest.jpg", "march/snarl.jpg", "june/rest.jpg", "june/snarl.jpg")
    points = tmp_path / "points"
    points.mkdir()
    for name in ("march_rest.jpg", "rest", "snarl"):
        (points / f"{name}.json").touch()
    with pytest.raises(
        UsageError, match=r"'snarl.json' would be taken for both 'june/snarl.jpg' and 'march/snarl.jpg'"
    ):
        jobs_of(root, landmarks=points)
    # Given one by one, the pictures are called alike too.
    one, other = root / "june" / "snarl.jpg", root / "march" / "snarl.jpg"
    with pytest.raises(UsageError, match=r"for both 'snarl\.jpg' and 'snarl\.jpg'; analyse them in separate calls"):
        jobs_of(one, other, landmarks=points)
    assert jobs_of(one, one, landmarks=points)[0].captures[0].landmarks.name == "snarl.json"
    (points / "march_snarl.jpg.json").touch()
    june, march = jobs_of(root, landmarks=points)
    assert [one.landmarks.name for one in march.captures] == ["march_rest.jpg.json", "march_snarl.jpg.json"]
    assert [one.landmarks.name for one in june.captures] == ["rest.json", "snarl.json"]


def test_a_table_without_files_speaks_of_the_exam_only(touch):
    folder = touch("rest.jpg", "snarl.jpg")
    (folder / "exam.csv").write_text("file;subject;surgery\n;S7;none\n", encoding="utf-8")
    (job,) = jobs_of(folder)
    assert (job.header.subject, job.header.surgery) == ("S7", None)
    assert [one.expression for one in job.captures] == [E.REST, E.SNARL]


def test_pictures_that_a_table_does_not_name_are_left_aside(touch):
    folder = touch("rest.jpg", "snarl.jpg", "smile_open.jpg")
    (folder / "exam.csv").write_text("file\nrest.jpg\nsnarl.jpg\n")
    (job,) = jobs_of(folder)
    assert [one.source for one in job.captures] == ["rest.jpg", "snarl.jpg"]


@pytest.mark.parametrize("table", ["subject,date\nS7,2026-03-01\n", "expression\nrest\n"])
def test_a_table_without_a_column_for_files_is_refused(touch, table):
    folder = touch("rest.jpg", "snarl.jpg")
    (folder / "exam.csv").write_text(table)
    ((source, kind, message),) = refusals_of(folder)
    assert (source, kind) == ("in", "ExamError")
    assert message == "exam.csv needs a column 'file' and at least one row; write one row per picture."


def test_a_table_without_files_in_a_folder_without_pictures_is_an_empty_folder(touch):
    folder = touch("exam.csv", "notes.txt", "other/a.jpg")
    (folder / "exam.csv").write_text("file,subject\n,S7\n")
    jobs, ((source, error),) = find_jobs([folder], Settings())
    assert [job.name for job in jobs] == ["other_a"]
    assert (source, type(error).__name__) == ("in", "EmptyFolderError")


def test_one_file_of_ratings_belongs_to_one_exam(touch, tmp_path):
    ratings = tmp_path / "ratings.csv"
    ratings.touch()
    root = touch("a/rest.jpg", "a/snarl.jpg", "b/rest.jpg", "b/snarl.jpg")
    with pytest.raises(UsageError, match="--ratings belongs to one exam, but 2 inputs were given"):
        jobs_of(root, ratings=ratings)
    assert jobs_of(root / "a", ratings=ratings)[0].ratings == ratings


def test_one_file_of_landmarks_belongs_to_one_picture(touch, tmp_path):
    points = tmp_path / "points.json"
    points.touch()
    folder = touch("a.jpg", "b.jpg")
    with pytest.raises(UsageError, match="belongs to one picture, but 2 were given"):
        jobs_of(folder, landmarks=points)
    assert jobs_of(folder / "a.jpg", landmarks=points)[0].captures[0].landmarks == points
