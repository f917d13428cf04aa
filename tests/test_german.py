"""The German set: every scene of the English one, and what is read from German answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from designs import by_cell
from many_wolves.cli import run, wolves
from many_wolves.errors import WolvesError
from many_wolves.families import get
from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.task.compiler import trials_of
from many_wolves.families.politeness.task.scenes import read_utterances
from many_wolves.files import shipped
from many_wolves.records import Choose, Option, Question
from many_wolves.study import read_study

FOLDER = shipped("task-data/politeness/de")
UTTERANCES = read_utterances(FOLDER / "utterances.yaml", "eight")
# A schrecklich, B schlecht, C gut, D großartig, E bis H: nicht ...
OPTIONS = tuple(Option(u.id, u.sentence) for u in UTTERANCES)
JUDGMENT = (Option("yes", "Ja."), Option("no", "Nein."))


def read(options: tuple[Option, ...], text: str) -> str | None:
    value = get("politeness").read(Question("politeness", "choice", {}, Choose(options)), text)
    return value.value  # type: ignore[return-value]


def test_it_has_the_cells_and_options_of_the_english_set() -> None:
    english = trials_of(PolitenessDesign())
    german = trials_of(PolitenessDesign(language="de"))
    assert by_cell(german).keys() == by_cell(english).keys()
    for ours, theirs in zip(german, english, strict=True):
        assert [o.id for o in ours.options] == [o.id for o in theirs.options]
        assert ours.cell == theirs.cell
    words = " ".join(m.content for trial in german for m in (*trial.messages, *trial.baseline))
    assert not {"the", "What", "Options", "hearts"} & set(words.split())


def test_articles_follow_the_gender_of_the_item() -> None:
    said = {
        trial.cell["item"]: trial.messages[0].content
        for trial in trials_of(PolitenessDesign(language="de", framings=("first",)))
        if trial.task == "choice"
    }
    assert "gebacken, und du hast ihn gekostet" in said["cake"]
    assert "verdient der Kuchen" in said["cake"] and "Wie war mein Kuchen?" in said["cake"]
    assert "verdient die Rezension" in said["review"]
    assert "Wie war meine Rezension?" in said["review"]
    assert "verdient das Gedicht" in said["poem"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Es war gut.", "good"),
        ("Es war nicht gut.", "not good"),
        ("C) Es war gut.", "good"),
        ("C", "good"),
        ("gut", "good"),
        ("Nicht schlecht.", "not bad"),
        ("„Es war großartig.“", "amazing"),
        ("**Es war schrecklich!**", "terrible"),
        ("Antwort: Es war gut.", "good"),
        ("Die Antwort ist: Es war nicht schlecht.", "not bad"),
        ("Meine Antwort lautet C.", "good"),
        ("Ann würde sagen: „Es war gut.“", "good"),
        ("Ich würde zu Bob sagen: Es war gut.", "good"),
        ("Ich würde sagen, es war schlecht.", "bad"),
        ('{"answer": "Es war nicht großartig."}', "not amazing"),
        ("Ich würde nicht sagen: Es war gut.", None),
        ("Es war weder gut noch schlecht.", None),
        ("Es war gut oder es war großartig.", None),
        ("Keinesfalls: Es war schrecklich.", None),
        ("Es war nicht besonders gut.", None),
        ("War es gut?", None),
        ("Als KI kann ich das nicht beantworten.", None),
        ("Es tut mir leid, ich möchte nicht antworten.", None),
    ],
)
def test_german_answers_name_their_option_or_are_unread(text: str, named: str | None) -> None:
    assert read(OPTIONS, text) in (named, None)


def test_most_of_them_are_read_and_refusals_are_recognised() -> None:
    for text in ("Es war gut.", "gut", "Ann würde sagen: „Es war gut.“", "Antwort: Es war gut."):
        assert read(OPTIONS, text) == "good", text
    assert read(JUDGMENT, "Ja.") == "yes" and read(JUDGMENT, "Nein, das fand sie nicht.") == "no"
    family = get("politeness")
    question = Question("politeness", "choice", {}, Choose(OPTIONS))
    assert family.read(question, "Es tut mir leid, ich kann das nicht.").status == "refused"


def test_own_scenes_in_another_language_compile_in_a_study(tmp_path: Path, capsys) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for file in FOLDER.iterdir():
        (own / file.name).write_text(file.read_text().replace("language: de", "language: gsw"))
    words = ["compile", "--sources", str(own), "--limit", "4", "--out", str(tmp_path / "t.jsonl")]
    assert run(wolves, words) == 0
    assert "In the language 'gsw'" in capsys.readouterr().err
    study = tmp_path / "s.yaml"
    study.write_text(
        f"study: x\ntrials: {{sources: {own}, goals: [social]}}\nspeakers:\n"
        "  - {name: a, provider: openai, model: m}\ncollect: {mode: sample}\n"
    )
    assert str(own) in str(read_study(study).plan[0].design.files()[0])


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("items.yaml", "the: das Gedicht, ", "", "the same `words`"),
        ("items.yaml", "the:", "made:", "a new name for a placeholder"),
        ("templates.de.yaml", "{your}", "{yours}", "did you mean 'your'"),
    ],
)
def test_faults_in_own_words_are_named(
    file: str, old: str, new: str, words: str, tmp_path: Path
) -> None:
    for source in FOLDER.iterdir():
        text = source.read_text()
        (tmp_path / source.name).write_text(text.replace(old, new) if source.name == file else text)
    with pytest.raises(WolvesError, match=words):
        trials_of(PolitenessDesign(sources=tmp_path))


def test_a_language_that_does_not_ship_is_named() -> None:
    with pytest.raises(WolvesError, match="no scenes ship in the language 'fr'"):
        trials_of(PolitenessDesign(language="fr"))
