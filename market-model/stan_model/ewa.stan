// Experience-weighted attraction over the rounds of a session: each bin of
// markups gains by what it earned, or would have earned.
data {
  int<lower=1> P; // participants
  int<lower=1> T; // rounds at most
  int<lower=2> K; // bins
  array[P] int<lower=1, upper=T> rounds; // rounds of each participant
  array[P, T] int<lower=1, upper=K> chosen;
  array[P] matrix[T, K] payoff; // of each bin, given the others; 10,000 points
  matrix[P, K] start; // attractions before the first round
  matrix<lower=0>[P, T] weight; // of each answer in the likelihood
  int<lower=0, upper=1> has_memory; // past rounds count
  int<lower=0, upper=1> has_foregone; // payoffs of other bins count
  int<lower=0, upper=1> has_growth; // kappa is estimated
  real<lower=0, upper=1> given_growth; // kappa where it is not
}
parameters {
  array[has_memory] real<lower=0, upper=1> phi_free;
  array[has_memory * has_foregone] real<lower=0, upper=1> delta_free;
  array[has_memory * has_growth] real<lower=0, upper=1> kappa_free;
  real log_lambda; // precision per 10,000 points
}
transformed parameters {
  real phi = has_memory ? phi_free[1] : 0;
  real delta = has_memory && has_foregone ? delta_free[1] : 0;
  real kappa = has_memory && has_growth ? kappa_free[1] : given_growth;
}
model {
  phi_free ~ beta(8, 2);
  delta_free ~ beta(2, 2);
  kappa_free ~ beta(1, 1);
  log_lambda ~ std_normal();
  for (p in 1 : P) {
    vector[K] attraction = start[p]';
    real experience = 1;
    for (t in 1 : rounds[p]) {
      vector[K] u = exp(log_lambda) * attraction;
      int j = chosen[p, t];
      target += weight[p, t] * (u[j] - log_sum_exp(u));
      if (has_memory) {
        real grown = phi * (1 - kappa) * experience + 1;
        vector[K] counted = delta * payoff[p, t]';
        counted[j] = payoff[p, t, j];
        attraction = (phi * experience * attraction + counted) / grown;
        experience = grown;
      }
    }
  }
}
generated quantities {
  real lambda = exp(log_lambda);
  array[P] matrix[T, K] predicted; // probability of each bin
  array[P, T] int chosen_rep;
  matrix[P, T] log_lik;
  for (p in 1 : P) {
    vector[K] attraction = start[p]';
    real experience = 1;
    for (t in 1 : T) {
      if (t > rounds[p]) {
        predicted[p, t] = rep_row_vector(1.0 / K, K);
        chosen_rep[p, t] = 1;
        log_lik[p, t] = 0;
      } else {
        vector[K] log_p = log_softmax(exp(log_lambda) * attraction);
        int j = chosen[p, t];
        predicted[p, t] = exp(log_p)';
        chosen_rep[p, t] = categorical_rng(exp(log_p));
        log_lik[p, t] = weight[p, t] * log_p[j];
        if (has_memory) {
          real grown = phi * (1 - kappa) * experience + 1;
          vector[K] counted = delta * payoff[p, t]';
          counted[j] = payoff[p, t, j];
          attraction = (phi * experience * attraction + counted) / grown;
          experience = grown;
        }
      }
    }
  }
}

