// Functions of probits.stanfunctions, each one node of Stan's automatic differentiation.
#ifndef MANY_WOLVES_PROBITS_HPP
#define MANY_WOLVES_PROBITS_HPP

#include <stan/math/rev.hpp>
#include <cmath>
#include <type_traits>

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
  // What was never answered adds nothing, also where its logarithm is not finite.
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

}  // namespace math
}  // namespace stan
#endif
