// Runs an op on PyTorch's frozen cases (tests/data/ops.*): in float32, in float64 and on inputs with other layouts,
// values and gradients.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hearth/autograd/engine.h"
#include "hearth/io/json.h"
#include "hearth/io/safetensors.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth::frozen {

/// PyTorch's keyword arguments of a case.
class Keywords {
 public:
  explicit Keywords(const boost::json::object& object) : object_(&object) {}
  bool has(const char* name) const { return object_->contains(name) && !object_->at(name).is_null(); }
  double number(const char* name, double otherwise) const {
    return has(name) ? object_->at(name).to_number<double>() : otherwise;
  }
  int64_t integer(const char* name, int64_t otherwise) const {
    return has(name) ? object_->at(name).to_number<int64_t>() : otherwise;
  }
  bool flag(const char* name, bool otherwise) const { return has(name) ? object_->at(name).as_bool() : otherwise; }
  std::string text(const char* name, const char* otherwise) const {
    return has(name) && object_->at(name).is_string() ? std::string(object_->at(name).as_string()) : otherwise;
  }
  /// A list, or one number as a list of one.
  std::vector<int64_t> integers(const char* name, std::vector<int64_t> otherwise = {}) const {
    if (!has(name)) return otherwise;
    return list(object_->at(name));
  }
  const boost::json::value& raw(const char* name) const { return object_->at(name); }

  static std::vector<int64_t> list(const boost::json::value& value) {
    if (!value.is_array()) return {value.to_number<int64_t>()};
    std::vector<int64_t> values;
    for (const boost::json::value& v : value.as_array()) values.push_back(v.to_number<int64_t>());
    return values;
  }

 private:
  const boost::json::object* object_;
};

using Function = std::function<TensorList(const TensorList& inputs, const Keywords& keywords)>;

struct Tolerance {
  double float32 = 2e-5;
  double float64 = 1e-6;  ///< the expected values are stored in float32
};

struct Data {
  boost::json::value json;
  SafetensorsFile tensors;
  static const Data& get() {
    static const Data data{read_json(HEARTH_TEST_DATA "/ops.json"),
                           SafetensorsFile::open(HEARTH_TEST_DATA "/ops.safetensors")};
    return data;
  }
};

inline void expect_close(const Tensor& seen, const Tensor& expected, double tolerance, const std::string& what) {
  ASSERT_TRUE(seen.defined()) << what;
  ASSERT_EQ(seen.shape(), expected.shape()) << what;
  if (!is_floating(expected.dtype())) {
    ASSERT_EQ(seen.dtype(), expected.dtype()) << what;
    ASSERT_EQ(to_vector<int64_t>(seen), to_vector<int64_t>(expected)) << what;
    return;
  }
  const std::vector<double> a = to_vector<double>(seen.detach()), b = to_vector<double>(expected);
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(b[i]) && std::isnan(a[i])) continue;
    if (a[i] == b[i]) continue;
    ASSERT_LE(std::fabs(a[i] - b[i]), tolerance * std::max(1.0, std::fabs(b[i])))
        << what << ": element " << i << " is " << a[i] << " instead of " << b[i];
  }
}

/// The same values, laid out with the dimensions in reverse order in memory and a gap at the front.
inline Tensor rearranged(const Tensor& x) {
  if (x.dim() < 1 || x.numel() == 0) return clone(x);
  Shape reversed;
  for (int d = x.dim() - 1; d >= 0; --d) reversed.push_back(d);
  const Tensor other = clone(permute(x, reversed));
  Shape gapped = other.shape();
  gapped[0] += 1;
  Tensor memory = zeros(gapped, x.dtype());
  const Tensor place = narrow(memory, 0, 1, other.shape()[0]);
  NoGrad guard;
  Tensor flat = place.detach();
  for (int64_t i = 0; i < flat.size(0); ++i) {
    const size_t bytes = size_t(other.numel() / other.size(0)) * dtype_size(x.dtype());
    if (bytes)
      std::memcpy(static_cast<char*>(flat.raw()) + size_t(i) * bytes,
                  static_cast<const char*>(other.raw()) + size_t(i) * bytes, bytes);
  }
  return permute(flat, reversed).detach();
}

enum class Layout { plain, reversed };

struct Case {
  std::string id;
  const boost::json::object& row;

  Tensor tensor(const char* kind, int64_t i) const {
    return Data::get().tensors.tensor(id + "/" + kind + std::to_string(i));
  }
  std::vector<int64_t> list(const char* name) const { return Keywords::list(row.at(name)); }

  bool is_narrow() const {
    for (int64_t i = 0; i < row.at("inputs").to_number<int64_t>(); ++i)
      if (const Dtype dtype = tensor("in", i).dtype(); dtype == Dtype::float16 || dtype == Dtype::bfloat16) return true;
    return false;
  }

  void run(const Function& f, bool wide, Layout layout, double tolerance) const {
    TensorList inputs;
    for (int64_t i = 0; i < row.at("inputs").to_number<int64_t>(); ++i) {
      Tensor x = clone(tensor("in", i));
      if (wide && is_floating(x.dtype())) x = to(x, Dtype::float64);
      if (layout == Layout::reversed) x = rearranged(x);
      inputs.push_back(x);
    }
    const std::vector<int64_t> gin = list("gin"), gout = list("gout");
    TensorList wanted;
    for (int64_t i : gin) wanted.push_back(inputs[size_t(i)].set_requires_grad());
    const TensorList outputs = f(inputs, Keywords(row.at("kwargs").as_object()));
    const std::string what = id + (wide ? " float64" : " stored dtype") + (layout == Layout::plain ? "" : " reversed");
    ASSERT_EQ(int64_t(outputs.size()), row.at("outputs").to_number<int64_t>()) << what;
    for (size_t i = 0; i < outputs.size(); ++i)
      expect_close(outputs[i], tensor("out", int64_t(i)), tolerance, what + " output " + std::to_string(i));
    if (gin.empty() || ::testing::Test::HasFatalFailure()) return;
    TensorList from, gradients;
    for (int64_t i : gout) {
      if (!outputs[size_t(i)].requires_grad()) continue;
      from.push_back(outputs[size_t(i)]);
      gradients.push_back(to(tensor("gout", i), outputs[size_t(i)].dtype()));
    }
    const TensorList seen = grad(from, wanted, gradients, {}, true);
    for (size_t i = 0; i < gin.size(); ++i) {
      const Tensor g = seen[i].defined() ? seen[i] : zeros_like(wanted[i]);
      expect_close(g, tensor("gin", gin[i]), tolerance * 5, what + " gradient " + std::to_string(gin[i]));
    }
  }
};

/// Every frozen case of `op`, with f as the op. Fails when there is none.
inline void check_op(const char* op, const Function& f, Tolerance tolerance = {}) {
  int found = 0;
  for (const boost::json::value& value : Data::get().json.at("cases").as_array()) {
    const boost::json::object& row = value.as_object();
    if (row.at("op").as_string() != op) continue;
    ++found;
    const Case one{std::string(row.at("id").as_string()), row};
    try {
      one.run(f, false, Layout::plain, tolerance.float32);
      // Expected values that were rounded to 16 bits are no measure for float64.
      if (one.is_narrow()) continue;
      one.run(f, true, Layout::plain, tolerance.float64);
      one.run(f, true, Layout::reversed, tolerance.float64);
    } catch (const Error& error) {
      ADD_FAILURE() << one.id << ": " << error.what();
    }
    if (::testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(found, 0) << "no frozen case of " << op;
}

}  // namespace hearth::frozen
