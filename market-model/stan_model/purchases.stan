// Purchases of lots: a speculator buys a lot if the gain expected from the
// declaration and the base rate exceeds the hurdle.
data {
  int<lower=1> N; // lots that could be bought
  int<lower=1> J; // participants
  array[N] int<lower=1, upper=J> who;
  vector<lower=0>[N] declared; // points
  vector<lower=0>[N] middle; // of the band of values
  vector<lower=0>[N] share; // buyers' share of the gap
  vector<lower=1>[N] buyers; // expected number of buyers with this one
  matrix<lower=0>[N, 2] counts; // not bought, bought; expected counts allowed
  array[N] int<lower=0> total; // decisions to replicate
  int<lower=0, upper=1> has_base_rate; // a weight on the middle of the band
  int<lower=0, upper=1> has_shading; // declarations are believed to be shaded
  int<lower=0, upper=1> has_participants; // hurdles of participants vary
  real<lower=0> spread; // prior mean of the standard deviation
}
transformed data {
  // Answers identify precision times base rate, and precision times shading,
  // but hardly the factors. If the data are strong, the parameters below are
  // the products: their width then does not depend on the other parameters.
  real information = 0.1 * dot_self(share .* declared ./ buyers / 10000);
}
parameters {
  array[has_base_rate] real<lower=0, upper=1> base_rate_free;
  real log_slope; // of precision, times the base rate where there is one
  array[has_shading] real shading_free; // in units that depend on precision
  real hurdle;
  vector<lower=0>[has_participants] sd_participant;
  vector[has_participants ? J : 0] hurdle_std;
}
transformed parameters {
  real base_rate = has_base_rate ? base_rate_free[1] : 0;
  real log_precision = log_slope - (has_base_rate ? log(base_rate) : 0);
  // Of shading: from its prior and from the data.
  real log_unit = -0.5
                  * log(
                        25
                        + information
                          * square(exp(log_precision) * (1 - base_rate)));
  real shading = has_shading ? exp(log_unit) * shading_free[1] : 0;
  vector[N] logit_p;
  {
    vector[N] expected = (1 - base_rate) * (1 + shading) * declared
                         + base_rate * middle;
    vector[N] gain = share .* (expected - declared) ./ buyers / 10000;
    logit_p = exp(log_precision) * gain - hurdle;
    if (has_participants) {
      logit_p -= sd_participant[1] * hurdle_std[who];
    }
  }
}
model {
  base_rate_free ~ beta(2, 2);
  if (has_shading) {
    target += normal_lpdf(shading | 0, 0.2) + log_unit;
  }
  hurdle ~ std_normal();
  log_precision ~ std_normal();
  sd_participant ~ exponential(1 / spread);
  hurdle_std ~ std_normal();
  target += dot_product(counts[ : , 1], log1m_inv_logit(logit_p));
  target += dot_product(counts[ : , 2], log_inv_logit(logit_p));
}
generated quantities {
  real precision = exp(log_precision);
  matrix[N, 2] predicted; // probability of each decision
  matrix[N, 2] counts_rep;
  matrix[N, 2] log_lik;
  predicted[ : , 2] = inv_logit(logit_p);
  predicted[ : , 1] = 1 - predicted[ : , 2];
  log_lik[ : , 1] = counts[ : , 1] .* log1m_inv_logit(logit_p);
  log_lik[ : , 2] = counts[ : , 2] .* log_inv_logit(logit_p);
  for (n in 1 : N) {
    int bought = binomial_rng(total[n], predicted[n, 2]);
    counts_rep[n, 1] = total[n] - bought;
    counts_rep[n, 2] = bought;
  }
}

