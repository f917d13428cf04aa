"""Altered inputs for the commands: each must end in a sentence, and lose nothing unsaid.

``python -m tools.fuzz --cases 1200 --seed 1`` makes them and prints every fault.
"""
