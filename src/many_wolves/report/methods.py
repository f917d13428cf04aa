"""A methods paragraph that is ready to adapt, and BibTeX of the methods used."""

from __future__ import annotations

from collections.abc import Sequence

from many_wolves.figures import Fitted, Section
from many_wolves.files import code_version
from many_wolves.report.registry import pages_of

BIBTEX = """\
@article{carpenter2017stan,
  author  = {Carpenter, Bob and Gelman, Andrew and Hoffman, Matthew D. and Lee, Daniel and
             Goodrich, Ben and Betancourt, Michael and Brubaker, Marcus and Guo, Jiqiang and
             Li, Peter and Riddell, Allen},
  title   = {Stan: A probabilistic programming language},
  journal = {Journal of Statistical Software},
  volume  = {76},
  number  = {1},
  year    = {2017}
}

@article{hoffman2014nuts,
  author  = {Hoffman, Matthew D. and Gelman, Andrew},
  title   = {The {No-U-Turn} sampler: Adaptively setting path lengths in {Hamiltonian} {Monte}
             {Carlo}},
  journal = {Journal of Machine Learning Research},
  volume  = {15},
  pages   = {1593--1623},
  year    = {2014}
}

@article{vehtari2021rhat,
  author  = {Vehtari, Aki and Gelman, Andrew and Simpson, Daniel and Carpenter, Bob and
             B{\\"u}rkner, Paul-Christian},
  title   = {Rank-normalization, folding, and localization: An improved {R}-hat for assessing
             convergence of {MCMC}},
  journal = {Bayesian Analysis},
  volume  = {16},
  number  = {2},
  pages   = {667--718},
  year    = {2021}
}

@article{kumar2019arviz,
  author  = {Kumar, Ravin and Carroll, Colin and Hartikainen, Ari and Martin, Osvaldo},
  title   = {{ArviZ}: a unified library for exploratory analysis of {Bayesian} models in {Python}},
  journal = {Journal of Open Source Software},
  volume  = {4},
  number  = {33},
  pages   = {1143},
  year    = {2019}
}
"""

COMPARED = """\
@article{higgins2009meta,
  author  = {Higgins, Julian P. T. and Thompson, Simon G. and Spiegelhalter, David J.},
  title   = {A re-evaluation of random-effects meta-analysis},
  journal = {Journal of the Royal Statistical Society: Series A},
  volume  = {172},
  number  = {1},
  pages   = {137--159},
  year    = {2009}
}

@article{lin1991divergence,
  author  = {Lin, Jianhua},
  title   = {Divergence measures based on the {Shannon} entropy},
  journal = {IEEE Transactions on Information Theory},
  volume  = {37},
  number  = {1},
  pages   = {145--151},
  year    = {1991}
}
"""


def methods_section(fits: Sequence[Fitted]) -> Section:
    """A paragraph on task and model from the family, then on inference, then on comparison."""
    paragraphs = [*pages_of(fits).methods(fits), _inference(fits)]
    if len(fits) > 1:
        paragraphs.append(
            "Speakers were compared from the joint posterior draws of their fits. Effects over "
            "speakers come from a regression. The likelihood of each fit (its posterior divided "
            "by its prior) enters as a measurement of its speaker with known error. The remaining "
            "differences between speakers have an unknown variance (Higgins et al., 2009). "
            "Distances between choices are "
            "Jensen-Shannon divergences (Lin, 1991). Intervals are 95 % and equal-tailed."
        )
    return Section("methods", "Methods, to adapt", tuple(paragraphs))


def bibtex(fits: Sequence[Fitted]) -> str:
    """Entries of all works that ``methods_section`` cites."""
    own = pages_of(fits).bibtex(fits)
    return "\n".join(part for part in (own, BIBTEX, COMPARED if len(fits) > 1 else "") if part)


def _inference(fits: Sequence[Fitted]) -> str:
    info = fits[0].info
    worst = max(float(fit.diagnostics.get("max_r_hat") or 1) for fit in fits)
    least = min(float(fit.diagnostics.get("min_ess_bulk") or 0) for fit in fits)
    diverged = sum(int(fit.diagnostics.get("divergences") or 0) for fit in fits)
    return (
        f"Posterior draws were made with Stan ({info.get('engine', 'Stan')}; Carpenter et al., "
        "2017) "
        f"by the No-U-Turn sampler (Hoffman & Gelman, 2014) through many-wolves {code_version()}. "
        f"There were {info.get('chains')} chains of {info.get('draws')} draws after "
        f"{info.get('warmup')} of warm-up. Over all fits the largest rank-normalised R-hat was "
        f"{worst:.3f}, and the smallest bulk effective sample size {least:,.0f} (Vehtari et al., "
        f"2021). Diagnostics were computed with ArviZ (Kumar et al., 2019). There were {diverged} "
        "divergent transitions."
    )
