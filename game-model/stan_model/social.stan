// Social preferences: a utility of the own payoff and of the other's payoff,
// and choice by softmax. One program for all forms:
//   0 selfish: own payoff alone
//   1 Fehr & Schmidt (1999): own - guilt * ahead - envy * behind
//   2 Charness & Rabin (2002): own - rho * ahead + sigma * behind
//   3 CES altruism, Andreoni & Miller (2002):
//     (w * own^r + (1 - w) * other^r)^(1 / r)
// ahead = max(own - other, 0), behind = max(other - own, 0); payoffs are shares
// of the largest stake. A proposer weights each division by the probability
// that a responder with the same preferences accepts it.
//
// Coordinates are standard normal a priori; a participant's effect is centred
// as far as its choices inform it (see effect).
functions {
#include levels.stanfunctions

  // CES utility from the logs of both weights.
  real ces(real log_own_weight, real log_other_weight, real r, data real own,
           data real other) {
    if (own <= 0 && other <= 0) {
      return 0;
    }
    if (own <= 0) {
      return r > 0 ? exp(log_other_weight / r) * other : 0;
    }
    if (other <= 0) {
      return r > 0 ? exp(log_own_weight / r) * own : 0;
    }
    if (abs(r) < 1e-5) {
      return exp(exp(log_own_weight) * log(own)
                 + exp(log_other_weight) * log(other));
    }
    return exp(log_sum_exp(log_own_weight + r * log(own),
                           log_other_weight + r * log(other))
               / r);
  }

  // Exponential with mean 1 if c is standard normal; its tail stays light if c
  // varies more.
  real exponential_of(real c) {
    return -std_normal_lcdf(-c | );
  }

  // The two parameters of a form from standard normal coordinates.
  vector preferences(int form, vector c) {
    if (form == 1) {
      return [Phi(c[1]), 0.8 * exponential_of(c[2])]'; // guilt, envy
    }
    if (form == 2) {
      real rho = 2 * Phi(c[1]) - 1;
      return [rho, -1 + (1 + rho) * Phi(c[2])]'; // rho, sigma <= rho
    }
    return [Phi(c[1]), 1 - exponential_of(c[2]) / log2()]'; // w, r
  }

  // Choices per largest stake of utility, from its standard normal coordinate.
  real precision_of(real c) {
    return exp(log(10) + 1.5 * c);
  }

  vector utilities(int form, vector c, data vector own, data vector other) {
    int A = rows(own);
    vector[A] u = own;
    if (form == 1 || form == 2) {
      vector[2] p = preferences(form, c);
      real disadvantage = form == 1 ? p[2] : -p[2];
      u -= p[1] * fdim(own, other) + disadvantage * fdim(other, own);
    }
    if (form == 3) {
      real log_own_weight = std_normal_lcdf(c[1] | );
      real log_other_weight = std_normal_lcdf(-c[1] | );
      real r = 1 - exponential_of(c[2]) / log2();
      for (a in 1 : A) {
        u[a] = ces(log_own_weight, log_other_weight, r, own[a], other[a]);
      }
    }
    return u;
  }

  // Log-probability of every option; the last coordinate is that of precision.
  vector log_choice(int form, vector c, int proposal, data vector own,
                    data vector other) {
    real lambda = precision_of(c[rows(c)]);
    vector[rows(own)] u = utilities(form, c, own, other);
    if (proposal) {
      // A responder gets the other's payoff, and nothing if it rejects.
      u .*= inv_logit(lambda * utilities(form, c, other, own));
    }
    return log_softmax(lambda * u);
  }

  // The effect of a participant in standard deviations of the level, from x.
  // Its mean and spread come from its choices (an estimate of the coordinate,
  // with information = 1 / variance) and from the level (middle, sd). If the
  // likelihood were Gaussian, x would be standard normal at any level; without
  // information the effect is x. The second element is the correction of the
  // density, which takes x as standard normal.
  vector effect(real x, real middle, real sd, real estimate, real information) {
    real told = square(sd) * information;
    real e = sd * information * (estimate - middle) / (1 + told)
             + x / sqrt(1 + told);
    return [e, (square(x) - square(e) - log1p(told)) / 2]';
  }

  // Coordinates (K x J) of the participants, and in a last row the correction
  // of the density, which takes each effect as standard normal.
  matrix placed(matrix of_group, array[] int group, vector sd_participant,
                matrix participant_std, data vector estimate,
                data vector information, int scaled, data real indifferent) {
    int J = size(group);
    int K = rows(of_group);
    matrix[K + 1, J] each = append_row(levels(of_group, group, sd_participant,
                                              participant_std),
                                       rep_row_vector(0, J));
    if (rows(sd_participant)) {
      for (j in 1 : J) {
        if (information[j] > 0) {
          real unit = scaled ? 10 / precision_of(each[K, j]) : 1;
          real middle = of_group[1, group[j]];
          vector[2] e = effect(participant_std[1, j], middle,
                               sd_participant[1],
                               indifferent + estimate[j] * unit,
                               information[j] / square(unit));
          each[1, j] = middle + sd_participant[1] * e[1];
          each[K + 1, j] = e[2];
        }
      }
    }
    return each;
  }
}
data {
  int<lower=0, upper=3> form;
  int<lower=1> N; // cells: a participant before one set of options
  int<lower=1> J; // participants
  int<lower=1> G; // groups of participants
  int<lower=2> A; // options, at most
  int<lower=0> V; // coordinates that vary: the first V of K
  array[J] int<lower=1, upper=G> group;
  array[N] int<lower=1, upper=J> participant;
  array[N] int<lower=2, upper=A> n_options;
  array[N] int<lower=0, upper=1> proposal; // 1: the other may reject
  matrix<lower=0>[N, A] own; // shares of the largest stake
  matrix<lower=0>[N, A] other;
  matrix<lower=0>[N, A] counts; // expected counts allowed
  array[N] int<lower=0> total; // choices to replicate
  real<lower=0> spread; // prior mean of the standard deviations
  int<lower=0, upper=1> by_group;
  int<lower=0, upper=1> by_participant;
  // Information of the choices of each participant about its first coordinate;
  // without information, x is its effect. Scaled: the information is about
  // precision / 10 times the distance from the coordinate of indifference.
  vector[J] estimate;
  vector<lower=0>[J] information;
  int<lower=0, upper=1> scaled;
  real indifferent;
}
transformed data {
  int K = form == 0 ? 1 : 3;
  int P = form == 0 ? 0 : 1; // whether there are preferences besides precision
}
parameters {
  vector[K] middle; // of the coordinates
  // Standard normals that give standard deviations and effects.
  vector[by_group ? V : 0] sd_group_std;
  matrix[by_group ? V : 0, G] group_std;
  vector[by_participant ? V : 0] sd_participant_std;
  matrix[by_participant ? V : 0, J] participant_std;
}
transformed parameters {
  vector[by_group ? V : 0] sd_group = deviations(sd_group_std, spread);
  vector[by_participant ? V : 0] sd_participant
    = deviations(sd_participant_std, spread);
  matrix[K, G] of_group = group_levels(middle, sd_group, group_std, G);
  matrix[K + 1, J] each = placed(of_group, group, sd_participant,
                                 participant_std, estimate, information,
                                 scaled, indifferent);
}
model {
  middle ~ std_normal();
  sd_group_std ~ std_normal();
  to_vector(group_std) ~ std_normal();
  sd_participant_std ~ std_normal();
  to_vector(participant_std) ~ std_normal();
  target += sum(each[K + 1]);
  for (n in 1 : N) {
    int O = n_options[n];
    target += counts[n, 1 : O]
              * log_choice(form, each[1 : K, participant[n]], proposal[n],
                           own[n, 1 : O]', other[n, 1 : O]');
  }
}
generated quantities {
  matrix[2 * P, J] preference; // of participants
  matrix[2 * P, G] group_preference; // of the groups' middles
  vector[2 * P] middle_preference; // of the middle of all
  vector[J] precision;
  matrix[N, A] predicted = rep_matrix(0, N, A);
  array[N, A] int counts_rep;
  matrix[N, A] log_lik = rep_matrix(0, N, A);
  for (j in 1 : J) {
    precision[j] = precision_of(each[K, j]);
    if (P) {
      preference[ : , j] = preferences(form, each[1 : K, j]);
    }
  }
  if (P) {
    middle_preference = preferences(form, middle);
    for (g in 1 : G) {
      group_preference[ : , g] = preferences(form, of_group[ : , g]);
    }
  }
  for (n in 1 : N) {
    int O = n_options[n];
    vector[O] lp = log_choice(form, each[1 : K, participant[n]], proposal[n],
                              own[n, 1 : O]', other[n, 1 : O]');
    predicted[n, 1 : O] = exp(lp)';
    log_lik[n, 1 : O] = counts[n, 1 : O] .* lp';
    counts_rep[n] = rep_array(0, A);
    counts_rep[n, 1 : O] = multinomial_rng(exp(lp), total[n]);
  }
}
