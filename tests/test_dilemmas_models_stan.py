"""Game models in Stan: densities against NumPy and SciPy, known truth found again, pages."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import binom, norm

from densities import log_density, points_of
from game_tables import REFERENCE, model, rounds_table, served
from many_wolves import inference
from many_wolves.cli import run, wolves
from many_wolves.families.dilemmas.model.divisions import read_divisions
from many_wolves.families.dilemmas.model.mixtures import Plan, coordinates, log_likelihood
from many_wolves.families.dilemmas.model.preferences import from_coordinates
from many_wolves.families.dilemmas.model.rounds import read_rounds
from many_wolves.families.dilemmas.model.social_plan import log_likelihood as log_choices
from many_wolves.families.dilemmas.options import SPREAD
from many_wolves.inference.sampling.fit import with_data
from many_wolves.inference.settings import Settings
from many_wolves.observations import Observations
from many_wolves.report import write_fit_report
from many_wolves.workflows.data import load

# One program, that of decisions, is compiled in `make test`; the others by `make test-slow`.
pytestmark = pytest.mark.stan
QUICK = Settings(chains=2, warmup=300, draws=300, seed=4)


def program(problem):
    return inference.load(problem.program, "httpstan")


def density(problem, points):
    return log_density(program(problem), problem, points)


def levels_of(x, K, V, levels):
    """Coordinates (K, J) of all participants from unconstrained x, straight from the text."""
    of = np.array(levels.of_participants)
    middle, rest = x[:K], x[K:]
    each = np.tile(middle[:, None], of.size)
    for there, at in ((levels.by_group, of), (levels.by_participant, np.arange(of.size))):
        if there:
            n = at.max() + 1
            sd = -SPREAD * norm.logsf(rest[:V])
            normals = rest[V : V + V * n].reshape(n, V).T
            each[:V] += sd[:, None] * normals[:, at]
            rest = rest[V + V * n :]
    assert rest.size == 0
    return each


def small_rounds():
    rng = np.random.default_rng(2)
    games = [
        (number % 3, "".join(rng.choice(["C", "D"], 5)), "".join(rng.choice(["C", "D"], 5)))
        for number in range(30)
    ]
    table = rounds_table(games)
    group = table.rows["participant"].map({0: "first", 1: "first", 2: "second"})
    return Observations.from_rows("dilemmas", table.rows.assign(group=group), meta=table.meta)


class TestDensities:
    def test_memory_one_is_that_of_the_moves_one_by_one(self):
        table = small_rounds()
        for options in ({}, {"end_game": False}, {"memory": "other"}):
            problem = model("memory-one").problem(table, **options)
            points = points_of(program(problem), problem, 3, seed=1)
            levels = read_rounds(table).levels
            names = list(problem.coords["coefficient"])
            sd = np.where(np.array(names) == "last round", 1.0, 1.5)
            expected = []
            for x in points:
                each = sd[:, None] * levels_of(x, len(names), len(names), levels)
                odds = {
                    (group, who): dict(zip(names, own, strict=True))
                    for (group, who), own in zip(levels.participants, each.T, strict=True)
                }
                expected.append(norm.logpdf(x).sum() + self.walk(table, odds))
            np.testing.assert_allclose(density(problem, points), expected, rtol=1e-10)

    @staticmethod
    def walk(table, odds):
        """Log-likelihood of games, one after another, from the words of the model."""
        total = 0.0
        ordered = table.rows.sort_values(["game", "round"])
        for _, game in ordered.groupby("game"):
            before = None
            for row in game.itertuples():
                own = odds[row.group, str(row.participant)]
                context = "start" if before is None else before.own + before.other
                # A coefficient is shared where only the other's move is recalled.
                eta = own.get(context, own.get(context[1:], np.nan))
                if row.round == len(game):
                    eta += own.get("last round", 0.0)
                total += np.log(expit(eta if row.own == "C" else -eta))
                before = row
        return total

    @pytest.mark.slow
    def test_strategy_frequencies_are_those_of_the_games_one_by_one(self):
        table = small_rounds()
        for options in ({}, {"one_tremble": True}, {"strategies": ("always C", "tit for tat")}):
            problem = model("strategy-frequencies").problem(table, **options)
            plan = Plan.of(read_rounds(table), **options)
            rng = np.random.default_rng(5)
            points, expected = [], []
            for _ in range(3):
                frequency = rng.dirichlet(np.ones(len(plan.members)), size=len(plan.groups))
                tremble = rng.uniform(0.05, 0.4, size=len(plan.groups))
                tremble[:] = tremble[0] if plan.one_tremble else tremble
                x = coordinates(plan, frequency, tremble)
                points.append(x)
                lik = log_likelihood(plan, frequency, tremble)
                expected.append(norm.logpdf(x).sum() + lik)
            np.testing.assert_allclose(density(problem, np.array(points)), expected, rtol=1e-9)

    @pytest.mark.slow
    def test_merged_strategies_share_their_class_evenly(self):
        games = [(1, "CCCC", "CCCC"), (1, "CDDD", "DDDD"), (1, "CDCC", "CCCC")]
        problem = model("strategy-frequencies").problem(
            rounds_table(games), strategies=("tit for tat", "grim")
        )
        assert list(problem.coords["class"]) == ["tit for tat or grim"]
        eps = 0.1
        firm, slip = np.log1p(-eps), np.log(eps)
        # After its own slip in the third game grim would defect, tit for tat would not.
        third = logsumexp([3 * firm + slip, firm + 3 * slip]) - np.log(2)
        x = norm.ppf(2 * eps)
        expected = norm.logpdf(x) + 8 * firm + third
        assert density(problem, np.array([[x]]))[0] == pytest.approx(expected, rel=1e-10)

    @pytest.mark.slow
    @pytest.mark.parametrize("form", ["fehr-schmidt", "charness-rabin", "ces", "selfish"])
    @pytest.mark.parametrize("vary", [False, True])
    def test_social_preferences_are_those_of_the_utilities(self, form, vary):
        rows = [
            {"speaker": "s", "group": g, "participant": p, "part": part, "endowment": stake,
             "given": 1.0 * k, "offer": float(k), "accepted": float(k % 2),
             "count": (2.0 + k) * (10 if p == "2" else 1)}
            for g, p in (("a", "1"), ("a", "2"), ("b", "1"))
            for part, stake in (("gifts", 4.0), ("offers", 10.0), ("replies", 10.0))
            for k in range(4)
        ]  # fmt: skip
        table = Observations.from_rows("dilemmas", pd.DataFrame(rows), meta={"task": "ultimatum"})
        problem = model("social-preferences").problem(table, form=form, vary_precision=vary)
        found = read_divisions(table)
        K = 1 if form == "selfish" else 3
        V = K if vary else K - 1
        informed = [] if form == "selfish" else range(3)
        assert (np.array(problem.data["information"]) > 0).sum() == len(informed)
        points = points_of(program(problem), problem, 3, seed=3, spread=0.7)
        expected = []
        for x in points:
            each = levels_of(x, K, V, found.levels)
            prior = norm.logpdf(x)
            for j in informed:
                # x stands for a draw from the product of two Gaussians: level and choices.
                at = x.size - 3 * V + j * V
                middle = each[0, j] - (sd := -SPREAD * norm.logsf(x[at - (1 + j) * V])) * x[at]
                unit = 1.0 if form == "ces" else 1 / np.exp(1.5 * each[-1, j])
                estimate = problem.data["indifferent"] + problem.data["estimate"][j] * unit
                weights = np.array([1 / sd**2, problem.data["information"][j] / unit**2])
                mean = weights @ [middle, estimate] / weights.sum()
                each[0, j] = mean + x[at] / np.sqrt(weights.sum())
                prior[at] = norm.logpdf(each[0, j], middle, sd) - np.log(weights.sum()) / 2
            who = [from_coordinates(form, c, 10.0) for c in each.T]
            expected.append(prior.sum() + log_choices(found, who))
        np.testing.assert_allclose(density(problem, points), expected, rtol=1e-9)

    @pytest.mark.slow
    def test_the_prior_alone_is_a_standard_normal(self):
        table = small_rounds()
        for name in ("memory-one", "strategy-frequencies"):
            problem = model(name).problem(table)
            counts = np.zeros_like(problem.data["counts"]).tolist()
            problem = with_data(problem, counts=counts)
            points = points_of(program(problem), problem, 2, seed=1, spread=1.0)
            found = density(problem, points)
            np.testing.assert_allclose(found, norm.logpdf(points).sum(axis=1), rtol=1e-12)


def fitted(name, table, settings=QUICK, **options):
    one = model(name)
    problem = one.problem(table, **options)
    return inference.fit(problem, program(problem), one.parameters, settings)


def known(name, fit, truth):
    """Whether every true value has draws of its shape, as recovery needs them."""
    draws = model(name).draws(fit.tree, list(truth))
    assert {n: d.shape[2:] for n, d in draws.items()} == {n: np.shape(v) for n, v in truth.items()}


def inside(fit, name, truth, at_least):
    """Share of true values in central 99 % intervals."""
    draws = fit.tree["posterior"][name].to_numpy().reshape(-1, *np.shape(truth))
    low, high = np.quantile(draws, [0.005, 0.995], axis=0)
    assert ((low <= truth) & (truth <= high)).mean() >= at_least, name


class TestKnownTruth:
    @pytest.mark.slow
    def test_memory_one_strategies_are_found_again(self):
        rng = np.random.default_rng(8)
        games = [(n % 2, "CCCCCCCC", "".join(rng.choice(["C", "D"], 8))) for n in range(240)]
        table = rounds_table(games)
        group = np.where(table.rows["game"] < 120, "nice", "spiteful")
        table = Observations.from_rows("dilemmas", table.rows.assign(group=group), meta=table.meta)
        given = {
            "nice": {"start": 2, "CC": 2, "CD": 1, "DC": 1, "DD": 0, "last round": -1},
            "spiteful": {"start": 1, "CC": 2, "CD": -2, "DC": -2, "DD": -2, "last round": 0},
        }
        truth, answered = model("memory-one").simulate(table, rng, given)
        fit = fitted("memory-one", answered)
        known("memory-one", fit, truth)
        for name in ("p_c", "spite", "forgiveness", "endgame_drop", "cooperation"):
            inside(fit, name, truth[name], 0.9)
        # The prior takes any share of C to be possible.
        before = fit.tree["prior"]["cooperation"].to_numpy()
        assert before.shape[2:] == (2,)
        assert np.quantile(before, 0.05) < 0.35 and np.quantile(before, 0.95) > 0.65
        spite = fit.summary.query("parameter == 'spite'").set_index("condition")
        assert spite.loc["spiteful", "hdi_low"] > spite.loc["nice", "hdi_high"]

    @pytest.mark.slow
    def test_frequencies_are_found_again(self):
        shares = {"tit for tat": 0.35, "always D": 0.2, "grim": 0.1, "always C": 0.1,
                  "suspicious tit for tat": 0.1, "win-stay lose-shift": 0.1,
                  "tit for two tats": 0.05}  # fmt: skip
        given = {"tremble": 0.05, "frequency": shares}
        covered: dict[str, list[bool]] = {"frequency": [], "tremble": []}
        for seed in range(8):
            rng = np.random.default_rng(seed)
            games = [(1, "CCCCCC", "".join(rng.choice(["C", "D"], 6))) for _ in range(300)]
            truth, answered = model("strategy-frequencies").simulate(
                rounds_table(games), rng, given
            )
            fit = fitted("strategy-frequencies", answered)
            known("strategy-frequencies", fit, truth)
            for name, found in covered.items():
                draws = fit.tree["posterior"][name].to_numpy().reshape(-1, *np.shape(truth[name]))
                low, high = np.quantile(draws, [0.025, 0.975], axis=0)
                found += list(np.ravel((low <= truth[name]) & (truth[name] <= high)))
        for name, found in covered.items():
            # Fewer than these have a chance below one in a thousand where 95 % are covered.
            assert sum(found) >= binom.ppf(0.001, len(found), 0.95), name

    @pytest.mark.slow
    def test_envy_is_found_from_rejections_alone(self):
        rows = [
            {"speaker": "s", "group": "g", "participant": "1", "part": "replies", "endowment": 10,
             "offer": offer, "accepted": 1, "count": 200}
            for offer in range(6)
        ]  # fmt: skip
        rows += [rows[0] | {"part": "gifts", "given": 1, "count": 400}]
        table = Observations.from_rows("dilemmas", pd.DataFrame(rows), meta={"task": "ultimatum"})
        social = model("social-preferences")
        given = {"precision": 1.2, "guilt": 0.4, "envy": 0.9}
        truth, answered = social.simulate(table, np.random.default_rng(3), given)
        fit = fitted("social-preferences", answered)
        known("social-preferences", fit, truth)
        for name in ("envy", "guilt", "precision"):
            inside(fit, name, truth[name], 1.0)
        spread = fit.summary.query("parameter == 'envy'")["sd"].iloc[0]
        assert spread < 0.2  # the prior's is 0.8: rejections tell

    @pytest.mark.slow
    def test_gifts_alone_leave_envy_to_its_prior(self):
        rows = [{"speaker": "s", "group": "g", "participant": "1", "endowment": 4, "given": 2,
                 "count": 500}]  # fmt: skip
        table = Observations.from_rows("dilemmas", pd.DataFrame(rows), meta={"task": "dictator"})
        given = {"precision": 7.5, "guilt": 0.4, "envy": 0.1}
        _, answered = model("social-preferences").simulate(table, np.random.default_rng(3), given)
        fit = fitted("social-preferences", answered)
        draws = fit.tree["posterior"]["envy"].to_numpy().ravel()
        assert draws.std() > 0.5  # that of the prior is 0.8

    def test_all_alike_converges(self):
        one = model("principal-agent")
        problem = one.problem(served(20))
        fit = inference.fit_with_retries(problem, program(problem), one.parameters)
        assert fit.diagnostics.ok, fit.diagnostics.verdict
        shown = fit.summary.query("parameter == 'user_served'")
        assert (shown["mean"] > 0.97).all() and (shown["hdi_high"] > 0.999).all()

    def test_effects_of_information_are_found_again(self):
        given = {"user served": 0.5, "reasons shown to the user": 2.0,
                 "reasons shown to the principal": -1.0}  # fmt: skip
        one = model("principal-agent")
        truth, answered = one.simulate(served(60), np.random.default_rng(4), given)
        fit = fitted("principal-agent", answered)
        known("principal-agent", fit, truth)
        inside(fit, "effect", truth["effect"], 1.0)
        inside(fit, "user_served", truth["user_served"], 1.0)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A part of the published rounds: two participants of two groups, 8 games of each."""
    folder = tmp_path_factory.mktemp("rounds")
    table = load(REFERENCE / "phelps_dilemma_rounds.csv", "dilemma")
    frame = table.rows.rename(columns={"speaker": "model"}).drop(columns="count")
    frame = frame[frame["group"].isin(["Selfish", "Cooperative"])]
    frame = frame[frame["participant"] < 3]
    names = frame.groupby(["group", "participant", "partner"])["game"].unique()
    kept = {game for games in names for game in games[:2]}
    frame[frame["game"].isin(kept)].to_csv(folder / "rounds.csv", index=False)
    return folder / "rounds.csv"


