// The polite speaker of Yoon, Tessler, Goodman & Frank (2020), many speakers at
// once. A speaker has coordinates that are standard normal without pooling:
// the probits of alpha and cost on their ranges and, for each condition, of the
// stick-breaking proportions of the weights, and of phi. With partial pooling
//   coordinate = condition + group + speaker + speaker within condition.
// Each of the last three terms is a standard normal times its standard
// deviation (non-centred). theta is given.
functions {
#include recursion.stanfunctions
#include hierarchy.stanfunctions
}
data {
  int<lower=2> U; // utterances
  int<lower=1> S; // states
  int<lower=1> C; // conditions
  int<lower=1> G; // speakers
  int<lower=1> F; // groups of speakers
  array[G] int<lower=1, upper=F> group;
  vector[S] value; // V(s), hearts or stars
  vector<lower=0, upper=1>[U] negated;
  array[G, C] matrix<lower=0>[U, S] counts; // expected counts allowed
  array[G, C, S] int<lower=0> total; // answers to replicate
  array[G] matrix<lower=0, upper=1>[U, S] theta_given;
  array[3] int<lower=0, upper=1> has_utility; // inf, soc, pres
  int<lower=0, upper=1> first_order; // 1: choices come from S1 at phi
  int<lower=1> Q; // quadrature nodes for phi in [0, 1]
  row_vector<lower=0, upper=1>[Q] node;
  vector<lower=0>[Q] node_weight;
  int<lower=0, upper=1> cost_in_utility; // 1: cost inside alpha * (...)
  real<lower=0> alpha_upper; // upper bound of alpha
  real cost_lower;
  real<lower=cost_lower> cost_upper;
  int<lower=0, upper=2> pooling; // 0 none, 1 partial, 2 complete
  real<lower=0> spread; // prior mean of the standard deviations, exponential
}
transformed data {
  int K = sum(has_utility);
  int P = first_order || has_utility[3] ? 1 : 0;
  int R = (K > 1 ? K - 1 : 0) + P; // coordinates of a condition
  int N = 2 + R; // kinds of coordinates
  int partial = pooling == 1;
  // Effects of groups and of speakers within conditions, if there are any.
  int NF = partial && F > 1 ? N : 0;
  int RC = partial && C > 1 ? R : 0;
  array[K] int utility;
  int H = 2 + C * R; // coordinates of a speaker
  array[H] int kind; // of each coordinate
  {
    int k = 0;
    for (j in 1 : 3) {
      if (has_utility[j]) {
        k += 1;
        utility[k] = j;
      }
    }
    kind[1 : 2] = {1, 2};
    for (c in 1 : C) {
      for (r in 1 : R) {
        kind[2 + (c - 1) * R + r] = 2 + r;
      }
    }
  }
}
parameters {
  matrix[H, pooling ? 1 : G] middle; // of all speakers; without pooling, of each
  // Standard normals that give standard deviations and effects.
  vector[NF] sd_group_std;
  vector[partial ? N : 0] sd_speaker_std;
  vector[RC] sd_cell_std;
  matrix[NF, F] group_std;
  matrix[partial ? N : 0, G] speaker_std;
  matrix[RC * C, G] cell_std;
}
transformed parameters {
  // Standard deviations of groups, of speakers and of the conditions of a
  // speaker, in the units of the coordinates.
  vector[NF] sd_group = deviations(sd_group_std, spread);
  vector[partial ? N : 0] sd_speaker = deviations(sd_speaker_std, spread);
  vector[RC] sd_cell = deviations(sd_cell_std, spread);
  vector[G] alpha;
  vector[G] cost;
  array[G] matrix[3, C] each_weights; // of a speaker
  array[3] matrix[G, C] weights; // the same, of a utility
  matrix[G, C * P] phi;
  array[G] vector[U] log_prior;
  {
    matrix[H, G] each = coordinates(middle, group, kind, C, sd_group,
                                    sd_speaker, sd_cell, group_std,
                                    speaker_std, cell_std);
    for (g in 1 : G) {
      each_weights[g] = simplex_weights(each[ : , g], utility, C, P);
      alpha[g] = alpha_upper * Phi(each[1, g]);
      cost[g] = cost_lower + (cost_upper - cost_lower) * Phi(each[2, g]);
      phi[g] = phi_of(each[ : , g], C, P);
      for (j in 1 : 3) {
        weights[j][g] = each_weights[g][j];
      }
      log_prior[g] = utterance_cost(negated, cost[g], cost_in_utility,
                                    alpha[g]);
    }
  }
}
model {
  to_vector(middle) ~ std_normal();
  sd_group_std ~ std_normal();
  sd_speaker_std ~ std_normal();
  sd_cell_std ~ std_normal();
  to_vector(group_std) ~ std_normal();
  to_vector(speaker_std) ~ std_normal();
  to_vector(cell_std) ~ std_normal();
  for (g in 1 : G) {
    target += speaker_log_lik(counts[g], first_order, theta_given[g], value,
                              alpha[g], log_prior[g], each_weights[g], phi[g],
                              node, node_weight, has_utility);
  }
}
generated quantities {
  // Values at the mean of the population.
  matrix[3, partial ? C : 0] weights_middle;
  row_vector[partial ? C * P : 0] phi_middle;
  array[G, C] matrix[S, U] choice; // P(u | s)
  array[G, C, S, U] int counts_rep;
  array[G, C] matrix[S, U] log_lik;
  array[G, C] matrix[U, S] log_choice;
  if (partial) {
    weights_middle = simplex_weights(middle[ : , 1], utility, C, P);
    phi_middle = phi_of(middle[ : , 1], C, P);
  }
  for (g in 1 : G) {
    log_choice[g] = speaker(first_order, theta_given[g], value, alpha[g],
                            log_prior[g], each_weights[g], phi[g], node,
                            node_weight, has_utility);
    for (c in 1 : C) {
      choice[g, c] = exp(log_choice[g, c]');
      log_lik[g, c] = (counts[g, c] .* log_choice[g, c])';
      for (s in 1 : S) {
        counts_rep[g, c, s] = multinomial_rng(choice[g, c][s]', total[g, c, s]);
      }
    }
  }
}

