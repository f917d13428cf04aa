// The values of a speaker: a deal at its own share s is worth
//   U(s) = w_own s + w_fair (1 - |2 s - 1|) + w_deal.
// The weights sum to one; no deal is worth 0. A message is chosen with one
// precision among accepting, leaving, and demands. A demand is accepted with a
// believed or an announced probability. Role prompts differ in the log-ratios
// of the weights, chains and games in the speaker's hope: the demands that it
// believes the other side accepts.
functions {
#include units.stanfunctions
#include values.stanfunctions
}
data {
  int<lower=1> N; // messages
  int<lower=0> P; // covariates of the weights
  int<lower=1> G; // groups of role prompts
  int<lower=1> J; // role prompts
  int<lower=1> C; // chains of talks: hope does not matter in probes
  int<lower=1> H; // games that are talks
  int<lower=1> E; // all games
  int<lower=1> U; // combinations of role prompt and covariates
  array[J] int<lower=1, upper=G> group;
  array[U] int<lower=1, upper=J> participant;
  array[N] int<lower=1, upper=U> unit;
  array[N] int<lower=1, upper=C> chain; // any of them for probes
  array[N] int<lower=1, upper=H> talk; // any of them for probes
  array[N] int<lower=1, upper=E> game;
  int<lower=0, upper=1> by_group;
  int<lower=0, upper=1> by_participant;
  int<lower=0, upper=1> by_chain;
  int<lower=0, upper=1> by_game;
  matrix[U, P] design;
  array[N] int<lower=1, upper=3> kind; // talk, announced odds, last message
  vector[N] offered; // share that the other side offers
  vector[N] outside; // payoff without a deal
  int<lower=0> O; // demands of all messages
  array[N] int<lower=1> first; // each message's first demand
  array[N] int<lower=0> demands; // how many it has
  vector[O] demand;
  vector[O] odds; // announced; 0 elsewhere
  array[N] int<lower=1> chosen; // option: 1 accept, 2 leave, then demands
  vector<lower=0>[N] weight; // 1; 0 for messages that are left out
  int<lower=0, upper=2> even; // form of the even split: see worth
  int<lower=0, upper=1> with_fair; // 0: w_fair is 0
  int<lower=0, upper=1> with_deal; // 0: w_deal is 0
  vector<lower=0>[P] slope_sd; // in units of log-ratios
  real<lower=0> spread; // prior mean of standard deviations, in prior sds
}
transformed data {
  // log-ratios: own and fair against deal, or own against the other one
  int V = with_fair && with_deal ? 2 : with_fair || with_deal ? 1 : 0;
  real ratio_sd = 1.2;
  real hope_sd = 0.25;
  matrix[N, 3] standing = goods(offered - outside, even);
  matrix[O, 4] wanted; // see option_odds
  matrix[O, 2] doubt = append_col(rep_vector(1, O), -demand);
  for (n in 1 : N) {
    int from = first[n];
    int to = from + demands[n] - 1;
    matrix[demands[n], 3] each = goods(demand[from : to] - outside[n], even);
    if (kind[n] == 2) {
      each = diag_pre_multiply(odds[from : to], each);
    }
    wanted[from : to] = append_col(each,
                                   rep_vector(kind[n] == 2 ? 0 : -1,
                                              demands[n]));
  }
}
parameters {
  vector[V] ratio_std;
  matrix[V, P] slope_std;
  real precision_std;
  real hope_std;
  real sharpness_std;
  real breakdown_std;
  vector<lower=0>[by_group ? V : 0] sd_group_std; // in prior sds
  matrix[by_group ? V : 0, G] group_std;
  vector<lower=0>[by_participant ? V : 0] sd_participant_std;
  matrix[by_participant ? V : 0, J] participant_std;
  vector<lower=0>[by_chain] sd_chain; // of hope, in prior sds
  vector[by_chain ? C : 0] chain_std;
  vector<lower=0>[by_game] sd_game;
  vector[by_game ? H : 0] game_std;
}
transformed parameters {
  vector[V] ratio = ratio_sd * ratio_std;
  matrix[V, P] slope = diag_post_multiply(slope_std, slope_sd);
  // deviations of role prompts
  matrix[V, J] prompt = ratio_sd
                        * prompt_deviations(sd_group_std, group_std, group,
                                            sd_participant_std,
                                            participant_std, V);
  real precision = exp(2.5 + precision_std);
  real hope = 0.2 + hope_sd * hope_std;
  real sharpness = exp(2 + 0.7 * sharpness_std);
  real breakdown = inv_logit(-2 + breakdown_std);
}
model {
  ratio_std ~ std_normal();
  to_vector(slope_std) ~ std_normal();
  precision_std ~ std_normal();
  hope_std ~ std_normal();
  sharpness_std ~ std_normal();
  breakdown_std ~ std_normal();
  sd_group_std ~ exponential(1 / spread);
  to_vector(group_std) ~ std_normal();
  sd_participant_std ~ exponential(1 / spread);
  to_vector(participant_std) ~ std_normal();
  sd_chain ~ exponential(1 / spread);
  chain_std ~ std_normal();
  sd_game ~ exponential(1 / spread);
  game_std ~ std_normal();
  {
    matrix[3, U] pull
      = precision
        * unit_weights(rep_matrix(ratio, U) + slope * design'
                     + prompt[ : , participant],
                     with_fair, with_deal);
    vector[N] hopes = hope
                      + hope_sd
                        * (unit_deviations(sd_chain, chain_std, chain)
                           + unit_deviations(sd_game, game_std, talk));
    for (n in 1 : N) {
      int to = first[n] + demands[n] - 1;
      vector[2 + demands[n]] at
        = option_odds(pull[ : , unit[n]], hopes[n], sharpness, breakdown, kind[n],
                      offered[n], standing[n], wanted[first[n] : to],
                      doubt[first[n] : to]);
      target += weight[n] * (at[chosen[n]] - log_sum_exp(at));
    }
  }
}
generated quantities {
  vector[3] w = weights(ratio, with_fair, with_deal); // own, fair, deal
  matrix[3, J] w_participant;
  real pays_to_close = w[3] / w[1]; // share of the pie
  vector[by_group ? V : 0] sd_group;
  vector[by_participant ? V : 0] sd_participant;
  matrix[E, 3] predicted = rep_matrix(0, E, 3); // accept, leave, demand
  array[E, 3] int counts_rep = rep_array(0, E, 3);
  matrix[E, 3] log_lik = rep_matrix(0, E, 3); // of all messages of an action
  vector[N] mean_demand; // expected demand, given that there is one
  if (by_group) {
    sd_group = ratio_sd * sd_group_std;
  }
  if (by_participant) {
    sd_participant = ratio_sd * sd_participant_std;
  }
  for (j in 1 : J) {
    w_participant[ : , j] = weights(ratio + prompt[ : , j], with_fair,
                                    with_deal);
  }
  {
    matrix[3, U] pull
      = precision
        * unit_weights(rep_matrix(ratio, U) + slope * design'
                     + prompt[ : , participant],
                     with_fair, with_deal);
    vector[N] hopes = hope
                      + hope_sd
                        * (unit_deviations(sd_chain, chain_std, chain)
                           + unit_deviations(sd_game, game_std, talk));
    for (n in 1 : N) {
      int to = first[n] + demands[n] - 1;
      vector[2 + demands[n]] lp
        = log_softmax(option_odds(pull[ : , unit[n]], hopes[n], sharpness,
                                  breakdown, kind[n], offered[n],
                                  standing[n], wanted[first[n] : to],
                                  doubt[first[n] : to]));
      vector[2 + demands[n]] p = exp(lp);
      int drawn = categorical_rng(p / sum(p));
      vector[demands[n]] each = tail(p, demands[n]); // of the demands
      real demanded = sum(each);
      predicted[game[n], 1 : 2] += p[1 : 2]';
      predicted[game[n], 3] += demanded;
      mean_demand[n] = demanded > 0
                       ? dot_product(each, demand[first[n] : to])
                         / demanded : 0;
      counts_rep[game[n], min(drawn, 3)] += 1;
      log_lik[game[n], min(chosen[n], 3)] += lp[chosen[n]];
    }
    for (e in 1 : E) {
      predicted[e] /= sum(predicted[e]);
    }
  }
}
