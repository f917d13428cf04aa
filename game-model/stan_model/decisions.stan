// Binary decisions of participants in groups: hierarchical logistic regression.
// Repeated play with memory one, and who is served by an agent between two
// parties, are this model with a design matrix of their own. The coefficients
// of a participant are
//   prior_mean + prior_sd * (middle + group + participant),
// the last two standard normal times a standard deviation of their own
// (non-centred).
//
// All parameters are z, with x = centre + scale * z standard normal a priori.
// The affine map is a preconditioner: it changes the sampler's path, never the
// posterior.
functions {
#include levels.stanfunctions

  // Log-odds of every cell.
  vector log_odds(vector x, data matrix design, array[] int participant,
                  array[] int group, int G, int by_group, int by_participant,
                  real spread, data vector prior_mean, data vector prior_sd) {
    int K = cols(design);
    matrix[K, size(group)] each = levels(x, group, G, K, K, by_group,
                                         by_participant, spread);
    each = rep_matrix(prior_mean, size(group))
           + diag_pre_multiply(prior_sd, each);
    return rows_dot_product(design, each[ : , participant]');
  }

  // Normalised log density of standard normal x, and decisions given it.
  real log_joint(vector x, int likelihood_on, data vector yes, data vector all,
                 data matrix design, array[] int participant,
                 array[] int group, int G, int by_group, int by_participant,
                 real spread, data vector prior_mean, data vector prior_sd) {
    real lp = std_normal_lpdf(x);
    if (likelihood_on) {
      vector[rows(yes)] eta = log_odds(x, design, participant, group, G,
                                       by_group, by_participant, spread,
                                       prior_mean, prior_sd);
      lp += dot_product(yes, eta) - dot_product(all, log1p_exp(eta));
    }
    return lp;
  }
}
data {
  int<lower=1> N; // cells: decisions of a participant in one situation
  int<lower=1> J; // participants
  int<lower=1> G; // groups of participants
  int<lower=1> K; // coefficients
  array[J] int<lower=1, upper=G> group;
  array[N] int<lower=1, upper=J> participant;
  matrix[N, K] design;
  matrix<lower=0>[N, 2] counts; // yes, no; expected counts allowed
  array[N] int<lower=0> total; // decisions to replicate
  vector[K] prior_mean; // log-odds
  vector<lower=0>[K] prior_sd; // log-odds
  real<lower=0> spread; // prior mean of the standard deviations / prior_sd
  int<lower=0, upper=1> by_group;
  int<lower=0, upper=1> by_participant;
  int<lower=0, upper=1> likelihood_on; // 0: sample the prior
  int<lower=0, upper=1> keep; // 0: no quantities per cell
  int<lower=1> D; // number of parameters
  int<lower=0> M; // 0: no preconditioner; else D
  vector[M] centre;
  matrix[M, M] scale;
}
transformed data {
  vector[N] yes = counts[ : , 1];
  vector[N] all = counts[ : , 1] + counts[ : , 2];
  if (D != levels_size(J, G, K, K, by_group, by_participant)) {
    reject("expected ", levels_size(J, G, K, K, by_group, by_participant),
           " parameters, found ", D);
  }
}
parameters {
  vector[D] z;
}
model {
  target += log_joint(M ? centre + scale * z : z, likelihood_on, yes, all,
                      design, participant, group, G, by_group, by_participant,
                      spread, prior_mean, prior_sd);
}
generated quantities {
  vector[K] middle; // log-odds
  vector[by_group ? K : 0] sd_group; // log-odds
  vector[by_participant ? K : 0] sd_participant; // log-odds
  matrix[K, J] coefficient; // log-odds
  matrix[keep ? N : 0, 2] predicted;
  array[keep ? N : 0, 2] int counts_rep;
  matrix[keep ? N : 0, 2] log_lik;
  {
    vector[D] x = M ? centre + scale * z : z;
    int at = K + by_group * K * (1 + G);
    middle = prior_mean + prior_sd .* x[1 : K];
    if (by_group) {
      sd_group = prior_sd .* deviations(x[(K + 1) : (2 * K)], spread);
    }
    if (by_participant) {
      sd_participant = prior_sd .* deviations(x[(at + 1) : (at + K)], spread);
    }
    coefficient = rep_matrix(prior_mean, J)
                  + diag_pre_multiply(prior_sd,
                                      levels(x, group, G, K, K, by_group,
                                             by_participant, spread));
    if (keep) {
      vector[N] eta = rows_dot_product(design, coefficient[ : , participant]');
      for (n in 1 : N) {
        predicted[n] = [inv_logit(eta[n]), inv_logit(-eta[n])];
        log_lik[n] = [-counts[n, 1] * log1p_exp(-eta[n]),
                      -counts[n, 2] * log1p_exp(eta[n])];
        counts_rep[n, 1] = binomial_rng(total[n], predicted[n, 1]);
        counts_rep[n, 2] = total[n] - counts_rep[n, 1];
      }
    }
  }
}
