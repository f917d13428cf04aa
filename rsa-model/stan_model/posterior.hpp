// log_speaker2() of posterior.stanfunctions with its gradient written out.
// replaces: log_speaker2
//
// It takes the whole density in plain numbers, from z to the log density, so that a
// gradient puts one node on the stack of Stan's automatic differentiation.
#ifndef MANY_WOLVES_POSTERIOR_HPP
#define MANY_WOLVES_POSTERIOR_HPP

namespace many_wolves {

using Eigen::ArrayXd;
using Matrices = Eigen::Ref<const MatrixXd>;
using Vectors = Eigen::Ref<const VectorXd>;

// What the density depends on besides x, where it stands in Stan's data.
struct Given {
  Index T, P;
  const std::vector<int>& utility;
  Vectors dirichlet;
  Matrices log_theta, yes, no;
  const std::vector<MatrixXd>& counts;
  bool likelihood_on;
  Vectors value, negated;
  bool cost_in_utility;
  double alpha_upper, cost_lower, cost_upper;
  Vectors alpha_prior, cost_prior, phi_prior;
  Eigen::Ref<const RowVectorXd> node;
  Vectors node_weight;
  const std::vector<int>& has_utility;
};

// Log density of x, and its gradient.
class Posterior {
 public:
  Posterior(const VectorXd& x, const Given& given)
      : given_(given), U(given.negated.size()), S(given.value.size()), C(given.counts.size()),
        K(given.utility.size()), first_stick_(given.T + 2), first_phi_(x.size() - given.P) {
    probits(x);
    density = -0.5 * x.squaredNorm();
    gradient = -x;
    beta(given.T, 1, given.alpha_prior);
    beta(given.T + 1, 1, given.cost_prior);
    beta(first_phi_, given.P, given.phi_prior);
    sticks();
    if (given.likelihood_on) {
      if (given.T) {
        judgments();
      }
      choices();
    }
  }

  double density;
  VectorXd gradient;

 private:
  // p_ = Phi(x) and q_ = Phi(-x), the smaller of them without cancellation.
  void probits(const VectorXd& x) {
    p_.resize(x.size());
    q_.resize(x.size());
    for (Index i = 0; i < x.size(); ++i) {
      const double smaller = 0.5 * std::erfc(std::abs(x[i]) * stan::math::INV_SQRT_TWO);
      p_[i] = x[i] < 0 ? smaller : 1 - smaller;
      q_[i] = x[i] < 0 ? 1 - smaller : smaller;
    }
    log_p_ = p_.log();
    log_q_ = q_.log();
    slope_ = (-0.5 * x.array().square()).exp() * stan::math::INV_SQRT_TWO_PI;
  }

  // Adds yes * log Phi(x) + no * log Phi(-x) at one place.
  void bernoulli(Index i, double yes, double no) {
    if (yes != 0) {
      density += yes * log_p_[i];
      gradient[i] += yes * slope_[i] / p_[i];
    }
    if (no != 0) {
      density += no * log_q_[i];
      gradient[i] -= no * slope_[i] / q_[i];
    }
  }

  void beta(Index first, Index size, const Vectors& shape) {
    for (Index i = first; i < first + size; ++i) {
      bernoulli(i, shape[0] - 1, shape[1] - 1);
    }
  }

  // Dirichlet prior: the stick that is left has a Beta share at every break.
  void sticks() {
    double after = given_.dirichlet.sum();
    for (Index k = 0; k + 1 < K; ++k) {
      after -= given_.dirichlet[k];
      for (Index c = 0; c < C; ++c) {
        bernoulli(stick(c, k), given_.dirichlet[k] - 1, after - 1);
      }
    }
  }

  void judgments() {
    for (Index i = 0; i < given_.T; ++i) {
      bernoulli(i, given_.yes.data()[i], given_.no.data()[i]);
    }
  }

  void choices() {
    const double alpha = given_.alpha_upper * p_[given_.T];
    const double range = given_.cost_upper - given_.cost_lower;
    const double cost = given_.cost_lower + range * p_[given_.T + 1];
    const VectorXd effort = -(1 + given_.negated.array() * (cost - 1)).matrix();
    MatrixXd log_L0 = given_.log_theta;
    if (given_.T) {
      log_L0 = Eigen::Map<const MatrixXd>(log_p_.data(), U, S);
    }
    const MatrixXd theta = log_L0.array().exp().matrix();
    const VectorXd evidence = theta.rowwise().sum();
    log_L0.colwise() -= evidence.array().log().matrix();
    const Speaker2 done({log_L0, alpha, given_.cost_in_utility ? alpha * effort : effort, weights(),
                         p_.tail(given_.P).matrix()},
                        given_.value, given_.node, given_.node_weight, given_.has_utility);
    for (Index c = 0; c < C; ++c) {
      density += given_.counts[c].cwiseProduct(done.log_choice(c)).sum();
    }
    const Inputs d = done.gradient(given_.counts);
    const double by_cost = -d.log_prior.dot(given_.negated);
    const double within = given_.cost_in_utility ? d.log_prior.dot(effort) : 0;
    pass(given_.T, given_.alpha_upper * (d.alpha + within));
    pass(given_.T + 1, range * by_cost * (given_.cost_in_utility ? alpha : 1));
    through_weights(d.weights);
    for (Index c = 0; c < given_.P; ++c) {
      pass(first_phi_ + c, d.phi[c]);
    }
    if (given_.T) {
      through_listener0(theta, evidence, d.log_L0);
    }
  }

