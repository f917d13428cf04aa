// The polite speaker of Yoon, Tessler, Goodman & Frank (2020). One program for
// all variants: which utilities there are, whether theta is inferred, the
// quadrature and the cost form are data.
//
// Probabilities, and shares of a range or of a stick, are declared by their
// probits (see probits.stanfunctions).
functions {
#include probits.stanfunctions
#include places.stanfunctions
#include recursion.stanfunctions
#include clusters.stanfunctions
#include item_effects.stanfunctions
}
data {
  int<lower=2> U; // utterances
  int<lower=1> S; // states
  int<lower=1> C; // conditions
  vector[S] value; // V(s), hearts or stars
  vector<lower=0, upper=1>[U] negated;
  array[C] matrix<lower=0>[U, S] counts; // choices; expected counts allowed
  array[C, S] int<lower=0> total; // answers to replicate
  array[3] int<lower=0, upper=1> has_utility; // inf, soc, pres
  // Which weights share the simplex: those of `has_utility`, or all three, of
  // which some have no effect (the reduced variants as published).
  array[3] int<lower=0, upper=1> in_simplex;
  int<lower=0, upper=1> first_order; // 1: choices come from S1 at phi
  int<lower=0, upper=1> theta_free; // 1: joint; 0: theta_given
  matrix<lower=0>[U, S] literal_yes;
  matrix<lower=0>[U, S] literal_no;
  matrix<lower=0, upper=1>[U, S] theta_given;
  int<lower=0> O; // orders in which the options were shown; 0: no position bias
  array[O, U] int<lower=1, upper=U> place; // position of each option
  array[O, C] matrix<lower=0>[U, S] placed; // the counts by order
  array[O, C, S] int<lower=0> placed_total; // answers to replicate by order
  int<lower=0> J; // clusters whose answers are alike; 0: all are independent
  array[J, C, S, U] int<lower=0> given; // choices of each cluster
  // The same choices in the form of clusters.stanfunctions.
  int<lower=0> N;
  array[N] int<lower=1, upper=C * S * U> at;
  vector<lower=0>[N] before;
  vector<lower=0>[N] times;
  int<lower=0> M;
  vector<lower=0>[M] asked_before;
  vector<lower=0>[M] asked_times;
  int<lower=0> E; // nodes of the effects of clusters; 0: they have none
  vector[E ? U : 0] direction; // of the effects, by utterance
  row_vector[E] effect_node; // standard normal
  row_vector[E] log_node_weight;
  int<lower=0> G; // groups of steps that the same clusters made
  array[E ? N : 0] int<lower=1, upper=G> group;
  matrix<lower=0>[E ? J : 0, G] urn; // whether a cluster made them
  matrix<lower=0>[E ? J : 0, M] asked_each; // `asked_times` of each cluster
  real<lower=0> item_sd_prior; // mean
  int<lower=1> Q; // quadrature nodes for phi in [0, 1]
  row_vector<lower=0, upper=1>[Q] node;
  vector<lower=0>[Q] node_weight;
  int<lower=0, upper=1> cost_in_utility; // 1: cost inside alpha * (...)
  real<lower=0> alpha_upper; // upper bound of alpha
  real cost_lower;
  real<lower=cost_lower> cost_upper;
  // Beta priors of alpha and cost, as shares of their ranges, and of phi;
  // Dirichlet prior of the weights. All ones: the priors of the paper. Beta
  // priors of the share of lapses and of the correlation within clusters.
  vector<lower=0>[2] alpha_prior;
  vector<lower=0>[2] cost_prior;
  vector<lower=0>[2] phi_prior;
  vector<lower=0>[3] weight_prior;
  vector<lower=0>[2] lapse_prior;
  vector<lower=0>[2] icc_prior;
}
transformed data {
  int K = sum(in_simplex);
  int P = first_order || has_utility[3] ? C : 0;
  int B = O ? U - 1 : 0;
  int A = J ? 1 : 0;
  int F = E ? 1 : 0;
  matrix[U, B] contrast;
  vector[U] chosen = rep_vector(0, U); // choices by position
  array[C] matrix[O, S] asked; // choices by order and state
  array[K] int utility;
  vector[K] dirichlet;
  {
    int k = 0;
    if (O) {
      contrast = contrasts(U);
    }
    for (o in 1 : O) {
      for (c in 1 : C) {
        asked[c][o] = rep_row_vector(1, U) * placed[o, c];
        chosen[place[o]] += placed[o, c] * rep_vector(1, S);
      }
    }
    for (j in 1 : 3) {
      if (in_simplex[j]) {
        k += 1;
        utility[k] = j;
        dirichlet[k] = weight_prior[j];
      }
    }
  }
}
parameters {
  matrix[theta_free ? U : 0, theta_free ? S : 0] theta_probit;
  real alpha_probit; // of the share of its range
  real cost_probit; // of the share of its range
  matrix[max(0, K - 1), C] share_probit; // of the rest of the stick
  vector[B] place_contrast; // log-odds, in Helmert contrasts
  row_vector[P] phi_probit;
  vector[A] lapse_probit;
  vector[A] icc_probit;
  vector[F] item_sd_std;
}
transformed parameters {
  real alpha = alpha_upper * Phi(alpha_probit);
  real cost = cost_lower + (cost_upper - cost_lower) * Phi(cost_probit);
  matrix[3, C] weights = stick_weights(share_probit, utility, C);
  row_vector[P] phi = probabilities(phi_probit);
  matrix[U, S] theta = theta_free ? probabilities(theta_probit) : theta_given;
  vector[U] log_prior = utterance_cost(negated, cost, cost_in_utility, alpha);
  vector[A] lapse = Phi(lapse_probit); // share of answers by chance
  vector[A] icc = Phi(icc_probit); // correlation of answers in a cluster
  vector[F] item_sd; // of the effects of clusters
  if (F) {
    item_sd[1] = -item_sd_prior * std_normal_lccdf(item_sd_std[1]); // exponential
  }
}
model {
  to_vector(theta_probit) ~ std_normal();
  alpha_probit ~ beta_probit(alpha_prior[1], alpha_prior[2]);
  cost_probit ~ beta_probit(cost_prior[1], cost_prior[2]);
  share_probit ~ stick_probit(dirichlet);
  place_contrast ~ std_normal();
  phi_probit' ~ beta_probit(phi_prior[1], phi_prior[2]);
  if (theta_free) {
    target += judgments_probit(theta_probit, literal_yes, literal_no);
  }
  if (J) {
    lapse_probit ~ beta_probit(lapse_prior[1], lapse_prior[2]);
    icc_probit ~ beta_probit(icc_prior[1], icc_prior[2]);
  }
  if (E) {
    item_sd_std ~ std_normal();
    target += item_effects_log_lik(
                speaker(first_order, theta, value, alpha, log_prior, weights,
                        phi, node, node_weight, has_utility),
                lapse[1], icc[1], item_sd[1], direction, effect_node,
                log_node_weight, at, before, group, urn, asked_before,
                asked_each);
  } else if (J) {
    target += clustered_log_lik(
                speaker(first_order, theta, value, alpha, log_prior, weights,
                        phi, node, node_weight, has_utility),
                lapse[1], icc[1], at, before, times, asked_before, asked_times);
  } else {
    target += speaker_log_lik(counts, first_order, theta, value, alpha,
                              log_prior, weights, phi, node, node_weight,
                              has_utility);
  }
  if (O) {
    array[C] matrix[U, S] log_choice = speaker(first_order, theta, value,
                                               alpha, log_prior, weights, phi,
                                               node, node_weight, has_utility);
    target += place_likelihood(log_choice, contrast * place_contrast, place,
                               chosen, asked);
  }
}
generated quantities {
  vector[O ? U : 0] place_bias; // log-odds; they sum to zero
  real lprior; // log prior density of the constrained parameters
  array[C] matrix[S, U] choice; // P(u | s)
  // Its mean over the orders, or with lapses.
  array[O || J ? C : 0] matrix[S, U] predicted;
  array[C, S, U] int counts_rep;
  array[C] matrix[S, U] log_lik;
  array[E ? 0 : J, C] vector[S] cluster_lik; // log-likelihood of each cluster
  vector[E ? J : 0] whole_lik; // the same, of all its cells
  array[E ? J : 0] int effect; // node of a replicated cluster
  matrix[theta_free ? U : 0, theta_free ? S : 0] literal_log_lik;
  // P_L1(s | u)
  matrix[U, S] l1_state = listener1(literal_listener(theta), value, alpha,
                                    log_prior, node, node_weight);
  array[C] matrix[U, S] log_choice = speaker(first_order, theta, value, alpha,
                                             log_prior, weights, phi, node,
                                             node_weight, has_utility);
  lprior = beta_lpdf(Phi(alpha_probit) | alpha_prior[1], alpha_prior[2])
           - log(alpha_upper)
           + beta_lpdf(Phi(cost_probit) | cost_prior[1], cost_prior[2])
           - log(cost_upper - cost_lower) + std_normal_lpdf(place_contrast);
  if (J) {
    lprior += beta_lpdf(lapse | lapse_prior[1], lapse_prior[2])
              + beta_lpdf(icc | icc_prior[1], icc_prior[2]);
  }
  if (E) {
    lprior += exponential_lpdf(item_sd | inv(item_sd_prior));
    whole_lik = each_cluster_log_lik(log_choice, lapse[1], icc[1], item_sd[1],
                  direction, effect_node, log_node_weight, at, before, group,
                  urn, asked_before, asked_each);
    for (j in 1 : J) {
      effect[j] = categorical_rng(exp(log_node_weight'));
    }
  }
  if (P) {
    lprior += beta_lpdf(phi | phi_prior[1], phi_prior[2]);
  }
  if (K > 1) {
    for (c in 1 : C) {
      lprior += dirichlet_lpdf(weights[utility, c] | dirichlet);
    }
  }
  for (c in 1 : C) {
    choice[c] = exp(log_choice[c]');
    log_lik[c] = (counts[c] .* log_choice[c])';
    if (E) {
      array[E] matrix[S, U] p;
      predicted[c] = rep_matrix(0, S, U);
      for (e in 1 : E) {
        for (s in 1 : S) {
          p[e][s] = (1 - lapse[1])
                    * softmax(
                              log_choice[c][ : , s]
                              + item_sd[1] * effect_node[e] * direction)'
                    + lapse[1] / U;
        }
        predicted[c] += exp(log_node_weight[e]) * p[e];
      }
      for (s in 1 : S) {
        counts_rep[c, s] = rep_array(0, U);
        for (j in 1 : J) {
          array[U] int drawn = cluster_rng(sum(given[j, c, s]),
                                           p[effect[j]][s]', icc[1]);
          for (u in 1 : U) {
            counts_rep[c, s, u] += drawn[u];
          }
        }
      }
    } else if (J) {
      predicted[c] = (1 - lapse[1]) * choice[c] + lapse[1] / U;
      for (s in 1 : S) {
        vector[U] p = predicted[c][s]';
        counts_rep[c, s] = rep_array(0, U);
        for (j in 1 : J) {
          array[U] int drawn = cluster_rng(sum(given[j, c, s]), p, icc[1]);
          cluster_lik[j, c][s] = cluster_log_lik(given[j, c, s], p, icc[1]);
          for (u in 1 : U) {
            counts_rep[c, s, u] += drawn[u];
          }
        }
      }
    } else if (O == 0) {
      for (s in 1 : S) {
        counts_rep[c, s] = multinomial_rng(softmax(log_choice[c][ : , s]),
                                           total[c, s]);
      }
    }
  }
  if (O) {
    place_bias = contrast * place_contrast;
    matrix[O, U] bias = log(place_odds(place_bias, place));
    for (c in 1 : C) {
      predicted[c] = choice[c];
      for (s in 1 : S) {
        vector[U] expected = rep_vector(0, U);
        counts_rep[c, s] = rep_array(0, U);
        log_lik[c][s] = rep_row_vector(0, U);
        for (o in 1 : O) {
          vector[U] log_p = log_softmax(log_choice[c][ : , s] + bias[o]');
          array[U] int drawn = multinomial_rng(softmax(log_p),
                                               placed_total[o, c, s]);
          log_lik[c][s] += (placed[o, c][ : , s] .* log_p)';
          expected += asked[c][o, s] * exp(log_p);
          for (u in 1 : U) {
            counts_rep[c, s, u] += drawn[u];
          }
        }
        if (sum(expected) > 0) {
          predicted[c][s] = expected' / sum(expected);
        }
      }
    }
  }
  if (theta_free) {
    literal_log_lik = literal_yes .* log(theta)
                      + literal_no .* log(probabilities(-theta_probit));
  }
}

