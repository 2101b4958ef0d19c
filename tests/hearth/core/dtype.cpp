// Dtypes: names, categories, promotion, numbers, and casts between all of them.
#include "hearth/core/dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/core/default_dtype.h"
#include "hearth/core/dispatch.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/reduce.h"

namespace hearth {
namespace {

using c64 = std::complex<float>;
using c128 = std::complex<double>;

TEST(Dtype, EveryTypeHasANameASizeAndOneCategory) {
  for (int i = 0; i < dtype_count; ++i) {
    const Dtype d = Dtype(i);
    EXPECT_EQ(dtype_from_name(dtype_name(d)), d);
    EXPECT_EQ(int(d == Dtype::boolean) + is_integral(d) + is_floating(d) + is_complex(d), 1) << d;
    EXPECT_EQ(is_differentiable(d), is_floating(d) || is_complex(d));
    dispatch(AllTypes{}, d, "test", [&]<class T>() { EXPECT_EQ(dtype_size(d), sizeof(T)); });
  }
  EXPECT_EQ(dtype_name(Dtype::complex64), "complex64");
  EXPECT_EQ(real_type(Dtype::complex128), Dtype::float64);
  EXPECT_EQ(complex_type(Dtype::float16), Dtype::complex64);
  EXPECT_EQ(complex_type(Dtype::float64), Dtype::complex128);
}

TEST(Dtype, ComplexPromotesAsPyTorchDoes) {
  EXPECT_EQ(promote_types(Dtype::complex64, Dtype::float64), Dtype::complex128);
  EXPECT_EQ(promote_types(Dtype::float16, Dtype::complex64), Dtype::complex64);
  EXPECT_EQ(promote_types(Dtype::int64, Dtype::complex64), Dtype::complex64);
  EXPECT_EQ(promote_types(Dtype::boolean, Dtype::complex128), Dtype::complex128);
  EXPECT_EQ(promote_types(Dtype::complex64, Dtype::complex128), Dtype::complex128);
  const Scalar j = c128(0, 1);
  const auto with_j = [&](Dtype d) { return result_type(zeros({2}, d), j); };
  EXPECT_EQ(with_j(Dtype::int32), Dtype::complex64);
  EXPECT_EQ(with_j(Dtype::float32), Dtype::complex64);
  EXPECT_EQ(with_j(Dtype::float64), Dtype::complex128);
  EXPECT_EQ(with_j(Dtype::complex64), Dtype::complex64);
  EXPECT_EQ(result_type(zeros({2}, Dtype::float64), zeros({}, Dtype::complex64)), Dtype::complex128);
  EXPECT_EQ(result_type(zeros({2}, Dtype::float32), zeros({}, Dtype::complex128)), Dtype::complex64);
  EXPECT_EQ(result_type(zeros({2}, Dtype::int8), zeros({}, Dtype::complex128)), Dtype::complex128);
}

TEST(Dtype, WideUnsignedTypesPromoteWithFloatsOnly) {
  EXPECT_EQ(promote_types(Dtype::uint16, Dtype::uint16), Dtype::uint16);
  EXPECT_EQ(promote_types(Dtype::uint64, Dtype::bfloat16), Dtype::bfloat16);
  EXPECT_THROW(promote_types(Dtype::uint16, Dtype::int8), DtypeError);
  EXPECT_THROW(promote_types(Dtype::uint16, Dtype::uint32), DtypeError);
  EXPECT_THROW(promote_types(Dtype::uint32, Dtype::boolean), DtypeError);
  EXPECT_THROW(promote_types(Dtype::complex64, Dtype::uint64), DtypeError);
  EXPECT_EQ(result_type(zeros({2}, Dtype::uint16), Scalar(3)), Dtype::uint16);
  EXPECT_EQ(result_type(zeros({2}, Dtype::uint64), Scalar(1.5)), Dtype::float32);
  EXPECT_EQ(result_type(zeros({2}, Dtype::uint16), zeros({}, Dtype::int64)), Dtype::uint16);
}

TEST(Scalar, TakesTheDefaultFloatingType) {
  set_default_dtype(Dtype::float64);
  EXPECT_EQ(result_type(zeros({2}, Dtype::int32), Scalar(1.5)), Dtype::float64);
  EXPECT_EQ(result_type(zeros({2}, Dtype::int32), Scalar(c128(0, 1))), Dtype::complex128);
  EXPECT_EQ(exp(ones({2}, Dtype::int32)).dtype(), Dtype::float64);
  set_default_dtype(Dtype::float32);
  EXPECT_EQ(exp(ones({2}, Dtype::int32)).dtype(), Dtype::float32);
}

TEST(Scalar, KeepsItsKind) {
  EXPECT_EQ(Scalar(c128(2, 0)).to_double(), 2);
  EXPECT_THROW(Scalar(c128(2, 1)).to_double(), DtypeError);
  EXPECT_THROW(Scalar(c128(2, 1)).to_int64(), DtypeError);
  EXPECT_EQ(Scalar(3).to_complex(), c128(3, 0));
  EXPECT_EQ(Scalar(uint64_t(7)).dtype(), Dtype::int64);
  EXPECT_EQ(Scalar(~uint64_t(0)).dtype(), Dtype::uint64);
  EXPECT_EQ(Scalar(~uint64_t(0)).to_double(), 0x1p64);
  EXPECT_EQ(full({}, ~uint64_t(0), Dtype::uint64).item_scalar().to_double(), 0x1p64);
  EXPECT_EQ(full({}, c128(1, -2), Dtype::complex64).item_scalar().to_complex(), c128(1, -2));
  EXPECT_TRUE(full({}, true, Dtype::boolean).item_scalar().is_bool());
  EXPECT_THROW(full({}, c128(1, -2), Dtype::complex64).item(), DtypeError);
  EXPECT_THROW(full({}, c128(1, -2), Dtype::float32), DtypeError);
}

TEST(Cast, EveryTypeToEveryType) {
  for (int from = 0; from < dtype_count; ++from)
    for (int to_type = 0; to_type < dtype_count; ++to_type) {
      // Large, strided and starting inside the storage: every path of the copy kernel.
      const Tensor whole = full({3, 40, 70}, 0, Dtype(from));
      const Tensor ones_at = whole.alias({40, 35}, {70, 2}, 2801);
      kernels::fill(Device{}, ones_at, 1);
      const Tensor y = to(ones_at, Dtype(to_type));
      EXPECT_EQ(y.dtype(), Dtype(to_type));
      EXPECT_EQ(sum(to(y, Dtype::float64)).item(), 1400) << Dtype(from) << " to " << Dtype(to_type);
      EXPECT_EQ(sum(to(to(whole, Dtype(to_type)), Dtype::float64)).item(), 1400);
    }
}

TEST(Cast, ComplexKeepsOrDropsParts) {
  const Tensor z = from_values<c64>({{1.5f, -2}, {0, 3}, {0, 0}});
  EXPECT_EQ(to_vector<c128>(z), (std::vector<c128>{{1.5, -2}, {0, 3}, {0, 0}}));
  EXPECT_EQ(to_vector<float>(z), (std::vector<float>{1.5, 0, 0}));
  EXPECT_EQ(to_vector<int64_t>(z), (std::vector<int64_t>{1, 0, 0}));
  EXPECT_EQ(to_vector<uint8_t>(to(z, Dtype::boolean)), (std::vector<uint8_t>{1, 1, 0}));
  EXPECT_EQ(to_vector<c64>(from_values<int32_t>({-1, 2})), (std::vector<c64>{-1, 2}));
}

TEST(Cast, UnsignedWrapsAndKeepsLargeNumbers) {
  constexpr uint64_t most = ~uint64_t(0);
  EXPECT_EQ(to_vector<double>(from_values<uint64_t>({most, 5})), (std::vector<double>{0x1p64, 5}));
  EXPECT_EQ(to_vector<uint64_t>(from_values<int64_t>({-1})), std::vector<uint64_t>{most});
  EXPECT_EQ(to_vector<uint64_t>(from_values<double>({-1.5, 3e9, 1e19})),
            (std::vector<uint64_t>{most, 3000000000u, 10000000000000000000u}));
  EXPECT_EQ(to_vector<int64_t>(to(from_values<double>({-1.5, 70000}), Dtype::uint16)),
            (std::vector<int64_t>{65535, 4464}));
  EXPECT_EQ(to_vector<int64_t>(to(from_values<double>({3e9}), Dtype::uint32)), std::vector<int64_t>{3000000000});
  EXPECT_EQ(to_vector<int64_t>(arange(0, 4, 1, Dtype::uint16)), (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_THROW(arange(0, 4, 1, Dtype::complex64), DtypeError);
}

}  // namespace
}  // namespace hearth
