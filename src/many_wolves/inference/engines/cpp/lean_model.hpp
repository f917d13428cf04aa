// The base class of compiled programs. Stan's own has the compiler make sixteen versions of the
// log density, for every use that a caller may have. services.cpp calls two, so that a program
// compiles in about half of the time. This file is included before the translated program.
#ifndef MANY_WOLVES_LEAN_MODEL_HPP
#define MANY_WOLVES_LEAN_MODEL_HPP

#include <stan/model/model_header.hpp>
#include <ostream>
#include <stdexcept>
#include <vector>

namespace stan {
namespace model {

template <typename Program>
class lean_model : public model_base {
  using Point = Eigen::VectorXd;
  using Vars = Eigen::Matrix<math::var, -1, 1>;
  using Doubles = std::vector<double>;
  using VarList = std::vector<math::var>;
  using Ints = std::vector<int>;
  using Text = std::ostream*;

 public:
  explicit lean_model(std::size_t size) : model_base(size) {}

  double log_prob_jacobian(Point& x, Text messages) const override {
    return program().template log_prob<false, true>(x, messages);
  }
  math::var log_prob_propto_jacobian(Vars& x, Text messages) const override {
    return program().template log_prob<true, true>(x, messages);
  }
  void write_array(rng_t& rng, Point& x, Point& written, bool transformed, bool generated,
                   Text messages) const override {
    program().write_array(rng, x, written, transformed, generated, messages);
  }
  void unconstrain_array(const Point& parameters, Point& x, Text messages) const override {
    program().unconstrain_array(parameters, x, messages);
  }

  // What services.cpp does not call.
  double log_prob(Point&, Text) const override { left_out(); }
  double log_prob_propto(Point&, Text) const override { left_out(); }
  double log_prob_propto_jacobian(Point&, Text) const override { left_out(); }
  math::var log_prob(Vars&, Text) const override { left_out(); }
  math::var log_prob_propto(Vars&, Text) const override { left_out(); }
  math::var log_prob_jacobian(Vars&, Text) const override { left_out(); }
  double log_prob(Doubles&, Ints&, Text) const override { left_out(); }
  double log_prob_propto(Doubles&, Ints&, Text) const override { left_out(); }
  double log_prob_jacobian(Doubles&, Ints&, Text) const override { left_out(); }
  double log_prob_propto_jacobian(Doubles&, Ints&, Text) const override { left_out(); }
  math::var log_prob(VarList&, Ints&, Text) const override { left_out(); }
  math::var log_prob_propto(VarList&, Ints&, Text) const override { left_out(); }
  math::var log_prob_jacobian(VarList&, Ints&, Text) const override { left_out(); }
  math::var log_prob_propto_jacobian(VarList&, Ints&, Text) const override { left_out(); }
  void write_array(rng_t&, Doubles&, Ints&, Doubles&, bool, bool, Text) const override {
    left_out();
  }
  void unconstrain_array(const Doubles&, Doubles&, Text) const override { left_out(); }

 private:
  const Program& program() const { return static_cast<const Program&>(*this); }
  [[noreturn]] static void left_out() {
    throw std::logic_error("this function of the program was not compiled");
  }
};

}  // namespace model
}  // namespace stan

// Translated programs name their base class so.
#define model_base_crtp lean_model
#endif
