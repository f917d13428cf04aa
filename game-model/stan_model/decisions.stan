// Binary decisions of participants in groups: hierarchical logistic regression.
// Memory-one strategies, and the choice of whom an agent serves, are this model
// with different design matrices. The coefficients of a participant are
//   prior_mean + prior_sd * (middle + group + participant).
// Each of the last two terms is a standard normal times its standard deviation
// (non-centred).
functions {
#include levels.stanfunctions
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
}
transformed data {
  vector[N] yes = counts[ : , 1];
  vector[N] all = counts[ : , 1] + counts[ : , 2];
}
parameters {
  vector[K] middle_std;
  // Standard normals that give standard deviations and effects.
  vector[by_group ? K : 0] sd_group_std;
  matrix[by_group ? K : 0, G] group_std;
  vector[by_participant ? K : 0] sd_participant_std;
  matrix[by_participant ? K : 0, J] participant_std;
}
transformed parameters {
  matrix[K, J] coefficient // log-odds
    = rep_matrix(prior_mean, J)
      + diag_pre_multiply(prior_sd,
                          levels(group_levels(middle_std,
                                              deviations(sd_group_std,
                                                         spread),
                                              group_std, G),
                                 group,
                                 deviations(sd_participant_std, spread),
                                 participant_std));
  // Log-odds of every cell.
  vector[N] eta = rows_dot_product(design, coefficient[ : , participant]');
}
model {
  middle_std ~ std_normal();
  sd_group_std ~ std_normal();
  to_vector(group_std) ~ std_normal();
  sd_participant_std ~ std_normal();
  to_vector(participant_std) ~ std_normal();
  target += dot_product(yes, eta) - dot_product(all, log1p_exp(eta));
}
generated quantities {
  vector[K] middle = prior_mean + prior_sd .* middle_std; // log-odds
  vector[by_group ? K : 0] sd_group; // log-odds
  vector[by_participant ? K : 0] sd_participant; // log-odds
  matrix[N, 2] predicted;
  array[N, 2] int counts_rep;
  matrix[N, 2] log_lik;
  if (by_group) {
    sd_group = prior_sd .* deviations(sd_group_std, spread);
  }
  if (by_participant) {
    sd_participant = prior_sd .* deviations(sd_participant_std, spread);
  }
  for (n in 1 : N) {
    predicted[n] = [inv_logit(eta[n]), inv_logit(-eta[n])];
    log_lik[n] = [-counts[n, 1] * log1p_exp(-eta[n]),
                  -counts[n, 2] * log1p_exp(eta[n])];
    counts_rep[n, 1] = binomial_rng(total[n], predicted[n, 1]);
    counts_rep[n, 2] = total[n] - counts_rep[n, 1];
  }
}
