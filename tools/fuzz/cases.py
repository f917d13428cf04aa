"""The kinds of inputs: what is altered, which command reads it, and what must add up."""

from __future__ import annotations

import csv
import io
import json
import shutil
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tools.fuzz import alter, flags, sessions
from tools.fuzz.command_runs import Ran, command

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "schema1"
TASKS = ROOT / "task-data"
_SPEAKER = ("--provider", "simulated", "--model_name", "speaker")

Kind = Callable[[Random, Path], tuple[str, Ran, list[str]]]
"""Makes an input in a folder and runs a command on it. Returns what was done, what the
command did, and which numbers do not add up."""


@dataclass(frozen=True)
class Case:
    """One input and what came of it.

    Parameters
    ----------
    kind, seed
        They make the input again.
    what
        The alteration, in words.
    faults
        Why this must not be; empty where all is well.
    said
        What the command printed.
    status
        Its exit status.
    """

    kind: str
    seed: int
    what: str
    faults: tuple[str, ...]
    said: str
    status: int


def try_one(kind: str, seed: int, folder: Path) -> Case:
    """Make the input of a kind and a seed in an empty folder, and run the command on it."""
    rng = Random(f"{kind} {seed}")
    folder.mkdir(parents=True)
    what, ran, lost = KINDS[kind](rng, folder)
    return Case(kind, seed, what, (*ran.faults, *lost), ran.said, ran.status)


def _journal(rng: Random, folder: Path) -> tuple[str, Ran, list[str]]:
    names = ["politeness/api", "politeness/simulated-sample", "politeness/simulated-score"]
    names += ["politeness/hf-score", "games/others-sample", "games/dilemma-score", "games/self"]
    source = GOLDEN / f"{rng.choice(names)}.jsonl"
    way = alter.any_of(alter.of_json_lines, alter.of_json_lines, alter.of_lines, alter.of_bytes)
    data, what = way(rng, source.read_bytes())
    (folder / "j.jsonl").write_bytes(data)
    ran = command(["choices", "j.jsonl", "--out", "table"], folder)
    return f"{source.stem}, {what}", ran, _lines_lost(data, folder / "table", ran)


def _lines_lost(data: bytes, table: Path, ran: Ran) -> list[str]:
    """Lines of a journal that are neither counted nor named."""
    if ran.status != 0:
        return []
    lines = sum(bool(line.strip()) for line in data.split(b"\n"))
    meta = json.loads((table / "meta.json").read_text())
    source = meta["sources"][0]
    known = source["responses"] + source["torn"] + len(source["left_out"])
    faults = [] if known == lines else [f"{lines} lines, of which {known} are counted"]
    answers = sum(n for speaker in meta["status"].values() for n in speaker.values())
    if "answers" in meta and answers + meta["repeated"] + meta["foreign"] != source["responses"]:
        faults.append(
            f"{source['responses']} responses, but {answers} answers, {meta['repeated']} "
            f"repeated, {meta['foreign']} foreign"
        )
    if (meta.get("foreign") or meta.get("repeated")) and "left out" not in ran.said:
        faults.append("answers are left out without a word")
    return faults


def _resumed(rng: Random, folder: Path) -> tuple[str, Ran, list[str]]:
    """Go on with an altered journal, which must hold every whole answer afterwards."""
    source = GOLDEN / "politeness" / "simulated-sample.jsonl"
    way = alter.any_of(alter.of_json_lines, alter.of_lines, alter.of_bytes)
    data, what = way(rng, source.read_bytes())
    (folder / "j.jsonl").write_bytes(data)
    trials = str(GOLDEN / "politeness" / "trials.jsonl")
    speaker = ["--parameters", str(GOLDEN / "politeness" / "parameters.json")]
    words = ["collect", trials, *_SPEAKER, *speaker, "--replicates", "2", "--out", "j.jsonl"]
    ran = command(words, folder)
    faults = []
    if ran.status == 0:
        held = [line for line in (folder / "j.jsonl").read_bytes().split(b"\n") if line.strip()]
        aside = folder / "j.jsonl.set-aside"
        kept = {*held, *(aside.read_bytes().split(b"\n") if aside.exists() else ())}
        if len(held) != 48:
            faults.append(f"48 answers wanted, {len(held)} are there")
        lost = [line for line in source.read_bytes().split(b"\n") if line in data.split(b"\n")]
        lost = [line for line in lost if line.strip() and line not in kept]
        faults += [f"{len(lost)} whole lines are gone"] if lost else []
    elif (folder / "j.jsonl").exists() and (folder / "j.jsonl").read_bytes() != data:
        faults.append("refused, and the journal is another one")
    return what, ran, faults


