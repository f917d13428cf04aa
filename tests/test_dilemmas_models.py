"""Game models without Stan: published data, principal and agent, contracts."""

import numpy as np
import pandas as pd
import pytest

from game_tables import model, served
from many_wolves import families
from many_wolves.contracts import SimulatedModel
from many_wolves.errors import WolvesError
from many_wolves.observations import Observations
from many_wolves.workflows.models import options_of, problem_of, single_model


def of(task):
    return Observations("dilemmas", {}, meta={"task": task})


def _sizes(data):
    """What decides how many parameters there are: all sizes but those of the table (N, H)."""
    return {name: v for name, v in data.items() if np.ndim(v) == 0 and name not in "NH"}


class TestReference:
    def test_the_gifts_are_the_published_ones(self, gifts):
        frame = gifts.rows
        assert frame.groupby("given")["count"].sum().to_dict() == {0: 6652, 1: 2078, 2: 4768, 4: 2}
        assert frame["count"].sum() == 13_500
        total = (frame["given"] * frame["count"]).groupby(frame["group"]).sum()
        means = total / frame.groupby("group")["count"].sum()
        expected = {"Altruistic": 2.00, "Cooperative": 1.36, "Control": 0.82, "Competitive": 0.13,
                    "Selfish": 0.00}  # fmt: skip
        assert means.round(2).to_dict() == pytest.approx(expected, abs=0.005)

    def test_the_rounds_are_the_published_ones(self, rounds):
        frame = rounds.rows
        assert len(frame) == 4320 and frame["game"].nunique() == 720
        share = (frame["own"] == "C").groupby(frame["group"]).mean().round(2)
        expected = {"Altruistic": 0.64, "Cooperative": 0.58, "Mixed": 0.54, "Selfish": 0.40,
                    "Control": 0.29, "Competitive": 0.28}  # fmt: skip
        assert share.to_dict() == pytest.approx(expected, abs=0.005)
        assert (frame.groupby("game")["other"].nunique() == 1).all()


class TestPrincipal:
    def test_all_alike_is_fitted_with_a_word(self):
        problem = model("principal-agent").problem(served(20))
        assert problem.refused is None
        assert np.sum(problem.data["counts"]) == 240
        assert any("All 240 choices served the user" in n for n in problem.notes)

    def test_what_does_not_vary_has_no_effect(self):
        table = served(10, 3)
        table.rows["shared_with_user"] = "no"
        problem = model("principal-agent").problem(table)
        assert problem.coords["coefficient"] == ("user served", "reasons shown to the principal")
        assert any("to be shown to the user did not vary" in n for n in problem.notes)

    @pytest.mark.parametrize("word", ["nobody", np.int64(1)])
    def test_an_unknown_word_is_named(self, word):
        table = served(10, 3)
        table.rows["served"] = table.rows["served"].astype(object)
        table.rows.loc[4, "served"] = word
        with pytest.raises(WolvesError, match=f"user or principal, found '{word}'") as caught:
            model("principal-agent").problem(table)
        assert caught.value.line == 6


class TestContracts:
    @pytest.mark.parametrize("name", list(families.get("dilemmas").models()))
    def test_every_model_can_be_compared_recovered_and_calibrated(self, name, rounds, gifts):
        one = model(name)
        assert isinstance(one, SimulatedModel)
        tables = {"dilemma": rounds, "dictator": gifts, "principal": served(8, 4)}
        table = tables[next(t for t in one.tasks if t in tables)]
        problems = {v: one.problem(table, **options) for v, options in one.variants().items()}
        first = next(iter(problems.values()))
        for problem in problems.values():
            # LOO pairs variants part by part: same cells, same counts.
            np.testing.assert_array_equal(
                problem.observed["counts"][1], first.observed["counts"][1]
            )
            assert problem.program == first.program
        for variant, options in one.variants().items():
            rng = np.random.default_rng(7)
            truth, answered = one.simulate(table, rng, **options)
            again = one.problem(answered, **options)
            assert _sizes(again.data) == _sizes(problems[variant].data)
            assert again.coords.keys() == problems[variant].coords.keys()
            assert np.isfinite(truth["log_lik"])
            asked = np.asarray(problems[variant].observed["counts"][1]).sum()
            assert np.asarray(again.observed["counts"][1]).sum() == asked

    def test_models_are_found_by_task(self):
        assert single_model(of("dictator")).name == "social-preferences"
        assert single_model(of("dilemma")).name == "memory-one"
        assert single_model(of("principal")).name == "principal-agent"
        with pytest.raises(WolvesError, match="has no model 'memory-one'"):
            single_model(of("dictator"), "memory-one")

    def test_every_option_of_the_games_can_be_set_and_is_checked(self, gifts):
        social = model("social-preferences")
        assert problem_of(gifts, social, {"form": "ces"}).options["form"] == "ces"
        with pytest.raises(WolvesError, match="did you mean 'ces'"):
            problem_of(gifts, social, {"form": "cse"})
        with pytest.raises(WolvesError, match="did you mean 'form'"):
            problem_of(gifts, social, {"forms": "ces"})

    def test_options_of_another_family_are_refused_not_ignored(self):
        social = model("social-preferences")
        assert options_of(social, {}, "ces") == {"form": "ces"}
        with pytest.raises(WolvesError, match="no option 'literal'"):
            options_of(social, {"literal": "cut"})
        with pytest.raises(WolvesError, match="no variant 'kind'"):
            options_of(social, {}, "kind")

    def test_a_table_of_choices_holds_all_tasks(self, rounds, gifts):
        aside = {
            "rounds": rounds.rows.rename(columns={"speaker": "model"}),
            "gifts": gifts.rows.rename(columns={"speaker": "model"}),
        }
        counts = pd.DataFrame({"speaker": ["gpt-3.5-turbo"], "task": ["dilemma"], "count": [1]})
        table = Observations.from_rows("dilemmas", counts, aside)
        np.testing.assert_array_equal(
            model("memory-one").problem(table).data["counts"],
            model("memory-one").problem(rounds).data["counts"],
        )
        np.testing.assert_array_equal(
            model("social-preferences").problem(table).data["counts"],
            model("social-preferences").problem(gifts).data["counts"],
        )
        with pytest.raises(WolvesError, match="no choices of the task 'principal'"):
            model("principal-agent").problem(table)
