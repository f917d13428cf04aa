// speaker2() of speaker2.stanfunctions, with its gradient written out.
//
// Automatic differentiation would put every weight of every quadrature node on its stack, a
// thousand for eight utterances, four states and 32 nodes. Here they are plain numbers;
// docs/explanation/inference.md gives the gain. tests/stan/speaker2.stanfunctions has the same
// function in Stan; a test compares both.
#ifndef MANY_WOLVES_SPEAKER2_HPP
#define MANY_WOLVES_SPEAKER2_HPP

#include <stan/math/rev.hpp>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

namespace many_wolves {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using Matrix = Eigen::Map<MatrixXd>;
using Vector = Eigen::Map<VectorXd>;
using Matrices = Eigen::Ref<const MatrixXd>;
using Vectors = Eigen::Ref<const VectorXd>;

// exp() of each of x, which lie in [-708, 709], to 1e-15: 2^k * exp(r), |r| < ln(2) / 2.
// Written as a loop that compilers vectorise.
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

// U utterances, S states, C conditions, Q quadrature nodes of phi.
struct Sizes {
  Index U, S, C, Q;
};

// Hands out parts of one block of memory: a gradient needs some dozens of small matrices, and
// allocating each would take a fifth of its time. Each part begins where the widest vectors
// may begin: otherwise sums would be rounded differently from one address to another, and equal
// seeds would give unequal draws.
class Room {
 public:
  static constexpr Index WIDEST = 8;  // doubles in the widest vector
  explicit Room(double* memory) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    const std::uintptr_t width = WIDEST * sizeof(double);
    next_ = memory + (width - address % width) % width / sizeof(double);
  }
  Matrix matrix(Index rows, Index cols) { return Matrix(take(rows * cols), rows, cols); }
  Vector vector(Index size) { return Vector(take(size), size); }
  Matrix copy(const Matrices& values) {
    Matrix into = matrix(values.rows(), values.cols());
    into = values;
    return into;
  }
  Vector copy(const Vectors& values) {
    Vector into = vector(values.size());
    into = values;
    return into;
  }

 private:
  double* take(Index size) {
    double* taken = next_;
    next_ += (size + WIDEST - 1) / WIDEST * WIDEST;
    return taken;
  }
  double* next_;
};

// The recursion at given inputs, and the adjoints of the inputs. A cell (u, s) is s * U + u.
// It owns no memory, so that it can live in Stan's arena.
class Speaker2 {
 public:
  // Doubles that it needs.
  static Index room(const Sizes& n) {
    const Index parts = 44;
    return Room::WIDEST * (parts + 1) + n.U * n.S * (11 + n.Q + 3 * n.C) + n.U * (15 + 3 * n.C)
           + 8 * n.C + n.S + 6 * n.Q;
  }

  // theta: U x S; log_prior: U; weights: 3 x C; phi: C, or empty where there is no pres.
  Speaker2(double* memory, const Sizes& n, const Matrices& theta, double alpha,
           const Vectors& log_prior, const Matrices& weights, const Vectors& phi,
           const Vectors& value, const Vectors& node, const Vectors& node_weight,
           const std::vector<int>& has_utility)
      : U(n.U),
        S(n.S),
        C(n.C),
        Q(n.Q),
        inf_(has_utility[0]),
        soc_(has_utility[1]),
        pres_(has_utility[2]),
        alpha_(alpha),
        room_(memory),
        theta_(room_.copy(theta)),
        weights_(room_.copy(weights)),
        log_prior_(room_.copy(log_prior)),
        phi_(room_.copy(phi)),
        value_(room_.copy(value)),
        node_(room_.copy(node)),
        node_weight_(room_.copy(node_weight)),
        node_moment_(room_.vector(Q)),
        total_(room_.vector(Q)),
        mass_(room_.vector(U)),
        literal_(room_.matrix(U, S)),
        gain_(room_.matrix(U, S)),
        joint_(room_.matrix(U, S)),
        moment_(room_.matrix(U, S)),
        informative_(room_.matrix(U, S)),
        kind_(room_.vector(U)),
        evidence_(room_.vector(U)),
        log_evidence_(room_.vector(U)),
        social_(room_.vector(U)),
        heard_(room_.matrix(U, C)),
        presented_(room_.matrix(U, C)),
        S1_(room_.matrix(Q, U * S)),
        S1_presented_(room_.matrix(U * S, C)),
        log_choice_(room_.matrix(U, S * C)),
        choice_(room_.matrix(U, S * C)) {
    node_moment_ = node_weight_.cwiseProduct(node_);
    literal_listener();
    speaker1();
    listener1();
    choose();
  }

