// speaker2() of recursion.stanfunctions with its gradient written out.
// replaces: speaker2
//
// Automatic differentiation would put every weight of every node on its stack, a
// thousand for eight utterances, four states and 32 nodes. Here they stay plain
// numbers. The function in recursion.stanfunctions says what is computed; it is what
// runs where this file is not taken.
#ifndef MANY_WOLVES_RECURSION_HPP
#define MANY_WOLVES_RECURSION_HPP

#include <stan/math/rev.hpp>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

// The engines compile for any x86; this compiles a function twice, and takes the faster
// where the processor has it.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define MANY_WOLVES_WIDE __attribute__((target_clones("arch=haswell", "default")))
#else
#define MANY_WOLVES_WIDE
#endif

namespace many_wolves {

// exp() of each of x, which lie in [-708, 709], to 1e-15: 2^k * exp(r), |r| < ln(2) / 2.
// A loop that a compiler puts into vectors; half of the time of a gradient is here.
MANY_WOLVES_WIDE inline void exponentials(double* x, std::int64_t size) {
  const double shift = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer
  for (std::int64_t i = 0; i < size; ++i) {
    const double shifted = x[i] * 1.4426950408889634 + shift;
    const double k = shifted - shift;
    const double r = (x[i] - k * 6.93145751953125e-1) - k * 1.42860682030941723212e-6;
    double sum = 1.0 / 6227020800.0;  // 1 / 13!
    sum = sum * r + 1.0 / 479001600.0;
    sum = sum * r + 1.0 / 39916800.0;
    sum = sum * r + 1.0 / 3628800.0;
    sum = sum * r + 1.0 / 362880.0;
    sum = sum * r + 1.0 / 40320.0;
    sum = sum * r + 1.0 / 5040.0;
    sum = sum * r + 1.0 / 720.0;
    sum = sum * r + 1.0 / 120.0;
    sum = sum * r + 1.0 / 24.0;
    sum = sum * r + 1.0 / 6.0;
    sum = sum * r + 0.5;
    sum = sum * r + 1.0;
    sum = sum * r + 1.0;
    std::int64_t bits, whole;
    std::memcpy(&bits, &sum, sizeof bits);
    std::memcpy(&whole, &shifted, sizeof whole);
    bits += whole << 52;
    std::memcpy(&x[i], &bits, sizeof bits);
  }
}

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::RowVectorXd;
using Eigen::VectorXd;

// What speaker2() depends on: arguments, or the adjoints of arguments.
struct Inputs {
  MatrixXd log_L0;     // U x S
  double alpha;
  VectorXd log_prior;  // U
  MatrixXd weights;    // 3 x C
  VectorXd phi;        // C
};

// The recursion at given inputs. U utterances, S states, C conditions, N values of
// phi: the nodes, and then those of the conditions. A cell (u, s) is s * U + u.
class Speaker2 {
 public:
  Speaker2(Inputs at, const Eigen::Ref<const VectorXd>& value,
           const Eigen::Ref<const RowVectorXd>& node,
           const Eigen::Ref<const VectorXd>& node_weight, const std::vector<int>& has_utility)
      : at_(std::move(at)),
        value_(value),
        node_weight_(node_weight),
        inf_(has_utility[0]),
        soc_(has_utility[1]),
        pres_(has_utility[2]),
        U(at_.log_L0.rows()),
        S(at_.log_L0.cols()),
        C(at_.weights.cols()),
        Q(node.size()),
        phi_(Q + (pres_ ? C : 0)) {
    log_choice.reserve(C);
    choice_.reserve(C);
    phi_.head(Q) = node.transpose().array();
    if (pres_) {
      phi_.tail(C) = at_.phi.array();
    }
    literal_utilities();
    speaker1();
    listener1();
    for (Index c = 0; c < C; ++c) {
      choose(c);
    }
  }

