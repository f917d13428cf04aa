from otree.api import *

doc = "Groups in the order of arrival; an app that ends early."


class C(BaseConstants):
    NAME_IN_URL = "arrival"
    PLAYERS_PER_GROUP = 2
    NUM_ROUNDS = 1


class Subsession(BaseSubsession):
    pass


class Group(BaseGroup):
    pass


class Player(BasePlayer):
    number = models.IntegerField(label="A number", min=1, max=5)


class Gather(WaitPage):
    group_by_arrival_time = True


class Pick(Page):
    form_model = "player"
    form_fields = ["number"]


page_sequence = [Gather, Pick]
