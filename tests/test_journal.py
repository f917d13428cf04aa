"""The journal: nothing lost, nothing twice, nothing foreign, whatever happens."""

import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr
from dataclasses import replace

import pytest

from many_wolves.collection import Journal, collect, make_plan, peek
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.task.compiler import trials_of
from many_wolves.records import Response
from small_trials import SPEC, answers, keys, read_exact, simulated, trials, write_trials

FORK = multiprocessing.get_context("fork")


def silent(text: str) -> None:
    pass


def filled(path, n=6):
    found = answers(trials(n))
    with Journal(path, SPEC, silent) as journal:
        assert journal.append(found) == n
    return found


def run(path, listed, delay_s=0.0, open_speaker=None):
    return collect(
        listed,
        replicates=1,
        spec=SPEC,
        open_speaker=open_speaker or (lambda: simulated(delay_s=delay_s)),
        reader=read_exact,
        journal=path,
        say=silent,
    )


def test_a_line_reads_back_as_the_answer_that_was_written(tmp_path):
    found = filled(tmp_path / "j.jsonl")
    lines = (tmp_path / "j.jsonl").read_text().splitlines()
    assert [Response.from_json(json.loads(line)) for line in lines] == found


def test_a_byte_order_mark_costs_no_answer(tmp_path):
    path = tmp_path / "j.jsonl"
    found = filled(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert keys(path) == [r.key for r in found]
    with Journal(path, SPEC, silent) as journal:
        assert journal.append(found) == 0
    assert keys(path) == [r.key for r in found]


def test_a_key_is_written_once(tmp_path):
    found = filled(tmp_path / "j.jsonl")
    with Journal(tmp_path / "j.jsonl", SPEC, silent) as journal:
        assert journal.append([*found, *found]) == 0
    assert keys(tmp_path / "j.jsonl") == [r.key for r in found]


def test_a_file_torn_at_any_byte_keeps_every_whole_line(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # hundreds of times, for the disk alone
    whole = tmp_path / "whole.jsonl"
    found = filled(whole, 3)
    data = whole.read_bytes()
    ends = [i + 1 for i, byte in enumerate(data) if byte == ord("\n")]
    last = range(ends[1] - 3, len(data) + 1)
    for cut in [0, 1, ends[0] - 1, ends[0], ends[0] + 1, *last]:
        path = tmp_path / "torn.jsonl"
        path.write_bytes(data[:cut])
        with Journal(path, SPEC, silent) as journal:
            # A line that lacks but its line break is whole.
            expected = sum(cut >= end - 1 for end in ends)
            assert list(journal.entries) == [r.key for r in found[:expected]]
            journal.append(found)
        assert sorted(keys(path)) == sorted(r.key for r in found)
        aside = path.with_name("torn.jsonl.set-aside")
        torn = data[ends[expected - 1] if expected else 0 : cut].strip()
        assert (aside.read_bytes().strip() if aside.exists() else b"") == torn
        aside.unlink(missing_ok=True)


def test_an_unreadable_line_in_the_middle_is_set_aside_and_named(tmp_path):
    path = tmp_path / "j.jsonl"
    found = filled(path, 3)
    lines = path.read_text().splitlines()
    altered = lines[1].replace('"replicate":0', '"replicate":7')
    assert altered != lines[1]
    path.write_text("\n".join([lines[0], altered, "\0\0\0", lines[2]]) + "\n")
    said: list[str] = []
    with Journal(path, SPEC, said.append) as journal:
        assert set(journal.entries) == {found[0].key, found[2].key}
    assert keys(path) == [found[0].key, found[2].key]
    assert (tmp_path / "j.jsonl.set-aside").read_text().splitlines() == [altered, "\0\0\0"]
    assert "line 2" in said[0]
    assert "key" in said[0]
    assert "line 3" in said[1]


def test_a_duplicate_line_is_set_aside(tmp_path):
    path = tmp_path / "j.jsonl"
    found = filled(path, 2)
    path.write_text(path.read_text() * 2)
    with Journal(path, SPEC, silent):
        pass
    assert keys(path) == [r.key for r in found]
    assert len((tmp_path / "j.jsonl.set-aside").read_text().splitlines()) == 2


def test_answers_of_another_speaker_are_refused_and_left_alone(tmp_path):
    path = tmp_path / "j.jsonl"
    filled(path)
    before = path.read_bytes()
    other = replace(SPEC, seed=5)
    with pytest.raises(WolvesError, match="seed 0 not 5") as caught, Journal(path, other, silent):
        pass
    assert caught.value.line == 1
    assert path.read_bytes() == before


def test_a_second_writer_is_refused_until_the_first_is_done(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path, SPEC, silent):
        with (
            pytest.raises(WolvesError, match=f"another process .id {os.getpid()}.") as caught,
            Journal(path, SPEC, silent),
        ):
            pass
        assert caught.value.where == str(path)
    with Journal(path, SPEC, silent):
        pass


@pytest.mark.parametrize("link", ["symlink", "folder", "dots", "hard link"])
def test_a_second_writer_through_a_link_is_refused_and_the_link_stays(tmp_path, link):
    (tmp_path / "real").mkdir()
    path, other = tmp_path / "real" / "j.jsonl", tmp_path / "k.jsonl"
    with Journal(path, SPEC, silent) as book:
        book.append(answers(trials(2)))
        if link == "folder":
            (tmp_path / "linked").symlink_to("real")
            other = tmp_path / "linked" / "j.jsonl"
        elif link == "dots":
            other = tmp_path / "real" / ".." / "real" / "j.jsonl"
        else:
            (other.hardlink_to if link == "hard link" else other.symlink_to)(path)
        with (
            pytest.raises(WolvesError, match="another process"),
            Journal(other, SPEC, silent),
        ):
            pass
        assert other.samefile(path)
        book.append(answers(trials(3)))
    assert len(peek(path)) == len(peek(other)) == 3


@pytest.mark.parametrize("link", ["symlink", "hard link"])
@pytest.mark.parametrize("where", ["end", "middle"])
def test_a_torn_journal_is_mended_through_a_link(tmp_path, link, where):
    path, other = tmp_path / "j.jsonl", tmp_path / "k.jsonl"
    found = filled(path, 4)
    (other.hardlink_to if link == "hard link" else other.symlink_to)(path)
    whole = path.read_bytes()
    second = whole.index(b"\n") + 1
    torn = {"end": whole[:-9], "middle": whole[:second] + b"\xff" + whole[second:]}
    path.write_bytes(torn[where])
    with Journal(other, SPEC, silent) as journal:
        assert len(journal.entries) == 3
        journal.append(found)
    assert other.samefile(path) and other.is_symlink() == (link == "symlink")
    assert sorted(keys(path)) == sorted(r.key for r in found)


def test_a_failed_answer_is_asked_again_and_counted_once(tmp_path):
    path = tmp_path / "j.jsonl"
    listed = trials(5)
    failed, *rest = answers(listed)
    failed = replace(failed, status="failed", value=None, error="no route to host")
    with Journal(path, SPEC, silent) as journal:
        journal.append([failed, *(replace(r, status="refused") for r in rest)])
    done = run(path, listed)
    assert done.known == {"failed": 1, "refused": 4}
    assert done.asked == {"answered": 1}
    assert sorted(keys(path)) == sorted(r.key for r in [failed, *rest])
    assert "no route to host" in (tmp_path / "j.jsonl.set-aside").read_text()
    assert peek(path)[failed.key].status == "answered"


def test_only_failed_and_missing_are_asked():
    listed = trials(6)
    entries = {}
    statuses = ["answered", "refused", "empty", "unparsed", "failed"]
    for response, status in zip(answers(listed), statuses, strict=False):
        entries[response.key] = replace(response, status=status)
    plan = make_plan(listed, 1, SPEC, entries)
    assert [request.trial for request in plan.ask] == listed[4:]
    assert plan.total == 6


def collect_quietly(path, listed, delay_s):
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        run(path, listed, delay_s)


def test_killed_at_many_random_points_the_set_of_keys_ends_complete(tmp_path):
    path = tmp_path / "j.jsonl"
    listed = trials(240)
    chance = random.Random(3)
    kills = 0
    for _ in range(24):
        child = FORK.Process(target=collect_quietly, args=(path, listed, 0.002))
        child.start()
        child.join(chance.uniform(0.0, 0.12))
        if child.is_alive():
            os.kill(child.pid, signal.SIGKILL)
            kills += 1
        child.join()
    assert kills > 6
    run(path, listed)
    assert sorted(keys(path)) == sorted(r.key for r in answers(listed))


@pytest.fixture
def files(tmp_path):
    """A file of trials and one of parameters for the command line."""
    compiled = trials_of(PolitenessDesign(tasks=("choice",), limit=60))
    weights = {"w_inf": 0.4, "w_soc": 0.1, "w_pres": 0.5, "phi": 0.5}
    goals = ("informative", "social", "both", "none")
    parameters = {"alpha": 4.5, "cost": 2.6, "weights": dict.fromkeys(goals, weights)}
    (tmp_path / "p.json").write_text(json.dumps(parameters))
    return write_trials(tmp_path / "trials.jsonl", list(compiled)), tmp_path / "p.json"


def command(files, out, *more):
    trials_file, parameters = files
    words = ["collect", str(trials_file), "--model_type", "simulated", "--out", str(out)]
    return [sys.executable, "-m", "many_wolves", *words, "--parameters", str(parameters), *more]


def wait_for_lines(path, n):
    for _ in range(1200):
        if path.exists() and path.read_bytes().count(b"\n") >= n:
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} did not grow to {n} lines")


def test_the_command_killed_and_interrupted_goes_on(tmp_path, files):
    path = tmp_path / "j.jsonl"
    slow = command(files, path, "--delay", "0.1")
    for lines, signals, expected in [(3, [9], -9), (10, [2], 130), (20, [2, 2], 130)]:
        process = subprocess.Popen(slow, stderr=subprocess.PIPE, text=True)
        wait_for_lines(path, lines)
        for number in signals:
            process.send_signal(number)
            time.sleep(0.02)
        _, words = process.communicate(timeout=120)
        assert process.returncode == expected, words
        assert "Traceback" not in words
    ended = subprocess.run(command(files, path), check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    found = keys(path)
    assert len(found) == len(set(found)) == 60
    again = subprocess.run(command(files, path), check=False, capture_output=True, text=True)
    assert "nothing to ask" in again.stderr


def fill_up(path, listed, limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
            run(path, listed)
    except WolvesError as error:
        path.with_name("words").write_text(str(error)[:limit])


def test_a_file_that_may_not_grow_ends_the_run_and_keeps_what_is_whole(tmp_path):
    path = tmp_path / "j.jsonl"
    listed = trials(40)
    size = len(json.dumps(answers(listed)[0].to_json()))
    child = FORK.Process(target=fill_up, args=(path, listed, size * 10 + size // 2))
    child.start()
    child.join()
    words = (tmp_path / "words").read_text()
    assert "the journal cannot be written: File too large" in words
    assert "Fix" in words
    assert 0 < len(keys(path)) < 40
    run(path, listed)
    assert sorted(keys(path)) == sorted(r.key for r in answers(listed))


def test_a_full_disk_ends_the_run_with_one_message(tmp_path, files):
    small = tmp_path / "small"
    small.mkdir()
    script = f'mount -t tmpfs -o size=48k none {small} && shift 0; "$@"; code=$?; '
    script += f"cp {small}/* {tmp_path}/; exit $code"
    shell = ["unshare", "-rm", "sh", "-c"]
    trial = f"mount -t tmpfs none {small}"
    if (
        not shutil.which("unshare")
        or subprocess.run([*shell, trial], check=False, capture_output=True).returncode
    ):
        pytest.skip("this machine lets no one mount a small file system")
    ended = subprocess.run(
        [*shell, script, "sh", *command(files, small / "j.jsonl")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2, ended.stderr
    assert "No space left on device" in ended.stderr
    assert "Traceback" not in ended.stderr
    found = keys(tmp_path / "j.jsonl")
    assert 0 < len(found) < 60
    subprocess.run(command(files, tmp_path / "j.jsonl"), check=True, capture_output=True)
    assert len(set(keys(tmp_path / "j.jsonl"))) == len(keys(tmp_path / "j.jsonl")) == 60
