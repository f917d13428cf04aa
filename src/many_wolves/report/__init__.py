"""A report on a fit, and one on a study: one HTML file each, figures inside."""

from many_wolves.report.fit import write_fit_report
from many_wolves.report.study import summary_markdown, summary_of, write_study_report

__all__ = ["summary_markdown", "summary_of", "write_fit_report", "write_study_report"]
