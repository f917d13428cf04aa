"""Compile the Stan programs of `make test` while the linters run: no worker waits for it."""

from many_wolves import inference
from many_wolves.families.dilemmas.models import decisions
from many_wolves.families.politeness import problem
from many_wolves.files import shipped

for name in (problem.PROGRAM, decisions.PROGRAM):
    inference.load(shipped(name), "httpstan", print)