  // Adjoints of the inputs, from those of log_choice.
  Inputs gradient(const std::vector<MatrixXd>& adjoint) const {
    Inputs d{MatrixXd::Zero(U, S), 0, VectorXd::Zero(U), MatrixXd::Zero(3, C),
             VectorXd::Zero(at_.phi.size())};
    VectorXd d_social = VectorXd::Zero(U), d_evidence = VectorXd::Zero(U), plain(U);
    MatrixXd d_informative = MatrixXd::Zero(U, S), d_heard = MatrixXd::Zero(U, C), total(U, S);
    for (Index c = 0; c < C; ++c) {
      for (Index s = 0; s < S; ++s) {
        total.col(s) = adjoint[c].col(s) - adjoint[c].col(s).sum() * choice_[c].col(s);
      }
      plain.noalias() = total.rowwise().sum();
      d.log_prior += plain;
      const auto utility = [&](int j, double by_weight) {
        d.weights(j, c) = at_.alpha * by_weight;
        d.alpha += at_.weights(j, c) * by_weight;
        return at_.alpha * at_.weights(j, c);
      };
      if (inf_) {
        d_informative += utility(0, total.cwiseProduct(informative_).sum()) * total;
      }
      if (soc_) {
        d_social += utility(1, plain.dot(social_)) * plain;
      }
      if (pres_) {
        const double by = utility(2, plain.dot(presented_.col(c)));
        d_heard.col(c) = by * plain.cwiseQuotient(heard_.col(c));
        d_evidence -= by * plain;
      }
    }
    d_evidence -= d_social.cwiseProduct(social_) + d_informative.rowwise().sum();
    MatrixXd& d_joint = total;
    for (Index s = 0; s < S; ++s) {
      d_joint.col(s) = d_informative.col(s).cwiseQuotient(joint_.col(s))
                       + (d_social * value_[s] + d_evidence).cwiseQuotient(evidence_);
    }
    through_speaker1(d_joint, d_heard, d);
    return d;
  }

  std::vector<MatrixXd> log_choice;  // C of U x S

 private:
  void literal_utilities() {
    literal_ = at_.log_L0.array().exp().matrix();
    // What is subtracted cancels in the softmax and keeps exp() in range.
    gain_ = at_.log_L0.rowwise() - at_.log_L0.colwise().maxCoeff();
    kind_ = literal_ * value_;
    kind_.array() -= kind_.maxCoeff();
  }

  // S1_: N x (U * S) P_S1(u | s, phi).
  void speaker1() {
    S1_.resize(phi_.size(), U * S);
    for (Index s = 0; s < S; ++s) {
      for (Index u = 0; u < U; ++u) {
        const double kind = at_.alpha * kind_[u];
        S1_.col(s * U + u)
            = (phi_ * (at_.alpha * gain_(u, s) - kind) + (kind + at_.log_prior[u])).max(-708.0);
      }
    }
    exponentials(S1_.data(), S1_.size());
    ArrayXd total(phi_.size());
    for (Index s = 0; s < S; ++s) {
      total.setZero();
      for (Index u = 0; u < U; ++u) {
        total += S1_.col(s * U + u);
      }
      total = total.inverse();
      for (Index u = 0; u < U; ++u) {
        S1_.col(s * U + u) *= total;
      }
    }
  }

  void listener1() {
    joint_.resize(U, S);
    Eigen::Map<VectorXd>(joint_.data(), U * S)
        = S1_.topRows(Q).matrix().transpose() * node_weight_;
    evidence_ = joint_.rowwise().sum();
    social_ = (joint_ * value_).cwiseQuotient(evidence_);
    informative_ = joint_.array().log().matrix();
    informative_.colwise() -= evidence_.array().log().matrix();
    if (pres_) {
      heard_ = MatrixXd::Zero(U, C);
      for (Index s = 0; s < S; ++s) {
        heard_ += S1_.block(Q, s * U, C, U).matrix().transpose();
      }
      presented_ = heard_.array().log().matrix();
      presented_.colwise() -= evidence_.array().log().matrix();
    }
  }

  void choose(Index c) {
    VectorXd plain = at_.log_prior;
    if (soc_) {
      plain += at_.alpha * at_.weights(1, c) * social_;
    }
    if (pres_) {
      plain += at_.alpha * at_.weights(2, c) * presented_.col(c);
    }
    log_choice.emplace_back(U, S);
    choice_.emplace_back(U, S);
    MatrixXd& log_P = log_choice.back();
    MatrixXd& P = choice_.back();
    for (Index s = 0; s < S; ++s) {
      log_P.col(s) = plain;
      if (inf_) {
        log_P.col(s) += at_.alpha * at_.weights(0, c) * informative_.col(s);
      }
      log_P.col(s).array() -= log_P.col(s).maxCoeff();
      P.col(s) = log_P.col(s).array().exp();
      const double total = P.col(s).sum();
      P.col(s) /= total;
      log_P.col(s).array() -= std::log(total);
    }
  }

