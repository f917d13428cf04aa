// The functions of item_effects.stanfunctions, with the gradient written out.
//
// The probabilities at a node are the same for all clusters, so a node costs one logarithm per
// group of steps of the urns and two products of matrices. Its oracle is item_effects.py.
#ifndef MANY_WOLVES_ITEM_EFFECTS_HPP
#define MANY_WOLVES_ITEM_EFFECTS_HPP

#include <stan/math/rev.hpp>
#include <type_traits>
#include <vector>

namespace many_wolves {

// J clusters, N steps of urns in G groups, E nodes, U utterances, S * C cells.
class ItemEffects {
 public:
  // log_choice: U x (S * C) log P(u | s); the rest as in item_effects.stanfunctions.
  ItemEffects(const Eigen::MatrixXd& log_choice, double lapse, double icc, double sd,
              const Eigen::VectorXd& direction, const Eigen::VectorXd& node,
              const Eigen::VectorXd& log_weight, const std::vector<int>& at,
              const Eigen::VectorXd& before, const std::vector<int>& group,
              const Eigen::MatrixXd& urn,
              const Eigen::VectorXd& asked_before, const Eigen::MatrixXd& asked)
      : lapse_(lapse),
        icc_(icc),
        any_(1.0 / log_choice.rows()),
        direction_(direction),
        node_(node),
        before_(before),
        asked_before_(asked_before),
        at_(at),
        group_(group),
        urn_(urn),
        asked_(asked),
        mass_(before.size(), node.size()),
        choice_(node.size()) {
    for (Eigen::Index e = 0; e < node.size(); ++e) {
      Eigen::MatrixXd& P = choice_[e];
      P = log_choice.colwise() + sd * node[e] * direction;
      P.rowwise() -= P.colwise().maxCoeff().eval();
      P = P.array().exp();
      P.array().rowwise() /= P.colwise().sum().eval().array();
      for (Eigen::Index i = 0; i < before.size(); ++i) {
        mass_(i, e) = (1 - icc) * probability(P.data()[at[i] - 1]) + icc * before[i];
      }
    }
    Eigen::MatrixXd product = Eigen::MatrixXd::Ones(urn.cols(), node.size());
    for (Eigen::Index e = 0; e < node.size(); ++e) {
      for (Eigen::Index i = 0; i < before.size(); ++i) {
        product(group[i] - 1, e) *= mass_(i, e);
      }
    }
    share_ = urn * product.array().log().matrix();
    share_.rowwise() += log_weight.transpose();
    const Eigen::VectorXd best = share_.rowwise().maxCoeff();
    share_ = (share_.colwise() - best).array().exp();
    const Eigen::VectorXd total = share_.rowwise().sum();
    share_.array().colwise() /= total.array();
    each = best + total.array().log().matrix() - asked * whole().log().matrix();
  }

  Eigen::VectorXd each;  // J log-likelihoods

  // Derivatives of their sum.
  struct Adjoints {
    double lapse = 0, icc = 0, sd = 0;
    Eigen::MatrixXd log_choice;
  };

  Adjoints gradient() const {
    Adjoints d;
    d.log_choice = Eigen::MatrixXd::Zero(choice_[0].rows(), choice_[0].cols());
    const Eigen::MatrixXd times = urn_.transpose() * share_;
    Eigen::MatrixXd d_choice(d.log_choice.rows(), d.log_choice.cols());
    for (Eigen::Index e = 0; e < node_.size(); ++e) {
      const Eigen::MatrixXd& P = choice_[e];
      d_choice.setZero();
      for (Eigen::Index i = 0; i < before_.size(); ++i) {
        const double one = P.data()[at_[i] - 1], slope = times(group_[i] - 1, e) / mass_(i, e);
        const double d_p = (1 - icc_) * slope;
        d.icc += slope * (before_[i] - probability(one));
        d.lapse += d_p * (any_ - one);
        d_choice.data()[at_[i] - 1] += d_p * (1 - lapse_);
      }
      const Eigen::RowVectorXd mean = P.cwiseProduct(d_choice).colwise().sum();
      d_choice = P.cwiseProduct((d_choice.rowwise() - mean).eval());
      d.sd += node_[e] * direction_.dot(d_choice.rowwise().sum());
      d.log_choice += d_choice;
    }
    d.icc -= (asked_ * ((asked_before_.array() - 1) / whole()).matrix()).sum();
    return d;
  }

