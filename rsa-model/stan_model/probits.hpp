// Functions of probits.stanfunctions, each one node of Stan's automatic differentiation.
#ifndef MANY_WOLVES_PROBITS_HPP
#define MANY_WOLVES_PROBITS_HPP

#include <stan/math/rev.hpp>
#include <cmath>
#include <type_traits>
#include <vector>

namespace many_wolves {

// Phi(x) and Phi(-x), the smaller of them without cancellation, and the density.
struct Probits {
  Eigen::ArrayXXd p, q, slope;
  explicit Probits(const Eigen::Ref<const Eigen::MatrixXd>& x)
      : p(x.rows(), x.cols()),
        q(x.rows(), x.cols()),
        slope((-0.5 * x.array().square()).exp() * stan::math::INV_SQRT_TWO_PI) {
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      const double at = x.data()[i];
      const double smaller = 0.5 * std::erfc(std::abs(at) * stan::math::INV_SQRT_TWO);
      p.data()[i] = at < 0 ? smaller : 1 - smaller;
      q.data()[i] = at < 0 ? 1 - smaller : smaller;
    }
  }
};

}  // namespace many_wolves

namespace stan {
namespace math {

template <typename T>
plain_type_t<T> probabilities(const T& x, std::ostream*) {
  const Eigen::MatrixXd at = value_of(x);
  const many_wolves::Probits found(at);
  if constexpr (std::is_arithmetic<value_type_t<T>>::value) {
    return plain_type_t<T>(found.p.matrix());
  } else {
    arena_t<plain_type_t<T>> a_x = x;
    arena_t<plain_type_t<T>> p = found.p.matrix();
    arena_t<Eigen::MatrixXd> slope = found.slope.matrix();
    reverse_pass_callback([a_x, p, slope]() mutable {
      a_x.adj().array() += p.adj().array() * slope.array();
    });
    return plain_type_t<T>(p);
  }
}

template <typename T, typename Y, typename N>
return_type_t<T> judgments_probit(const T& x, const Y& yes, const N& no, std::ostream*) {
  const Eigen::MatrixXd at = value_of(x);
  const many_wolves::Probits found(at);
  // Judgments without answers add nothing, even if their logarithm is not finite.
  const Eigen::ArrayXXd y = yes.array(), n = no.array();
  const double log_lik = (y > 0).select(y * found.p.log(), 0.0).sum()
                         + (n > 0).select(n * found.q.log(), 0.0).sum();
  if constexpr (std::is_same<return_type_t<T>, double>::value) {
    return log_lik;
  } else {
    arena_t<T> a_x = x;
    arena_t<Eigen::MatrixXd> slope
        = ((y > 0).select(y / found.p, 0.0) - (n > 0).select(n / found.q, 0.0)).matrix();
    slope.array() *= found.slope;
    return make_callback_var(log_lik, [a_x, slope](auto& self) mutable {
      a_x.adj().array() += self.adj() * slope.array();
    });
  }
}

// The stick of each condition, and back along it from its end.
template <typename T>
Eigen::Matrix<value_type_t<T>, -1, -1> stick_weights(const T& share_probit,
                                                     const std::vector<int>& utility,
                                                     const int& C, std::ostream*) {
  using Eigen::Index;
  using Eigen::MatrixXd;
  const auto K = static_cast<Index>(utility.size());
  const Index breaks = share_probit.rows();
  const MatrixXd at = value_of(share_probit);
  const many_wolves::Probits found(at);
  MatrixXd weights = MatrixXd::Zero(3, C), rest = MatrixXd::Ones(breaks + 1, C);
  for (Index c = 0; c < C; ++c) {
    for (Index k = 0; k < breaks; ++k) {
      weights(utility[k] - 1, c) = rest(k, c) * found.p(k, c);
      rest(k + 1, c) = rest(k, c) * found.q(k, c);
    }
    if (K > 0) {
      weights(utility[K - 1] - 1, c) = rest(breaks, c);
    }
  }
  if constexpr (std::is_arithmetic<value_type_t<T>>::value) {
    return weights;
  } else {
    arena_t<Eigen::Matrix<var, -1, -1>> a_weights = weights;
    if (K == 0) {
      return Eigen::Matrix<var, -1, -1>(a_weights);
    }
    arena_t<Eigen::Matrix<var, -1, -1>> a_x = share_probit;
    arena_t<MatrixXd> share = found.p.matrix(), left = found.q.matrix(),
                      slope = found.slope.matrix(), a_rest = rest;
    arena_t<std::vector<int>> row(utility.begin(), utility.end());
    reverse_pass_callback([a_x, a_weights, share, left, slope, a_rest, row]() mutable {
      const Index ends = share.rows();
      for (Index c = 0; c < share.cols(); ++c) {
        double adjoint = a_weights.adj()(row[ends] - 1, c);
        for (Index k = ends - 1; k >= 0; --k) {
          const double taken = a_weights.adj()(row[k] - 1, c);
          a_x.adj()(k, c) += (taken - adjoint) * a_rest(k, c) * slope(k, c);
          adjoint = taken * share(k, c) + adjoint * left(k, c);
        }
      }
    });
    return Eigen::Matrix<var, -1, -1>(a_weights);
  }
}

}  // namespace math
}  // namespace stan
#endif
