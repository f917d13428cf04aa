// What Python calls of a compiled program, by ctypes: its density, its gradient, its chains.
//
// Matrices are in rows. A call that fails gives back null or a status other than 0, and
// wolves_error() tells why to the thread that called.

#include <stan/callbacks/interrupt.hpp>
#include <stan/callbacks/logger.hpp>
#include <stan/callbacks/structured_writer.hpp>
#include <stan/callbacks/writer.hpp>
#include <stan/io/array_var_context.hpp>
#include <stan/io/json/json_data.hpp>
#include <stan/model/log_prob_grad.hpp>
#include <stan/model/model_base.hpp>
#include <stan/services/sample/hmc_nuts_diag_e.hpp>
#include <stan/services/sample/hmc_nuts_diag_e_adapt.hpp>
#include <stan/services/util/create_rng.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

using Model = stan::model::model_base;

// Defined by the compiled program.
Model& new_model(stan::io::var_context& data, unsigned int seed, std::ostream* said);

namespace {

thread_local std::string message;

// Every thread that differentiates needs a stack of its own.
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

// Puts each draw into the row after the last.
class Rows : public stan::callbacks::writer {
 public:
  Rows(double* to, std::size_t columns, std::size_t rows)
      : to_(to), end_(to + columns * rows), columns_(columns) {}
  using stan::callbacks::writer::operator();
  void operator()(const std::vector<double>& draw) override {
    if (draw.size() != columns_ || to_ == end_) {
      throw std::length_error("a draw of another size than was asked for");
    }
    to_ = std::copy(draw.begin(), draw.end(), to_);
  }
  bool full() const { return to_ == end_; }

 private:
  double *to_, *end_;
  std::size_t columns_;
};

// Keeps the step size and the metric that warm-up arrives at.
class Adapted : public stan::callbacks::structured_writer {
 public:
  Adapted(double* stepsize, double* metric) : stepsize_(stepsize), metric_(metric) {}
  using stan::callbacks::structured_writer::write;
  void write(const std::string& key, double value) override {
    if (key == "stepsize") {
      *stepsize_ = value;
    }
  }
  void write(const std::string& key, const Eigen::VectorXd& value) override {
    if (key == "inv_metric") {
      std::copy(value.data(), value.data() + value.size(), metric_);
    }
  }

 private:
  double *stepsize_, *metric_;
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

// Counts iterations, and ends the chain when it is told to.
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

std::int64_t wolves_param_unc_num(const void* model) {
  return static_cast<std::int64_t>(static_cast<const Model*>(model)->num_params_r());
}

// Names of what a draw holds, sampler's columns left out, with a comma between.
const char* wolves_param_names(const void* model) {
  static thread_local std::string joined;
  std::vector<std::string> names;
  static_cast<const Model*>(model)->constrained_param_names(names, true, true);
  joined.clear();
  for (const auto& name : names) {
    joined += (joined.empty() ? "" : ",") + name;
  }
  return joined.c_str();
}

// (rows) log densities at z (rows x D); -inf where Stan rejects the point.
int wolves_log_density(const void* model, std::int64_t rows, const double* z, double* densities) {
  const auto& program = *static_cast<const Model*>(model);
  const auto size = static_cast<Eigen::Index>(program.num_params_r());
  return guarded([&] {
    for (std::int64_t i = 0; i < rows; ++i) {
      Eigen::VectorXd point = Eigen::Map<const Eigen::VectorXd>(z + i * size, size);
      try {
        densities[i] = program.log_prob_jacobian(point, nullptr);
      } catch (const std::domain_error&) {
        densities[i] = -std::numeric_limits<double>::infinity();
      }
    }
  });
}

// The same, and their gradients (rows x D); NaN where Stan rejects the point.
int wolves_log_density_gradient(const void* model, std::int64_t rows, const double* z, double* densities,
                     double* gradients) {
  const auto& program = *static_cast<const Model*>(model);
  const auto size = static_cast<Eigen::Index>(program.num_params_r());
  return guarded([&] {
    for (std::int64_t i = 0; i < rows; ++i) {
      Eigen::VectorXd point = Eigen::Map<const Eigen::VectorXd>(z + i * size, size);
      Eigen::Map<Eigen::VectorXd> into(gradients + i * size, size);
      try {
        Eigen::VectorXd found;
        densities[i] = stan::model::log_prob_grad<true, true>(program, point, found, nullptr);
        into = found;
      } catch (const std::domain_error&) {
        densities[i] = -std::numeric_limits<double>::infinity();
        into.setConstant(std::numeric_limits<double>::quiet_NaN());
      }
    }
  });
}

// What the program writes of z (rows x D): (rows x columns) parameters and quantities.
int wolves_param_constrain(const void* model, std::uint32_t seed, std::uint32_t chain,
                      std::int64_t rows, const double* z, double* written, std::int64_t columns) {
  const auto& program = *static_cast<const Model*>(model);
  const auto size = static_cast<Eigen::Index>(program.num_params_r());
  return guarded([&] {
    auto rng = stan::services::util::create_rng(seed, chain);
    for (std::int64_t i = 0; i < rows; ++i) {
      Eigen::VectorXd point = Eigen::Map<const Eigen::VectorXd>(z + i * size, size), found;
      program.write_array(rng, point, found, true, true, nullptr);
      if (found.size() != columns) {
        throw std::length_error("quantities of another number than were asked for");
      }
      std::copy(found.data(), found.data() + columns, written + i * columns);
    }
  });
}

// One chain of NUTS with a diagonal metric. With `warmup` iterations it adapts step size and
// metric from those given, and writes there what it has found; with none it takes them as
// they are. `rows` takes the draws, each with the sampler's seven columns first.
int wolves_sample(const void* model, const double* start, std::uint32_t seed, std::uint32_t chain,
                  std::int32_t warmup, std::int32_t draws, double adapt_delta,
                  std::int32_t max_depth, double* stepsize, double* metric, double* rows,
                  std::int64_t columns, double* seconds, volatile std::int64_t* done,
                  const volatile std::int32_t* stop) {
  const auto& program = *static_cast<const Model*>(model);
  const std::size_t size = program.num_params_r();
  Rows writer(rows, static_cast<std::size_t>(columns), static_cast<std::size_t>(draws));
  Lines said;
  int status = 0;
  const double began = thread_seconds();
  const int failed = guarded([&] {
    const stan::io::array_var_context init({"z"}, std::vector<double>(start, start + size),
                                           {{size}});
    const stan::io::array_var_context inverse(
        {"inv_metric"}, std::vector<double>(metric, metric + size), {{size}});
    Meter meter(done, stop);
    Adapted adapted(stepsize, metric);
    stan::callbacks::writer none;
    namespace sample = stan::services::sample;
    // Stan's defaults for what has no name here.
    status = warmup > 0
                 ? sample::hmc_nuts_diag_e_adapt(
                       program, init, inverse, seed, chain, 0, warmup, draws, 1, false, 0,
                       *stepsize, 0, max_depth, adapt_delta, 0.05, 0.75, 10, 75, 50, 25, meter,
                       said, none, writer, none, adapted)
                 : sample::hmc_nuts_diag_e(program, init, inverse, seed, chain, 0, 0, draws, 1,
                                           false, 0, *stepsize, 0, max_depth, meter, said, none,
                                           writer, none);
  });
  *seconds = thread_seconds() - began;
  if (!failed) {
    message = said.text;
  }
  return failed || status != 0 || !writer.full();
}

}  // extern "C"
