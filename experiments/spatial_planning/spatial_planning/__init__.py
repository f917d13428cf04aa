"""Pages of the spatial planning experiment; what they mean is in `rules`."""

import json
import time

from otree.api import (
    BaseConstants,
    BaseGroup,
    BasePlayer,
    BaseSubsession,
    Page,
    WaitPage,
    models,
    widgets,
)

from . import stages as st

doc = "Spatial planning: declared values, purchases, a market of tax shares, votes."


class C(BaseConstants):
    NAME_IN_URL = "spatial_planning"
    PLAYERS_PER_GROUP = None
    NUM_ROUNDS = st.MOST_ROUNDS
    MOST_LOTS = st.MOST_LOTS


class Subsession(BaseSubsession):
    pass


class Group(BaseGroup):
    stage = models.StringField(initial="")
    state = models.LongStringField(initial="")
    pending = models.LongStringField(initial="{}")
    closes = models.FloatField(initial=0)


class Player(BasePlayer):
    no_project = models.FloatField(min=0)
    project = models.FloatField(min=0)
    value = models.FloatField(min=0)
    compensation = models.FloatField(min=0)
    vote = models.StringField(
        choices=[[w, w.replace("_", " ")] for w in ("no_project", "project", "abstain")],
        widget=widgets.RadioSelect,
    )
    answered = models.LongStringField(initial="{}")
    past = models.LongStringField(initial="")
    euro = models.FloatField(initial=0)

    for _name in st.LOT_FIELDS:
        locals()[_name] = models.BooleanField(blank=True, widget=widgets.CheckboxInput)
    del _name


def creating_session(subsession):
    rules = st.rules_of(subsession.session)
    size = len(rules.seats)
    players = subsession.get_players()
    if len(players) % size:
        raise ValueError(f"expected a multiple of {size} participants, found {len(players)}")
    subsession.set_group_matrix([players[i : i + size] for i in range(0, len(players), size)])
    for group in subsession.get_groups():
        st.begin(group)


# Pages


def form_page(stage, seconds):
    """A page class for a stage with a form."""

    class FormPage(Page):
        form_model = "player"
        template_name = "spatial_planning/Form.html"

        @staticmethod
        def is_displayed(player):
            return player.group.stage == stage and player.id_in_group in st.asked(player.group)

        @staticmethod
        def get_form_fields(player):
            return st.field_names(player)

        @staticmethod
        def get_timeout_seconds(player):
            return player.session.config[f"seconds_{seconds}"] or None

        @staticmethod
        def vars_for_template(player):
            return st.shown(player)

        @staticmethod
        def js_vars(player):
            return {"wolves": st.for_clients(player)}

        @staticmethod
        def error_message(player, values):
            return st.refused(player, values) or None

        @staticmethod
        def before_next_page(player, timeout_happened):
            if not timeout_happened:
                player.answered = json.dumps(st.action_of(player))

    return FormPage


def turns_page(stage, seconds):
    """A live page class for a stage in which everyone acts turn by turn, or by the clock."""

    class TurnsPage(Page):
        template_name = "spatial_planning/Turns.html"

        @staticmethod
        def is_displayed(player):
            return player.group.stage == stage

        @staticmethod
        def get_timeout_seconds(player):
            group, limit = player.group, player.session.config[f"seconds_{seconds}"]
            if not limit:
                return None
            if not group.closes:
                group.closes = time.time() + limit
            return group.closes - time.time()

        @staticmethod
        def vars_for_template(player):
            return st.shown(player)

        @staticmethod
        def js_vars(player):
            return st.live_state(player)

        @staticmethod
        def live_method(player, data):
            return st.live(player, data)

        @staticmethod
        def error_message(player, values):
            open_still = st.present(player.group).stage == stage
            if open_still and not player.session.config["clock"]:
                return st.words(player.session)["result"]["closed"]
            return None

    return TurnsPage


def gate(stage):
    """A wait page class behind a stage: when all are there, the stage takes effect."""

    class Gate(WaitPage):
        @staticmethod
        def is_displayed(player):
            return player.group.stage == stage

        @staticmethod
        def vars_for_template(player):
            titles = st.words(player.session)["titles"]
            return {"title_text": titles["waiting"], "body_text": titles["waiting_for"]}

        @staticmethod
        def js_vars(player):
            return {"wolves": {"refs": st.applied(player)}}

        @staticmethod
        def after_all_players_arrive(group):
            st.conclude(group, stage)

    return Gate


class Instructions(Page):
    @staticmethod
    def is_displayed(player):
        return player.round_number == 1

    @staticmethod
    def get_timeout_seconds(player):
        return player.session.config["seconds_instructions"] or None

    @staticmethod
    def vars_for_template(player):
        return st.instructions_shown(player)


class Results(Page):
    @staticmethod
    def is_displayed(player):
        return player.group.stage == "results"

    @staticmethod
    def get_timeout_seconds(player):
        return player.session.config["seconds_results"] or None

    @staticmethod
    def vars_for_template(player):
        return st.results_shown(player)


class Reward(Page):
    @staticmethod
    def is_displayed(player):
        return st.is_last(player)

    @staticmethod
    def vars_for_template(player):
        return st.reward_shown(player)

    @staticmethod
    def before_next_page(player, timeout_happened):
        # Else oTree goes through all pages of the rounds that are not played, one by one.
        player.participant._max_page_index = player.participant._index_in_pages


# oTree names addresses after classes, so each page needs a class of its own name.
FORMS = {
    "FirstDeclaration": ("first_declaration", "declaration"),
    "FirstPurchases": ("first_purchases", "purchases"),
    "FinalDeclaration": ("final_declaration", "declaration"),
    "FinalPurchases": ("final_purchases", "purchases"),
    "Request": ("request", "vote"),
    "Offer": ("offer", "vote"),
    "Vote": ("vote", "vote"),
}
TURNS = {
    "Talk": ("talk", "talk"),
    "Market": ("market", "market"),
    "SecondTalk": ("second_talk", "talk"),
}
ORDER = [
    "Talk",
    "FirstDeclaration",
    "FirstPurchases",
    "Market",
    "FinalDeclaration",
    "FinalPurchases",
    "Request",
    "Offer",
    "SecondTalk",
    "Vote",
]


def _named(name, made):
    made.__name__ = made.__qualname__ = name
    made.__module__ = __name__
    globals()[name] = made
    return made


page_sequence = [Instructions]
for _page in ORDER:
    _make, _plan = (form_page, FORMS) if _page in FORMS else (turns_page, TURNS)
    page_sequence.append(_named(_page, _make(*_plan[_page])))
    page_sequence.append(_named(f"After{_page}", gate(_plan[_page][0])))
page_sequence += [Results, Reward]


# Exports


def _export(name):
    def custom_export(players):
        yield from st.exported(name, players)

    return custom_export


for _table in st.TABLE_NAMES:
    globals()[f"custom_export_{_table}"] = _export(_table)
