"""The work of the commands as functions, for command line, notebooks, studies and workers.

Nothing here prints or reads arguments; progress goes to ``logging.getLogger("many_wolves")``.
"""
