// The polite speaker of Yoon, Tessler, Goodman & Frank (2020), many speakers at
// once. A speaker has coordinates that are standard normal where nothing is
// pooled: probits of alpha and cost on their ranges and, for each condition, of
// the breaks of a stick whose pieces are the weights, and of phi. With partial
// pooling
//   coordinate = condition + group + speaker + speaker within condition,
// each of the last three a standard normal times a standard deviation of its
// own (non-centred). theta is given.
//
// As in politeness.stan all parameters are z, with x = centre + scale * z.
functions {
#include places.stanfunctions
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
  real<lower=0> alpha_upper; // alpha lies in (0, alpha_upper)
  real cost_lower;
  real<lower=cost_lower> cost_upper;
  int<lower=0, upper=2> pooling; // 0 none, 1 partial, 2 complete
  real<lower=0> spread; // prior mean of the standard deviations, exponential
  int<lower=0, upper=1> likelihood_on; // 0: sample the prior
  int<lower=0, upper=1> keep; // 0: no quantities per cell
  int<lower=1> D; // number of parameters
  int<lower=0> M; // 0: no preconditioner; else D
  vector[M] centre;
  matrix[M, M] scale;
}
transformed data {
  matrix[S, U * S] by_state = sum_over_utterances(U, S);
  matrix[U, U * S] by_utterance = sum_over_states(U, S);
  int K = sum(has_utility);
  int P = first_order || has_utility[3] ? 1 : 0;
  int R = (K > 1 ? K - 1 : 0) + P; // coordinates of a condition
  int N = 2 + R; // kinds of coordinates
  int partial = pooling == 1;
  // Effects of groups and of speakers within conditions, where there are any.
  int NF = partial && F > 1 ? N : 0;
  int RC = partial && C > 1 ? R : 0;
  array[K] int utility;
  array[2 + C * R] int kind; // of each coordinate of a speaker
  array[G] matrix[U, S] log_L0;
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
    for (g in 1 : G) {
      log_L0[g] = literal_listener(log(theta_given[g]));
    }
  }
}
parameters {
  vector[D] z;
}
model {
  target += log_pooled(M ? centre + scale * z : z, pooling, group, kind, F, C,
                       NF, RC, spread, utility, P, first_order, log_L0, counts,
                       likelihood_on, value, negated, cost_in_utility,
                       alpha_upper, cost_lower, cost_upper, node, node_weight,
                       has_utility, by_state, by_utterance);
}
generated quantities {
  vector[G] alpha;
  vector[G] cost;
  array[3] matrix[G, C] weights;
  matrix[G, C * P] phi;
  // The population's middle, and how far groups, speakers and a speaker's
  // conditions are spread around it, in standard deviations of the coordinates.
  matrix[3, partial ? C : 0] weights_middle;
  row_vector[partial ? C * P : 0] phi_middle;
  vector[NF] sd_group;
  vector[partial ? N : 0] sd_speaker;
  vector[RC] sd_cell;
  array[keep ? G : 0, C] matrix[S, U] choice; // P(u | s)
  array[keep ? G : 0, C, S, U] int counts_rep;
  array[keep ? G : 0, C] matrix[S, U] log_lik;
  {
    vector[D] x = M ? centre + scale * z : z;
    int H = size(kind);
    matrix[H, G] each = coordinates(x, pooling, group, kind, F, C, NF, RC,
                                    spread);
    if (partial) {
      weights_middle = simplex_weights(x[1 : H], utility, C, P);
      phi_middle = phi_of(x[1 : H], C, P);
      sd_group = deviations(x[(H + 1) : (H + NF)], spread);
      sd_speaker = deviations(x[(H + NF + 1) : (H + NF + N)], spread);
      sd_cell = deviations(x[(H + NF + N + 1) : (H + NF + N + RC)], spread);
    }
    for (g in 1 : G) {
      matrix[3, C] w = simplex_weights(each[ : , g], utility, C, P);
      alpha[g] = alpha_upper * Phi(each[1, g]);
      cost[g] = cost_lower + (cost_upper - cost_lower) * Phi(each[2, g]);
      phi[g] = phi_of(each[ : , g], C, P);
      for (j in 1 : 3) {
        weights[j][g] = w[j];
      }
      if (keep) {
        vector[U] prior = utterance_cost(negated, cost[g], cost_in_utility,
                                         alpha[g]);
        array[C] matrix[U, S] log_choice = speaker(first_order, log_L0[g],
                                                   value, alpha[g], prior, w,
                                                   phi[g], node, node_weight,
                                                   has_utility, by_state,
                                                   by_utterance);
        for (c in 1 : C) {
          choice[g, c] = exp(log_choice[c]');
          log_lik[g, c] = (counts[g, c] .* log_choice[c])';
          for (s in 1 : S) {
            counts_rep[g, c, s] = multinomial_rng(choice[g, c][s]',
                                                  total[g, c, s]);
          }
        }
      }
    }
  }
}

