// The functions of a compiled program that Python calls through ctypes, named as BridgeStan
// names them: log density, gradient, transforms of the parameters; and one chain of NUTS.
//
// Matrices are row-major. A call that fails returns null or a status other than 0;
// wolves_error() then says why, to the thread that called.

#include "whitened.hpp"

#include <stan/callbacks/interrupt.hpp>
#include <stan/callbacks/logger.hpp>
#include <stan/callbacks/structured_writer.hpp>
#include <stan/callbacks/writer.hpp>
#include <stan/io/json/json_data.hpp>
#include <stan/mcmc/hmc/nuts/adapt_diag_e_nuts.hpp>
#include <stan/services/util/create_rng.hpp>
#include <stan/services/util/run_adaptive_sampler.hpp>
#include <stan/services/util/run_sampler.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

using many_wolves::Model;
using many_wolves::Whitened;

// Defined by the compiled program.
Model& new_model(stan::io::var_context& data, unsigned int seed, std::ostream* messages);

namespace {

thread_local std::string message;

// Every thread that differentiates needs an autodiff stack of its own.
void have_stack() { static thread_local stan::math::ChainableStack stack; }

double thread_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Runs `work`, and keeps what it throws as the message.
template <typename Work>
int guarded(const Work& work) {
  try {
    have_stack();
    work();
    return 0;
  } catch (const std::exception& fault) {
    message = fault.what();
  } catch (...) {
    message = "an unknown fault in the compiled program";
  }
  return 1;
}

const Model& as_model(const void* handle) { return *static_cast<const Model*>(handle); }

Eigen::Index size_of(const Model& model) { return static_cast<Eigen::Index>(model.num_params_r()); }

Eigen::VectorXd row(const double* rows, std::int64_t i, Eigen::Index size) {
  return Eigen::Map<const Eigen::VectorXd>(rows + i * size, size);
}

// Names with a comma between them.
const char* joined(const std::vector<std::string>& names) {
  static thread_local std::string text;
  text.clear();
  for (const auto& name : names) {
    text += (text.empty() ? "" : ",") + name;
  }
  return text.c_str();
}

// Puts each draw into the row after the last.
class Rows : public stan::callbacks::writer {
 public:
  Rows(double* to, std::size_t columns, std::size_t rows)
      : to_(to), end_(to + columns * rows), columns_(columns) {}
  using stan::callbacks::writer::operator();
  void operator()(const std::vector<double>& draw) override {
    if (draw.size() != columns_ || to_ == end_) {
      throw std::length_error("a draw of another size than expected");
    }
    to_ = std::copy(draw.begin(), draw.end(), to_);
  }
  bool full() const { return to_ == end_; }

 private:
  double *to_, *end_;
  std::size_t columns_;
};

class Lines : public stan::callbacks::logger {
 public:
  using Text = const std::string&;
  using Stream = const std::stringstream&;
  void info(Text line) override { add(line); }
  void info(Stream line) override { add(line.str()); }
  void warn(Text line) override { add(line); }
  void warn(Stream line) override { add(line.str()); }
  void error(Text line) override { add(line); }
  void error(Stream line) override { add(line.str()); }
  std::string text;

 private:
  void add(Text line) { text += line + "\n"; }
};

// Counts iterations, and ends the chain when `stop` is set.
class Meter : public stan::callbacks::interrupt {
 public:
  Meter(volatile std::int64_t* done, const volatile std::int32_t* stop)
      : done_(done), stop_(stop) {}
  void operator()() override {
    *done_ = *done_ + 1;
    if (*stop_) {
      throw std::runtime_error("interrupted");
    }
  }

 private:
  volatile std::int64_t* done_;
  const volatile std::int32_t* stop_;
};

}  // namespace

