// Declared values of land: a logit choice among the points of a grid, given
// taxes, a believed purchase rate that falls with the declaration, and loss
// aversion; first declarations also decide the condition.
functions {
  #include declared_value.stanfunctions
}
data {
  int<lower=0> N; // final declarations
  int<lower=0> F; // first declarations, in pairs
  int<lower=1> J; // participants
  int<lower=2> K; // grid points of a final declaration
  int<lower=2> L; // grid points of each declaration of a pair
  array[N] int<lower=1, upper=J> who;
  vector<lower=0>[N] value; // points
  vector<lower=0>[N] low; // band of values
  vector<lower=0>[N] high;
  vector<lower=0>[N] tax; // effective tax rate
  vector<lower=0>[N] share; // buyers' share of the gap
  array[N] int<lower=1, upper=K> chosen;
  array[F] int<lower=1, upper=J> first_who;
  matrix<lower=0>[F, 2] first_value; // without, with the project
  matrix<lower=0>[F, 2] first_low;
  matrix<lower=0>[F, 2] first_high;
  vector<lower=0>[F] first_tax;
  vector<lower=0>[F] first_share;
  array[F, 2] int<lower=1, upper=L> first_chosen;
  vector<lower=0, upper=1>[F] pivots; // declared sums choose the condition
  vector[F] lead; // mean of the others' sum of d1 - d0
  vector<lower=0>[F] lead_sd;
  vector<lower=0>[N + F] weight; // of each answer in the likelihood
  real<lower=0, upper=1> lapses; // share of answers that are any option
  int<lower=0, upper=1> has_beliefs; // purchase rate is given, not estimated
  real given_takeover;
  real given_slope;
  int<lower=0, upper=1> has_honesty;
  int<lower=0, upper=1> has_strategy; // weight on deciding the condition
  int<lower=0, upper=1> has_participants; // participants vary
  real<lower=0> spread; // prior mean of the standard deviations
}
transformed data {
  array[N] vector[K] amount;
  array[N] vector[K] percentile;
  array[F, 2] vector[L] first_amount;
  array[F, 2] vector[L] first_percentile;
  array[F] matrix[L, L] chance; // of the project
  array[F] int pair_chosen; // of all pairs, column by column
  vector[F] gain; // by the project, 10,000 points; 0 where nothing is decided
  for (n in 1 : N) {
    amount[n] = declared_grid(K, low[n], high[n]);
    percentile[n] = (amount[n] - low[n]) / (high[n] - low[n]);
  }
  for (f in 1 : F) {
    for (c in 1 : 2) {
      real bottom = first_low[f, c];
      first_amount[f, c] = declared_grid(L, bottom, first_high[f, c]);
      first_percentile[f, c] = (first_amount[f, c] - bottom)
                               / (first_high[f, c] - bottom);
    }
    pair_chosen[f] = first_chosen[f, 1] + L * (first_chosen[f, 2] - 1);
    gain[f] = pivots[f] * (first_value[f, 2] - first_value[f, 1]) / 10000;
    for (i in 1 : L) {
      for (j in 1 : L) {
        real ahead = lead[f] + first_amount[f, 2][j] - first_amount[f, 1][i];
        chance[f][i, j] = pivots[f] > 0 ? Phi(ahead / lead_sd[f]) : 0.5;
      }
    }
  }
}
parameters {
  array[1 - has_beliefs] real takeover_free;
  array[1 - has_beliefs] real log_slope;
  real log_loss;
  real log_precision; // per 10,000 points
  array[has_strategy] real strategic_arsinh; // of three times the weight
  array[has_honesty] real<lower=0> honesty_free;
  vector<lower=0>[2 * has_participants] sd_participant; // takeover, precision
  vector[has_participants ? J : 0] takeover_std;
  vector[has_participants ? J : 0] precision_std;
}
transformed parameters {
  real takeover = has_beliefs ? given_takeover : takeover_free[1];
  real slope = has_beliefs ? given_slope : exp(log_slope[1]);
  // The likelihood is steep near 0 and flat far out. A finer scale near 0 than
  // this would put a barrier between weights below and above it.
  real strategic = has_strategy ? sinh(strategic_arsinh[1]) / 3 : 0;
  real honesty = has_honesty ? honesty_free[1] : 0;
  real loss = exp(log_loss);
  vector[J] each_takeover = rep_vector(takeover, J);
  vector[J] each_precision = rep_vector(log_precision, J);
  if (has_participants) {
    each_takeover += sd_participant[1] * takeover_std;
    each_precision += sd_participant[2] * precision_std;
  }
  each_precision = exp(each_precision);
}
model {
  takeover_free ~ normal(0, 1.5);
  log_slope ~ normal(0.7, 0.7);
  log_loss ~ normal(0.3, 0.5);
  log_precision ~ std_normal();
  if (has_strategy) {
    real x = strategic_arsinh[1];
    strategic ~ std_normal();
    target += log_sum_exp(x, -x) - log(6); // of d strategic / d x
  }
  honesty_free ~ exponential(1);
  sd_participant ~ exponential(1 / spread);
  takeover_std ~ std_normal();
  precision_std ~ std_normal();
  for (n in 1 : N) {
    int j = who[n];
    target += weight[n]
              * declared_log_lik(chosen[n], amount[n], percentile[n],
                  value[n], tax[n], share[n], each_takeover[j], slope, loss,
                  honesty, each_precision[j], lapses);
  }
  for (f in 1 : F) {
    int j = first_who[f];
    target += weight[N + f]
              * first_log_lik(pair_chosen[f], first_amount[f],
                  first_percentile[f], first_value[f], first_tax[f],
                  first_share[f], chance[f], strategic * gain[f],
                  each_takeover[j], slope, loss, honesty, each_precision[j],
                  lapses);
  }
}
generated quantities {
  real precision = exp(log_precision);
  vector[N + F] predicted; // markup: declaration over value, less 1
  vector[N + F] markup_rep;
  vector[N + F] log_lik;
  for (n in 1 : N) {
    int j = who[n];
    vector[K] u = declared_utility(amount[n], percentile[n], value[n],
                                   tax[n], share[n], each_takeover[j], slope,
                                   loss, honesty);
    vector[K] log_p = log_choice(each_precision[j] * u, lapses);
    predicted[n] = dot_product(exp(log_p), amount[n]) / value[n] - 1;
    markup_rep[n] = amount[n][categorical_logit_rng(log_p)] / value[n] - 1;
    log_lik[n] = weight[n] * log_p[chosen[n]];
  }
  for (f in 1 : F) {
    int j = first_who[f];
    vector[L * L] u = first_utility(first_amount[f], first_percentile[f],
                                    first_value[f], first_tax[f],
                                    first_share[f], chance[f],
                                    strategic * gain[f], each_takeover[j],
                                    slope, loss, honesty);
    vector[L * L] log_p = log_choice(each_precision[j] * u, lapses);
    vector[L * L] markup = to_vector(
                                     0.5
                                     * (rep_matrix(first_amount[f, 1], L)
                                        / first_value[f, 1]
                                        + rep_matrix(first_amount[f, 2]', L)
                                          / first_value[f, 2])
                                     - 1);
    predicted[N + f] = dot_product(exp(log_p), markup);
    markup_rep[N + f] = markup[categorical_logit_rng(log_p)];
    log_lik[N + f] = weight[N + f] * log_p[pair_chosen[f]];
  }
}