  // 3 x C weights by breaking a stick.
  MatrixXd weights() const {
    MatrixXd broken = MatrixXd::Zero(3, C);
    for (Index c = 0; c < C; ++c) {
      double rest = 1;
      for (Index k = 0; k + 1 < K; ++k) {
        broken(given_.utility[k] - 1, c) = rest * p_[stick(c, k)];
        rest *= q_[stick(c, k)];
      }
      broken(given_.utility[K - 1] - 1, c) = rest;
    }
    return broken;
  }

  void through_weights(const MatrixXd& d_weights) {
    for (Index c = 0; c < C; ++c) {
      double d_rest = d_weights(given_.utility[K - 1] - 1, c);
      for (Index k = K - 2; k >= 0; --k) {
        double rest = 1;
        for (Index j = 0; j < k; ++j) {
          rest *= q_[stick(c, j)];
        }
        const Index i = stick(c, k);
        const double d_piece = d_weights(given_.utility[k] - 1, c);
        pass(i, rest * (d_piece - d_rest));
        d_rest = p_[i] * d_piece + q_[i] * d_rest;
      }
    }
  }

  // log P_L0(s | u) = log theta - log of its sum over s.
  void through_listener0(const MatrixXd& theta, const VectorXd& evidence, const MatrixXd& d_log) {
    const VectorXd shared = d_log.rowwise().sum().cwiseQuotient(evidence);
    for (Index i = 0; i < given_.T; ++i) {
      const double d_theta = d_log.data()[i] / theta.data()[i] - shared[i % U];
      pass(i, d_theta);
    }
  }

  // From the adjoint of Phi(x_i) to that of x_i.
  void pass(Index i, double d_p) { gradient[i] += slope_[i] * d_p; }

  Index stick(Index c, Index k) const { return first_stick_ + c * (K - 1) + k; }

  const Given& given_;
  const Index U, S, C, K, first_stick_, first_phi_;
  ArrayXd p_, q_, log_p_, log_q_, slope_;
};

}  // namespace many_wolves

namespace stan {
namespace math {

template <typename Z, typename Ce, typename Sc, typename Di, typename LT, typename LY,
          typename LN, typename V, typename Ne, typename AP, typename CP, typename PP,
          typename N, typename NW, typename BS, typename BU, typename Ch, typename Co>
return_type_t<Z> log_speaker2(
    const Z& z, const Ce& centre, const Sc& scale, int T, int P, const std::vector<int>& utility,
    const Di& dirichlet, const LT& log_theta_given, const LY& literal_yes, const LN& literal_no,
    const std::vector<Eigen::MatrixXd>& counts, int likelihood_on, const V& value,
    const Ne& negated, int cost_in_utility, double alpha_upper, double cost_lower,
    double cost_upper, const AP& alpha_prior, const CP& cost_prior, const PP& phi_prior,
    const N& node, const NW& node_weight, const std::vector<int>& has_utility, const BS&,
    const BU&, const std::vector<std::vector<int>>&, const Ch&,
    const std::vector<Eigen::MatrixXd>&, const Co&, std::ostream*) {
  const many_wolves::Given given{
      T, P, utility, dirichlet, log_theta_given, literal_yes, literal_no, counts,
      likelihood_on != 0, value, negated, cost_in_utility != 0, alpha_upper, cost_lower,
      cost_upper, alpha_prior, cost_prior, phi_prior, node, node_weight, has_utility};
  const Eigen::VectorXd at = value_of(z);
  const bool mapped = centre.size() > 0;
  const many_wolves::Posterior done(mapped ? (centre + scale * at).eval() : at, given);
  if constexpr (std::is_same<return_type_t<Z>, double>::value) {
    return done.density;
  } else {
    arena_t<Eigen::Matrix<var, -1, 1>> a_z = z;
    arena_t<Eigen::VectorXd> gradient
        = mapped ? (scale.transpose() * done.gradient).eval() : done.gradient;
    return make_callback_var(done.density, [a_z, gradient](auto& self) mutable {
      a_z.adj() += self.adj() * gradient;
    });
  }
}

}  // namespace math
}  // namespace stan
#endif
