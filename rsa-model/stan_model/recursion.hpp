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

namespace many_wolves {

// exp() of each of x, which lie in [-708, 709], to 1e-15: 2^k * exp(r), |r| < ln(2) / 2.
// A loop that a compiler puts into vectors.
inline void exponentials(double* x, std::int64_t size) {
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

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::RowVectorXd;
using Eigen::VectorXd;
using Matrix = Eigen::Map<MatrixXd>;
using Vector = Eigen::Map<VectorXd>;

// One piece of memory that is handed out in parts: a gradient needs some dozens of small
// matrices, and to allocate each would take a fifth of its time. Each part begins where
// the widest vectors may: else sums would be rounded by where the memory happens to lie.
class Room {
 public:
  Room(Index parts, Index size) : memory_(size + parts * (WIDEST - 1)), next_(memory_.data()) {}
  Matrix matrix(Index rows, Index cols) { return Matrix(take(rows * cols), rows, cols); }
  Vector vector(Index size) { return Vector(take(size), size); }

 private:
  static constexpr Index WIDEST = 8;
  double* take(Index size) {
    double* taken = next_;
    next_ += (size + WIDEST - 1) / WIDEST * WIDEST;
    return taken;
  }
  VectorXd memory_;
  double* next_;
};

// What speaker2() depends on: arguments, or the adjoints of arguments.
struct Inputs {
  MatrixXd log_L0;     // U x S
  double alpha;
  VectorXd log_prior;  // U
  MatrixXd weights;    // 3 x C
  VectorXd phi;        // C
};

// The recursion at given inputs. U utterances, S states, C conditions, Q nodes of phi.
// A cell (u, s) is s * U + u.
class Speaker2 {
 public:
  Speaker2(Inputs at, const Eigen::Ref<const VectorXd>& value,
           const Eigen::Ref<const RowVectorXd>& node,
           const Eigen::Ref<const VectorXd>& node_weight, const std::vector<int>& has_utility)
      : inf_(has_utility[0]),
        soc_(has_utility[1]),
        pres_(has_utility[2]),
        U(at.log_L0.rows()),
        S(at.log_L0.cols()),
        C(at.weights.cols()),
        Q(node.size()),
        room_(19, 4 * Q + S + U * S * (5 + Q + 3 * C) + U * (3 + 2 * C)),
        at_(std::move(at)),
        value_(room_.vector(S)),
        node_(room_.vector(Q)),
        node_weight_(room_.vector(Q)),
        node_moment_(room_.vector(Q)),
        total_(room_.vector(Q)),
        literal_(room_.matrix(U, S)),
        gain_(room_.matrix(U, S)),
        joint_(room_.matrix(U, S)),
        moment_(room_.matrix(U, S)),
        informative_(room_.matrix(U, S)),
        kind_(room_.vector(U)),
        evidence_(room_.vector(U)),
        social_(room_.vector(U)),
        heard_(room_.matrix(U, C)),
        presented_(room_.matrix(U, C)),
        S1_(room_.matrix(Q, U * S)),
        S1_presented_(room_.matrix(U * S, C)),
        log_choice_(room_.matrix(U, S * C)),
        choice_(room_.matrix(U, S * C)) {
    value_ = value;
    node_ = node.transpose();
    node_weight_ = node_weight;
    node_moment_ = node_weight_.cwiseProduct(node_);
    literal_utilities();
    speaker1();
    listener1();
    choose();
  }

  // U x S log P_S2(u | s) of condition c.
  auto log_choice(Index c) const { return log_choice_.middleCols(c * S, S); }

  // Adjoints of the inputs, from those of log_choice.
  Inputs gradient(const std::vector<MatrixXd>& adjoint) const {
    Inputs d{MatrixXd::Zero(U, S), 0, VectorXd::Zero(U), MatrixXd::Zero(3, C),
             VectorXd::Zero(at_.phi.size())};
    Room room(7, U * (3 + C) + 3 * U * S);
    Vector d_social = room.vector(U), d_evidence = room.vector(U), plain = room.vector(U);
    Matrix d_heard = room.matrix(U, C), d_informative = room.matrix(U, S),
           total = room.matrix(U, S), d_joint = room.matrix(U, S);
    d_social.setZero();
    d_evidence.setZero();
    d_informative.setZero();
    for (Index c = 0; c < C; ++c) {
      for (Index s = 0; s < S; ++s) {
        const auto given = adjoint[c].col(s);
        total.col(s) = given - given.sum() * choice_.col(c * S + s);
      }
      plain = total.rowwise().sum();
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
    for (Index s = 0; s < S; ++s) {
      d_joint.col(s) = d_informative.col(s).cwiseQuotient(joint_.col(s))
                       + (d_social * value_[s] + d_evidence).cwiseQuotient(evidence_);
    }
    through_speaker1(d_joint, d_heard, d);
    return d;
  }

 private:
  void literal_utilities() {
    literal_ = at_.log_L0.array().exp().matrix();
    // What is subtracted cancels in the softmax and keeps exp() in range.
    gain_ = at_.log_L0.rowwise() - at_.log_L0.colwise().maxCoeff();
    kind_.setZero();
    for (Index s = 0; s < S; ++s) {
      kind_ += value_[s] * literal_.col(s);
    }
    kind_.array() -= kind_.maxCoeff();
  }

  // P_S1(u | s, phi) at the nodes, and at the phi of each condition.
  void speaker1() {
    for (Index i = 0; i < U * S; ++i) {
      const double kind = at_.alpha * kind_[i % U], gain = at_.alpha * gain_.data()[i];
      const double least = -708, constant = kind + at_.log_prior[i % U];
      S1_.col(i) = (node_.array() * (gain - kind) + constant).max(least);
      for (Index c = 0; c < C && pres_; ++c) {
        S1_presented_(i, c) = std::max(at_.phi[c] * (gain - kind) + constant, least);
      }
    }
    exponentials(S1_.data(), S1_.size());
    exponentials(S1_presented_.data(), pres_ ? S1_presented_.size() : 0);
    for (Index s = 0; s < S; ++s) {
      auto of_state = S1_.middleCols(s * U, U);
      total_.setZero();
      for (Index u = 0; u < U; ++u) {
        total_ += of_state.col(u);
      }
      total_ = total_.cwiseInverse();
      for (Index u = 0; u < U; ++u) {
        of_state.col(u).array() *= total_.array();
      }
      for (Index c = 0; c < C && pres_; ++c) {
        auto one = S1_presented_.col(c).segment(s * U, U);
        one /= one.sum();
      }
    }
  }

  void listener1() {
    Vector(joint_.data(), U * S).noalias() = S1_.transpose() * node_weight_;
    Vector(moment_.data(), U * S).noalias() = S1_.transpose() * node_moment_;
    evidence_ = joint_.rowwise().sum();
    social_.setZero();
    for (Index s = 0; s < S; ++s) {
      social_ += value_[s] * joint_.col(s);
    }
    social_.array() /= evidence_.array();
    informative_ = joint_.array().log().matrix();
    const auto log_evidence = evidence_.array().log().matrix().eval();
    informative_.colwise() -= log_evidence;
    if (pres_) {
      heard_.setZero();
      for (Index s = 0; s < S; ++s) {
        heard_ += S1_presented_.middleRows(s * U, U);
      }
      presented_ = heard_.array().log().matrix();
      presented_.colwise() -= log_evidence;
    }
  }

  void choose() {
    for (Index c = 0; c < C; ++c) {
      VectorXd plain = at_.log_prior;
      if (soc_) {
        plain += at_.alpha * at_.weights(1, c) * social_;
      }
      if (pres_) {
        plain += at_.alpha * at_.weights(2, c) * presented_.col(c);
      }
      const double informative = inf_ ? at_.alpha * at_.weights(0, c) : 0;
      for (Index s = 0; s < S; ++s) {
        auto log_P = log_choice_.col(c * S + s);
        log_P = plain + informative * informative_.col(s);
        log_P.array() -= log_P.maxCoeff();
      }
    }
    choice_ = log_choice_.cwiseMax(-708.0);
    exponentials(choice_.data(), choice_.size());
    for (Index i = 0; i < S * C; ++i) {
      const double total = choice_.col(i).sum();
      choice_.col(i) /= total;
      log_choice_.col(i).array() -= std::log(total);
    }
  }

  // From adjoints of joint_ and heard_ to those of the inputs. With e the adjoint of
  // P_S1(u | s, phi) expected under it, that of its exponent is P_S1 * (adjoint - e).
  void through_speaker1(const Matrix& d_joint, const Matrix& d_heard, Inputs& d) const {
    Room room(6, 2 * Q + U * (S + 3));
    Vector expected = room.vector(Q), expected_moment = room.vector(Q);
    Vector d_kind = room.vector(U), whole = room.vector(U), at_phi = room.vector(U);
    Matrix d_gain = room.matrix(U, S);
    d_kind.setZero();
    for (Index s = 0; s < S; ++s) {
      const auto P = S1_.middleCols(s * U, U);
      expected.noalias() = P * d_joint.col(s);
      expected.array() *= node_weight_.array();
      expected_moment = expected.cwiseProduct(node_);
      whole = d_joint.col(s).cwiseProduct(joint_.col(s));
      whole.noalias() -= P.transpose() * expected;
      at_phi = d_joint.col(s).cwiseProduct(moment_.col(s));
      at_phi.noalias() -= P.transpose() * expected_moment;
      for (Index c = 0; c < C && pres_; ++c) {
        const auto one = S1_presented_.col(c).segment(s * U, U);
        const double mean = one.dot(d_heard.col(c));
        for (Index u = 0; u < U; ++u) {
          const double exponent = one[u] * (d_heard(u, c) - mean);
          whole[u] += exponent;
          at_phi[u] += exponent * at_.phi[c];
          d.phi[c] += at_.alpha * (gain_(u, s) - kind_[u]) * exponent;
        }
      }
      d.log_prior += whole;
      d_gain.col(s) = at_phi;
      d_kind += whole - at_phi;
    }
    d.alpha += d_gain.cwiseProduct(gain_).sum() + d_kind.dot(kind_);
    for (Index s = 0; s < S; ++s) {
      d.log_L0.col(s) = at_.alpha
                        * (d_gain.col(s) + value_[s] * literal_.col(s).cwiseProduct(d_kind));
    }
  }

  const bool inf_, soc_, pres_;
  const Index U, S, C, Q;
  Room room_;
  Inputs at_;
  Vector value_, node_, node_weight_, node_moment_, total_;
  Matrix literal_, gain_, joint_, moment_, informative_;  // U x S
  Vector kind_, evidence_, social_;                       // U
  Matrix heard_, presented_;                              // U x C
  Matrix S1_, S1_presented_;  // Q x (U * S), (U * S) x C: P_S1(u | s, phi)
  Matrix log_choice_, choice_;  // U x (S * C): log P_S2(u | s), and its exp()
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
    const many_wolves::Speaker2 done(std::move(at), value, node, node_weight, has_utility);
    std::vector<Matrix> found;
    for (Eigen::Index c = 0; c < weights.cols(); ++c) {
      found.emplace_back(done.log_choice(c));
    }
    return found;
  } else {
    auto* done = make_chainable_ptr(
        many_wolves::Speaker2(std::move(at), value, node, node_weight, has_utility));
    arena_t<Matrix> a_log_L0 = log_L0, a_weights = weights;
    arena_t<Vector> a_log_prior = log_prior, a_phi = phi.transpose();
    const var a_alpha = alpha;
    arena_t<std::vector<arena_t<Matrix>>> a_choice;
    std::vector<Matrix> given;
    for (Eigen::Index c = 0; c < weights.cols(); ++c) {
      a_choice.emplace_back(Eigen::MatrixXd(done->log_choice(c)));
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
