// How games end: in which round, with a deal or by leaving, and at which share.
// The chance that a game ends in a round has log-odds that are linear in the
// log of the round and in covariates; games that reach their cap or are cut
// had not ended by then. The share of a deal is half, the bid's or the ask's
// (atoms), or lies between -1/2 and 3/2 with a logit that is logistic.
functions {
#include units.stanfunctions
#include outcomes.stanfunctions
}
data {
  int<lower=1> N; // games
  int<lower=0> P; // covariates
  int<lower=1> G; // groups of role prompts
  int<lower=1> J; // role prompts
  int<lower=1> C; // chains
  int<lower=1> Q; // partners
  int<lower=1> T; // rounds of the longest game
  array[J] int<lower=1, upper=G> group;
  array[N] int<lower=1, upper=J> participant;
  array[N] int<lower=1, upper=C> chain;
  array[N] int<lower=1, upper=Q> partner;
  int<lower=0, upper=1> by_group;
  int<lower=0, upper=1> by_participant;
  int<lower=0, upper=1> by_chain;
  int<lower=0, upper=1> by_partner;
  matrix[N, P] design;
  array[N] int<lower=1, upper=T> last; // last round
  array[N] int<lower=1> rounds; // rounds after which it would be cut
  array[N] int<lower=1, upper=3> ended; // deal, left, cut
  vector<lower=0>[N] weight; // 1; 0 for games that are left out
  int<lower=0> S; // deals
  array[S] int<lower=1, upper=N> deal; // their rows
  matrix[S, 2] edges; // see log_share
  matrix<lower=0, upper=1>[S, 3] heaped;
  matrix<lower=0, upper=1>[S, 3] known;
  vector[3] prior_mean; // of the intercepts: end, deal, middle of the share
  vector<lower=0>[3] prior_sd;
  vector<lower=0>[P] slope_sd;
  real<lower=0> spread; // prior mean of standard deviations, in prior sds
}
transformed data {
  vector[max(append_array(rounds, {T}))] log_round;
  for (t in 1 : rows(log_round)) {
    log_round[t] = log(t);
  }
}
parameters {
  vector[3] intercept_std;
  matrix[3, P] slope_std;
  real round_std;
  real scale_std;
  simplex[4] atom; // the rest, half, bid, ask
  vector<lower=0>[by_group ? 3 : 0] sd_group_std; // in prior sds
  matrix[by_group ? 3 : 0, G] group_std;
  vector<lower=0>[by_participant ? 3 : 0] sd_participant_std;
  matrix[by_participant ? 3 : 0, J] participant_std;
  vector<lower=0>[by_partner ? 3 : 0] sd_partner_std;
  matrix[by_partner ? 3 : 0, Q] partner_std;
  vector<lower=0>[by_chain] sd_chain; // of the middle of the share
  vector[by_chain ? C : 0] chain_std;
}
transformed parameters {
  // end, deal, middle: intercepts, then slopes
  matrix[3, 1 + P] coefficient
    = append_col(prior_mean + prior_sd .* intercept_std,
                 diag_post_multiply(slope_std, slope_sd));
  real round_slope = round_std;
  real share_scale = exp(-1.2 + 0.5 * scale_std);
  matrix[3, J] prompt
    = diag_pre_multiply(prior_sd,
                        prompt_deviations(sd_group_std, group_std, group,
                                          sd_participant_std,
                                          participant_std, 3));
  matrix[3, Q] partner_at
    = by_partner ? diag_pre_multiply(prior_sd .* sd_partner_std, partner_std)
      : rep_matrix(0, 3, Q);
}
model {
  intercept_std ~ std_normal();
  to_vector(slope_std) ~ std_normal();
  round_std ~ std_normal();
  scale_std ~ std_normal();
  atom ~ dirichlet([8, 1, 1, 1]');
  sd_group_std ~ exponential(1 / spread);
  to_vector(group_std) ~ std_normal();
  sd_participant_std ~ exponential(1 / spread);
  to_vector(participant_std) ~ std_normal();
  sd_partner_std ~ exponential(1 / spread);
  to_vector(partner_std) ~ std_normal();
  sd_chain ~ exponential(1 / spread);
  chain_std ~ std_normal();
  {
    matrix[N, 3] at = predictors(coefficient, design, prompt, participant,
                                 partner_at, partner,
                                 unit_deviations(sd_chain, chain_std, chain));
    for (n in 1 : N) {
      target += weight[n]
                * log_length(at[n, 1], round_slope, last[n], ended[n] < 3,
                             log_round);
      if (ended[n] < 3) {
        target += weight[n]
                  * (ended[n] == 1 ? log_inv_logit(at[n, 2])
                     : log1m_inv_logit(at[n, 2]));
      }
    }
    for (s in 1 : S) {
      target += weight[deal[s]]
                * log_share(at[deal[s], 3], share_scale, atom, edges[s],
                            heaped[s], known[s]);
    }
  }
}
generated quantities {
  vector[by_group ? 3 : 0] sd_group;
  vector[by_participant ? 3 : 0] sd_participant;
  vector[by_partner ? 3 : 0] sd_partner;
  matrix[N, 3] predicted; // deal, left, not ended by the cap
  array[N, 3] int counts_rep = rep_array(0, N, 3);
  matrix[N, 3] log_lik = rep_matrix(0, N, 3);
  vector[N] expected_middle; // middle of the share of a deal outside atoms
  if (by_group) {
    sd_group = prior_sd .* sd_group_std;
  }
  if (by_participant) {
    sd_participant = prior_sd .* sd_participant_std;
  }
  if (by_partner) {
    sd_partner = prior_sd .* sd_partner_std;
  }
  {
    matrix[N, 3] at = predictors(coefficient, design, prompt, participant,
                                 partner_at, partner,
                                 unit_deviations(sd_chain, chain_std, chain));
    for (n in 1 : N) {
      real on = exp(log_length(at[n, 1], round_slope, rounds[n], 0,
                               log_round));
      real deals = inv_logit(at[n, 2]);
      predicted[n] = [(1 - on) * deals, (1 - on) * (1 - deals), on];
      expected_middle[n] = at[n, 3];
      counts_rep[n, categorical_rng(predicted[n]' / sum(predicted[n]))] = 1;
      log_lik[n, ended[n]] = log_length(at[n, 1], round_slope, last[n],
                                        ended[n] < 3, log_round);
      if (ended[n] < 3) {
        log_lik[n, ended[n]] += ended[n] == 1 ? log_inv_logit(at[n, 2])
                                : log1m_inv_logit(at[n, 2]);
      }
    }
    for (s in 1 : S) {
      log_lik[deal[s], 1] += log_share(at[deal[s], 3], share_scale, atom,
                                       edges[s], heaped[s], known[s]);
    }
  }
}
