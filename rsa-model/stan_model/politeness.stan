// The polite speaker of Yoon, Tessler, Goodman & Frank (2020). One program for
// all variants: which utilities there are, whether theta is inferred, the
// quadrature and the cost form are data.
//
// All parameters are z, with x = centre + scale * z unconstrained. The affine
// map is a preconditioner: it changes the sampler's path, never the posterior.
// x holds, in this order: probit theta (if theta is free), probit of alpha and
// of cost on their ranges, K - 1 probits of stick shares per condition, U - 1
// contrasts of the places (if their bias is on), probit phi. Under the default
// priors each is standard normal, but for the sticks.
functions {
#include places.stanfunctions
#include recursion.stanfunctions
#include posterior.stanfunctions
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
  int<lower=0> O; // orders in which the options were shown; 0: no bias of place
  array[O, U] int<lower=1, upper=U> place; // place of each option in an order
  array[O, C] matrix<lower=0>[U, S] placed; // the counts by order
  array[O, C, S] int<lower=0> placed_total; // answers to replicate by order
  int<lower=1> Q; // quadrature nodes for phi in [0, 1]
  row_vector<lower=0, upper=1>[Q] node;
  vector<lower=0>[Q] node_weight;
  int<lower=0, upper=1> cost_in_utility; // 1: cost inside alpha * (...)
  real<lower=0> alpha_upper; // alpha lies in (0, alpha_upper)
  real cost_lower;
  real<lower=cost_lower> cost_upper;
  // Beta priors of alpha and cost, as shares of their ranges, and of phi;
  // Dirichlet prior of the weights. All ones: the priors of the paper.
  vector<lower=0>[2] alpha_prior;
  vector<lower=0>[2] cost_prior;
  vector<lower=0>[2] phi_prior;
  vector<lower=0>[3] weight_prior;
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
  matrix[U, S] log_theta_given = log(theta_given);
  int K = sum(in_simplex);
  int T = theta_free * U * S;
  int P = first_order || has_utility[3] ? C : 0;
  int B = O ? U - 1 : 0;
  matrix[U, B] contrast;
  vector[U] chosen = rep_vector(0, U); // choices by place
  array[C] matrix[O, S] asked; // choices by order and state
  array[K] int utility;
  vector[K] dirichlet;
  real log_normaliser; // of all priors, so that target is a normalised density
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
    log_normaliser = -lbeta(alpha_prior[1], alpha_prior[2])
                     - lbeta(cost_prior[1], cost_prior[2])
                     - P * lbeta(phi_prior[1], phi_prior[2])
                     - 0.5 * log(2 * pi()) * D;
    if (K > 1) {
      log_normaliser += C * (lgamma(sum(dirichlet)) - sum(lgamma(dirichlet)));
    }
  }
}
parameters {
  vector[D] z;
}
model {
  // Two calls, so that the one that most fits take can be written out in C++.
  target += log_normaliser
            + (first_order || O
               ? log_joint(M ? centre + scale * z : z, T, P, utility,
                           dirichlet, first_order, log_theta_given,
                           literal_yes, literal_no, counts, likelihood_on,
                           value, negated, cost_in_utility, alpha_upper,
                           cost_lower, cost_upper, alpha_prior, cost_prior,
                           phi_prior, node, node_weight, has_utility, by_state,
                           by_utterance, place, chosen, asked, contrast)
               : log_speaker2(z, centre, scale, T, P, utility, dirichlet,
                              log_theta_given, literal_yes, literal_no, counts,
                              likelihood_on, value, negated, cost_in_utility,
                              alpha_upper, cost_lower, cost_upper, alpha_prior,
                              cost_prior, phi_prior, node, node_weight,
                              has_utility, by_state, by_utterance, place,
                              chosen, asked, contrast));
}
generated quantities {
  real alpha;
  real cost;
  matrix[3, C] weights;
  row_vector[P] phi;
  vector[O ? U : 0] place_bias; // log-odds; they sum to zero
  matrix[theta_free || keep ? U : 0, theta_free || keep ? S : 0] theta;
  real lprior; // log prior density of the constrained parameters
  array[keep ? C : 0] matrix[S, U] choice; // P(u | s)
  array[keep && O ? C : 0] matrix[S, U] predicted; // its mean over the orders
  array[keep ? C : 0, S, U] int counts_rep;
  array[keep ? C : 0] matrix[S, U] log_lik;
  matrix[keep * theta_free ? U : 0, keep * theta_free ? S : 0] literal_log_lik;
  matrix[keep ? U : 0, keep ? S : 0] l1_state; // P_L1(s | u)
  {
    vector[D] x = M ? centre + scale * z : z;
    matrix[U, S] log_theta = log_theta_given;
    alpha = alpha_upper * Phi(x[T + 1]);
    cost = cost_lower + (cost_upper - cost_lower) * Phi(x[T + 2]);
    weights = stick_weights(x, T + 2, utility, C);
    phi = Phi(x[(D - P + 1) : D])';
    if (O) {
      place_bias = contrast * x[(D - P - B + 1) : (D - P)];
    }
    lprior = beta_lpdf(Phi(x[T + 1]) | alpha_prior[1], alpha_prior[2])
             - log(alpha_upper)
             + beta_lpdf(Phi(x[T + 2]) | cost_prior[1], cost_prior[2])
             - log(cost_upper - cost_lower)
             + std_normal_lpdf(x[(D - P - B + 1) : (D - P)]);
    if (P) {
      lprior += beta_lpdf(phi | phi_prior[1], phi_prior[2]);
    }
    if (K > 1) {
      for (c in 1 : C) {
        lprior += dirichlet_lpdf(weights[utility, c] | dirichlet);
      }
    }
    if (theta_free) {
      log_theta = to_matrix(log(Phi(x[1 : T])), U, S);
    }
    if (theta_free || keep) {
      theta = exp(log_theta);
    }
    if (keep) {
      matrix[U, S] log_L0 = literal_listener(log_theta);
      vector[U] log_prior = utterance_cost(negated, cost, cost_in_utility,
                                           alpha);
      array[C] matrix[U, S] log_choice = speaker(first_order, log_L0, value,
                                                 alpha, log_prior, weights,
                                                 phi, node, node_weight,
                                                 has_utility, by_state,
                                                 by_utterance);
      l1_state = listener1(log_L0, value, alpha, log_prior, node, node_weight);
      for (c in 1 : C) {
        choice[c] = exp(log_choice[c]');
        log_lik[c] = (counts[c] .* log_choice[c])';
        for (s in 1 : S) {
          if (O == 0) {
            counts_rep[c, s] = multinomial_rng(softmax(log_choice[c][ : , s]),
                                               total[c, s]);
          }
        }
      }
      if (O) {
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
        literal_log_lik = literal_yes .* log_theta
                          + literal_no .* log1m_exp(log_theta);
      }
    }
  }
}

