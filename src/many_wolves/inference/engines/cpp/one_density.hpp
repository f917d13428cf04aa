// The base class of a compiled program, in place of Stan's own `model_base_crtp`.
//
// Stan's instantiates the model block for sixteen signatures: with and without constant
// factors and Jacobians, for numbers and for variables, in two kinds of vectors. Our
// programs have one unconstrained `vector[D] z`, for which all of these are one density,
// so that two instantiations do, and compiling takes a sixth less time.
#ifndef MANY_WOLVES_ONE_DENSITY_HPP
#define MANY_WOLVES_ONE_DENSITY_HPP

#include <stan/io/var_context.hpp>
#include <stan/math/rev.hpp>
#include <stan/model/model_base.hpp>
#include <ostream>
#include <vector>

namespace many_wolves {

template <typename Program>
class OneDensity : public stan::model::model_base {
  using var = stan::math::var;
  using Numbers = Eigen::VectorXd;
  using Variables = Eigen::Matrix<var, -1, 1>;

 public:
  using stan::model::model_base::model_base;

  double log_prob_jacobian(Numbers& z, std::ostream* said) const override {
    return program().template log_prob<false, true, double>(z, said);
  }
  var log_prob_jacobian(Variables& z, std::ostream* said) const override {
    return program().template log_prob<false, true, var>(z, said);
  }

#define MANY_WOLVES_SAME_DENSITY(name)                                                          \
  double name(Numbers& z, std::ostream* said) const override {                                  \
    return log_prob_jacobian(z, said);                                                          \
  }                                                                                             \
  var name(Variables& z, std::ostream* said) const override {                                   \
    return log_prob_jacobian(z, said);                                                          \
  }
#define MANY_WOLVES_SAME_DENSITY_OF_VECTOR(name)                                                \
  double name(std::vector<double>& z, std::vector<int>&, std::ostream* said) const override {   \
    Numbers x = Eigen::Map<Numbers>(z.data(), z.size());                                        \
    return log_prob_jacobian(x, said);                                                          \
  }                                                                                             \
  var name(std::vector<var>& z, std::vector<int>&, std::ostream* said) const override {         \
    Variables x = Eigen::Map<Variables>(z.data(), z.size());                                    \
    return log_prob_jacobian(x, said);                                                          \
  }
  MANY_WOLVES_SAME_DENSITY(log_prob)
  MANY_WOLVES_SAME_DENSITY(log_prob_propto)
  MANY_WOLVES_SAME_DENSITY(log_prob_propto_jacobian)
  MANY_WOLVES_SAME_DENSITY_OF_VECTOR(log_prob)
  MANY_WOLVES_SAME_DENSITY_OF_VECTOR(log_prob_jacobian)
  MANY_WOLVES_SAME_DENSITY_OF_VECTOR(log_prob_propto)
  MANY_WOLVES_SAME_DENSITY_OF_VECTOR(log_prob_propto_jacobian)
#undef MANY_WOLVES_SAME_DENSITY
#undef MANY_WOLVES_SAME_DENSITY_OF_VECTOR

  void write_array(stan::rng_t& rng, Numbers& z, Numbers& written, bool parameters,
                   bool quantities, std::ostream* said) const override {
    program().write_array(rng, z, written, parameters, quantities, said);
  }
  void write_array(stan::rng_t& rng, std::vector<double>& z, std::vector<int>&,
                   std::vector<double>& written, bool parameters, bool quantities,
                   std::ostream* said) const override {
    Numbers x = Eigen::Map<Numbers>(z.data(), z.size()), found;
    program().write_array(rng, x, found, parameters, quantities, said);
    written.assign(found.data(), found.data() + found.size());
  }

  // z is unconstrained as it stands.
  void unconstrain_array(const Numbers& given, Numbers& z, std::ostream*) const override {
    z = given;
  }
  void unconstrain_array(const std::vector<double>& given, std::vector<double>& z,
                         std::ostream*) const override {
    z = given;
  }
  void transform_inits(const stan::io::var_context& given, Numbers& z,
                       std::ostream*) const override {
    std::vector<double> values = given.vals_r("z");
    z = Eigen::Map<Numbers>(values.data(), values.size());
  }
  void transform_inits(const stan::io::var_context& given, std::vector<int>&,
                       std::vector<double>& z, std::ostream*) const override {
    z = given.vals_r("z");
  }

 private:
  const Program& program() const { return static_cast<const Program&>(*this); }
};

}  // namespace many_wolves
#endif
