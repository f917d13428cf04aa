// An aspiration that falls with time (Faratin, Sierra & Jennings 1998): its
// opening, its end (the bottom), its path, and its response to concessions. An
// offer is normal around the aspiration, rounded to the grid and above what is
// offered; what is offered is taken with log-odds proportional to its distance
// from the aspiration. Role prompts differ in opening, bottom and exponent,
// chains and games in the bottom.
functions {
#include units.stanfunctions
#include aspiration.stanfunctions
}
data {
  int<lower=1> N; // messages
  int<lower=0> P; // covariates of opening, bottom, exponent
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
  vector<lower=0, upper=1>[N] time; // (t - 1) / (T - 1)
  array[N] int<lower=0, upper=1> there; // whether something is offered
  vector[N] offered; // share that it leaves; 0 where nothing is
  vector[N] change; // of that, less the partners' mean
  array[N] int<lower=1, upper=3> action; // walk, accept, offer
  vector<lower=0>[N] weight; // 1; 0 for messages that are left out
  int<lower=0> S; // offers
  array[S] int<lower=1, upper=N> made; // their rows
  matrix[S, 3] cell; // ends of the demand's cell, floor
  array[S] int<lower=0, upper=1> top; // whether it has no upper end
  vector[3] prior_mean; // logit opening, logit bottom / opening, log exponent
  vector<lower=0>[3] prior_sd;
  vector<lower=0>[P] slope_sd; // in units of prior_sd
  real<lower=0> spread; // prior mean of standard deviations, in prior sds
}
transformed data {
  array[S] int open; // whether nothing is offered
  for (s in 1 : S) {
    open[s] = 1 - there[made[s]];
  }
}
parameters {
  vector[3] middle_std;
  matrix[3, P] slope_std;
  real reciprocity_std;
  real spread_std;
  real precision_std;
  real walk_std;
  real walk_slope_std;
  vector<lower=0>[by_group ? 3 : 0] sd_group_std; // in prior sds
  matrix[by_group ? 3 : 0, G] group_std;
  vector<lower=0>[by_participant ? 3 : 0] sd_participant_std;
  matrix[by_participant ? 3 : 0, J] participant_std;
  vector<lower=0>[by_chain] sd_chain; // of the logit of bottom / opening
  vector[by_chain ? C : 0] chain_std;
  vector<lower=0>[by_game] sd_game;
  vector[by_game ? E : 0] game_std;
}
transformed parameters {
  vector[3] middle = prior_mean + prior_sd .* middle_std;
  matrix[3, P] slope
    = diag_pre_multiply(prior_sd, diag_post_multiply(slope_std, slope_sd));
  // deviations of role prompts
  matrix[3, J] prompt
    = diag_pre_multiply(prior_sd,
                        prompt_deviations(sd_group_std, group_std, group,
                                          sd_participant_std,
                                          participant_std, 3));
  real reciprocity = 0.5 * reciprocity_std;
  real demand_spread = exp(-2.5 + 0.6 * spread_std);
  real precision = exp(2.5 + 0.7 * precision_std);
  real walk = -4 + 1.5 * walk_std;
  real walk_slope = 4 + 2 * walk_slope_std;
  matrix[N, 3] schedule; // opening, bottom, exponent of each message
  {
    matrix[N, 3] at = rep_matrix(middle', N) + design * slope'
                      + prompt[ : , participant]';
    schedule[ : , 1] = inv_logit(at[ : , 1]);
    schedule[ : , 2]
      = schedule[ : , 1]
        .* inv_logit(at[ : , 2] + unit_deviations(sd_chain, chain_std, chain)
                     + unit_deviations(sd_game, game_std, game));
    schedule[ : , 3] = exp(at[ : , 3]);
  }
}
model {
  middle_std ~ std_normal();
  to_vector(slope_std) ~ std_normal();
  reciprocity_std ~ std_normal();
  spread_std ~ std_normal();
  precision_std ~ std_normal();
  walk_std ~ std_normal();
  walk_slope_std ~ std_normal();
  sd_group_std ~ exponential(1 / spread);
  to_vector(group_std) ~ std_normal();
  sd_participant_std ~ exponential(1 / spread);
  to_vector(participant_std) ~ std_normal();
  sd_chain ~ exponential(1 / spread);
  chain_std ~ std_normal();
  sd_game ~ exponential(1 / spread);
  game_std ~ std_normal();
  {
    vector[N] theta = aspirations(schedule, reciprocity, time, change);
    matrix[N, 3] lp = log_actions(theta, schedule[ : , 2], offered, there,
                                  precision, walk, walk_slope);
    for (n in 1 : N) {
      target += weight[n] * lp[n, action[n]];
    }
    for (s in 1 : S) {
      target += weight[made[s]]
                * log_cell(theta[made[s]], demand_spread, cell[s, 1],
                           cell[s, 2], cell[s, 3], top[s], open[s]);
    }
  }
}
generated quantities {
  vector[by_group ? 3 : 0] sd_group;
  vector[by_participant ? 3 : 0] sd_participant;
  matrix[E, 3] predicted = rep_matrix(0, E, 3); // share of each action
  array[E, 3] int counts_rep = rep_array(0, E, 3);
  matrix[E, 3] log_lik = rep_matrix(0, E, 3); // of all messages of an action
  if (by_group) {
    sd_group = prior_sd .* sd_group_std;
  }
  if (by_participant) {
    sd_participant = prior_sd .* sd_participant_std;
  }
  {
    vector[N] theta = aspirations(schedule, reciprocity, time, change);
    matrix[N, 3] lp = log_actions(theta, schedule[ : , 2], offered, there,
                                  precision, walk, walk_slope);
    vector[N] offer_lp = rep_vector(0, N);
    for (s in 1 : S) {
      offer_lp[made[s]] = log_cell(theta[made[s]], demand_spread, cell[s, 1],
                                   cell[s, 2], cell[s, 3], top[s], open[s]);
    }
    for (n in 1 : N) {
      int drawn = categorical_rng(exp(lp[n])' / sum(exp(lp[n])));
      predicted[game[n]] += exp(lp[n]);
      counts_rep[game[n], drawn] += 1;
      log_lik[game[n], action[n]] += lp[n, action[n]] + offer_lp[n];
    }
    for (e in 1 : E) {
      predicted[e] /= sum(predicted[e]);
    }
  }
}
