// The log-likelihoods of declared_value.stanfunctions, with their gradients written out.
//
// A pair of first declarations is one of several hundred: automatic differentiation would store
// each term of each pair.
#ifndef MANY_WOLVES_DECLARED_VALUE_HPP
#define MANY_WOLVES_DECLARED_VALUE_HPP

#include <stan/math/rev.hpp>
#include <array>
#include <vector>

namespace many_wolves {

// Utilities of the declarations of a grid, and their derivatives.
struct Utility {
  Eigen::ArrayXd at, by_takeover, by_slope, by_loss, by_honesty;

  Utility(const Eigen::ArrayXd& amount, const Eigen::ArrayXd& percentile, double value, double tax,
          double share, double takeover, double slope, double loss, double honesty) {
    const Eigen::ArrayXd gap = value - amount, under = gap.max(0.0);
    const Eigen::ArrayXd rate = 1.0 / (1.0 + (slope * percentile - takeover).exp());
    const Eigen::ArrayXd lost = loss * under + gap.min(0.0);
    by_takeover = -share / 1e4 * rate * (1.0 - rate) * lost;
    by_slope = -percentile * by_takeover;
    by_loss = -share / 1e4 * rate * under;
    by_honesty = -gap.abs() / (0.1 * value);
    at = -tax / 1e4 * amount - share / 1e4 * rate * lost + honesty * by_honesty;
  }
};

// A logit choice among utilities with a share of lapses, and its derivatives by the utilities and
// by the precision.
struct Choice {
  double value, by_precision;
  Eigen::ArrayXd by_utility;

  Choice(const Eigen::ArrayXd& utility, Eigen::Index chosen, double precision, double lapses) {
    const Eigen::ArrayXd odds = precision * utility;
    const double most = odds.maxCoeff();
    const Eigen::ArrayXd mass = (odds - most).exp();
    const double total = mass.sum();
    const double meant = (1.0 - lapses) * mass[chosen] / total;
    const double either = meant + lapses / utility.size();
    const double weight = meant / either;
    value = std::log(either);
    by_precision = weight * (utility[chosen] - (mass * utility).sum() / total);
    by_utility = -weight * precision / total * mass;
    by_utility[chosen] += weight * precision;
  }
};

// A value whose derivatives are known, of arguments some of which may be constants.
template <std::size_t N, typename... At>
stan::return_type_t<At...> with_gradient(double value, const std::array<double, N>& slopes,
                                         const At&... at) {
  if constexpr (stan::is_constant_all<At...>::value) {
    return value;
  } else {
    std::vector<stan::math::var> operands;
    std::vector<double> gradients;
    std::size_t next = 0;
    const auto add = [&](const auto& argument) {
      if constexpr (!stan::is_constant<decltype(argument)>::value) {
        operands.push_back(argument);
        gradients.push_back(slopes[next]);
      }
      ++next;
    };
    (add(at), ...);
    return stan::math::precomputed_gradients(value, operands, gradients);
  }
}

}  // namespace many_wolves

namespace stan {
namespace math {

template <typename A, typename P, typename T, typename S, typename L, typename H, typename R>
return_type_t<T, S, L, H, R> declared_log_lik(int chosen, const A& amount, const P& percentile,
                                              double value, double tax, double share,
                                              const T& takeover, const S& slope, const L& loss,
                                              const H& honesty, const R& precision,
                                              double lapses, std::ostream*) {
  const many_wolves::Utility utility(amount.array(), percentile.array(), value, tax, share,
                                     value_of(takeover), value_of(slope), value_of(loss),
                                     value_of(honesty));
  const many_wolves::Choice choice(utility.at, chosen - 1, value_of(precision), lapses);
  const auto slope_by = [&](const Eigen::ArrayXd& by) { return (choice.by_utility * by).sum(); };
  const std::array<double, 5> slopes{slope_by(utility.by_takeover), slope_by(utility.by_slope),
                                     slope_by(utility.by_loss), slope_by(utility.by_honesty),
                                     choice.by_precision};
  return many_wolves::with_gradient(choice.value, slopes, takeover, slope, loss, honesty,
                                    precision);
}

template <typename A, typename P, typename V, typename C, typename K, typename T, typename S,
          typename L, typename H, typename R>
return_type_t<K, T, S, L, H, R> first_log_lik(int chosen, const std::vector<A>& amount,
                                              const std::vector<P>& percentile, const V& value,
                                              double tax, double share, const C& chance,
                                              const K& stake, const T& takeover, const S& slope,
                                              const L& loss, const H& honesty,
                                              const R& precision, double lapses,
                                              std::ostream*) {
  const Eigen::VectorXd of = value;
  const auto utility = [&](int c) {
    return many_wolves::Utility(amount[c].array(), percentile[c].array(), of[c], tax, share,
                                value_of(takeover), value_of(slope), value_of(loss),
                                value_of(honesty));
  };
  const many_wolves::Utility without = utility(0), with = utility(1);
  const Eigen::Index size = without.at.size();
  // u = a + P (b + stake - a); rows are declarations without the project.
  const Eigen::ArrayXXd project = chance;
  const Eigen::ArrayXXd a = without.at.replicate(1, size);
  const Eigen::ArrayXXd b = (with.at + value_of(stake)).transpose().replicate(size, 1);
  const Eigen::ArrayXXd pairs = a + project * (b - a);
  const Eigen::Map<const Eigen::ArrayXd> listed(pairs.data(), pairs.size());
  const many_wolves::Choice choice(listed, chosen - 1, value_of(precision), lapses);
  const Eigen::Map<const Eigen::ArrayXXd> by_pair(choice.by_utility.data(), size, size);
  const Eigen::ArrayXXd by_project = by_pair * project;
  const Eigen::ArrayXd by_without = (by_pair - by_project).rowwise().sum();
  const Eigen::ArrayXd by_with = by_project.colwise().sum().transpose();
  const auto slope_by = [&](const Eigen::ArrayXd& one, const Eigen::ArrayXd& other) {
    return (by_without * one).sum() + (by_with * other).sum();
  };
  const std::array<double, 6> slopes{
      by_project.sum(),
      slope_by(without.by_takeover, with.by_takeover),
      slope_by(without.by_slope, with.by_slope),
      slope_by(without.by_loss, with.by_loss),
      slope_by(without.by_honesty, with.by_honesty),
      choice.by_precision};
  return many_wolves::with_gradient(choice.value, slopes, stake, takeover, slope, loss, honesty,
                                    precision);
}

}  // namespace math
}  // namespace stan
#endif
