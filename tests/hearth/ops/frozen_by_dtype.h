// Frozen cases of an op whose inputs are of several dtypes: each with the tolerance of its own.
#pragma once

#include "hearth/ops/frozen.h"

namespace hearth::fused_check {

/// Every frozen case of PyTorch's `op`, each with the tolerance of its input's dtype.
inline void check_frozen(const char* op, const frozen::Function& f, double float32 = 2e-5) {
  int found = 0;
  for (const boost::json::value& value : frozen::Data::get().json.at("cases").as_array()) {
    const boost::json::object& row = value.as_object();
    if (row.at("op").as_string() != op) continue;
    ++found;
    const frozen::Case one{std::string(row.at("id").as_string()), row};
    const Dtype dtype = one.tensor("in", 0).dtype();
    const double narrow = dtype == Dtype::bfloat16 ? 8e-3 : dtype == Dtype::float16 ? 1e-3 : 0;
    one.run(f, false, frozen::Layout::plain, narrow > 0 ? narrow : float32);
    one.run(f, true, frozen::Layout::plain, narrow > 0 ? narrow : 1e-6);
    one.run(f, true, frozen::Layout::reversed, narrow > 0 ? narrow : 1e-6);
    if (::testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(found, 0) << "no frozen case of " << op;
}

}  // namespace hearth::fused_check
