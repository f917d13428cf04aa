// Strategy frequency estimation (Dal Bo & Frechette 2011): every game is played
// by one strategy, and each move is another than it prescribes with the
// probability of a tremble. Strategies that the partners cannot tell apart
// stand in one class, whose members share its games evenly.
//
// All parameters are z, with x = centre + scale * z standard normal a priori:
// probits of twice the tremble, and breaks of a stick that make the
// frequencies of a group's classes Dirichlet(1, ..., 1).
functions {
  // Frequencies of K classes from K - 1 coordinates, on the log scale.
  vector log_frequencies(vector x) {
    int K = rows(x) + 1;
    vector[K] out;
    real log_rest = 0;
    for (k in 1 : (K - 1)) {
      real log_left = std_normal_lccdf(x[k] | ) / (K - k);
      out[k] = log_rest + log1m_exp(log_left);
      log_rest += log_left;
    }
    out[K] = log_rest;
    return out;
  }

  // Coordinates of group g: its tremble, then the breaks of its stick.
  vector of_group(vector x, int g, int K, int one_tremble) {
    if (one_tremble) {
      return append_row(x[1], x[(2 + (g - 1) * (K - 1)) : (1 + g * (K - 1))]);
    }
    return x[(1 + (g - 1) * K) : (g * K)];
  }

  // (H) log-probability of the player's moves in every history. `strays` and
  // `follows` count the moves of a history that a strategy does not and does
  // prescribe; `member` is the log-share of a strategy (column) in its class.
  vector log_histories(vector c, data matrix strays, data matrix follows,
                       data vector log_share, array[] int class_of) {
    int H = rows(strays);
    int R = cols(strays);
    real log_tremble = std_normal_lcdf(c[1] | ) - log2();
    real log_firm = log1m_exp(log_tremble);
    vector[R] log_prior = log_frequencies(tail(c, rows(c) - 1))[class_of]
                          + log_share;
    matrix[H, R] each = log_tremble * strays + log_firm * follows;
    vector[H] out;
    for (h in 1 : H) {
      out[h] = log_sum_exp(each[h]' + log_prior);
    }
    return out;
  }

  // Normalised log density of standard normal x, and histories given it.
  real log_joint(vector x, int likelihood_on, int K, int one_tremble,
                 data matrix counts, data matrix strays, data matrix follows,
                 data vector log_share, array[] int class_of) {
    real lp = std_normal_lpdf(x);
    if (likelihood_on) {
      for (g in 1 : rows(counts)) {
        lp += counts[g] * log_histories(of_group(x, g, K, one_tremble),
                                        strays, follows, log_share, class_of);
      }
    }
    return lp;
  }
}
data {
  int<lower=1> G; // groups
  int<lower=1> H; // histories that differ: moves of both players
  int<lower=1> R; // strategies
  int<lower=1> K; // classes of strategies
  array[R] int<lower=1, upper=K> class_of;
  matrix<lower=0>[G, H] counts; // games
  matrix<lower=0>[H, R] strays; // moves that the strategy does not prescribe
  matrix<lower=0>[H, R] follows;
  int<lower=0, upper=1> one_tremble; // 1: all groups tremble alike
  int<lower=0, upper=1> likelihood_on; // 0: sample the prior
  int<lower=0, upper=1> keep; // 0: no quantities per cell
  int<lower=1> D; // number of parameters
  int<lower=0> M; // 0: no preconditioner; else D
  vector[M] centre;
  matrix[M, M] scale;
}
transformed data {
  vector[R] log_share;
  {
    vector[K] members = rep_vector(0, K);
    for (r in 1 : R) {
      members[class_of[r]] += 1;
    }
    log_share = -log(members[class_of]);
  }
}
parameters {
  vector[D] z;
}
model {
  target += log_joint(M ? centre + scale * z : z, likelihood_on, K,
                      one_tremble, counts, strays, follows, log_share,
                      class_of);
}
generated quantities {
  matrix[G, K] frequency;
  vector[G] tremble;
  matrix[keep ? G : 0, H] log_lik;
  {
    vector[D] x = M ? centre + scale * z : z;
    for (g in 1 : G) {
      vector[K] c = of_group(x, g, K, one_tremble);
      tremble[g] = Phi(c[1]) / 2;
      frequency[g] = exp(log_frequencies(tail(c, K - 1)))';
      if (keep) {
        log_lik[g] = counts[g]
                     .* log_histories(c, strays, follows, log_share,
                                      class_of)';
      }
    }
  }
}
