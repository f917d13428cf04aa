// clustered_log_lik() of clusters.stanfunctions, with its gradient written out.
//
// A table of several thousand answers has about a thousand logarithms; automatic differentiation
// would store each. tests/stan/clusters.stanfunctions has the same function in Stan; a test
// compares both.
#ifndef MANY_WOLVES_CLUSTERS_HPP
#define MANY_WOLVES_CLUSTERS_HPP

#include <stan/math/rev.hpp>
#include <vector>

namespace many_wolves {

// The log-likelihood, and its derivatives by log_choice (as U x (S * C)), lapse and icc.
struct Clustered {
  double value = 0, lapse = 0, icc = 0;
  Eigen::MatrixXd log_choice;

  // choice: U x (S * C) P(u | s); the rest as in clusters.stanfunctions.
  Clustered(const Eigen::MatrixXd& choice, double lapse_at, double icc_at,
            const std::vector<int>& at, const Eigen::VectorXd& before,
            const Eigen::VectorXd& times, const Eigen::VectorXd& asked_before,
            const Eigen::VectorXd& asked_times)
      : log_choice(Eigen::MatrixXd::Zero(choice.rows(), choice.cols())) {
    const double any = 1.0 / choice.rows(), kept = 1 - lapse_at, fresh = 1 - icc_at;
    const Eigen::Index size = before.size();
    Eigen::ArrayXd p(size);
    for (Eigen::Index i = 0; i < size; ++i) {
      p[i] = kept * choice.data()[at[i] - 1] + lapse_at * any;
    }
    const Eigen::ArrayXd mass = fresh * p + icc_at * before.array();
    const Eigen::ArrayXd slope = times.array() / mass;
    value = (times.array() * mass.log()).sum();
    icc = (slope * (before.array() - p)).sum();
    for (Eigen::Index i = 0; i < size; ++i) {
      const double one = choice.data()[at[i] - 1], d_p = fresh * slope[i];
      log_choice.data()[at[i] - 1] += d_p * kept * one;
      lapse += d_p * (any - one);
    }
    const Eigen::ArrayXd whole = fresh + icc_at * asked_before.array();
    value -= (asked_times.array() * whole.log()).sum();
    icc -= (asked_times.array() / whole * (asked_before.array() - 1)).sum();
  }
};

}  // namespace many_wolves

namespace stan {
namespace math {

template <typename L, typename P, typename I, typename B, typename T, typename AB, typename AT>
return_type_t<L, P, I> clustered_log_lik(const std::vector<L>& log_choice, const P& lapse,
                                         const I& icc, const std::vector<int>& at,
                                         const B& before, const T& times,
                                         const AB& asked_before, const AT& asked_times,
                                         std::ostream*) {
  const Eigen::Index U = log_choice[0].rows(), S = log_choice[0].cols(), C = log_choice.size();
  Eigen::MatrixXd choice(U, S * C);
  for (Eigen::Index c = 0; c < C; ++c) {
    choice.middleCols(c * S, S) = value_of(log_choice[c]).array().exp();
  }
  const many_wolves::Clustered found(choice, value_of(lapse), value_of(icc), at, before, times,
                                     asked_before, asked_times);
  if constexpr (std::is_same<return_type_t<L, P, I>, double>::value) {
    return found.value;
  } else {
    arena_t<Eigen::Matrix<var, -1, -1>> a_choice(U, S * C);
    for (Eigen::Index c = 0; c < C; ++c) {
      a_choice.middleCols(c * S, S) = log_choice[c];
    }
    arena_t<Eigen::MatrixXd> d_choice = found.log_choice;
    var a_lapse = lapse, a_icc = icc;
    const double d_lapse = found.lapse, d_icc = found.icc;
    return make_callback_var(found.value, [=](auto& self) mutable {
      a_choice.adj() += self.adj() * d_choice;
      a_lapse.adj() += self.adj() * d_lapse;
      a_icc.adj() += self.adj() * d_icc;
    });
  }
}

}  // namespace math
}  // namespace stan
#endif