  // From adjoints of joint_ and heard_ to those of the inputs.
  void through_speaker1(const MatrixXd& d_joint, const MatrixXd& d_heard, Inputs& d) const {
    MatrixXd d_gain(U, S);
    VectorXd d_kind = VectorXd::Zero(U);
    ArrayXXd d_S1(phi_.size(), U);
    ArrayXd expected(phi_.size()), exponent(phi_.size());
    for (Index s = 0; s < S; ++s) {
      const auto P = S1_.middleCols(s * U, U);
      expected.setZero();
      for (Index u = 0; u < U; ++u) {
        d_S1.col(u).head(Q) = node_weight_.array() * d_joint(u, s);
        if (pres_) {
          d_S1.col(u).tail(C) = d_heard.row(u).transpose().array();
        }
        expected += P.col(u) * d_S1.col(u);
      }
      for (Index u = 0; u < U; ++u) {
        exponent = P.col(u) * (d_S1.col(u) - expected);
        const double whole = exponent.sum(), at_phi = (exponent * phi_).sum();
        d.log_prior[u] += whole;
        d_gain(u, s) = at_phi;
        d_kind[u] += whole - at_phi;
        if (pres_) {
          d.phi.array() += at_.alpha * (gain_(u, s) - kind_[u]) * exponent.tail(C);
        }
      }
    }
    d.alpha += d_gain.cwiseProduct(gain_).sum() + d_kind.dot(kind_);
    d.log_L0 = at_.alpha
               * (d_gain + literal_.cwiseProduct(d_kind * value_.transpose()));
  }

  Inputs at_;
  VectorXd value_, node_weight_;
  bool inf_, soc_, pres_;
  Index U, S, C, Q;
  ArrayXd phi_;
  MatrixXd literal_, gain_, joint_, informative_, heard_, presented_;
  VectorXd kind_, evidence_, social_;
  ArrayXXd S1_;
  std::vector<MatrixXd> choice_;  // exp(log_choice)
};

}  // namespace many_wolves

namespace stan {
namespace math {

template <typename L, typename V, typename A, typename P, typename W, typename F,
          typename N, typename NW, typename BS, typename BU>
std::vector<Eigen::Matrix<return_type_t<L, A, P, W, F>, -1, -1>> speaker2(
    const L& log_L0, const V& value, const A& alpha, const P& log_prior, const W& weights,
    const F& phi, const N& node, const NW& node_weight, const std::vector<int>& has_utility,
    const BS&, const BU&, std::ostream*) {
  using T = return_type_t<L, A, P, W, F>;
  using Matrix = Eigen::Matrix<T, -1, -1>;
  using Vector = Eigen::Matrix<T, -1, 1>;
  many_wolves::Inputs at{value_of(log_L0), value_of(alpha), value_of(log_prior),
                         value_of(weights), value_of(phi).transpose()};
  if constexpr (std::is_same<T, double>::value) {
    return many_wolves::Speaker2(std::move(at), value, node, node_weight, has_utility)
        .log_choice;
  } else {
    auto* done = make_chainable_ptr(
        many_wolves::Speaker2(std::move(at), value, node, node_weight, has_utility));
    arena_t<Matrix> a_log_L0 = log_L0, a_weights = weights;
    arena_t<Vector> a_log_prior = log_prior, a_phi = phi.transpose();
    const var a_alpha = alpha;
    arena_t<std::vector<arena_t<Matrix>>> a_choice;
    std::vector<Matrix> given;
    for (const auto& of_condition : done->log_choice) {
      a_choice.emplace_back(of_condition);
      given.emplace_back(a_choice.back());
    }
    reverse_pass_callback([=]() mutable {
      std::vector<Eigen::MatrixXd> adjoint;
      for (auto& of_condition : a_choice) {
        adjoint.push_back(of_condition.adj());
      }
      const many_wolves::Inputs d = done->gradient(adjoint);
      a_log_L0.adj() += d.log_L0;
      a_alpha.adj() += d.alpha;
      a_log_prior.adj() += d.log_prior;
      a_weights.adj() += d.weights;
      if (a_phi.size() == d.phi.size()) {
        a_phi.adj() += d.phi;
      }
    });
    return given;
  }
}

}  // namespace math
}  // namespace stan
#endif