def _sessions(rng: Random, folder: Path) -> tuple[str, Ran, list[str]]:
    """Alter a journal of bargaining or of an experiment."""
    return sessions.altered(rng, folder, _lines_lost)


def _trials(rng: Random, folder: Path) -> tuple[str, Ran, list[str]]:
    choices = [("politeness/trials", "politeness"), ("games/others", "games")]
    name, kind = rng.choice([*choices, ("games/dilemma", "games")])
    way = alter.any_of(alter.of_json_lines, alter.of_json_lines, alter.of_lines, alter.of_bytes)
    data, what = way(rng, (GOLDEN / f"{name}.jsonl").read_bytes())
    (folder / "t.jsonl").write_bytes(data)
    parameters = str(GOLDEN / kind / "parameters.json")
    words = ["collect", "t.jsonl", *_SPEAKER, "--parameters", parameters, "--out", "j.jsonl"]
    return f"{name}, {what}", command([*words, *rng.choice([[], ["--dry-run"]])], folder), []


def _parameters(rng: Random, folder: Path) -> tuple[str, Ran, list[str]]:
    name, kind = rng.choice([("politeness/trials", "politeness"), ("games/others", "games")])
    way = alter.any_of(alter.of_json, alter.of_json, alter.of_bytes)
    data, what = way(rng, (GOLDEN / kind / "parameters.json").read_bytes())
    (folder / "p.json").write_bytes(data)
    trials = str(GOLDEN / f"{name}.jsonl")
    words = ["collect", trials, *_SPEAKER, "--parameters", "p.json", "--out", "j.jsonl"]
    return f"{kind}, {what}", command(words, folder), []


_PEOPLE = (
    ("yoon2020", "politeness"),
    ("phelps_dilemma_rounds", "dilemma"),
    ("phelps_dictator_gifts", "dictator"),
)
"""Tables of one speaker that ship, by their tasks."""


def people(name: str) -> bytes:
    """Give a table of choices as CSV, cut to a size that is read fast."""
    if name == "yoon2020":
        from many_wolves.families.politeness.reading.human import choice_counts

        return choice_counts().to_csv(index=False).encode()
    (path,) = TASKS.rglob(f"{name}.csv")
    return b"".join(path.read_bytes().splitlines(keepends=True)[:200])


def literal() -> bytes:
    """Give the judgments of people, as a literal table."""
    from many_wolves.families.politeness.reading.human import literal_counts

    return literal_counts().to_csv(index=False).encode()


def _table(rng: Random, folder: Path) -> tuple[str, Ran, list[str]]:
    """Fit a CSV file of choices, or see it refused: nothing is left out unsaid."""
    name, task = rng.choice(_PEOPLE)
    way = alter.any_of(alter.of_cells, alter.of_cells, alter.of_lines, alter.of_bytes)
    main, aside = people(name), literal()
    beside = name == "yoon2020" and rng.random() < 0.3
    altered, what = way(rng, aside if beside else main)
    (folder / "choices.csv").write_bytes(main if beside else altered)
    if name == "yoon2020":
        (folder / "literal.csv").write_bytes(altered if beside else aside)
    ran = command(["fit", "choices.csv", "--task", task, "--no-report", "--out", "fit"], folder)
    place = f"{name}{', literal' if beside else ''}"
    return f"{place}, {what}", ran, _answers_lost(main if beside else altered, ran)


def _answers_lost(data: bytes, ran: Ran) -> list[str]:
    """Answers of a table that are not fitted, without a word about it."""
    faults = []
    for observations, problem in ran.prepared:
        fitted = problem.outcome.total(problem.observed[problem.outcome.observed][1])
        written = _total(data)
        silent = "left out" not in ran.said and "a fit ignores" not in ran.said
        if problem.family != "politeness":
            continue
        if abs(fitted - observations.total) > 1e-6:
            faults.append(f"{observations.total:g} answers were read, {fitted:g} would be fitted")
        if written is not None and silent and abs(fitted - written) > 1e-6:
            faults.append(f"{written:g} answers are in the file, {fitted:g} would be fitted")
    return faults


def _total(data: bytes) -> float | None:
    """Add up the column ``count`` with its own reader; None where it cannot tell."""
    try:
        text = data.decode("utf-8-sig")
        header = text.splitlines()[0]
        separator = max(",;\t", key=header.count)
        rows = list(csv.DictReader(io.StringIO(text), delimiter=separator))
        return sum(float(row["count"]) for row in rows)
    except (ValueError, KeyError, IndexError, TypeError, csv.Error):
        return None


