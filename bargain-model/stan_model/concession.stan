// What a speaker does next: walk, back, hold, split, concede, accept. Log-odds
// of each kind relative to hold are linear in covariates; role prompts differ
// in all of them, chains and games in one softness that raises split, concede
// and accept equally. A concession gives up the fraction f of the gap between
// both prices: logit(f) is logistic, with a middle that is linear in
// covariates. Prices are on a grid: f is known up to a cell of the grid, and
// fractions that round to the split are left out.
functions {
#include units.stanfunctions
#include concession.stanfunctions
}
data {
  int<lower=1> N; // moves
  int<lower=0> P; // covariates
  int<lower=1> G; // groups of role prompts
  int<lower=1> J; // role prompts
  int<lower=1> C; // chains
  int<lower=1> E; // games
  array[J] int<lower=1, upper=G> group;
  array[N] int<lower=1, upper=J> participant;
  array[N] int<lower=1, upper=C> chain;
  array[N] int<lower=1, upper=E> game;
  int<lower=0, upper=1> by_group;
  int<lower=0, upper=1> by_participant;
  int<lower=0, upper=1> by_chain;
  int<lower=0, upper=1> by_game;
  matrix[N, P] design;
  matrix<upper=0>[N, 6] closed; // 0, or far below where a kind is impossible
  array[N] int<lower=1, upper=6> kind;
  vector<lower=0>[N] weight; // 1; 0 for moves that are left out
  int<lower=0> S; // concessions
  array[S] int<lower=1, upper=N> conceded; // their rows
  matrix[S, 6] edges; // see log_sizes
  vector[6] prior_mean; // of the intercepts: kinds, size
  vector<lower=0>[6] prior_sd;
  real scale_mean; // of the log scale of sizes
  real<lower=0> scale_sd;
  vector<lower=0>[P] slope_sd;
  real<lower=0> spread; // prior mean of standard deviations, in prior sds
}
transformed data {
  array[S] int participant_conceded = participant[conceded];
  matrix[N, 1 + P] with_one = append_col(rep_vector(1, N), design);
  matrix[S, 1 + P] with_one_conceded = with_one[conceded];
  int vary = by_group || by_participant;
}
parameters {
  vector[6] intercept_std;
  matrix[6, P] slope_std;
  real scale_std;
  vector<lower=0>[by_group ? 6 : 0] sd_group_std; // in prior sds
  matrix[by_group ? 6 : 0, G] group_std;
  vector<lower=0>[by_participant ? 6 : 0] sd_participant_std;
  matrix[by_participant ? 6 : 0, J] participant_std;
  vector<lower=0>[by_chain] sd_chain;
  vector[by_chain ? C : 0] chain_std;
  vector<lower=0>[by_game] sd_game;
  vector[by_game ? E : 0] game_std;
}
transformed parameters {
  // log-odds of kinds, logit of the middle: intercepts, then slopes
  matrix[6, 1 + P] coefficient
    = append_col(prior_mean + prior_sd .* intercept_std,
                 diag_post_multiply(slope_std, slope_sd));
  real size_scale = exp(scale_mean + scale_sd * scale_std);
  // deviations of role prompts
  matrix[6, J] prompt
    = diag_pre_multiply(prior_sd,
                        prompt_deviations(sd_group_std, group_std, group,
                                          sd_participant_std,
                                          participant_std, 6));
}
model {
  intercept_std ~ std_normal();
  to_vector(slope_std) ~ std_normal();
  scale_std ~ std_normal();
  sd_group_std ~ exponential(1 / spread);
  to_vector(group_std) ~ std_normal();
  sd_participant_std ~ exponential(1 / spread);
  to_vector(participant_std) ~ std_normal();
  sd_chain ~ exponential(1 / spread);
  chain_std ~ std_normal();
  sd_game ~ exponential(1 / spread);
  game_std ~ std_normal();
  {
    matrix[N, 6] odds
      = kind_odds(coefficient, with_one, closed, prompt, participant, vary,
                  unit_deviations(sd_chain, chain_std, chain)
                  + unit_deviations(sd_game, game_std, game));
    vector[N] lp;
    for (n in 1 : N) {
      lp[n] = odds[n, kind[n]] - log_sum_exp(odds[n]);
    }
    target += dot_product(weight, lp);
    target += dot_product(weight[conceded],
                          log_sizes(coefficient, size_scale,
                                    with_one_conceded, edges, prompt,
                                    participant_conceded));
  }
}
generated quantities {
  vector[by_group ? 6 : 0] sd_group;
  vector[by_participant ? 6 : 0] sd_participant;
  matrix[E, 6] predicted = rep_matrix(0, E, 6); // share of each kind
  array[E, 6] int counts_rep = rep_array(0, E, 6);
  matrix[E, 6] log_lik = rep_matrix(0, E, 6); // of all moves of a kind
  if (by_group) {
    sd_group = prior_sd .* sd_group_std;
  }
  if (by_participant) {
    sd_participant = prior_sd .* sd_participant_std;
  }
  {
    matrix[N, 6] log_p
      = kind_odds(coefficient, with_one, closed, prompt, participant, vary,
                  unit_deviations(sd_chain, chain_std, chain)
                  + unit_deviations(sd_game, game_std, game));
    vector[N] size_lp = rep_vector(0, N);
    size_lp[conceded] = log_sizes(coefficient, size_scale,
                                  with_one_conceded, edges, prompt,
                                  participant_conceded);
    for (n in 1 : N) {
      log_p[n] -= log_sum_exp(log_p[n]);
      int drawn = categorical_logit_rng(log_p[n]');
      predicted[game[n]] += exp(log_p[n]);
      counts_rep[game[n], drawn] += 1;
      log_lik[game[n], kind[n]] += log_p[n, kind[n]] + size_lp[n];
    }
    for (e in 1 : E) {
      predicted[e] /= sum(predicted[e]);
    }
  }
}
