"""The rules of the spatial planning experiment: pure functions of the standard library.

The same files run in process (``local``) and inside the oTree app, so nothing here
imports anything but the standard library and its neighbours.
"""
