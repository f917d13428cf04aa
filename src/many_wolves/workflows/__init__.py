"""What the commands do, as functions: the command line, notebooks, studies and workers share them.

Nothing here prints or reads arguments; progress goes to ``logging.getLogger("many_wolves")``.
"""
