// Experience-weighted attraction over the rounds of a session: the attraction
// of each bin of markups grows by what the bin earned, or would have earned.
functions {
  #include ewa.stanfunctions
}
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
  real lambda = exp(log_lambda);
  real kappa = has_memory && has_growth ? kappa_free[1] : given_growth;
}
model {
  phi_free ~ beta(8, 2);
  delta_free ~ beta(2, 2);
  kappa_free ~ beta(1, 1);
  log_lambda ~ std_normal();
  for (p in 1 : P) {
    matrix[rounds[p], K] log_p = ewa_log_p(rounds[p], chosen[p], payoff[p],
                                           start[p], has_memory, phi, delta,
                                           kappa, lambda);
    for (t in 1 : rounds[p]) {
      target += weight[p, t] * log_p[t, chosen[p, t]];
    }
  }
}
generated quantities {
  array[P] matrix[T, K] predicted; // probability of each bin
  array[P, T] int chosen_rep;
  matrix[P, T] log_lik;
  for (p in 1 : P) {
    matrix[rounds[p], K] log_p = ewa_log_p(rounds[p], chosen[p], payoff[p],
                                           start[p], has_memory, phi, delta,
                                           kappa, lambda);
    predicted[p] = rep_matrix(1.0 / K, T, K);
    for (t in 1 : T) {
      if (t > rounds[p]) {
        chosen_rep[p, t] = 1;
        log_lik[p, t] = 0;
      } else {
        predicted[p, t] = exp(log_p[t]);
        chosen_rep[p, t] = categorical_rng(exp(log_p[t]'));
        log_lik[p, t] = weight[p, t] * log_p[t, chosen[p, t]];
      }
    }
  }
}
