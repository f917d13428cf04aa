// Orders in a market of tax shares: a belief from two signals and the price,
// a reservation price that falls with the number of own shares, and a logit
// choice between waiting, offering and taking; offers are distributed around
// the reservation price, with a margin.
functions {
  #include quotes.stanfunctions
}
data {
  int<lower=1> N; // turns
  vector<lower=0>[N] private_signal; // points
  vector<lower=0>[N] public_signal;
  vector<lower=0>[N] median_price; // of the last trades; 0: none
  vector[N] excess; // own shares over the endowment, less 1
  vector<lower=0>[N] best_bid; // of others; 0: none
  vector<lower=0>[N] best_ask;
  // may wait, bid, ask, buy, sell
  matrix<lower=0, upper=1>[N, 5] feasible;
  array[N] int<lower=1, upper=5> action;
  vector<lower=0>[N] price; // of a bid or an ask; 0 elsewhere
  vector<lower=0>[N] weight; // of each turn in the likelihood
  int<lower=0, upper=1> has_inventory; // reservation prices fall with shares
  int<lower=0, upper=1> has_anchor; // beliefs move to the price
}
parameters {
  real<lower=0, upper=1> private_weight;
  real public_bias_scaled; // in units of the prior
  array[has_anchor] real anchor_scaled;
  array[has_inventory] real<lower=0> inventory_scaled;
  real<lower=0> margin_scaled;
  real log_sigma; // of log prices
  real log_precision; // of the choice, per percent of the belief
  vector[3] taste; // of bids, asks and taking, against waiting
}
transformed parameters {
  real public_bias = 0.1 * public_bias_scaled;
  real anchor = has_anchor ? 0.5 * anchor_scaled[1] : 0;
  real inventory = has_inventory ? 0.2 * inventory_scaled[1] : 0;
  real margin = 0.05 * margin_scaled;
  vector[N] reservation;
  matrix[N, 5] utility; // of the actions
  {
    vector[N] belief = private_weight * private_signal
                       + (1 - private_weight) * (1 + public_bias)
                         * public_signal;
    real per_percent = 100 * exp(log_precision);
    for (n in 1 : N) {
      if (median_price[n] > 0) {
        belief[n] += anchor * (median_price[n] - belief[n]);
      }
    }
    belief = fmax(belief, 1.0);
    reservation = fmax(belief .* (1 - inventory * excess), 1.0);
    utility[ : , 1] = rep_vector(0, N);
    utility[ : , 2] = rep_vector(taste[1], N);
    utility[ : , 3] = rep_vector(taste[2], N);
    utility[ : , 4] = taste[3]
                      + per_percent * (reservation - best_ask) ./ belief;
    utility[ : , 5] = taste[3]
                      + per_percent * (best_bid - reservation) ./ belief;
    utility += log(feasible);
  }
}
model {
  private_weight ~ beta(2, 2);
  public_bias_scaled ~ std_normal();
  anchor_scaled ~ std_normal();
  inventory_scaled ~ std_normal();
  target += -std_normal_lccdf(0) * has_inventory; // of a half normal
  margin_scaled ~ std_normal();
  target += -std_normal_lccdf(0);
  log_sigma ~ normal(-3, 1);
  log_precision ~ normal(-1, 1);
  taste ~ normal(0, 1.5);
  for (n in 1 : N) {
    target += weight[n]
              * turn_lpdf(price[n] | action[n], log_softmax(utility[n]'),
                          reservation[n], margin, exp(log_sigma));
  }
}
generated quantities {
  real sigma = exp(log_sigma);
  real precision = exp(log_precision);
  matrix[N, 5] predicted; // probability of each action
  array[N] int action_rep;
  vector[N] price_rep; // what a bid or an ask would cost; 0 elsewhere
  vector[N] log_lik;
  for (n in 1 : N) {
    vector[5] log_p = log_softmax(utility[n]');
    predicted[n] = exp(log_p)';
    action_rep[n] = categorical_rng(exp(log_p));
    price_rep[n] = 0;
    if (is_offer(action_rep[n])) {
      real middle = offer_middle(action_rep[n], reservation[n], margin);
      price_rep[n] = exp(student_t_rng(4, middle, sigma));
    }
    log_lik[n] = weight[n]
                 * turn_lpdf(price[n] | action[n], log_p, reservation[n],
                             margin, sigma);
  }
}
