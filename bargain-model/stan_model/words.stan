// A choice among replies at several prices in several tones: own gain, taking
// the standing price, kind words. Role prompts differ in the log-ratios of the
// weights.
functions {
#include units.stanfunctions

// Precision times the weights of own gain, taking the standing price and kind
// words, of every row: (V x N) log-ratios relative to the first weight.
matrix pulls(matrix ratios, real precision) {
  int N = cols(ratios);
  matrix[rows(ratios) + 1, N] pull;
  for (n in 1 : N) {
    pull[ : , n] = precision * softmax(append_row(0, ratios[ : , n]));
  }
  return pull;
}
}
data {
  int<lower=1> N; // situations of a role prompt
  int<lower=2> A; // replies in each
  int<lower=0> P; // covariates of the weights
  int<lower=1> G; // groups of role prompts
  int<lower=1> J; // role prompts
  array[J] int<lower=1, upper=G> group;
  array[N] int<lower=1, upper=J> participant;
  int<lower=0, upper=1> by_group;
  int<lower=0, upper=1> by_participant;
  matrix[N, P] design;
  matrix[N, A] demand; // share that a reply demands
  matrix[N, A] accepts; // 1 where it takes the standing price
  matrix[N, A] kindness; // 0 cold to 1 kind
  matrix<lower=0>[N, A] counts; // expected counts allowed
  array[N] int<lower=0> total; // choices to replicate
  int<lower=0, upper=1> with_kind; // 0: w_kind is 0
  vector<lower=0>[P] slope_sd; // in units of log-ratios
  real<lower=0> spread; // prior mean of standard deviations, in prior sds
}
transformed data {
  int V = 1 + with_kind; // log-ratios: against the first weight
  real ratio_sd = 1.2;
  array[N] matrix[A, 1 + V] goods; // of each reply
  matrix[1 + V, N] had; // goods of all choices
  vector[N] choices;
  for (n in 1 : N) {
    matrix[A, 3] each = [demand[n], accepts[n], kindness[n]]';
    goods[n] = each[ : , 1 : 1 + V];
    had[ : , n] = goods[n]' * counts[n]';
    choices[n] = sum(counts[n]);
  }
}
parameters {
  vector[V] ratio_std;
  matrix[V, P] slope_std;
  real precision_std;
  vector<lower=0>[by_group ? V : 0] sd_group_std; // in prior sds
  matrix[by_group ? V : 0, G] group_std;
  vector<lower=0>[by_participant ? V : 0] sd_participant_std;
  matrix[by_participant ? V : 0, J] participant_std;
}
transformed parameters {
  vector[V] ratio = ratio_sd * ratio_std;
  matrix[V, P] slope = diag_post_multiply(slope_std, slope_sd);
  matrix[V, J] prompt = ratio_sd
                        * prompt_deviations(sd_group_std, group_std, group,
                                            sd_participant_std,
                                            participant_std, V);
  real precision = exp(2.5 + precision_std);
}
model {
  ratio_std ~ std_normal();
  to_vector(slope_std) ~ std_normal();
  precision_std ~ std_normal();
  sd_group_std ~ exponential(1 / spread);
  to_vector(group_std) ~ std_normal();
  sd_participant_std ~ exponential(1 / spread);
  to_vector(participant_std) ~ std_normal();
  {
    matrix[1 + V, N] pull = pulls(rep_matrix(ratio, N) + slope * design'
                                  + prompt[ : , participant],
                                  precision);
    vector[N] total_worth;
    for (n in 1 : N) {
      total_worth[n] = log_sum_exp(goods[n] * pull[ : , n]);
    }
    target += sum(had .* pull) - dot_product(choices, total_worth);
  }
}
generated quantities {
  vector[3] w = rep_vector(0, 3); // own, deal, kind
  matrix[3, J] w_participant = rep_matrix(0, 3, J);
  vector[by_group ? V : 0] sd_group;
  vector[by_participant ? V : 0] sd_participant;
  matrix[N, A] predicted;
  array[N, A] int counts_rep;
  matrix[N, A] log_lik;
  w[1 : (V + 1)] = softmax(append_row(0, ratio));
  if (by_group) {
    sd_group = ratio_sd * sd_group_std;
  }
  if (by_participant) {
    sd_participant = ratio_sd * sd_participant_std;
  }
  for (j in 1 : J) {
    w_participant[1 : (V + 1), j] = softmax(append_row(0,
                                                       ratio
                                                       + prompt[ : , j]));
  }
  {
    matrix[1 + V, N] pull = pulls(rep_matrix(ratio, N) + slope * design'
                                  + prompt[ : , participant],
                                  precision);
    for (n in 1 : N) {
      row_vector[A] log_p = log_softmax(goods[n] * pull[ : , n])';
      predicted[n] = exp(log_p);
      log_lik[n] = counts[n] .* log_p;
      counts_rep[n] = multinomial_rng(predicted[n]' / sum(predicted[n]),
                                      total[n]);
    }
  }
}
