"""Tables, fits and figures in a notebook; tests/test_documents.py runs its documentation."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import many_wolves as mw
from fit_folders import write_fit_folder
from many_wolves.errors import WolvesError


def test_an_option_that_is_an_empty_path_is_refused():
    with pytest.raises(WolvesError, match=r"'sources' .* expected a path, found an empty text"):
        mw.compile(sources="")
    with pytest.raises(WolvesError, match=r"'prices' .* expected a path, found an empty text"):
        mw.collect("trials.jsonl", provider="openai", model="m", prices="")


def test_a_data_frame_is_a_table_of_choices():
    counts = pd.DataFrame({"goal": ["both"], "state": [1], "utterance": ["bad"], "count": [3]})
    judged = pd.DataFrame({"utterance": ["bad"], "state": [1], "yes": [2], "n": [3]})
    table = mw.read_choices(counts, literal=judged, speaker="me")
    assert table.speakers == ["me"] and (table.aside["literal"] == judged).all(axis=None)
    assert "speaker" not in counts
    with pytest.raises(WolvesError, match="does not exist"):
        mw.read_choices("nowhere.csv")


def test_a_fit_shows_itself_with_its_verdict(tmp_path):
    good = mw.read_fit(write_fit_folder(tmp_path / "good"))
    bad = mw.read_fit(write_fit_folder(tmp_path / "bad", ok=False, seed=2))
    assert "w_soc" in good._repr_html_() and "NOT" not in good._repr_html_()
    assert "have not converged" in bad._repr_html_() and not bad.converged
    assert set(good.weights["parameter"]) >= {"w_inf", "phi", "alpha"}
    with pytest.raises(WolvesError, match="expected a figure among"):
        good.figure("no such")


def test_importing_the_package_is_light():
    code = "import sys, many_wolves; print(sorted({'pandas', 'plotnine'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert "fit" in dir(mw)
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        mw.fitt  # noqa: B018


@pytest.mark.parametrize(
    ("name", "option", "meant"),
    [
        ("fit", "lietral", "literal"),
        ("fit_all", "litral", "literal"),
        ("power", "repplicates", "replicates"),
        ("choices", "scorring", "scoring"),
        ("export", "everry", "every"),
        ("read_choices", "spekaer", "speaker"),
        ("calibrate", "seeed", "seed"),
    ],
)
def test_a_misspelt_option_names_the_nearest_one(name, option, meant):
    with pytest.raises(WolvesError, match=f"no option {option!r}") as caught:
        getattr(mw, name)("x.csv", **{option: 1})
    assert caught.value.fix.startswith(f"did you mean {meant!r}")


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("design", [{}], "design() expected a path as `trials`, found an object of type dict"),
        ("design", ["t.jsonl", 5], "observations, a fit, a path or a data frame as `choices`"),
        ("collect", [None], "expected a path as `trials`, found None"),
        ("fit", [["a"]], "observations, a path or a data frame as `choices`"),
        ("fit_all", [5], "or a list of observations or paths as `choices`, found 5"),
        ("read_choices", [[]], "expected a path or a data frame as `choices`"),
        ("choices", [""], "choices() expected a path as `journals`, found an empty text"),
        ("choices", [["a", " "]], "expected a path as `journals`, found an empty text"),
        ("compile", ["politeness", ""], "expected a path as `out`, found an empty text"),
        ("Study", [""], "expected a path as `file`, found an empty text"),
        ("compile", [5], "expected text as `task`, found 5"),
        ("data", [[]], "expected text as `name`"),
        ("predict", [5], "expected a mapping as `parameters`, found 5"),
        ("findings_of", ["folder"], "expected fits or a list of fits or paths as `fits`"),
        ("read_fits", ["folder"], "expected a list of paths as `folders`, found 'folder'"),
        ("report_on", [[], "x.html"], "expected fits, found none"),
        ("export", [[], "x"], "expected fits, found none"),
        ("Study", [5], "Study() expected a path as `file`, found 5"),
    ],
)
def test_an_argument_of_a_wrong_type_is_named(name, arguments, said):
    with pytest.raises(WolvesError, match=re.escape(said)):
        getattr(mw, name)(*arguments)


def test_a_list_of_names_is_no_text_and_arguments_of_known_types_pass():
    with pytest.raises(WolvesError, match="expected a list of text as `about`, found 'w_inf'"):
        mw.design("t.jsonl", about="w_inf")
    for about in (["w_inf"], ("w_inf",), pd.Series(["w_inf"])):
        with pytest.raises(WolvesError, match=r"nowhere\.jsonl"):
            mw.design(Path("nowhere.jsonl"), about=about, width=np.float64(0.1), calls=np.int64(3))


def test_a_misspelt_option_beside_a_data_frame_names_the_nearest_one():
    frame = pd.DataFrame({"goal": ["social"], "state": [0], "utterance": ["good"], "count": [1]})
    with pytest.raises(WolvesError, match="no option 'spekaer'") as caught:
        mw.read_choices(frame, spekaer="a")
    assert caught.value.fix.startswith("did you mean 'speaker'")


def test_a_misspelt_field_of_the_priors_names_the_nearest_of_them():
    with pytest.raises(WolvesError, match=r"option 'priors\.alfa'") as caught:
        mw.fit(mw.data("yoon2020"), priors={"alfa": [1, 2]})
    assert caught.value.fix.startswith("did you mean 'alpha'? known: 'alpha', 'cost', 'phi'")


@pytest.mark.parametrize(
    ("priors", "place", "problem"),
    [
        ({"alpha": [1]}, "alpha.1", "expected a value at place 2 of the list, found none"),
        ({"cost": [-1, 2]}, "cost.0", "expected a number greater than 0, found -1"),
        ({"weights": [1, 2, 3, 4]}, "weights", "expected at most 3 values, found 4"),
    ],
)
def test_shapes_of_priors_that_are_too_few_too_many_or_negative_are_named(priors, place, problem):
    with pytest.raises(WolvesError, match=re.escape(f"'priors.{place}'")) as caught:
        mw.fit(mw.data("yoon2020"), priors=priors)
    assert problem in str(caught.value)


@pytest.mark.parametrize("given", [{}, {"speaker": "c"}])
def test_speakers_of_a_data_frame_are_chosen_in_python(given):
    people = mw.data("yoon2020").rows[["goal", "state", "utterance", "count"]]
    frame = pd.concat([people.assign(speaker=name) for name in "ab"])
    with pytest.raises(WolvesError) as caught:
        mw.read_choices(frame, **given)
    assert "speaker='" in caught.value.fix and "--" not in caught.value.fix


def test_a_misspelt_name_of_the_task_is_answered_although_designs_have_options():
    with pytest.raises(WolvesError) as caught:
        mw.compile(taks="dilemma")
    assert caught.value.fix.startswith("leave it out; did you mean 'task'?")


def test_an_option_of_a_method_without_options_is_to_be_left_out():
    with pytest.raises(WolvesError, match="no option 'seed'") as caught:
        mw.Fits({}).findings(seed=1)  # type: ignore[call-arg]
    assert caught.value.fix == "leave it out: it takes no options"


def test_a_misspelt_option_of_a_method_names_the_nearest_one():
    with pytest.raises(WolvesError, match="no option 'chekpoints'") as caught:
        mw.Study.new("x", chekpoints=1)  # type: ignore[call-arg]
    assert "'checkpoints'" in caught.value.fix


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: mw.Observations(famly="x"), "Observations() has no option 'famly'"),  # type: ignore[call-arg]
        (lambda: mw.Observations("x"), "Observations(): missing a required argument"),  # type: ignore[call-arg]
        (lambda: mw.SpeakerFit(1, 2), "SpeakerFit(): too many positional arguments"),  # type: ignore[call-arg]
        (lambda: mw.Fits(x=1), "Fits() has no option 'x'"),  # type: ignore[call-arg]
        (lambda: mw.Answers(x=1), "Answers() has no option 'x'"),  # type: ignore[call-arg]
        (lambda: mw.read_choices("a.csv", "dilemma"), "read_choices(): too many positional"),
        (mw.fit, "fit(): missing a required argument: 'choices'"),
    ],
)
def test_a_call_that_python_would_refuse_is_answered_in_words(call, said):
    with pytest.raises(WolvesError, match=re.escape(said)):
        call()
