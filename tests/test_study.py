"""Study files: what they may say, and which stages run when."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from many_wolves.errors import WolvesError
from many_wolves.study import runner
from many_wolves.study.paths import StudyPaths
from many_wolves.study.plan import plan
from many_wolves.study.runner import Runner, only_one
from many_wolves.study.speakers import cast
from many_wolves.study.stages import Stage, StateFile, in_order, path_fingerprint, why
from many_wolves.study.study_file import read_study
from study_files import STUDIES, written

COPY = """
import pathlib, sys
source, target, *flags = sys.argv[1:]
if "fail" in flags: sys.exit(1)
text = pathlib.Path(source).read_text()
print("copied", source)
if "touch" in flags: pathlib.Path(source).write_text("y")
if "idle" not in flags: pathlib.Path(target).write_text(text + "+" + "".join(flags))
"""


class TestReading:
    def test_speakers_multiply_with_revisions_and_efforts(self, tmp_path: Path) -> None:
        study = read_study(
            written(
                tmp_path,
                "study: s\n"
                "collect: {mode: sample, replicates: 3}\n"
                "speakers:\n"
                "  - {name: a, provider: vllm, model: m, efforts: [none, low], mode: score}\n"
                "  - {name: b, provider: hf, model: m, revisions: [step1, step2]}\n",
            )
        )
        casts = list(cast(study))
        assert [c.name for c in casts] == ["a+none", "a+low", "b@step1", "b@step2"]
        assert [c.asking.get("mode", "sample") for c in casts] == [
            "score",
            "score",
            "sample",
            "sample",
        ]
        assert {c.replicates for c in casts} == {3}

    @pytest.mark.parametrize(
        ("text", "line", "problem", "fix"),
        [
            ("", None, "empty", ""),
            ("- a\n", 1, "the fields of a study", "begin with"),
            ("study: a\n  b: c: d\n", 2, "invalid YAML", "indentation"),
            ("study: a b\nhuman: [yoon2020]\n", 1, "letters, digits", "write"),
            ("title: x\nhuman: [yoon2020]\n", 1, "study: expected this field", "add `study"),
            ("study: a\n\nhuman: [yoon2020]\nfits: {}\n", 4, "found 'fits'", "did you mean 'fit'"),
            (
                "study: a\nhuman: [yoon2020]\nfit:\n  drows: 3\n",
                4,
                "found 'drows'",
                "did you mean 'draws'",
            ),
            (
                "study: a\nhuman: [yoon2020]\nfit:\n  literal: jont\n",
                4,
                "'joint', 'cut'",
                "did you mean 'joint'",
            ),
            ("study: a\nhuman: [yoon2020]\nfit:\n  draws: many\n", 4, "a whole number", "digits"),
            ("study: a\nhuman: yoon2020\n", 2, "a list, found 'yoon2020'", "[yoon2020]"),
            (f"study: {'a' * 101}\nhuman: [yoon2020]\n", 1, "at most 100", "write"),
            ("study: a\nfit:\n  draws: 0100\nhuman: [yoon2020]\n", 3, "base than ten", "zero"),
            ("study: a\nhuman: [no]\n", 2, "text, found False", "quotation marks"),
            ("study: a\ntitle: 1000\nhuman: [yoon2020]\n", 2, "text, found 1000", "quotation"),
            ("study: a\nspeakers: [gpt]\n", 2, "fields with their values", "NAME: VALUE"),
            ("study: a\nfit: {<<: {draws: 3}}\nhuman: [yoon2020]\n", 2, "merge key", "write"),
            ("study: a\nhuman: [yoon2020]\nhuman: [y]\n", 3, "duplicate key 'human'", "delete"),
            (
                "study: a\nhuman: [yoon2020, yoon2020]\n",
                1,
                "found duplicates: yoon2020",
                "rename one of the entries called 'yoon2020'",
            ),
            (
                "study: a\nspeakers:\n- {name: GPT, provider: openai, model: m}\n"
                "- {name: gpt, provider: openai, model: n}\n",
                1,
                "found duplicates: GPT, gpt",
                "rename one of the entries called 'GPT'",
            ),
            ("study: a\ngames: [{task: dictator}]\nhuman: [yoon2020]\n", 2, "for the tasks", "add"),
            (
                "study: a\nspeakers:\n- name: b\n  provider: openai\n  model: m\n  adapter: c\n",
                6,
                "`adapter` only",
                "remove `adapter`",
            ),
            ("study: a\nhuman: [yoon2020]\ntrials:\n  sources: none\n", 4, "no 'none'", "path"),
            (
                "study: a\nspeakers: [{name: b, provider: hf, model: m}]\n"
                "tasks:\n- task: politeness\n- task: dilemma\n  templates: none.yaml\n",
                6,
                "no 'none.yaml'",
                "path",
            ),
            ("study: a\ntrials:\n  goals: []\nhuman: [yoon2020]\n", 3, "at least 1", ""),
            (
                "study: a\nspeakers:\n- name: b\n  provider: hf\n",
                3,
                "`model`, `path`",
                "add `model",
            ),
            ("study: a\n", 1, "`speakers`, `human` or `data`", "add `speakers:`"),
        ],
    )
    def test_a_fault_names_its_line_and_fix(
        self, tmp_path: Path, text: str, line: int | None, problem: str, fix: str
    ) -> None:
        path = written(tmp_path, text)
        with pytest.raises(WolvesError) as caught:
            read_study(path)
        assert caught.value.line == line
        assert caught.value.where == str(path)
        assert problem in caught.value.problem
        assert fix in caught.value.fix
        assert caught.value.fix

    def test_a_path_may_begin_at_home(self, tmp_path: Path) -> None:
        text = "study: a\nspeakers: [{name: b, provider: hf, path: ~/models/b}]\n"
        found = read_study(written(tmp_path, text)).speakers[0].path
        assert found == str(Path("~/models/b").expanduser())

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(WolvesError, match="cannot be read"):
            read_study(tmp_path / "none.yaml")

    @pytest.mark.parametrize("path", sorted(STUDIES.glob("*.yaml")), ids=lambda p: p.stem)
    def test_the_shipped_studies_are_valid(self, path: Path) -> None:
        assert read_study(path).study == path.stem


class TestPlan:
    def test_the_demo_goes_from_vignettes_to_report(self) -> None:
        study = read_study(STUDIES / "demo.yaml")
        stages = in_order(plan(study, StudyPaths("demo", Path("root"))))
        names = [stage.name for stage in stages]
        road = ["compile", *(f"{s} smollm2" for s in ("collect", "choices", "fit")), "report"]
        assert [name for name in names if name in road] == road
        assert {"fit yoon2020", "figures", "prepare smollm2"} < set(names)
        written = [path for stage in stages for path in stage.writes]
        assert all(path.is_relative_to("root") for path in written)
        assert len(written) == len(set(written))

    def test_speakers_of_data_that_ship_are_fitted_after_the_first(self, tmp_path: Path) -> None:
        text = (
            "study: s\nhuman: [yoon2020]\ndata:\n"
            "- {name: a, data: zhao2025, speaker: Qwen2.5-72B}\n"
            "- {name: b, data: phelps2023-rounds}\n"
        )
        stages = {s.name: s for s in plan(read_study(written(tmp_path, text)), StudyPaths("s"))}
        fit = stages["fit a"]
        assert fit.command[1:5] == ("--data", "zhao2025", "--speaker", "Qwen2.5-72B")
        assert fit.after == ("fit yoon2020",)
        assert not stages["fit b"].after
        assert "findings" not in stages
        unknown = text.replace("zhao2025", "zhao")
        with pytest.raises(WolvesError, match="no shipped data are called 'zhao'") as caught:
            read_study(written(tmp_path, unknown))
        assert caught.value.line == 4

    def test_what_a_stage_reads_is_written_by_a_stage_before_it(self) -> None:
        study = read_study(STUDIES / "demo.yaml")
        there: set[Path] = set()
        for stage in in_order(plan(study, StudyPaths("demo", Path("root")))):
            made = {path for path in stage.reads if path.is_relative_to("root")}
            assert made <= there
            there |= set(stage.writes)

    def test_answers_to_other_settings_get_a_journal_of_their_own(self, tmp_path: Path) -> None:
        journals = set()
        for asking in ("{mode: score}", "{mode: sample}", "{mode: sample, temperature: 0.5}"):
            text = f"study: s\ncollect: {asking}\nspeakers: [{{name: a, provider: hf, model: m}}]\n"
            stages = plan(read_study(written(tmp_path, text)), StudyPaths("s"))
            journals.add(next(s for s in stages if s.name == "collect a").writes)
        assert len(journals) == 3

    def test_how_it_runs_does_not_change_the_journal(self, tmp_path: Path) -> None:
        journals = set()
        for asking in ("{}", "{batch_size: 4}", "{connections: 8, max_cost: 2.5, batch: true}"):
            speaker = "{name: a, provider: openai, model: m}"
            text = f"study: s\ncollect: {asking}\nspeakers: [{speaker}]\n"
            stages = plan(read_study(written(tmp_path, text)), StudyPaths("s"))
            collect = next(s for s in stages if s.name == "collect a")
            journals.add(collect.writes)
        assert len(journals) == 1
        assert collect.command[-5:] == ("--connections", "8", "--max-cost", "2.5", "--batch")

    def test_parameters_of_a_simulated_speaker_are_given_as_a_file(self, tmp_path: Path) -> None:
        text = "study: s\nspeakers: [{name: a, provider: simulated, parameters: {alpha: 3}}]\n"
        stages = plan(read_study(written(tmp_path, text)), StudyPaths("s"))
        collect = next(s for s in stages if s.name == "collect a")
        path, content = collect.given[0]
        assert json.loads(content) == {"alpha": 3}
        assert str(path) in collect.command


class Bench:
    """A folder with a chain of two copying stages, and a program that copies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "copy.py").write_text(COPY)
        (folder / "in").write_text("x")

    def stage(self, name: str, source: str, target: str, *flags: str, **more: object) -> Stage:
        paths = self.folder / source, self.folder / target
        command = (str(paths[0]), str(paths[1]), *flags)
        return Stage(name, command, reads=paths[:1], writes=paths[1:], **more)  # type: ignore[arg-type]

    def run(self, *stages: Stage) -> tuple[tuple[str, ...], tuple[str, ...]]:
        program = (sys.executable, str(self.folder / "copy.py"))
        state = StateFile(self.folder / "state.json")
        self.outcome = Runner(state, self.folder / "logs", program).run(stages)
        return self.outcome.ran, self.outcome.reused

    def why(self, stage: Stage) -> str:
        return why(stage, StateFile(self.folder / "state.json").load())


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    # Whether messages are shown depends on the tests that ran before.
    monkeypatch.setattr(runner, "_quiet", lambda: False)
    return Bench(tmp_path)


