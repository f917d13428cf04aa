from otree.api import *

doc = "Every kind of field, hand-written inputs, refusals, hidden things."


class C(BaseConstants):
    NAME_IN_URL = "forms"
    PLAYERS_PER_GROUP = None
    NUM_ROUNDS = 1


class Subsession(BaseSubsession):
    pass


class Group(BaseGroup):
    pass


class Player(BasePlayer):
    whole = models.IntegerField(label="A whole number from 3 to 9", min=3, max=9)
    real = models.FloatField(label="A real number", min=0, max=1)
    money = models.CurrencyField(label="How many points do you give?", min=0, max=100)
    word = models.StringField(label="A word")
    essay = models.LongStringField(label="Some sentences", blank=True)
    agree = models.BooleanField(label="Do you agree?")
    ticked = models.BooleanField(label="Tick this", widget=widgets.CheckboxInput, blank=True)
    colour = models.StringField(
        label="A colour", choices=[["r", "red"], ["g", "green"]], widget=widgets.RadioSelect
    )
    size = models.IntegerField(label="A size", choices=[[1, "small"], [2, "large"]])
    across = models.IntegerField(
        label="Pick one", choices=[1, 2, 3], widget=widgets.RadioSelectHorizontal
    )
    slider = models.IntegerField()
    plain = models.StringField()
    by_button = models.StringField()
    by_script = models.IntegerField()
    late = models.IntegerField(label="Something", initial=7)
    timed_out = models.BooleanField(initial=False)


class Intro(Page):
    pass


class Everything(Page):
    form_model = "player"
    form_fields = [
        "whole",
        "real",
        "money",
        "word",
        "essay",
        "agree",
        "ticked",
        "colour",
        "size",
        "across",
    ]

    @staticmethod
    def error_message(player, values):
        if values["whole"] + values["money"] == 13:
            return "The two numbers must not sum to 13."


def word_error_message(player, value):
    if "x" in value:
        return "The word must not contain an x."


class ByHand(Page):
    form_model = "player"
    form_fields = ["slider", "plain", "by_button", "by_script"]

    @staticmethod
    def js_vars(player):
        return {"secret": "only-for-scripts"}


class Hurry(Page):
    form_model = "player"
    form_fields = ["late"]
    timeout_seconds = 4

    @staticmethod
    def before_next_page(player, timeout_happened):
        player.timed_out = timeout_happened


class Last(Page):
    pass


page_sequence = [Intro, Everything, ByHand, Hurry, Last]
