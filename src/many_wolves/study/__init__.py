"""A study file: its tasks, speakers and fits, and the stages that run them."""

from many_wolves.study.before import lacking
from many_wolves.study.checks import check_speakers, check_study
from many_wolves.study.estimates import Bill, bills
from many_wolves.study.new_studies import NewStudy, new_study
from many_wolves.study.paths import StudyPaths
from many_wolves.study.plan import compile_stage, fitted_names, plan
from many_wolves.study.runner import Outcome, Runner, only_one, run_study
from many_wolves.study.schema import Speaker, Study
from many_wolves.study.speakers import Cast, cast
from many_wolves.study.stages import Done, Stage, StateFile, in_order, shown, why
from many_wolves.study.study_file import read_study

__all__ = [
    "Bill",
    "Cast",
    "Done",
    "NewStudy",
    "Outcome",
    "Runner",
    "Speaker",
    "Stage",
    "StateFile",
    "Study",
    "StudyPaths",
    "bills",
    "cast",
    "check_speakers",
    "check_study",
    "compile_stage",
    "fitted_names",
    "in_order",
    "lacking",
    "new_study",
    "only_one",
    "plan",
    "read_study",
    "run_study",
    "shown",
    "why",
]
