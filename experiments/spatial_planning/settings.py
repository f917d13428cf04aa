"""The spatial planning experiment as an oTree project: for people, language models, or both.

Session settings, each of which can be changed for a session:

mechanism            harberger, futarchy or voting
rules                JSON object with any other rule (see `rules/parameters.py`); empty: the lab's
seed                 of values, signals, the paid round and the order of simultaneous actions
lab_session          1 to 11: the lab's own values and signals; 0: drawn by the seed
clock                true: the market is continuous and ends by time; false: it goes by turns
chat                 true: a chat on the pages of declarations and of the market
seconds_*            time limits of pages; 0 means none (the market with a clock needs one)
"""

from os import environ

SESSION_CONFIGS = [
    {
        "name": f"spatial_planning_{mechanism}",
        "display_name": f"Spatial planning: {mechanism}",
        "app_sequence": ["spatial_planning"],
        "num_demo_participants": 6 if mechanism == "voting" else 12,
        "mechanism": mechanism,
    }
    for mechanism in ("harberger", "futarchy", "voting")
]
SESSION_CONFIG_DEFAULTS = {
    "real_world_currency_per_point": 1.0,
    "participation_fee": 5.0,
    "rules": "",
    "seed": 1,
    "lab_session": 0,
    "clock": False,
    "chat": False,
    "seconds_instructions": 0,
    "seconds_presentation": 0,
    "seconds_talk": 0,
    "seconds_declaration": 0,
    "seconds_purchases": 0,
    "seconds_market": 0,
    "seconds_vote": 0,
    "seconds_results": 0,
}
PARTICIPANT_FIELDS = []
SESSION_FIELDS = []
LANGUAGE_CODE = environ.get("OTREE_LANGUAGE", "en")
REAL_WORLD_CURRENCY_CODE = "EUR"
USE_POINTS = False
ROOMS = [{"name": "spatial_planning", "display_name": "Spatial planning"}]
ADMIN_USERNAME = "admin"
SECRET_KEY = environ.get("OTREE_SECRET_KEY", "not a secret: set OTREE_SECRET_KEY")
