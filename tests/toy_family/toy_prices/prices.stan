// Prices that a speaker names for mugs of different quality, as shares of the
// highest one: a level for each condition, a slope over quality, and noise.
//
// All parameters are z, with x = centre + scale * z standard normal a priori.
functions {
  // Mean of every answer.
  vector means(vector x, int C, array[] int condition, vector quality,
               int has_slope) {
    vector[rows(quality)] m = Phi(x[condition]);
    return has_slope ? m + 0.1 * x[C + 1] * quality : m;
  }

  real noise(vector x) {
    return 0.1 * exp(0.5 * x[rows(x)]);
  }

  real log_joint(vector x, int likelihood_on, int C, array[] int condition,
                 vector quality, vector share, int has_slope) {
    real lp = std_normal_lpdf(x);
    if (likelihood_on) {
      lp += normal_lpdf(share | means(x, C, condition, quality, has_slope),
                        noise(x));
    }
    return lp;
  }
}
data {
  int<lower=1> N; // answers
  int<lower=1> C; // conditions
  array[N] int<lower=1, upper=C> condition;
  vector[N] quality; // minus the middle one
  vector[N] share; // of the highest price
  int<lower=0, upper=1> has_slope;
  int<lower=0, upper=1> likelihood_on; // 0: sample the prior
  int<lower=0, upper=1> keep; // 0: no quantities per answer
  int<lower=1> D; // number of parameters
  int<lower=0> M; // 0: no preconditioner; else D
  vector[M] centre;
  matrix[M, M] scale;
}
parameters {
  vector[D] z;
}
model {
  target += log_joint(M ? centre + scale * z : z, likelihood_on, C, condition,
                      quality, share, has_slope);
}
generated quantities {
  vector[D] x = M ? centre + scale * z : z;
  vector[C] level = Phi(x[1 : C]);
  real slope = has_slope ? 0.1 * x[C + 1] : 0;
  real sigma = noise(x);
  vector[keep ? N : 0] expected;
  array[keep ? N : 0] real share_rep;
  vector[keep ? N : 0] log_lik;
  if (keep) {
    expected = means(x, C, condition, quality, has_slope);
    share_rep = normal_rng(expected, sigma);
    for (n in 1 : N) {
      log_lik[n] = normal_lpdf(share[n] | expected[n], sigma);
    }
  }
}