class TestCommands:
    def arguments(self, *words):
        return [*words, "--engine", "httpstan", "--chains", "2", "--warmup", "200",
                "--draws", "200"]  # fmt: skip

    @pytest.mark.slow
    def test_fit_and_report_of_each_model_of_rounds(self, small, tmp_path, capfd):
        for name in ("memory-one", "strategy-frequencies"):
            out = tmp_path / name
            words = ["fit", "--task", "dilemma", "--choices", str(small), "--model", name]
            status = run(wolves, [*self.arguments(*words), "--out", str(out)])
            assert status in (0, 1)  # so few draws need not suffice
            record = json.loads((out / "fit.json").read_text())
            assert record["family"] == "dilemmas" and record["model"] == name
            page = (out / "report.html").read_text()
            assert "Selfish" in page and "Predictive check" in page
            for note in record["notes"]:
                assert note.replace("'", "&#39;") in page
        assert "No partner cooperated again after a defection" in capfd.readouterr().err

    @pytest.mark.slow
    def test_compare_variants(self, small, tmp_path):
        out = tmp_path / "compared"
        words = ["compare", str(small), "--task", "dilemma", "--models", "unconditional"]
        run(wolves, [*self.arguments(*words), "--out", str(out)])
        rows = pd.read_csv(out / "comparison.csv").set_index("model")
        assert list(rows.index) == ["memory-one", "unconditional"]
        assert rows.loc["unconditional", "log_bf"] < -20
        assert rows.loc["unconditional", "elpd_diff"] < -20

    @pytest.mark.slow
    def test_recover_goes_on_where_it_stopped(self, small, tmp_path):
        words = ["recover", str(small), "--task", "dilemma", "--model", "strategy-frequencies"]
        words = [*self.arguments(*words), "--workers", "1", "--out", str(tmp_path)]
        run(wolves, [*words, "--n", "2"])
        run(wolves, [*words, "--n", "3"])
        lines = (tmp_path / "simulations.jsonl").read_text().splitlines()
        assert len(lines) == 4
        assert set(pd.read_csv(tmp_path / "recovery.csv")["quantity"]) == {"frequency", "tremble"}

    @pytest.mark.slow
    def test_the_page_of_gifts_compares_guilt_by_group(self, tmp_path):
        gifts = load(REFERENCE / "phelps_dictator_gifts.csv", "dictator")
        kept = gifts.rows["group"].isin(["Selfish", "Control"])
        gifts = Observations.from_rows(
            "dilemmas", gifts.rows[kept].reset_index(drop=True), meta=gifts.meta
        )
        one = model("social-preferences")
        fit = fitted("social-preferences", gifts, Settings(chains=2, warmup=100, draws=100))
        inference.save(fit, tmp_path, {"checks": [], "excluded": [], "source": {}})
        page = write_fit_report(tmp_path).read_text()
        for words in ("Groups compared", "guilt", "share observed", "does not identify envy"):
            assert words in page
        assert page.index("does not identify envy") < page.index("Groups compared</h2>")
        assert one.problem(gifts).speaker == "gpt-3.5-turbo"
