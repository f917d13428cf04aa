// log_answers() of answers.stanfunctions, with its gradient written out.
//
// A table of clusters has several hundred different counts, each with two log-gamma functions;
// automatic differentiation would keep all of them. docs/real-speakers.md has what this is worth.
#ifndef MANY_WOLVES_ANSWERS_HPP
#define MANY_WOLVES_ANSWERS_HPP

#include <stan/math/rev.hpp>
#include <cmath>
#include <vector>

namespace many_wolves {

// lgamma(x) and its derivative, x > 0, to about 1e-13: shifted to x >= 10 by the recurrence,
// then Stirling's series.
struct LogGamma {
  explicit LogGamma(double x) : value(0), slope(0) {
    double product = 1;
    while (x < 10) {
      product *= x;
      slope -= 1 / x;
      x += 1;
    }
    const double log_x = std::log(x), r = 1 / x, r2 = r * r;
    value = (x - 0.5) * log_x - x + 0.91893853320467274178
            + r * (1.0 / 12 - r2 * (1.0 / 360 - r2 * (1.0 / 1260 - r2 / 1680)))
            - std::log(product);
    slope += log_x - 0.5 * r
             - r2 * (1.0 / 12 - r2 * (1.0 / 120 - r2 * (1.0 / 252 - r2 / 240)));
  }
  double value, slope;
};

// How often a number of answers occurs: `times` clusters gave `by` answers at place `at`
// (counted from 1), sorted by `at`.
struct Counted {
  const std::vector<int>& at;
  Eigen::Ref<const Eigen::VectorXd> by, times;
};

// Log-likelihood of answers, and its derivatives by log_choice, lapse and concentration.
// A speaker answers by exp(log_choice), or with the probability `lapse` by any utterance.
// Without concentrations answers are independent.
class Answers {
 public:
  Answers(const std::vector<Eigen::MatrixXd>& log_choice, double lapse,
          const Eigen::VectorXd& concentration, const std::vector<Eigen::MatrixXd>& counts,
          const Counted& rising, const Counted& totals)
      : value(0), d_lapse(0), d_concentration(Eigen::VectorXd::Zero(concentration.size())),
        U(counts[0].rows()), S(counts[0].cols()) {
    for (const auto& of_condition : log_choice) {
      d_log_choice.push_back(Eigen::MatrixXd::Zero(U, S));
      choice.push_back(of_condition.array().exp().matrix());
    }
    if (concentration.size() == 0) {
      independent(log_choice, lapse, counts);
    } else {
      clustered(lapse, concentration, rising, totals);
    }
  }

  double value, d_lapse;
  Eigen::VectorXd d_concentration;
  std::vector<Eigen::MatrixXd> d_log_choice;

 private:
  void independent(const std::vector<Eigen::MatrixXd>& log_choice, double lapse,
                   const std::vector<Eigen::MatrixXd>& counts) {
    for (std::size_t c = 0; c < counts.size(); ++c) {
      for (Eigen::Index i = 0; i < U * S; ++i) {
        const double n = counts[c].data()[i];
        if (n == 0) {
          continue;
        }
        if (lapse == 0) {
          value += n * log_choice[c].data()[i];
          d_log_choice[c].data()[i] = n;
        } else {
          const double p = mixed(c, i, lapse);
          value += n * std::log(p);
          pass(c, i, lapse, n / p);
        }
      }
    }
  }

  void clustered(double lapse, const Eigen::VectorXd& concentration, const Counted& rising,
                 const Counted& totals) {
    const Eigen::Index size = rising.by.size();
    for (Eigen::Index first = 0; first < size;) {
      const Eigen::Index at = rising.at[first] - 1, c = at / (U * S), i = at % (U * S);
      const Eigen::Index cell = at / U;
      const double p = std::max(mixed(c, i, lapse), 1e-300);
      const double shape = std::max(concentration[cell] * p, 1e-300);
      const LogGamma below(shape);
      double slope = 0;
      Eigen::Index entry = first;
      for (; entry < size && rising.at[entry] == rising.at[first]; ++entry) {
        const LogGamma above(shape + rising.by[entry]);
        value += rising.times[entry] * (above.value - below.value);
        slope += rising.times[entry] * (above.slope - below.slope);
      }
      d_concentration[cell] += p * slope;
      pass(c, i, lapse, concentration[cell] * slope);
      first = entry;
    }
    for (Eigen::Index entry = 0; entry < totals.by.size(); ++entry) {
      const Eigen::Index cell = totals.at[entry] - 1;
      const LogGamma below(concentration[cell]), above(concentration[cell] + totals.by[entry]);
      value -= totals.times[entry] * (above.value - below.value);
      d_concentration[cell] -= totals.times[entry] * (above.slope - below.slope);
    }
  }

  double mixed(std::size_t c, Eigen::Index i, double lapse) const {
    return (1 - lapse) * choice[c].data()[i] + lapse / U;
  }

  // From the adjoint of a mixed probability to those of its parts.
  void pass(std::size_t c, Eigen::Index i, double lapse, double d_p) {
    const double p = choice[c].data()[i];
    d_log_choice[c].data()[i] += d_p * (1 - lapse) * p;
    d_lapse += d_p * (1.0 / U - p);
  }

  const Eigen::Index U, S;
  std::vector<Eigen::MatrixXd> choice;
};

}  // namespace many_wolves

namespace stan {
namespace math {

template <typename L, typename P, typename K, typename B, typename T, typename TB, typename TT>
return_type_t<L, P, K> log_answers(const std::vector<L>& log_choice, const P& lapse,
                                   const K& concentration,
                                   const std::vector<Eigen::MatrixXd>& counts,
                                   const std::vector<int>& rise_at, const B& rise_by,
                                   const T& rise_times, const std::vector<int>& total_at,
                                   const TB& total_by, const TT& total_times, std::ostream*) {
  std::vector<Eigen::MatrixXd> at;
  for (const auto& of_condition : log_choice) {
    at.emplace_back(value_of(of_condition));
  }
  const many_wolves::Counted rising{rise_at, rise_by, rise_times};
  const many_wolves::Counted totals{total_at, total_by, total_times};
  const many_wolves::Answers done(at, value_of(lapse), value_of(concentration), counts, rising,
                                  totals);
  if constexpr (std::is_same<return_type_t<L, P, K>, double>::value) {
    return done.value;
  } else {
    using Row = Eigen::Matrix<return_type_t<L>, -1, -1>;
    arena_t<std::vector<arena_t<Row>>> a_choice;
    arena_t<std::vector<arena_t<Eigen::MatrixXd>>> d_choice;
    for (std::size_t c = 0; c < log_choice.size(); ++c) {
      a_choice.emplace_back(log_choice[c]);
      d_choice.emplace_back(done.d_log_choice[c]);
    }
    arena_t<Eigen::Matrix<return_type_t<K>, -1, 1>> a_concentration = concentration;
    arena_t<Eigen::VectorXd> d_concentration = done.d_concentration;
    const double d_lapse = done.d_lapse;
    return make_callback_var(done.value, [=](auto& self) mutable {
      const double d = self.adj();
      if constexpr (!is_constant<L>::value) {
        for (std::size_t c = 0; c < a_choice.size(); ++c) {
          a_choice[c].adj() += d * d_choice[c];
        }
      }
      if constexpr (!is_constant<P>::value) {
        const_cast<P&>(lapse).adj() += d * d_lapse;
      }
      if constexpr (!is_constant<K>::value) {
        a_concentration.adj() += d * d_concentration;
      }
    });
  }
}

}  // namespace math
}  // namespace stan
#endif
