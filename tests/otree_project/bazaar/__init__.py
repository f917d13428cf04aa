from otree.api import *

doc = "A live page with bids, a chat, roles, a wait page with a result."


class C(BaseConstants):
    NAME_IN_URL = "bazaar"
    PLAYERS_PER_GROUP = 3
    NUM_ROUNDS = 1
    SELLER_ROLE = "Seller"
    FIRST_ROLE = "First bidder"
    SECOND_ROLE = "Second bidder"


class Subsession(BaseSubsession):
    pass


class Group(BaseGroup):
    best = models.CurrencyField(initial=0)
    leader = models.IntegerField(initial=0)
    bids = models.IntegerField(initial=0)


class Player(BasePlayer):
    reserve = models.CurrencyField(label="Your reserve price", min=0, max=50)
    said = models.LongStringField(initial="")


class Bid(ExtraModel):
    group = models.Link(Group)
    bidder = models.Link(Player)
    amount = models.IntegerField()


class Reserve(Page):
    form_model = "player"
    form_fields = ["reserve"]

    @staticmethod
    def is_displayed(player):
        return player.role == C.SELLER_ROLE


class Ready(WaitPage):
    title_text = "Please wait"
    body_text = "The seller names a price."


class Auction(Page):
    @staticmethod
    def live_method(player, data):
        group = player.group
        if data.get("type") == "bid":
            amount = data["amount"]
            if amount == 13:
                raise ValueError("thirteen")
            if amount > group.best:
                group.best, group.leader = amount, player.id_in_group
            group.bids += 1
            Bid.create(group=group, bidder=player, amount=amount)
        return {0: {"best": group.best, "leader": group.leader, "bids": group.bids}}

    @staticmethod
    def error_message(player, values):
        if player.group.bids == 0:
            return "Nobody has bid yet."


class Settle(WaitPage):
    @staticmethod
    def after_all_players_arrive(group):
        for player in group.get_players():
            player.payoff = group.best if player.role == C.SELLER_ROLE else 0


class Results(Page):
    pass


def custom_export(players):
    yield ["session", "bidder", "amount"]
    for bid in Bid.filter():
        yield [bid.group.session.code, bid.bidder.id_in_group, bid.amount]


page_sequence = [Reserve, Ready, Auction, Settle, Results]