class TestStages:
    def test_a_stage_runs_only_when_something_changed(self, bench: Bench) -> None:
        first = bench.stage("first", "in", "a")
        second = bench.stage("second", "a", "b", after=("first",))
        assert bench.why(first) == "not run yet"
        assert bench.run(second, first) == (("first", "second"), ())
        assert (bench.folder / "b").read_text() == "x++"
        assert bench.run(first, second) == ((), ("first", "second"))

        (bench.folder / "in").write_text("y")
        assert "in changed" in bench.why(first)
        assert bench.run(first, second) == (("first", "second"), ())
        assert (bench.folder / "b").read_text() == "y++"

    def test_a_changed_setting_reruns_that_stage_and_what_follows(self, bench: Bench) -> None:
        first = bench.stage("first", "in", "a")
        second = bench.stage("second", "a", "b", after=("first",))
        bench.run(first, second)
        changed = bench.stage("first", "in", "a", "new")
        assert bench.why(changed) == "its settings changed"
        assert bench.run(changed, second)[0] == ("first", "second")

    def test_an_output_that_is_gone_or_edited_is_made_again(self, bench: Bench) -> None:
        stage = bench.stage("first", "in", "a")
        bench.run(stage)
        (bench.folder / "a").unlink()
        assert bench.why(stage).endswith("a is missing")
        bench.run(stage)
        (bench.folder / "a").write_text("by hand")
        assert bench.why(stage).endswith("a was changed afterwards")

    def test_the_same_bytes_need_no_later_stage(self, bench: Bench) -> None:
        first = bench.stage("first", "in", "a")
        second = bench.stage("second", "a", "b", after=("first",))
        bench.run(first, second)
        (bench.folder / "a").unlink()
        assert bench.run(first, second) == (("first",), ("second",))

    def test_a_failed_stage_stops_only_what_follows_it(self, bench: Bench) -> None:
        bad = bench.stage("bad", "in", "a", "fail")
        after = bench.stage("after bad", "a", "b", after=("bad",))
        good = bench.stage("good", "in", "c")
        assert bench.run(bad, after, good)[0] == ("good",)
        assert bench.outcome.failed == ("bad",)
        assert bench.outcome.skipped == ("after bad",)
        assert bench.why(bad) == "not run yet"

    def test_a_background_stage_is_waited_for_and_its_words_kept(self, bench: Bench) -> None:
        beside = bench.stage("beside", "in", "a", beside=True)
        front = bench.stage("front", "in", "b")
        last = bench.stage("last", "a", "c", after=("beside", "front"))
        assert set(bench.run(beside, front, last)[0]) == {"beside", "front", "last"}
        assert "copied" in (bench.folder / "logs" / "beside.log").read_text()

    @pytest.mark.parametrize("cores", [1, 2])
    def test_with_two_cores_a_background_stage_may_run_in_front(
        self, bench: Bench, cores: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(runner, "_cores", lambda: cores)
        stages = [bench.stage(name, "in", name, beside=True) for name in ("a", "b", "c")]
        last = bench.stage("last", "a", "d", after=("a", "b", "c"))
        ran, _ = bench.run(*stages, last)
        assert sorted(ran) == ["a", "b", "c", "last"] and ran[-1] == "last"
        behind = {path.stem for path in (bench.folder / "logs").glob("*.log")}
        assert behind == {"a", "b", "c"} if cores == 1 else "b" not in behind

    def test_a_stage_that_writes_nothing_is_an_error(self, bench: Bench) -> None:
        with pytest.raises(WolvesError, match="without writing its output"):
            bench.run(bench.stage("idle", "in", "a", "idle"))

    def test_a_broken_state_file_costs_a_rerun_and_no_data(self, bench: Bench) -> None:
        stage = bench.stage("first", "in", "a")
        bench.run(stage)
        (bench.folder / "state.json").write_text('{"schema": 1, "stages"')
        assert bench.run(stage)[0] == ("first",)

    def test_an_input_that_changes_meanwhile_is_noticed(self, bench: Bench) -> None:
        stage = bench.stage("first", "in", "a", "touch")
        bench.run(stage)
        assert bench.why(stage).endswith("in changed")

    def test_stages_that_wait_for_each_other_are_refused(self, bench: Bench) -> None:
        a = bench.stage("a", "in", "x", after=("b",))
        b = bench.stage("b", "in", "y", after=("a",))
        with pytest.raises(ValueError, match="wait for each other"):
            in_order([a, b])
        with pytest.raises(ValueError, match="known stages"):
            in_order([a])

    def test_a_folder_has_the_fingerprint_of_its_files(self, tmp_path: Path) -> None:
        folder = tmp_path / "f"
        (folder / "in").mkdir(parents=True)
        (folder / "in" / "x").write_text("1")
        first = path_fingerprint(folder)
        (folder / "in" / "x").rename(folder / "in" / "y")
        assert path_fingerprint(folder) != first
        assert path_fingerprint(tmp_path / "none") == ""

    def test_a_file_that_several_stages_use_is_read_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read: list[Path] = []

        def fingerprint(path: Path) -> str:
            read.append(path)
            return path.read_text()

        monkeypatch.setattr("many_wolves.study.stages.file_fingerprint", fingerprint)
        file = tmp_path / "x"
        file.write_text("1")
        assert [path_fingerprint(file), path_fingerprint(file)] == ["1", "1"]
        assert len(read) == 2, "a file that has just changed is read again"
        os.utime(file, (1, 1))
        monkeypatch.setattr("many_wolves.study.stages._RECENT_NS", 0)
        assert [path_fingerprint(file), path_fingerprint(file)] == ["1", "1"]
        assert len(read) == 3
        file.write_text("2")
        assert path_fingerprint(file) == "2"


def test_a_stage_that_makes_do_runs_with_what_there_is(tmp_path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import pathlib, sys\npathlib.Path(sys.argv[1]).write_text('x')\n")

    def stage(name: str, works: bool = True, **more) -> Stage:
        out = tmp_path / name
        target = out if works else tmp_path / "missing" / name
        return Stage(name, (str(target),), reads=(), writes=(out,), **more)

    def outcome(*stages: Stage):
        state = StateFile(tmp_path / "state.json")
        runner = Runner(state, tmp_path, (sys.executable, str(program)))
        return runner.run(stages)

    good, bad, worse = stage("good"), stage("bad", works=False), stage("worse", works=False)
    report = stage("report", after_all=("good", "bad"))
    hopeless = stage("hopeless", after_all=("bad", "worse"))
    assert in_order([report, good, bad])[-1] is report
    done = outcome(report, hopeless, good, bad, worse)
    assert set(done.ran) == {"good", "report"}
    assert done.skipped == ("hopeless",)


def test_a_second_run_of_a_study_is_refused(tmp_path: Path) -> None:
    refused = pytest.raises(WolvesError, match="one run of this study")
    with only_one(tmp_path), refused, only_one(tmp_path):
        pass