 private:
  double probability(double choice) const { return (1 - lapse_) * choice + lapse_ * any_; }
  Eigen::ArrayXd whole() const { return 1 - icc_ + icc_ * asked_before_.array(); }

  const double lapse_, icc_, any_;
  const Eigen::VectorXd direction_, node_, before_, asked_before_;
  const std::vector<int> at_, group_;
  const Eigen::MatrixXd urn_, asked_;
  Eigen::MatrixXd mass_, share_;         // N x E; J x E: weights of the nodes given the answers
  std::vector<Eigen::MatrixXd> choice_;  // E times U x (S * C) P(u | s)
};

}  // namespace many_wolves

namespace stan {
namespace math {

template <typename L, typename P, typename I, typename D, typename X, typename N, typename W,
          typename B, typename R, typename AB, typename A>
many_wolves::ItemEffects item_effects_at(const std::vector<L>& log_choice, const P& lapse,
                                         const I& icc, const D& sd, const X& direction,
                                         const N& node, const W& log_weight,
                                         const std::vector<int>& at, const B& before,
                                         const std::vector<int>& group, const R& urn,
                                         const AB& asked_before, const A& asked) {
  const Eigen::Index S = log_choice[0].cols(), C = log_choice.size();
  Eigen::MatrixXd joined(log_choice[0].rows(), S * C);
  for (Eigen::Index c = 0; c < C; ++c) {
    joined.middleCols(c * S, S) = value_of(log_choice[c]);
  }
  return many_wolves::ItemEffects(joined, value_of(lapse), value_of(icc), value_of(sd), direction,
                                  node.transpose(), log_weight.transpose(), at, before,
                                  group, urn, asked_before, asked);
}

template <typename L, typename P, typename I, typename D, typename X, typename N, typename W,
          typename B, typename R, typename AB, typename A>
Eigen::Matrix<return_type_t<L, P, I, D>, -1, 1> each_cluster_log_lik(
    const std::vector<L>& log_choice, const P& lapse, const I& icc, const D& sd,
    const X& direction, const N& node, const W& log_weight, const std::vector<int>& at,
    const B& before, const std::vector<int>& group, const R& urn, const AB& asked_before,
    const A& asked, std::ostream*) {
  return item_effects_at(log_choice, lapse, icc, sd, direction, node, log_weight, at, before,
                         group, urn, asked_before, asked)
      .each;
}

template <typename L, typename P, typename I, typename D, typename X, typename N, typename W,
          typename B, typename R, typename AB, typename A>
return_type_t<L, P, I, D> item_effects_log_lik(
    const std::vector<L>& log_choice, const P& lapse, const I& icc, const D& sd,
    const X& direction, const N& node, const W& log_weight, const std::vector<int>& at,
    const B& before, const std::vector<int>& group, const R& urn, const AB& asked_before,
    const A& asked, std::ostream*) {
  const many_wolves::ItemEffects found
      = item_effects_at(log_choice, lapse, icc, sd, direction, node, log_weight, at, before,
                        group, urn, asked_before, asked);
  if constexpr (std::is_same<return_type_t<L, P, I, D>, double>::value) {
    return found.each.sum();
  } else {
    const many_wolves::ItemEffects::Adjoints d = found.gradient();
    const Eigen::Index S = log_choice[0].cols(), C = log_choice.size();
    arena_t<Eigen::Matrix<var, -1, -1>> a_choice(log_choice[0].rows(), S * C);
    for (Eigen::Index c = 0; c < C; ++c) {
      a_choice.middleCols(c * S, S) = log_choice[c];
    }
    arena_t<Eigen::MatrixXd> d_choice = d.log_choice;
    var a_lapse = lapse, a_icc = icc, a_sd = sd;
    const double d_lapse = d.lapse, d_icc = d.icc, d_sd = d.sd;
    return make_callback_var(found.each.sum(), [=](auto& self) mutable {
      a_choice.adj() += self.adj() * d_choice;
      a_lapse.adj() += self.adj() * d_lapse;
      a_icc.adj() += self.adj() * d_icc;
      a_sd.adj() += self.adj() * d_sd;
    });
  }
}

}  // namespace math
}  // namespace stan
#endif
