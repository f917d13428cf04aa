// Strategy frequency estimation (Dal Bo & Frechette 2011): one strategy plays
// each game, and each move differs from the prescribed move with the tremble
// probability. Strategies with the same moves against all partners form one
// class, whose members share its games evenly. The tremble is uniform between 0
// and 1/2; the frequencies of a group's classes are Dirichlet(1, ..., 1), by
// breaks of a stick.
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

  // (H) log-probability of the player's moves in every history. `follows`
  // counts the moves of a history that a strategy prescribes, and `strays` the
  // others; `member` is the log-share of a strategy (column) in its class.
  vector log_histories(real tremble_probit, vector break_std,
                       data matrix strays, data matrix follows,
                       data vector log_share, array[] int class_of) {
    int H = rows(strays);
    int R = cols(strays);
    real log_tremble = std_normal_lcdf(tremble_probit | ) - log2();
    real log_firm = log1m_exp(log_tremble);
    vector[R] log_prior = log_frequencies(break_std)[class_of]
                          + log_share;
    matrix[H, R] each = log_tremble * strays + log_firm * follows;
    vector[H] out;
    for (h in 1 : H) {
      out[h] = log_sum_exp(each[h]' + log_prior);
    }
    return out;
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
  vector[one_tremble ? 1 : G] tremble_probit; // of twice the tremble
  matrix[K - 1, G] break_std; // standard normals that give the breaks
}
model {
  tremble_probit ~ std_normal();
  to_vector(break_std) ~ std_normal();
  for (g in 1 : G) {
    target += counts[g]
              * log_histories(tremble_probit[one_tremble ? 1 : g],
                              break_std[ : , g], strays, follows, log_share,
                              class_of);
  }
}
generated quantities {
  matrix[G, K] frequency;
  vector[G] tremble;
  matrix[G, H] log_lik;
  for (g in 1 : G) {
    real own = tremble_probit[one_tremble ? 1 : g];
    tremble[g] = Phi(own) / 2;
    frequency[g] = exp(log_frequencies(break_std[ : , g]))';
    log_lik[g] = counts[g]
                 .* log_histories(own, break_std[ : , g], strays, follows,
                                  log_share, class_of)';
  }
}
