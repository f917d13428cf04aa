"""Chains of games: memory, advice, arms that branch, moderators, and what is asked when."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from bargaining_chains import (
    CHATS,
    DEAL,
    LEAVES,
    design,
    go_through,
    offers,
    openings,
    says,
    script,
)
from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.moves import Move
from many_wolves.families.bargaining.task.cells import script_from_cell
from many_wolves.families.bargaining.task.chain import Answer, Verdict, walk
from many_wolves.families.bargaining.task.prompts import critic_chat, moderator_chat, player_chat
from many_wolves.families.bargaining.task.script import Script

TWO = {"goods": ["balloon"], "roles": ["seller"], "openings": ["both"], "first": ["seller"]}
FIVE = {**TWO, "games": 5, "sample": None, "forms": ["free"]}


def closing(question):
    """A seller who takes the standing price at once, and a critic with advice."""
    if question.kind == "critic":
        return Answer("answered", f"Advice before game {question.game.number}.")
    return DEAL


def leaving(question):
    return says("1. Wait.", None) if question.kind == "critic" else LEAVES


def texts(messages):
    return [f"{m.role}: {m.content}" for m in messages]


def test_one_game_against_a_script_asks_message_after_message():
    one = script("default", partners=["linear"], **TWO)
    numbers = iter([19, 18, 17])
    went = go_through(
        one, lambda q: offers(next(numbers, 0)) if q.game.state.messages < 6 else DEAL
    )
    (game,) = went.games
    assert went.questions == []
    assert game.state.ended == "deal"
    assert [said.seat for said in game.utterances] == ["speaker", ""] * 3 + ["speaker"]


def test_a_game_that_ends_without_a_deal_does_not_end_its_chain():
    one = script("improvement", arms=["constant"], partners=["linear"], **FIVE)
    went = go_through(one, leaving)
    assert [game.state.ended for game in went.games] == ["walked"] * 5
    assert [game.state.price for game in went.games] == [None] * 5
    assert [game.number for game in went.games] == [1, 2, 3, 4, 5]


def test_a_message_that_cannot_be_read_cuts_its_game_and_the_chain_goes_on():
    one = script("improvement", arms=["none"], partners=["linear"], **FIVE)
    went = go_through(one, lambda q: says("?", None, "unparsed"))
    assert [game.state.ended for game in went.games] == ["unparsed"] * 5
    assert {game.state.by for game in went.games} == {"seller"}


def test_arms_share_the_first_game_and_each_goes_on_from_it():
    one = script(
        "improvement", arms=["none", "constant", "human", "ai"], partners=["linear"], **FIVE
    )
    went = go_through(one, closing)
    assert [(g.branch, g.arm, g.number) for g in went.games][:2] == [(0, "", 1), (1, "none", 2)]
    assert len(went.games) == 1 + 4 * 4
    by_arm = {arm: [g for g in went.games if g.arm == arm] for arm in one.arms}
    assert all(len(games) == 4 for games in by_arm.values())
    assert {g.advice for g in by_arm["none"]} == {""}
    assert len({g.advice for g in by_arm["constant"]}) == 1
    assert len({g.advice for g in by_arm["human"]}) > 1  # drawn anew before each game
    assert [g.advice for g in by_arm["ai"]] == [f"Advice before game {n}." for n in (2, 3, 4, 5)]


def test_turn_numbers_are_unique_and_in_the_order_of_play():
    one = script("improvement", arms=["constant", "ai"], partners=["self"], moderator=1, **FIVE)
    seen: list[int] = []
    order: dict[int, list[int]] = {}

    def answer(question):
        seen.append(question.turn)
        order.setdefault(question.game.branch, []).append(question.turn)
        if question.kind == "moderator":
            return Answer("answered", verdict=Verdict("open"))
        return CHATS if question.kind == "message" else says("Advice.", None)

    go_through(one, answer)
    assert len(seen) == len(set(seen))
    for turns in order.values():
        assert turns == sorted(turns)


def test_branches_are_offered_together_and_a_critic_is_asked_once():
    one = script("improvement", arms=["constant", "human", "ai"], partners=["linear"], **FIVE)
    first = go_through(one, lambda q: closing(q) if q.game.number == 1 else None)
    kinds = sorted((q.kind, q.game.arm) for q in first.questions)
    assert kinds == [("critic", "ai"), ("message", "constant"), ("message", "human")]
    asked: list[int] = []

    def answer(question):
        asked.append(question.turn) if question.kind == "critic" else None
        return closing(question)

    go_through(one, answer)
    assert len(asked) == len(set(asked)) == 4


def test_only_the_speaker_remembers_earlier_games():
    one = script("balloon-2023", arms=["constant"], games=3, copies=1)
    prompts: dict[tuple[str, int], str] = {}

    def answer(question):
        prompts[question.seat, question.game.number] = "\n".join(texts(player_chat(one, question)))
        if question.role == "seller" and question.game.state.messages == 0:
            return offers(17)
        return DEAL

    go_through(one, answer)
    last = prompts["speaker", 3]
    assert last.count("You sold the balloon for $17.") == 2
    assert last.count("assistant: How about $17?") == 2
    assert "Try to sell for more than $17 this time." in last
    assert last.count("Think about how the last talk went") == 2
    # the closing message reaches the other side: the speaker saw the buyer take the price
    assert last.count("user: Deal!") == 2
    buyer = prompts["partner", 3]
    assert "You sold" not in buyer and "Think about" not in buyer
    assert buyer.count("How about $17?") == 1


def test_without_memory_the_last_result_and_the_advice_remain():
    one = script("improvement", arms=["constant"], partners=["linear"], memory="none", **FIVE)
    prompts: dict[int, str] = {}

    def answer(question):
        prompts[question.game.number] = "\n".join(texts(player_chat(one, question)))
        return DEAL

    go_through(one, answer)
    assert prompts[5].count("You sold the balloon for") == 1
    assert "assistant: Deal!" not in prompts[5]


def test_a_failure_is_never_a_price():
    one = script("improvement", arms=["constant"], partners=["linear"], **FIVE)
    prompts: list[str] = []

    def answer(question):
        prompts.append("\n".join(texts(player_chat(one, question))))
        return LEAVES

    go_through(one, answer)
    assert "there was no sale" in prompts[-1]
    assert "Try to reach a sale this time" in prompts[-1]
    assert "-1" not in prompts[-1]
    assert "$0" not in prompts[-1]
    assert "for more than" not in prompts[-1]


def test_the_item_stays_the_same_in_every_game():
    changed = {"goods": ["diamond 2023"], "arms": ["ai"], "games": 3, "copies": 1}
    one = script("balloon-2023", **changed)
    prompts: list[str] = []

    def answer(question):
        chat = critic_chat if question.kind == "critic" else player_chat
        prompts.append("\n".join(texts(chat(one, question))))
        return says("Wait.", None) if question.kind == "critic" else DEAL

    go_through(one, answer)
    assert all("diamond" in prompt for prompt in prompts)
    assert not any("balloon" in prompt for prompt in prompts)
    assert "Would you sell it for $500?" in prompts[0]


def test_the_critic_reads_the_whole_game_with_roles_named_and_instructions_apart():
    one = script("balloon-2023", arms=["ai"], games=2, copies=1)
    seen: list[str] = []

    def answer(question):
        if question.kind == "critic":
            seen.append("\n".join(texts(critic_chat(one, question))))
            return says("Wait.", None)
        return offers(17) if question.game.state.messages == 0 else DEAL

    go_through(one, answer)
    (prompt,) = seen
    lines = prompt.splitlines()
    assert "Buyer: Would you sell it for $10?" in lines
    assert "Seller: How about $17?" in lines
    assert "Buyer: Deal!" in lines  # the closing message included
    assert "Result: a sale at $17." in lines
    assert one.rules["speaker"] not in prompt
    assert "You coach a seller" in prompt
    assert "no particular price" in prompt


def test_a_moderator_beside_the_rules_holds_nothing_up():
    one = script("default", partners=["linear"], moderator=1, **TWO)
    kinds: list[list[str]] = []

    def answer(question):
        return None if question.kind == "moderator" else offers(19)

    answers: dict[int, Answer] = {}
    for _ in range(4):
        went = walk(one, "e:0", answers)
        kinds.append([q.kind for q in went.questions])
        answers |= {q.turn: a for q in went.questions if (a := answer(q)) is not None}
    assert kinds[0] == ["message"]
    assert kinds[1] == ["moderator", "moderator", "message"]
    assert kinds[2].count("moderator") == 4


def test_a_share_of_the_games_is_moderated():
    one = replace(script("default", partners=["linear"], **TWO), moderator=0.25)
    moderated = 0
    for number in range(200):
        moderated += walk(replace(one, seed=number), "e:0", {}).games[0].moderated
    assert 25 <= moderated <= 75


def test_where_the_moderator_decides_its_word_counts():
    one = script("default", partners=["self"], moderator=1, moderator_decides=True, **TWO)

    def deal_at_14(question):
        if question.kind == "message":
            return DEAL  # the rules would end the game at once
        third = question.game.state.messages == 3
        verdict = Verdict("deal", 14.0, "buyer") if third else Verdict("open")
        return Answer("answered", verdict=verdict)

    went = go_through(one, deal_at_14)
    state = went.games[0].state
    assert (state.ended, state.price, state.by, state.messages) == ("deal", 14, "buyer", 3)


def test_moderators_see_the_last_messages_with_their_roles():
    one = script("default", partners=["linear"], moderator=1, **TWO)
    went = go_through(one, lambda q: None if q.kind == "moderator" else offers(19))
    last = [q for q in went.questions if q.kind == "moderator"][-1]
    (message,) = moderator_chat(one, last)
    assert "Seller: How about $19?" in message.content
    assert message.content.count("\nSeller: ") + message.content.count("\nBuyer: ") <= 6


def test_moderators_see_as_many_messages_as_the_design_says():
    shown = {}
    for reads in (1, 2, 6):
        one = script("default", partners=["linear"], moderator=1, moderator_reads=reads, **TWO)
        went = go_through(one, lambda q: None if q.kind == "moderator" else offers(19))
        last = [q for q in went.questions if q.kind == "moderator"][-1]
        (message,) = moderator_chat(one, last)
        shown[reads] = sum(f"{side}: " in message.content.replace("\n", "|\n")
                           for side in ("Seller", "Buyer"))  # fmt: skip
        assert Script.of(one.to_json()).moderator_reads == reads
    assert shown[1] < shown[2]
    assert "moderator_reads" not in script("default", moderator=1, **TWO).to_json()


def test_answers_in_a_form_keep_it_in_their_own_memory_and_lose_it_on_the_way():
    one = script("default", partners=["self"], **{**TWO, "openings": ["none"]})
    text = "I could do $18.\nOffer: $18"
    said = Answer("answered", text, "I could do $18.", Move("offer", 18.0))
    prompts: list[str] = []

    def answer(question):
        prompts.append("\n".join(texts(player_chat(one, question))))
        return said if question.role == "seller" else CHATS

    go_through(one, answer)
    assert "assistant: I could do $18.\nOffer: $18" in prompts[2]
    assert "The seller writes: I could do $18.\n" in prompts[1] + "\n"
    assert "Offer: $18" not in prompts[1]


def test_words_and_price_shows_the_price_too():
    one = script(
        "default", partners=["self"], shown="words and price", **{**TWO, "openings": ["none"]}
    )
    prompts: list[str] = []

    def answer(question):
        prompts.append("\n".join(texts(player_chat(one, question))))
        return offers(18) if question.role == "seller" else CHATS

    go_through(one, answer)
    assert "The seller writes: How about $18?\nOffer: $18" in prompts[1]


@pytest.mark.parametrize(
    "preset", ["default", "values", "balloon-2023", "improvement", "tournament"]
)
def test_chats_alternate_and_begin_with_the_user(preset):
    for number in (0, 3):
        one = script(preset, number)

        def answer(question, one=one):
            if question.kind == "message":
                chat = player_chat(one, question)
                roles = [m.role for m in chat]
                assert roles[0] == roles[-1] == "user"
                assert all(a != b for a, b in pairwise(roles))
                assert "{" not in "".join(m.content for m in chat)
            return says("Wait.", None) if question.kind == "critic" else CHATS

        go_through(one, answer)


def test_a_chain_is_read_back_from_its_cells():
    for preset in ("default", "values", "improvement"):
        for trial in openings(preset)[::60]:
            one = Script.of(trial.script)
            again = script_from_cell(trial.cell)
            assert again.terms == one.terms
            assert (again.rule, again.games, again.arms) == (one.rule, one.games, one.arms)
            went = go_through(one, lambda q: offers(q.game.state.messages + 40.0))
            same = go_through(again, lambda q: offers(q.game.state.messages + 40.0))
            moves = [[(s.role, s.move) for s in g.utterances] for g in went.games]
            assert moves == [[(s.role, s.move) for s in g.utterances] for g in same.games]


def test_a_design_is_even_over_partners_and_roles_and_repeats_with_its_seed():
    trials = openings("default")
    assert len(trials) == 240
    cells = [(t.cell["partner"], t.cell["role"]) for t in trials]
    assert {cells.count(c) for c in set(cells)} == {20}
    goods = [t.cell["good"] for t in trials]
    assert all(36 <= goods.count(g) <= 44 for g in set(goods))
    assert [t.id for t in trials] == [t.id for t in openings("default")]
    assert [t.id for t in trials] != [t.id for t in openings("default", seed=2)]
    assert len({t.id for t in trials}) == 240


def test_the_values_design_contains_the_probes():
    cells = [t.cell for t in openings("values")]
    count = {
        name: sum(c["partner"] == name for c in cells) for name in {c["partner"] for c in cells}
    }
    last, told = (
        ("below", "below again", "below a little"),
        ("told", "told generous", "told rising"),
    )
    assert count == dict.fromkeys(("fixed", "conceder", *last, *told), 30)
    for cell in cells:
        if cell["partner"].startswith("below"):
            limit = cell["cost"] if cell["role"] == "seller" else cell["value"]
            offer = cell["buyer_first"] if cell["role"] == "seller" else cell["seller_first"]
            assert offer < limit if cell["role"] == "seller" else offer > limit
            assert cell["rounds"] == 1


def test_scales_and_outside_options_reach_the_terms():
    (one, hundred) = openings(
        "default", goods=["balloon 2023"], roles=["seller"], partners=["split"], first=["seller"],
        scales=[1, 100], outside=[0.2], sample=None,
    )  # fmt: skip
    assert hundred.cell["ask"] == 100 * one.cell["ask"] == 2000
    assert one.cell["outside_seller"] == 2
    assert "you earn $2 with it elsewhere" in one.messages[0].content


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"goods": ["baloon"]}, "unknown good 'baloon'"),
        ({"partners": ["boulwar"]}, "unknown partner 'boulwar'"),
        ({"groups": ["Fare"]}, "unknown group 'Fare'"),
        ({"arms": ["ai"]}, "expected two games or more"),
        ({"moderator_decides": True}, "moderated"),
        ({"preset": "baloon-2023"}, "unknown design"),
        ({"rouds": [3]}, "rouds"),
        ({"forms": ["xml"]}, "forms"),
    ],
)
def test_a_design_that_cannot_be_is_refused(changed, words):
    with pytest.raises(WolvesError, match=words):
        openings(**{"preset": "default", **changed})


def test_lists_may_be_written_with_commas():
    wanted = design("default", goods="balloon, lamp", announced="yes,no", rounds="5", forms="free")
    assert wanted.goods == ("balloon", "lamp")
    assert wanted.announced == (True, False)
    assert wanted.rounds == (5,)


def test_only_chains_of_several_games_are_kept_in_memory():
    from many_wolves.families.bargaining.simulation.games import simulate_games
    from many_wolves.families.bargaining.task.chain import _ENDED

    def kept(preset, **changed):
        before = set(_ENDED._games)
        simulate_games(openings(preset, sample=2, **changed), {"concession": {"opening": 0.9}})
        return set(_ENDED._games) - before

    assert not kept("default", goods=["camera"])
    assert kept("improvement", goods=["camera"], games=2, arms=["constant"])