def _folder(rng: Random, folder: Path) -> tuple[str, Ran, list[str]]:
    """Alter one file of a folder of ``wolves choices``."""
    names = ["politeness/choices/simulated-sample", "politeness/choices/hf-score"]
    names += ["games/choices/dilemma-sample", "games/choices/others-sample"]
    source = GOLDEN / rng.choice(names)
    shutil.copytree(source, folder / "table")
    file = rng.choice(sorted((folder / "table").iterdir()))
    table = file.suffix == ".csv"
    way = alter.any_of(alter.of_cells if table else alter.of_json, alter.of_bytes)
    data, what = way(rng, file.read_bytes())
    file.write_bytes(data)
    own = rng.choice(
        [["fit", "table"], ["fit-all", "table"], ["compare", "table"], ["pool", "table"]]
    )
    ran = command([*own, "--out", "fit"], folder)
    return f"{' '.join(own)}: {source.name}/{file.name}, {what}", ran, []


def _sources(rng: Random, folder: Path) -> tuple[str, Ran, list[str]]:
    """Items, scales, utterances or wording of which one file is altered."""
    task = rng.choice(["politeness", "politeness", "dilemma", "haggle"])
    source = TASKS / {"dilemma": "dilemmas", "haggle": "bargaining"}.get(task, task)
    own = folder / "own"
    shutil.copytree(source, own, ignore=shutil.ignore_patterns("reference", "*.csv"))
    file = rng.choice(sorted(own.glob("*.yaml")))
    data, what = alter.any_of(alter.of_text, alter.of_text, alter.of_bytes)(rng, file.read_bytes())
    file.write_bytes(data)
    small = {"politeness": ["--limit", "4"], "dilemma": ["--sample", "2"]}.get(task, [])
    words = ["compile", "--task", task, "--sources", "own", *small, "--out", "t.jsonl"]
    return f"{task}/{file.name}, {what}", command(words, folder), []


def _study(rng: Random, folder: Path) -> tuple[str, Ran, list[str]]:
    file = rng.choice(sorted((ROOT / "studies").glob("*.yaml")))
    way = alter.any_of(alter.of_text, alter.of_text, alter.of_text, alter.of_bytes)
    data, what = way(rng, file.read_bytes())
    (folder / "s.yaml").write_bytes(data)
    words = rng.choice([["plan", "s.yaml"], ["status", "s.yaml"], ["run", "s.yaml", "--dry-run"]])
    return f"{' '.join(words)}: {file.stem}, {what}", command(["study", *words], folder), []


def _prices(rng: Random, folder: Path) -> tuple[str, Ran, list[str]]:
    file = TASKS / "prices.yaml"
    data, what = alter.any_of(alter.of_text, alter.of_text, alter.of_bytes)(rng, file.read_bytes())
    (folder / "p.yaml").write_bytes(data)
    words = ["collect", str(GOLDEN / "politeness" / "trials.jsonl"), "--provider", "anthropic"]
    words += ["--model_name", "claude-sonnet-4-5", "--prices", "p.yaml", "--dry-run"]
    return what, command(words, folder), []


def _members(archive: bytes) -> dict[str, bytes]:
    """Read the members of an Inspect log, compressed as the standard library cannot."""
    import zipfile_zstd  # noqa: F401  (registers its compression)

    parts = zipfile.ZipFile(io.BytesIO(archive))
    return {info.filename: parts.read(info) for info in parts.infolist()}


def _log(rng: Random, folder: Path) -> tuple[str, Ran, list[str]]:
    """Alter a member of an Inspect log, or the archive."""
    source = GOLDEN / "inspect" / "log.eval"
    archive = source.read_bytes()
    if rng.random() < 0.3:
        data, what = alter.of_bytes(rng, archive)
    else:
        members = _members(archive)
        name = rng.choice(sorted(members))
        way = alter.any_of(alter.of_json, alter.of_json, alter.of_json, alter.of_bytes)
        members[name], what = way(rng, members[name])
        if rng.random() < 0.1:
            del members[name]
        what = f"{name}: {what}"
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as whole:
            for member, content in members.items():
                whole.writestr(member, content)
        data = out.getvalue()
    suffix = rng.choice(["eval", "eval", "eval", "json"])
    (folder / f"log.{suffix}").write_bytes(data)
    ran = command(["choices", f"log.{suffix}", "--out", "table"], folder)
    return f"{suffix}: {what}", ran, []


