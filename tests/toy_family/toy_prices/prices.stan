// Prices that a speaker names for mugs of different quality, as shares of the
// highest one: a level for each condition, a slope over quality, and noise.
data {
  int<lower=1> N; // answers
  int<lower=1> C; // conditions
  array[N] int<lower=1, upper=C> condition;
  vector[N] quality; // minus the middle one
  vector[N] share; // of the highest price
  int<lower=0, upper=1> has_slope;
}
parameters {
  vector<lower=0, upper=1>[C] level; // share at the middle quality
  vector[has_slope] slope; // share per step of quality
  real<lower=0> sigma; // share
}
transformed parameters {
  vector[N] expected = level[condition];
  if (has_slope) {
    expected += slope[1] * quality;
  }
}
model {
  slope ~ normal(0, 0.1);
  sigma ~ lognormal(log(0.1), 0.5);
  share ~ normal(expected, sigma);
}
generated quantities {
  array[N] real share_rep = normal_rng(expected, sigma);
  vector[N] log_lik;
  for (n in 1 : N) {
    log_lik[n] = normal_lpdf(share[n] | expected[n], sigma);
  }
}
