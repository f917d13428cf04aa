// A Stan model in whitened coordinates z, with x = centre + scale * z the model's own.
//
// The sampler's paths are those of a dense inverse metric scale * scale' (Neal 2011, MCMC using
// Hamiltonian dynamics, section 5.4.1), on top of which a diagonal metric adapts. Stan's own
// dense metric learns all D * D entries anew from the draws of warm-up instead.
#ifndef MANY_WOLVES_WHITENED_HPP
#define MANY_WOLVES_WHITENED_HPP

#include <stan/callbacks/logger.hpp>
#include <stan/math/rev.hpp>
#include <stan/model/model_base.hpp>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

namespace many_wolves {

using Model = stan::model::model_base;

class Whitened {
  using Scale = Eigen::Matrix<double, -1, -1, Eigen::RowMajor>;
  // An entry of a sparse product costs several times one of a dense product.
  static constexpr Eigen::Index SPARSE = 8;

 public:
  Whitened(const Model& model, const double* centre, const double* scale)
      : model_(model),
        size_(static_cast<Eigen::Index>(model.num_params_r())),
        centre_(Eigen::Map<const Eigen::VectorXd>(centre, size_)),
        scale_(Eigen::Map<const Scale>(scale, size_, size_)),
        few_(scale_.sparseView()),
        sparse_(few_.nonZeros() < size_ * size_ / SPARSE) {}

  std::size_t num_params_r() const { return static_cast<std::size_t>(size_); }

  Eigen::VectorXd unwhiten(const Eigen::VectorXd& z) const {
    Eigen::VectorXd x = centre_;
    if (sparse_) {
      x += few_ * z;
    } else {
      // The zeros of the triangle are multiplied too: without them the product is slower.
      x.noalias() += scale_ * z;
    }
    return x;
  }

  std::vector<double> whiten(const double* x) const {
    const Eigen::VectorXd apart = Eigen::Map<const Eigen::VectorXd>(x, size_) - centre_;
    const Eigen::VectorXd z = scale_.triangularView<Eigen::Lower>().solve(apart);
    return std::vector<double>(z.data(), z.data() + z.size());
  }

  // Log density at z, and its gradient there.
  double log_density_gradient(const Eigen::VectorXd& z, Eigen::VectorXd& gradient,
                              std::ostream* messages) const {
    const stan::math::nested_rev_autodiff nested;
    Eigen::Matrix<stan::math::var, -1, 1> x = unwhiten(z);
    stan::math::var density = model_.log_prob_propto_jacobian(x, messages);
    density.grad();
    const Eigen::VectorXd slope = x.adj();
    if (sparse_) {
      gradient = few_.transpose() * slope;
    } else {
      gradient.noalias() = scale_.transpose() * slope;
    }
    return density.val();
  }

  // A draw is written as x; the program's quantities are computed once sampling has ended.
  template <typename RNG>
  void write_array(RNG&, std::vector<double>& z, std::vector<int>&, std::vector<double>& written,
                   bool, bool, std::ostream*) const {
    const Eigen::VectorXd x = unwhiten(Eigen::Map<const Eigen::VectorXd>(z.data(), size_));
    written.assign(x.data(), x.data() + size_);
  }
  void constrained_param_names(std::vector<std::string>& names, bool, bool) const {
    model_.unconstrained_param_names(names, false, false);
  }
  void unconstrained_param_names(std::vector<std::string>& names, bool, bool) const {
    model_.unconstrained_param_names(names, false, false);
  }

 private:
  const Model& model_;
  const Eigen::Index size_;
  const Eigen::VectorXd centre_;
  const Scale scale_;
  const Eigen::SparseMatrix<double, Eigen::RowMajor> few_;
  const bool sparse_;
};

}  // namespace many_wolves

// Stan's Hamiltonians ask for gradients by this name. It must be declared before the header that
// defines them; that is why this file comes first.
namespace stan {
namespace model {

inline void gradient(const many_wolves::Whitened& model, const Eigen::VectorXd& z, double& density,
                     Eigen::VectorXd& gradient, callbacks::logger& logger) {
  // Kept, since a new stream costs as much as a tenth of a short gradient.
  static thread_local std::stringstream messages;
  messages.clear();
  messages.str("");
  try {
    density = model.log_density_gradient(z, gradient, &messages);
  } catch (const std::exception&) {
    if (messages.tellp() > 0) {
      logger.info(messages);
    }
    throw;
  }
  if (messages.tellp() > 0) {
    logger.info(messages);
  }
}

}  // namespace model
}  // namespace stan
#endif
