SESSION_CONFIGS = [
    {"name": "forms", "app_sequence": ["forms"], "num_demo_participants": 1},
    {"name": "bazaar", "app_sequence": ["bazaar"], "num_demo_participants": 3},
    {"name": "arrival", "app_sequence": ["arrival"], "num_demo_participants": 2},
]
SESSION_CONFIG_DEFAULTS = {"real_world_currency_per_point": 0.01, "participation_fee": 1.0}
PARTICIPANT_FIELDS = []
SESSION_FIELDS = []
LANGUAGE_CODE = "en"
REAL_WORLD_CURRENCY_CODE = "EUR"
USE_POINTS = True
POINTS_DECIMAL_PLACES = 0
ROOMS = [{"name": "lab", "display_name": "The lab"}]
ADMIN_USERNAME = "admin"
SECRET_KEY = "a test project"