// All else stays hidden: each library has an autodiff stack of its own, at an address that the
// compiler knows, whatever other Stan programs the process has loaded.
#pragma GCC visibility push(default)
extern "C" {

const char* wolves_error() { return message.c_str(); }

// A program with its data, which are JSON as CmdStan reads them.
void* wolves_open(const char* json) {
  Model* opened = nullptr;
  guarded([&] {
    std::istringstream text(json);
    stan::json::json_data data(text);
    opened = &new_model(data, 1, nullptr);
  });
  return opened;
}

void wolves_close(void* model) { delete static_cast<Model*>(model); }

std::int64_t wolves_param_unc_num(const void* handle) { return size_of(as_model(handle)); }

const char* wolves_param_unc_names(const void* handle) {
  std::vector<std::string> names;
  as_model(handle).unconstrained_param_names(names, false, false);
  return joined(names);
}

// Names of parameters; with `all`, of transformed parameters and generated quantities too.
const char* wolves_param_names(const void* handle, std::int32_t all) {
  std::vector<std::string> names;
  as_model(handle).constrained_param_names(names, all, all);
  return joined(names);
}

// (rows) log densities at x (rows x D); -inf where Stan rejects the point.
int wolves_log_density(const void* handle, std::int64_t rows, const double* x, double* densities) {
  const Model& model = as_model(handle);
  return guarded([&] {
    for (std::int64_t i = 0; i < rows; ++i) {
      Eigen::VectorXd point = row(x, i, size_of(model));
      try {
        densities[i] = model.log_prob_jacobian(point, nullptr);
      } catch (const std::domain_error&) {
        densities[i] = -std::numeric_limits<double>::infinity();
      }
    }
  });
}

// The same, and their gradients (rows x D); NaN where Stan rejects the point.
int wolves_log_density_gradient(const void* handle, std::int64_t rows, const double* x,
                                double* densities, double* gradients) {
  const Model& model = as_model(handle);
  const Eigen::Index size = size_of(model);
  return guarded([&] {
    for (std::int64_t i = 0; i < rows; ++i) {
      Eigen::VectorXd point = row(x, i, size);
      Eigen::Map<Eigen::VectorXd> into(gradients + i * size, size);
      try {
        densities[i] = model.log_prob_jacobian(point, nullptr);
        const stan::math::nested_rev_autodiff nested;
        Eigen::Matrix<stan::math::var, -1, 1> varied = point;
        // Up to a constant, which has no slope: see lean_model.hpp for what is compiled.
        stan::math::grad(model.log_prob_propto_jacobian(varied, nullptr).vi_);
        into = varied.adj();
      } catch (const std::domain_error&) {
        densities[i] = -std::numeric_limits<double>::infinity();
        into.setConstant(std::numeric_limits<double>::quiet_NaN());
      }
    }
  });
}

// What the program writes of x (rows x D): (rows x columns) the values that
// wolves_param_names() names.
int wolves_param_constrain(const void* handle, std::int32_t all, std::uint32_t seed,
                           std::int64_t rows, const double* x, double* written,
                           std::int64_t columns) {
  const Model& model = as_model(handle);
  return guarded([&] {
    auto rng = stan::services::util::create_rng(seed, 1);
    for (std::int64_t i = 0; i < rows; ++i) {
      Eigen::VectorXd point = row(x, i, size_of(model)), found;
      model.write_array(rng, point, found, all, all, nullptr);
      if (found.size() != columns) {
        throw std::length_error("quantities of another number than expected");
      }
      std::copy(found.data(), found.data() + columns, written + i * columns);
    }
  });
}

// The inverse of it for parameters (rows x columns): x (rows x D).
int wolves_param_unconstrain(const void* handle, std::int64_t rows, const double* parameters,
                             std::int64_t columns, double* x) {
  const Model& model = as_model(handle);
  return guarded([&] {
    for (std::int64_t i = 0; i < rows; ++i) {
      Eigen::VectorXd found;
      model.unconstrain_array(row(parameters, i, columns), found, nullptr);
      std::copy(found.data(), found.data() + found.size(), x + i * size_of(model));
    }
  });
}

// One chain of NUTS from `start` (D), in the coordinates z of x = centre + scale * z with a
// diagonal metric (`scale`: D x D, lower triangular). With `warmup` iterations the chain adapts
// step size and metric from those given, and writes there what it found; with none it takes them
// as they are. `rows` takes the draws: the sampler's seven columns, then x.
int wolves_sample(const void* handle, const double* start, const double* centre,
                  const double* scale, std::uint32_t seed, std::uint32_t chain,
                  std::int32_t warmup, std::int32_t draws, double adapt_delta,
                  std::int32_t max_depth, double* stepsize, double* metric, double* rows,
                  std::int64_t columns, double* seconds, volatile std::int64_t* done,
                  const volatile std::int32_t* stop) {
  Rows writer(rows, static_cast<std::size_t>(columns), static_cast<std::size_t>(draws));
  Lines lines;
  const double began = thread_seconds();
  const int failed = guarded([&] {
    const Whitened model(as_model(handle), centre, scale);
    const auto size = static_cast<Eigen::Index>(model.num_params_r());
    std::vector<double> z = model.whiten(start);
    Eigen::VectorXd inverse = Eigen::Map<const Eigen::VectorXd>(metric, size);
    stan::rng_t rng = stan::services::util::create_rng(seed, chain);
    Meter meter(done, stop);
    stan::callbacks::writer none;
    stan::callbacks::structured_writer no_metric;
    stan::mcmc::adapt_diag_e_nuts<const Whitened, stan::rng_t> sampler(model, rng);
    sampler.set_metric(inverse);
    sampler.set_nominal_stepsize(*stepsize);
    sampler.set_stepsize_jitter(0);
    sampler.set_max_depth(max_depth);
    namespace util = stan::services::util;
    if (warmup > 0) {
      // Stan's defaults for what has no name here.
      auto& adaptation = sampler.get_stepsize_adaptation();
      adaptation.set_mu(std::log(10 * *stepsize));
      adaptation.set_delta(adapt_delta);
      adaptation.set_gamma(0.05);
      adaptation.set_kappa(0.75);
      adaptation.set_t0(10);
      sampler.set_window_params(warmup, 75, 50, 25, lines);
      util::run_adaptive_sampler(sampler, model, z, warmup, draws, 1, 0, false, rng, meter, lines,
                                 writer, none, no_metric);
      *stepsize = sampler.get_nominal_stepsize();
      Eigen::Map<Eigen::VectorXd>(metric, size) = sampler.z().inv_e_metric_;
    } else {
      util::run_sampler(sampler, model, z, 0, draws, 1, 0, false, rng, meter, lines, writer, none);
    }
  });
  *seconds = thread_seconds() - began;
  if (!failed) {
    message = lines.text;
  }
  return failed || !writer.full();
}

}  // extern "C"
#pragma GCC visibility pop
