"""A study file: what is asked, who answers, how it is fitted, and the stages that do it."""