def _fit(rng: Random, folder: Path) -> tuple[str, Ran, list[str]]:
    """Alter one file of a fit folder."""
    name = rng.choice(["politeness", "dilemma"])
    shutil.copytree(GOLDEN / "fits" / name, folder / "fit")
    file = rng.choice(sorted((folder / "fit").iterdir()))
    ways = {".json": alter.of_json, ".csv": alter.of_cells}
    way = alter.any_of(ways.get(file.suffix, alter.of_bytes), alter.of_bytes)
    data, what = way(rng, file.read_bytes())
    file.write_bytes(data)
    own = rng.choice(
        [
            ["report", "fit", "--summary"],
            ["findings", "fit", "--out", "found"],
            ["plot", "forest", "fit", "--out", "plots"],
            ["export", "fit", "--out", "csv"],
        ]
    )
    return f"{' '.join(own)}: {name}/{file.name}, {what}", command(own, folder), []


def _labels(rng: Random, folder: Path) -> tuple[str, Ran, list[str]]:
    """Labels next to a table of several speakers."""
    table = people("yoon2020").decode().splitlines()
    rows = [f"speaker,{table[0]}"]
    rows += [f"{who},{row}" for who in ("one", "two") for row in table[1:]]
    way = alter.any_of(alter.of_cells, alter.of_lines, alter.of_bytes)
    labels, what = way(rng, b"speaker,group,pair\none,base,a\ntwo,tuned,a\n")
    (folder / "choices.csv").write_text("\n".join(rows) + "\n")
    (folder / "labels.csv").write_bytes(labels)
    words = ["fit-all", "choices.csv", "--labels", "labels.csv", "--literal", "fixed"]
    return what, command([*words, "--out", "fits"], folder), []


def _model(rng: Random, folder: Path) -> tuple[str, Ran, list[str]]:
    """Alter or remove one file of a local model."""
    from tools.fuzz.tiny import tiny_model

    model = tiny_model(folder / "model")
    file = rng.choice(sorted(model.iterdir()))
    if rng.random() < 0.2:
        file.unlink()
        what = f"{file.name} gone"
    else:
        way = alter.any_of(alter.of_json, alter.of_json, alter.of_bytes)
        way = way if file.suffix == ".json" else alter.of_bytes
        data, what = way(rng, file.read_bytes())
        file.write_bytes(data)
        what = f"{file.name}: {what}"
    (folder / "four.jsonl").write_bytes(
        b"".join((GOLDEN / "politeness" / "trials.jsonl").read_bytes().splitlines(True)[:2])
    )
    words = ["collect", "four.jsonl", "--provider", "hf", "--model_path", "model"]
    words += ["--max_tokens", "2", "--device", "cpu", "--out", "j.jsonl"]
    mode = rng.choice([[], ["--mode", "score"], ["--dry-run"], ["--prompt_format", "completion"]])
    return f"{' '.join(mode)} {what}", command([*words, *mode], folder), []


def _flags(rng: Random, folder: Path) -> tuple[str, Ran, list[str]]:
    """Run a command with options of odd values."""
    warnings.simplefilter("ignore")
    for name in ("choices.csv", "literal.csv"):
        (folder / name).write_bytes(people("yoon2020") if name == "choices.csv" else literal())
    shutil.copy(GOLDEN / "politeness" / "trials.jsonl", folder / "trials.jsonl")
    shutil.copy(GOLDEN / "politeness" / "simulated-sample.jsonl", folder / "j.jsonl")
    shutil.copy(ROOT / "studies" / "demo.yaml", folder / "study.yaml")
    shutil.copytree(GOLDEN / "fits" / "politeness", folder / "fit")
    words = flags.odd_words(rng)
    return " ".join(words)[:200], command(words, folder), []


KINDS: Mapping[str, Kind] = {
    "journal": _journal,
    "resumed": _resumed,
    "sessions": _sessions,
    "trials": _trials,
    "parameters": _parameters,
    "table": _table,
    "folder": _folder,
    "sources": _sources,
    "study": _study,
    "prices": _prices,
    "log": _log,
    "fit": _fit,
    "labels": _labels,
    "flags": _flags,
    "model": _model,
}
"""Every kind of input by its name."""
SHARES: Mapping[str, int] = {
    "journal": 4,
    "resumed": 2,
    "sessions": 4,
    "trials": 2,
    "table": 4,
    "folder": 2,
    "sources": 3,
    "study": 3,
    "log": 3,
    "fit": 2,
    "flags": 5,
    "model": 1,
}
"""How often a kind is tried next to the others, where it is not once."""
