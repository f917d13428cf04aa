"""Findings on speakers whose truth is known: sign, size, coverage, and what they refuse."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner
from scipy.stats import multivariate_normal

from fit_folders import write_fit_folder
from known_speakers import PLAIN, covers, run_of, speaker
from many_wolves.cli import run, wolves
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.references import SPEAKER
from many_wolves.families.politeness.reporting.quantities import QUANTITIES
from many_wolves.figures import read_all
from many_wolves.findings import halfnormal, lead_figure, members
from many_wolves.findings.changepoint import settling
from many_wolves.findings.conditions import conditions as goals
from many_wolves.findings.contrasts import contrasts, lead, pairs
from many_wolves.findings.distance import distance, divergence
from many_wolves.findings.dynamics import dynamics
from many_wolves.findings.effort import effort
from many_wolves.findings.regression import Measured, measured, regression
from many_wolves.findings.run import Findings
from many_wolves.findings.signature import signature
from many_wolves.findings.statement import Statement, percent, strength, table
from many_wolves.findings.tables import matrix
from many_wolves.report.findings import best

PEOPLE = {
    "informative": (0.5, 0.22, 0.01, 0.77),
    "social": (0.39, 0.15, 0.25, 0.60),
    "both": (0.39, 0.22, 0.10, 0.68),
}


def test_the_regression_is_the_one_that_sampling_its_own_model_gives():
    """Without spread, against the normal formula; with it, against a brute-force posterior."""
    rng = np.random.default_rng(0)
    X = np.c_[np.ones(6), np.arange(6) % 2]
    y = Measured(np.array([0.3, 0.5, 0.35, 0.62, 0.2, 0.55]), np.full(6, 0.01))
    drawn = regression(y, X, [np.eye(6)], np.zeros(2), np.ones(2), rng, draws=40_000)
    grid = np.linspace(1e-4, 0.8, 400)
    log_p, means, covs = [], [], []
    for value in grid:
        cov = np.diag(y.variance + value**2)
        log_p.append(
            multivariate_normal.logpdf(y.mean, np.zeros(6), cov + X @ X.T) - value**2 / 0.08
        )
        post = np.linalg.inv(X.T @ np.linalg.inv(cov) @ X + np.eye(2))
        means.append(post @ X.T @ np.linalg.inv(cov) @ y.mean)
        covs.append(post)
    weight = np.exp(np.array(log_p) - max(log_p))
    weight /= weight.sum()
    mean = weight @ np.array(means)
    second = np.einsum("g,gij->ij", weight, np.array(covs)) + np.einsum(
        "g,gi,gj->ij", weight, np.array(means), np.array(means)
    )
    assert drawn.coefficients.mean(0) == pytest.approx(mean, abs=0.004)
    sd = np.sqrt(np.diag(second) - mean**2)
    assert drawn.coefficients.std(0) == pytest.approx(sd, rel=0.03)
    assert drawn.spreads.mean() == pytest.approx(weight @ grid, rel=0.05)


def test_the_prior_of_each_fit_is_taken_out_once():
    """Beta posteriors under a uniform prior give back the proportion that was observed."""
    rng = np.random.default_rng(1)
    draws = [rng.beta(1 + k, 1 + 40 - k, 200_000) for k in (12, 20, 30)]
    found = measured(draws, 0.5, (1 / 12) ** 0.5)
    assert found.mean == pytest.approx(np.array([12, 20, 30]) / 40, abs=0.006)
    flat = measured([rng.uniform(size=100_000)], 0.5, (1 / 12) ** 0.5)
    assert flat.variance[0] > 0.5


def efforts(rng, change, n=150):
    """Four speakers at four efforts, with different phi and the same changes."""
    found = []
    for i, base in enumerate((0.3, 0.4, 0.5, 0.45)):
        for level, by in change.items():
            truth = {
                c: (base + by + rng.normal(0, 0.02), 0.3, 0.3, 0.4) for c in ("social", "both")
            }
            found.append(speaker(rng, f"api/m{i}", truth, n, effort=level))
    return found


def test_effects_of_effort_have_their_size_and_their_coverage():
    change = {"none": 0.0, "low": 0.2, "medium": 0.21, "high": 0.0}
    inside, total, flagged, means = 0, 0, 0, []
    for repeat in range(16):
        rng = np.random.default_rng([2, repeat])
        stated = list(effort(efforts(rng, change), QUANTITIES, repeat))
        phi = {s.contrast.split()[0]: s for s in stated if s.quantity == "phi" and not s.condition}
        inside += sum(covers(phi[level], change[level]) for level in phi)
        total += len(phi)
        flagged += phi["high"].evidence in ("strong", "moderate")
        means.append(phi["low"].estimate)
        assert phi["low"].evidence == "strong" and phi["low"].estimate > 0
    assert 0.90 <= inside / total <= 1
    assert np.mean(means) == pytest.approx(0.2, abs=0.02)
    assert flagged / 16 < 0.25


def test_without_a_second_effort_nothing_is_said_of_effort():
    rng = np.random.default_rng(3)
    found = [speaker(rng, f"api/m{i}", {"social": PLAIN}, effort="low") for i in range(3)]
    assert list(effort(found, QUANTITIES, 1)) == []


def test_shifts_by_goal_stand_beside_those_of_people():
    rng = np.random.default_rng(4)
    human = speaker(rng, SPEAKER, PEOPLE, 2000)
    steep = {
        "informative": (0.8, 0.6, 0.2, 0.2),
        "social": (0.2, 0.1, 0.2, 0.7),
        "none": (0.5, 0.3, 0.3, 0.4),
    }
    models = [speaker(rng, f"hf/m{i}", steep, 800) for i in range(3)]
    stated = {s.id: s for s in goals([human, *models], QUANTITIES, 1)}
    own = stated["goals/m0/social/phi/social - none"]
    assert covers(own, -0.3) and own.evidence == "strong" and own.probability < 0.01
    pooled = stated["goals/all models/informative/w_inf/informative - none"]
    assert covers(pooled, 0.3)
    apart = stated[f"goals/all models - {human.label}/social/phi/social - informative"]
    assert covers(apart, -0.6 + 0.11) and "203 people" in apart.sentence
    assert not any("none" in s.condition and human.label in s.subject for s in stated.values())


@pytest.mark.parametrize(
    ("weights", "expected"),
    [((0.1, 0.05, 0.02, 0.93), "so"), ((0.9, 0.05, 0.02, 0.93), "not"), (PLAIN, "not")],
)
def test_the_signature_of_sycophancy_needs_every_part(weights, expected):
    rng = np.random.default_rng(5)
    human = speaker(rng, SPEAKER, {"social": PEOPLE["social"], "both": PEOPLE["both"]}, 3000)
    model = speaker(rng, "hf/m", {"social": weights, "none": weights}, 2000)
    stated = list(signature([human, model], QUANTITIES))
    found = {s.condition: s for s in stated if s.quantity == "signature"}
    assert set(found) == {"social", "none"}
    for statement in found.values():
        assert 0 <= statement.estimate <= 1
        assert (statement.estimate > 0.95) if expected == "so" else (statement.estimate < 0.05)
        assert ("against it" in statement.sentence) == (expected == "not")
    assert "mean over goals" in found["none"].contrast
    assert len([s for s in stated if s.condition == "social"]) == 5


def test_contributions_name_the_label_that_matters():
    found = []
    for repeat, (base, feedback) in enumerate((b, f) for b in ("a", "b") for f in ("x", "y")):
        rng = np.random.default_rng([10, repeat])
        end = 0.7 if base == "a" else 0.3
        path = np.linspace(0.5, end + (0.03 if feedback == "x" else 0), 4)
        found += run_of(rng, path, 3000, f"hf/{base}{feedback}", base=base, feedback=feedback)
    stated = {
        s.contrast: s
        for s in dynamics(found, QUANTITIES, 1)
        if s.subject == "4 runs" and s.quantity == "phi"
    }
    assert covers(stated["levels of base"], 0.4 / 2**0.5)
    assert stated["levels of base"].estimate > 3 * stated["levels of feedback"].estimate


def test_divergence_is_zero_for_the_same_and_one_for_nothing_in_common():
    p = np.array([[[0.5, 0.5, 0.0, 0.0]]])
    q = np.array([[[0.0, 0.0, 0.5, 0.5]]])
    assert divergence(p, p)[0] == pytest.approx(0)
    assert divergence(p, q)[0] == pytest.approx(1)
    from scipy.spatial.distance import jensenshannon

    r = np.array([[[0.1, 0.2, 0.3, 0.4]]])
    assert divergence(p, r)[0] == pytest.approx(jensenshannon(p[0, 0], r[0, 0], 2) ** 2)


def test_who_chooses_otherwise_is_farther_from_people():
    rng = np.random.default_rng(11)
    human = speaker(rng, SPEAKER, PEOPLE, 2000)
    twin = speaker(rng, "hf/twin", PEOPLE, 2000)
    far = speaker(rng, "hf/far", dict.fromkeys(PEOPLE, (0.95, 0.9, 0.05, 0.05)), 2000)
    stated = {(s.subject, s.condition): s for s in distance([human, twin, far], QUANTITIES)}
    for condition in PEOPLE:
        assert stated["twin", condition].interval[1] < stated["far", condition].interval[0]
        assert " is 0." in (told := stated["far", condition].sentence) and " bits [" in told


def test_words_for_evidence():
    assert [strength(p) for p in (0.995, 0.003, 0.96, 0.8, 0.5)] == [
        "strong", "strong", "moderate", "weak", "no",
    ]  # fmt: skip
    assert percent(1.0) == "above 99.9 %" and percent(0.975) == "97.5 %"
    up = Statement("effort", "m", "", "phi", "", np.random.default_rng(0).normal(1, 0.1, 99), "x")
    assert "+1.0" in up.sentence and "strong evidence that it goes up" in up.sentence
    unsure = Statement("effort", "m", "", "phi", "", np.r_[-np.ones(50), np.ones(49)], "x")
    assert "not settled" in unsure.sentence and unsure.evidence == "no"
    drawn = [np.r_[np.ones(n), np.zeros(100 - n)] for n in (30, 70, 98)]
    said = [Statement("s", "m", "", "x", "", d, "it is", "probability").sentence for d in drawn]
    assert [text.split("%: ")[1] for text in said] == [
        "not settled.", "not settled.", "moderate evidence for it.",
    ]  # fmt: skip


def test_settling_gives_the_break_of_a_noiseless_stick():
    t = np.arange(21.0)
    path = 0.2 + 0.5 * np.minimum(t, 8) / 8
    rng = np.random.default_rng(12)
    drawn = path[:, None, None] + rng.normal(0, 0.005, (21, 1, 500))
    found = settling(t, drawn, rng)
    assert found.moves.mean() == 1
    assert np.quantile(found.at, [0.025, 0.975]) == pytest.approx(0.4, abs=0.06)


def study(tmp_path):
    write_fit_folder(tmp_path / "s/people/fit", speaker=SPEAKER, seed=1)
    for i, level in enumerate(("none", "low", "high")):
        labels = {"model": "openai/o", "effort": level}
        write_fit_folder(
            tmp_path / f"s/{level}/fit", speaker=f"openai/o+{level}", seed=2 + i, labels=labels,
            conditions=("informative", "social", "both", "none"),
            failed_check="Its choices do not depend on the state." if level == "high" else "",
        )  # fmt: skip
    return tmp_path / "s"


def test_the_command_writes_tables_draws_and_a_page(tmp_path):
    folder = study(tmp_path)
    result = CliRunner().invoke(wolves, ["findings", str(folder)])
    assert result.exit_code == 0, result.output
    out = folder / "findings"
    rows = pd.read_csv(out / "statements.csv")
    assert {"effort", "goals", "sycophancy", "distance"} == set(rows["finding"])
    with xr.open_dataset(out / "draws.nc") as drawn:
        for _, row in rows.sample(20, random_state=0).iterrows():
            name = row["draws"].removeprefix("draws.nc#")
            values = drawn["draws"].sel(statement=name).dropna("draw").to_numpy()
            middle = np.median if row["quantity"] == "divergence" else np.mean
            assert row["estimate"] == pytest.approx(float(middle(values)), abs=1e-4)
    page = (out / "findings.html").read_text()
    # In the lead, in a note on effects of effort, and with each of three other kinds of findings.
    assert page.count("because they did not do the task: o+high") == 2 + 3
    assert "did not do the task" in page and "findings on training are missing" in page
    for kind in ("effort", "goals", "sycophancy", "distance"):
        assert (out / f"{kind}.md").read_text().startswith("| subject")
        assert "\\toprule" in (out / f"{kind}.tex").read_text()
    first = rows.loc[rows["finding"] == "effort", "sentence"].iloc[0]
    assert "effort against none moves w_inf" in first


def test_a_page_begins_with_speakers_that_did_the_task():
    def stated(subject, contrast):
        drawn = np.random.default_rng(1).normal(1, 0.1, 400)
        words = f"{subject} against {contrast}"
        return Statement("training", subject, "", "phi", contrast, drawn, words)

    statements = (stated("a", "a-chat - a"), stated("b", "b-chat - b"), stated("c", "b - c"))
    found = Findings(
        members=(failing("b", True), failing("a", False), failing("b-chat", False)),
        statements=statements,
        lacking=(),
        seed=1,
        titles={"training": "Training"},
    )
    assert [words.split(" against")[0] for words in best(found)] == ["a"]


def test_a_page_begins_with_one_sentence_on_each_quantity():
    def stated(condition, quantity):
        drawn = np.random.default_rng(1).normal(1, 0.1, 400)
        return Statement("training", "a", condition, quantity, "b - a", drawn, quantity)

    statements = tuple(stated(c, q) for q in ("phi", "w_inf") for c in ("", "social", "both"))
    members = (failing("a", False), failing("b", False))
    found = Findings(members, statements, (), 1, titles={"training": "Training"})
    assert [words.split(" by")[0] for words in best(found)] == ["phi", "w_inf"]


def test_means_over_models_leave_out_who_did_not_do_the_task():
    rng = np.random.default_rng(4)
    levels = {"social": (0.2, 0.1, 0.2, 0.7), "none": (0.5, 0.3, 0.3, 0.4)}
    models = [speaker(rng, f"hf/m{i}", levels, 800) for i in range(3)]
    other = {"social": (0.9, 0.1, 0.2, 0.7), "none": (0.1, 0.3, 0.3, 0.4)}
    idle = speaker(rng, "hf/idle", other, 800, failed=True)
    name = "goals/all models/social/phi/social - none"
    alone, together = (
        {s.id: s.estimate for s in goals(found, QUANTITIES, 1)}
        for found in (models, [*models, idle])
    )
    assert together[name] == alone[name]
    assert together["goals/idle/social/phi/social - none"] > 0.5


def failing(label, failed):
    fit = SimpleNamespace(failed_checks=[{}] if failed else [])
    return SimpleNamespace(label=label, fit=fit, did_task=not failed)


def test_findings_are_the_same_for_the_same_seed_and_not_for_another(tmp_path):
    folder = study(tmp_path) / "none"
    outs = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        arguments = ["findings", str(folder), "--out", str(tmp_path / name), "--seed", str(seed)]
        assert run(wolves, arguments) == 0
        outs.append((tmp_path / name / "statements.csv").read_bytes())
    assert outs[0] == outs[1] != outs[2]


def test_factors_of_a_study_stand_beside_the_fit(tmp_path):
    folder = write_fit_folder(tmp_path / "m/fit", labels={"model": "hf/m", "step": 5})
    (tmp_path / "m/labels.json").write_text(json.dumps({"base": "llama"}))
    (member,) = members(read_all([folder]), QUANTITIES)
    assert member.labels == {"base": "llama"} and member.at == 5


def test_the_name_in_a_study_is_the_name_in_figures(tmp_path):
    folders = []
    for name in ("sim", "b|$c$"):
        folders.append(write_fit_folder(tmp_path / name / "fit", labels={"model": "simulated/x"}))
        (tmp_path / name / "labels.json").write_text(json.dumps({"speaker": name, "base": "b"}))
    found = members(read_all(folders), QUANTITIES)
    assert [one.label for one in found] == ["sim", "b|$c$"]
    assert [one.labels for one in found] == [{"base": "b"}] * 2


def test_what_did_not_converge_is_refused_or_left_out(tmp_path, capsys):
    folder = study(tmp_path)
    write_fit_folder(folder / "bad/fit", speaker="hf/bad", ok=False, seed=9)
    assert run(wolves, ["findings", str(folder)]) == 2
    assert "did not: bad" in capsys.readouterr().err
    assert run(wolves, ["findings", str(folder), "--skip-unconverged"]) == 0
    assert "hf/bad" not in (folder / "findings/statements.csv").read_text()
    alone = tmp_path / "alone"
    assert (
        run(wolves, ["findings", str(folder / "bad"), "--skip-unconverged", "--out", str(alone)])
        == 0
    )
    assert "findings are missing" in (alone / "findings.html").read_text()
    with pytest.raises(WolvesError, match="found none"):
        members([], QUANTITIES)
    capsys.readouterr()
    assert run(wolves, ["plot", "forest", str(folder / "bad/fit"), "--out", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "did not: bad" in told
    assert "Fix: fit them again" in told


def test_tables_show_statements_as_papers_do():
    rng = np.random.default_rng(13)
    one = Statement("goals", "m", "social", "phi", "social - none", rng.normal(0.3, 0.01, 999), "x")
    two = Statement("goals", "m", "social", "w_inf", "social - none", rng.normal(0, 1, 999), "x")
    frame = matrix([one, two])
    assert list(frame) == ["subject", "condition", "contrast", "phi", "w_inf"]
    assert frame.loc[0, "phi"].startswith("+0.30 [+0.28") and frame.loc[0, "phi"].endswith("**")
    assert not frame.loc[0, "w_inf"].endswith("*")
    assert table([one]).loc[0, "draws"] == "draws.nc#goals/m/social/phi/social - none"


def test_a_base_model_is_paired_with_what_post_training_made_of_it():
    rng = np.random.default_rng(21)
    before = dict.fromkeys((*PEOPLE, "none"), (0.4, 0.3, 0.3, 0.4))
    after = dict.fromkeys((*PEOPLE, "none"), (0.4, 0.7, 0.1, 0.2))
    facts = {"family": "a", "parameters": 7e9}
    base = speaker(rng, "hf/a", before, 3000, training="base", **facts)
    tuned = speaker(rng, "hf/a-instruct", after, 3000, training="instruct", **facts)
    small = speaker(rng, "hf/b", before, 3000, training="base", family="a", parameters=1e9)
    human = speaker(rng, SPEAKER, PEOPLE, 3000)
    found = [tuned, base, human, small]
    assert [(p.factor, p.first, p.second) for p in pairs(found)] == [
        ("training", base, tuned),
        ("parameters", small, base),
    ]
    stated = {(s.subject, s.quantity, s.condition): s for s in contrasts(found, QUANTITIES)}
    moved = stated["a", "w_inf", ""]
    assert covers(moved, 0.4) and moved.evidence == "strong"
    assert "Post-training of a moves w_inf" in moved.sentence
    assert covers(grown := stated["b", "w_inf", ""], 0.0)
    assert grown.sentence.startswith("A change of parameters from 1B to 7B (b, a) moves w_inf")
    told = lead(found, QUANTITIES)
    assert told.startswith(
        "Largest effect of post-training on each speaker, averaged over the goals: w_inf (the "
        "weight of being informative) of a by +"
    )
    assert "a-instruct" in told and "in bits" in told
    assert lead([human], QUANTITIES) == ""
    figure = lead_figure(found, QUANTITIES)
    assert set(figure.data["group"]) == {"people", "base", "instruct"}
    assert set(figure.data[figure.data["group"] == "instruct"]["row"]) == {"a"}


def test_speakers_asked_otherwise_are_no_pair():
    rng = np.random.default_rng(22)
    base = speaker(rng, "hf/a", PEOPLE, 50, training="base")
    other = speaker(rng, "hf/b", PEOPLE, 50, training="instruct", family="b")
    high = speaker(rng, "hf/a", PEOPLE, 50, training="instruct", effort="high")
    assert pairs([base, other, high]) == []


def test_the_half_normal_is_that_of_scipy() -> None:
    from scipy.stats import halfnorm

    middles = (np.arange(24) + 0.5) / 24
    at = halfnormal.nodes(24, 0.2)
    assert at == pytest.approx(halfnorm.ppf(middles, scale=0.2))
    assert halfnormal.log_density(at, 0.2) == pytest.approx(halfnorm.logpdf(at, scale=0.2))
