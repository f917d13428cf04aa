"""What the family puts into reports."""

from __future__ import annotations

import pandas as pd

from many_wolves.figures import Plot, Section, Table
from many_wolves.figures.agreement import agreement
from many_wolves.figures.section import headline


class PricesReport:
    """One table and one figure."""

    def fitted_words(self, fit):
        return {
            "Model": "a level for each tone, a slope over quality",
            "Tones": str(fit.conditions),
        }

    def fit_sections(self, fit):
        return [
            Section("levels", "Levels by tone", (), (self.study_summary([fit]),), (_check(fit),))
        ]

    def study_summary(self, fits):
        frames = [
            f.summary.assign(speaker=f.label)[["speaker", *f.summary.columns[:4]]] for f in fits
        ]
        return Table(pd.concat(frames, ignore_index=True), "Posterior means.")

    def study_sections(self, fits):
        return []

    def plots(self):
        return {"check": Plot("prices against predictions", lambda f, w: _check(f[0]), each=True)}

    def headline(self, fit):
        return headline("mean price", fit.values("posterior", "level"))

    def diagnosed(self, fit):
        return [name for name in ("level", "slope", "sigma") if fit.has("posterior", name)]

    def methods(self, fits):
        return ("Prices were fitted by a line.",)

    def bibtex(self, fits):
        return ""


def _check(fit):
    draws = fit.values("posterior_predictive", "share")
    low, high = (draws.quantile(q, ("chain", "draw")).to_numpy() for q in (0.025, 0.975))
    frame = pd.DataFrame(
        {
            "group": "price",
            "observed": fit.values("observed_data", "share").to_numpy(),
            "predicted": fit.values("posterior", "expected").mean(("chain", "draw")).to_numpy(),
            "low": low,
            "high": high,
        }
    )
    return agreement(frame, groups=["price"], n=len(frame))