  // U x S log P_S2(u | s) of condition c.
  auto log_choice(Index c) const { return log_choice_.middleCols(c * S, S); }

  // Adjoints of the inputs.
  struct Adjoints {
    Matrix theta, weights;
    Vector log_prior, phi;
    double alpha;
  };

  // Adjoints of the inputs from those of log_choice, U x (S * C).
  Adjoints gradient(const Matrices& adjoint) const {
    Room room = room_;
    Adjoints d{room.matrix(U, S), room.matrix(3, C), room.vector(U), room.vector(phi_.size()), 0};
    Vector d_social = room.vector(U), d_evidence = room.vector(U), plain = room.vector(U);
    Matrix d_heard = room.matrix(U, C), d_informative = room.matrix(U, S),
           total = room.matrix(U, S), d_joint = room.matrix(U, S);
    d.weights.setZero();
    d.log_prior.setZero();
    d.phi.setZero();
    d_social.setZero();
    d_evidence.setZero();
    d_informative.setZero();
    for (Index c = 0; c < C; ++c) {
      for (Index s = 0; s < S; ++s) {
        const auto given = adjoint.col(c * S + s);
        total.col(s) = given - given.sum() * choice_.col(c * S + s);
      }
      plain = total.rowwise().sum();
      d.log_prior += plain;
      const auto utility = [&](int j, double by_weight) {
        d.weights(j, c) = alpha_ * by_weight;
        d.alpha += weights_(j, c) * by_weight;
        return alpha_ * weights_(j, c);
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
    through_speaker1(d_joint, d_heard, room, d);
    return d;
  }

 private:
  // P_L0(s | u), its logarithm, and the value expected under it.
  void literal_listener() {
    mass_ = theta_.rowwise().sum();
    literal_ = theta_.array().colwise() / mass_.array();
    gain_ = literal_.array().log().matrix();
    // The maximum that is subtracted cancels in the softmax and keeps exp() in range.
    for (Index s = 0; s < S; ++s) {
      gain_.col(s).array() -= gain_.col(s).maxCoeff();
    }
    kind_.setZero();
    for (Index s = 0; s < S; ++s) {
      kind_ += value_[s] * literal_.col(s);
    }
    kind_.array() -= kind_.maxCoeff();
  }

  // P_S1(u | s, phi) at the nodes, and at the phi of each condition.
  void speaker1() {
    for (Index i = 0; i < U * S; ++i) {
      const double kind = alpha_ * kind_[i % U], gain = alpha_ * gain_.data()[i];
      const double least = -708, constant = kind + log_prior_[i % U];
      S1_.col(i) = (node_.array() * (gain - kind) + constant).max(least);
      for (Index c = 0; c < C && pres_; ++c) {
        S1_presented_(i, c) = std::max(phi_[c] * (gain - kind) + constant, least);
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

  // P_L1: utilities of the second-order speaker.
  void listener1() {
    Vector(joint_.data(), U * S).noalias() = S1_.transpose() * node_weight_;
    Vector(moment_.data(), U * S).noalias() = S1_.transpose() * node_moment_;
    evidence_ = joint_.rowwise().sum();
    log_evidence_ = evidence_.array().log().matrix();
    social_.setZero();
    for (Index s = 0; s < S; ++s) {
      social_ += value_[s] * joint_.col(s);
    }
    social_.array() /= evidence_.array();
    informative_ = joint_.array().log().matrix();
    informative_.colwise() -= log_evidence_;
    if (pres_) {
      heard_.setZero();
      for (Index s = 0; s < S; ++s) {
        heard_ += S1_presented_.middleRows(s * U, U);
      }
      presented_ = heard_.array().log().matrix();
      presented_.colwise() -= log_evidence_;
    }
  }

  // P_S2(u | s) of every condition.
  void choose() {
    Vector plain = room_.vector(U);
    for (Index c = 0; c < C; ++c) {
      plain = log_prior_;
      if (soc_) {
        plain += alpha_ * weights_(1, c) * social_;
      }
      if (pres_) {
        plain += alpha_ * weights_(2, c) * presented_.col(c);
      }
      const double informative = inf_ ? alpha_ * weights_(0, c) : 0;
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
  void through_speaker1(const Matrix& d_joint, const Matrix& d_heard, Room& room,
                        Adjoints& d) const {
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
          at_phi[u] += exponent * phi_[c];
          d.phi[c] += alpha_ * (gain_(u, s) - kind_[u]) * exponent;
        }
      }
      d.log_prior += whole;
      d_gain.col(s) = at_phi;
      d_kind += whole - at_phi;
    }
    d.alpha += d_gain.cwiseProduct(gain_).sum() + d_kind.dot(kind_);
    through_literal_listener(d_gain, d_kind, room, d);
  }

  // log P_L0 = log theta - log of its sum over states.
  void through_literal_listener(const Matrix& d_gain, const Vector& d_kind, Room& room,
                                Adjoints& d) const {
    Vector shared = room.vector(U);
    shared.setZero();
    for (Index s = 0; s < S; ++s) {
      d.theta.col(s)
          = alpha_ * (d_gain.col(s) + value_[s] * literal_.col(s).cwiseProduct(d_kind));
      shared += d.theta.col(s);
    }
    shared.array() /= mass_.array();
    for (Index s = 0; s < S; ++s) {
      d.theta.col(s) = d.theta.col(s).cwiseQuotient(theta_.col(s)) - shared;
    }
  }

  const Index U, S, C, Q;
  const bool inf_, soc_, pres_;
  const double alpha_;
  Room room_;
  Matrix theta_, weights_;
  Vector log_prior_, phi_, value_, node_, node_weight_, node_moment_, total_;
  Vector mass_;                                           // U: sum of theta over states
  Matrix literal_, gain_, joint_, moment_, informative_;  // U x S
  Vector kind_, evidence_, log_evidence_, social_;        // U
  Matrix heard_, presented_;                              // U x C
  Matrix S1_, S1_presented_;    // Q x (U * S), (U * S) x C: P_S1(u | s, phi)
  Matrix log_choice_, choice_;  // U x (S * C): log P_S2(u | s), and its exp()
};

}  // namespace many_wolves

namespace stan {
namespace math {

template <typename T, typename V, typename A, typename P, typename W, typename F, typename N,
          typename NW>
many_wolves::Speaker2 speaker2_at(double* memory, const many_wolves::Sizes& n, const T& theta,
                                  const V& value, const A& alpha, const P& log_prior,
                                  const W& weights, const F& phi, const N& node,
                                  const NW& node_weight, const std::vector<int>& has_utility) {
  return many_wolves::Speaker2(memory, n, value_of(theta), value_of(alpha), value_of(log_prior),
                               value_of(weights), value_of(phi).transpose(), value,
                               node.transpose(), node_weight, has_utility);
}

// The inputs that may be parameters, and where their adjoints go.
template <typename T, typename A, typename P, typename W, typename F>
struct Speaker2Inputs {
  arena_t<promote_scalar_t<var, T>> theta;
  var alpha;
  arena_t<promote_scalar_t<var, P>> log_prior;
  arena_t<promote_scalar_t<var, W>> weights;
  arena_t<promote_scalar_t<var, F>> phi;
  Speaker2Inputs(const T& theta, const A& alpha, const P& log_prior, const W& weights,
                 const F& phi)
      : theta(theta), alpha(alpha), log_prior(log_prior), weights(weights), phi(phi) {}
  void add(const many_wolves::Speaker2::Adjoints& d, double by) {
    if constexpr (!std::is_arithmetic<value_type_t<T>>::value) {
      theta.adj() += by * d.theta;
    }
    alpha.adj() += by * d.alpha;
    log_prior.adj() += by * d.log_prior;
    weights.adj() += by * d.weights;
    if (phi.size() == d.phi.size()) {
      phi.adj() += by * d.phi.transpose();
    }
  }
};

template <typename T, typename V, typename A, typename P, typename W, typename F, typename N,
          typename NW>
std::vector<Eigen::Matrix<return_type_t<T, A, P, W, F>, -1, -1>> speaker2(
    const T& theta, const V& value, const A& alpha, const P& log_prior, const W& weights,
    const F& phi, const N& node, const NW& node_weight, const std::vector<int>& has_utility,
    std::ostream*) {
  using many_wolves::Speaker2;
  using Scalar = return_type_t<T, A, P, W, F>;
  const many_wolves::Sizes n{theta.rows(), theta.cols(), weights.cols(), node.size()};
  std::vector<Eigen::Matrix<Scalar, -1, -1>> log_choice;
  log_choice.reserve(n.C);
  if constexpr (std::is_same<Scalar, double>::value) {
    std::vector<double> memory(Speaker2::room(n));
    const Speaker2 at = speaker2_at(memory.data(), n, theta, value, alpha, log_prior, weights,
                                    phi, node, node_weight, has_utility);
    for (Eigen::Index c = 0; c < n.C; ++c) {
      log_choice.emplace_back(at.log_choice(c));
    }
  } else {
    auto& arena = ChainableStack::instance_->memalloc_;
    auto* at = new (arena.alloc(sizeof(Speaker2)))
        Speaker2(speaker2_at(arena.alloc_array<double>(Speaker2::room(n)), n, theta, value, alpha,
                             log_prior, weights, phi, node, node_weight, has_utility));
    Speaker2Inputs<T, A, P, W, F> inputs(theta, alpha, log_prior, weights, phi);
    arena_t<Eigen::Matrix<var, -1, -1>> a_choice(n.U, n.S * n.C);
    for (Eigen::Index c = 0; c < n.C; ++c) {
      a_choice.middleCols(c * n.S, n.S) = at->log_choice(c);
      log_choice.emplace_back(a_choice.middleCols(c * n.S, n.S));
    }
    reverse_pass_callback([=]() mutable {
      // A copy: Eigen would take a view of adjoints for doubles that lie side by side.
      const Eigen::MatrixXd adjoint = a_choice.adj();
      inputs.add(at->gradient(adjoint), 1);
    });
  }
  return log_choice;
}

template <typename Co, typename T, typename V, typename A, typename P, typename W, typename F,
          typename N, typename NW>
return_type_t<T, A, P, W, F> speaker2_log_lik(
    const std::vector<Co>& counts, const T& theta, const V& value, const A& alpha,
    const P& log_prior, const W& weights, const F& phi, const N& node, const NW& node_weight,
    const std::vector<int>& has_utility, std::ostream*) {
  using many_wolves::Speaker2;
  using Scalar = return_type_t<T, A, P, W, F>;
  const many_wolves::Sizes n{theta.rows(), theta.cols(), weights.cols(), node.size()};
  const auto log_lik = [&](const Speaker2& at) {
    double sum = 0;
    for (Eigen::Index c = 0; c < n.C; ++c) {
      sum += at.log_choice(c).cwiseProduct(counts[c]).sum();
    }
    return sum;
  };
  if constexpr (std::is_same<Scalar, double>::value) {
    std::vector<double> memory(Speaker2::room(n));
    return log_lik(speaker2_at(memory.data(), n, theta, value, alpha, log_prior, weights, phi,
                               node, node_weight, has_utility));
  } else {
    auto& arena = ChainableStack::instance_->memalloc_;
    auto* at = new (arena.alloc(sizeof(Speaker2)))
        Speaker2(speaker2_at(arena.alloc_array<double>(Speaker2::room(n)), n, theta, value, alpha,
                             log_prior, weights, phi, node, node_weight, has_utility));
    Speaker2Inputs<T, A, P, W, F> inputs(theta, alpha, log_prior, weights, phi);
    arena_t<Eigen::MatrixXd> answers(n.U, n.S * n.C);
    for (Eigen::Index c = 0; c < n.C; ++c) {
      answers.middleCols(c * n.S, n.S) = counts[c];
    }
    return make_callback_var(log_lik(*at), [=](auto& self) mutable {
      inputs.add(at->gradient(answers), self.adj());
    });
  }
}

}  // namespace math
}  // namespace stan
#endif
