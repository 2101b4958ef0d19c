// uint16, uint32 and uint64: arithmetic wraps in the type's own width, and order is that of unsigned numbers.
#include <gtest/gtest.h>

#include "hearth/hearth.h"

namespace hearth {
namespace {

constexpr uint64_t most = ~uint64_t(0), half = uint64_t(1) << 63;

Tensor large() { return from_values<uint64_t>({most, 5, half, 7, 0}); }
Tensor other() { return from_values<uint64_t>({2, 5, half + 3, 9, most}); }

using Words = std::vector<uint64_t>;

Words words(const Tensor& x) { return to_vector<uint64_t>(x); }
std::vector<uint8_t> bools(const Tensor& x) { return to_vector<uint8_t>(x); }

TEST(Unsigned, ArithmeticWrapsInTheTypesWidth) {
  const Tensor a = from_values<uint16_t>({65535, 3, 40000}), b = from_values<uint16_t>({2, 5, 40000});
  EXPECT_EQ(to_vector<int64_t>(add(a, b)), (std::vector<int64_t>{1, 8, 14464}));
  EXPECT_EQ(to_vector<int64_t>(sub(a, b)), (std::vector<int64_t>{65533, 65534, 0}));
  EXPECT_EQ(to_vector<int64_t>(mul(a, b)), (std::vector<int64_t>{65534, 15, 1600000000 % 65536}));
  EXPECT_EQ(to_vector<int64_t>(neg(from_values<uint32_t>({1, 0}))), (std::vector<int64_t>{4294967295, 0}));
  EXPECT_EQ(to_vector<int64_t>(bitwise_not(from_values<uint32_t>({1}))), (std::vector<int64_t>{4294967294}));
  EXPECT_EQ(add(a, 1).dtype(), Dtype::uint16);
  EXPECT_EQ(div(a, b).dtype(), Dtype::float32);
  EXPECT_THROW(add(a, from_values<int32_t>({1, 2, 3})), DtypeError);
  EXPECT_EQ(words(mul(large(), 3)), (Words{most - 2, 15, half, 21, 0}));
}

TEST(Unsigned, LargeNumbersDivideAndShiftUnsigned) {
  const Tensor x = large(), three = full({5}, 3, Dtype::uint64);
  EXPECT_EQ(words(floor_divide(x, three)), (Words{most / 3, 1, half / 3, 2, 0}));
  EXPECT_EQ(words(remainder(x, three)), (Words{most % 3, 2, half % 3, 1, 0}));
  EXPECT_EQ(words(fmod(x, three)), (Words{most % 3, 2, half % 3, 1, 0}));
  EXPECT_EQ(words(div(x, three, Rounding::trunc)), (Words{most / 3, 1, half / 3, 2, 0}));
  EXPECT_THROW(floor_divide(x, x), ValueError);
  EXPECT_EQ(words(bitwise_right_shift(x, full({5}, 60, Dtype::uint64))), (Words{15, 0, 8, 0, 0}));
  EXPECT_EQ(words(bitwise_right_shift(x, full({5}, 64, Dtype::uint64))), (Words{0, 0, 0, 0, 0}));
  EXPECT_EQ(words(bitwise_left_shift(x, full({5}, 63, Dtype::uint64))), (Words{half, half, 0, half, 0}));
  EXPECT_EQ(words(bitwise_and(x, other())), (Words{2, 5, half, 1, 0}));
  EXPECT_EQ(words(bitwise_xor(x, other())), (Words{most - 2, 0, 3, 14, most}));
  EXPECT_EQ(words(pow(from_values<uint64_t>({3, most}), 2)), (Words{9, 1}));
  EXPECT_EQ(to_vector<double>(div(to(x, Dtype::float64), 1.0)), (std::vector<double>{0x1p64, 5, 0x1p63, 7, 0}));
}

TEST(Unsigned, OrderIsUnsigned) {
  const Tensor x = large(), y = other();
  EXPECT_EQ(bools(lt(x, y)), (std::vector<uint8_t>{0, 0, 1, 1, 1}));
  EXPECT_EQ(bools(le(x, y)), (std::vector<uint8_t>{0, 1, 1, 1, 1}));
  EXPECT_EQ(bools(gt(x, y)), (std::vector<uint8_t>{1, 0, 0, 0, 0}));
  EXPECT_EQ(bools(ge(x, y)), (std::vector<uint8_t>{1, 1, 0, 0, 0}));
  EXPECT_EQ(bools(eq(x, y)), (std::vector<uint8_t>{0, 1, 0, 0, 0}));
  EXPECT_EQ(bools(ne(x, 7)), (std::vector<uint8_t>{1, 1, 1, 0, 1}));
  EXPECT_EQ(words(maximum(x, y)), (Words{most, 5, half + 3, 9, most}));
  EXPECT_EQ(words(minimum(x, y)), (Words{2, 5, half, 7, 0}));
  EXPECT_EQ(words(clamp(x, 6, most - 1)), (Words{most - 1, 6, half, 7, 6}));
  EXPECT_EQ(words(sort(x).values), (Words{0, 5, 7, half, most}));
  EXPECT_EQ(words(topk(x, 2).values), (Words{most, half}));
  EXPECT_EQ(words(kthvalue(x, 4).values), Words{half});
  EXPECT_EQ(words(median(x)), Words{7});
  EXPECT_EQ(words(unique(x).values), (Words{0, 5, 7, half, most}));
  EXPECT_EQ(words(amax(x)), Words{most});
  EXPECT_EQ(words(amin(reshape(narrow(x, 0, 0, 4), {2, 2}), {1})), (Words{5, 7}));
  EXPECT_EQ(argmax(narrow(x, 0, 1, 4)).item_int(), 1);
  EXPECT_EQ(words(max(reshape(narrow(x, 0, 0, 4), {2, 2}), 0).values), (Words{most, 7}));
  EXPECT_EQ(words(cummax(narrow(x, 0, 1, 4), 0).values), (Words{5, half, half, half}));
  EXPECT_EQ(words(sign(x)), (Words{1, 1, 1, 1, 0}));
  EXPECT_EQ(words(relu(x)), words(x));
  EXPECT_EQ(words(abs(x)), words(x));
}

TEST(Unsigned, ReductionsAndIndexing) {
  const Tensor x = from_values<uint32_t>({4000000000, 4000000000, 3}), at = from_values<int64_t>({2, 0, 0});
  EXPECT_EQ(sum(x).dtype(), Dtype::int64);
  EXPECT_EQ(sum(x).item_int(), 8000000003);
  EXPECT_EQ(to_vector<int64_t>(cumsum(x, 0)), (std::vector<int64_t>{4000000000, 8000000000, 8000000003}));
  EXPECT_EQ(any(x).item(), 1);
  EXPECT_EQ(count_nonzero(x).item(), 3);
  EXPECT_EQ(to_vector<int64_t>(index_select(x, 0, at)), (std::vector<int64_t>{3, 4000000000, 4000000000}));
  EXPECT_EQ(to_vector<int64_t>(scatter_add(x, 0, at, x)),
            (std::vector<int64_t>{4000000003 + 4000000000 - 4294967296, 4000000000, 4000000003}));
  EXPECT_EQ(words(scatter_reduce(zeros({2}, Dtype::uint64), 0, zeros({5}, Dtype::int64), large(), ScatterReduce::amin,
                                 false)),
            (Words{0, 0}));
  EXPECT_EQ(words(scatter_reduce(zeros({2}, Dtype::uint64), 0, zeros({5}, Dtype::int64), large(), ScatterReduce::amax)),
            (Words{most, 0}));
  EXPECT_EQ(to_vector<int64_t>(where(gt(x, 5), x, 1)), (std::vector<int64_t>{4000000000, 4000000000, 1}));
  EXPECT_EQ(to_vector<int64_t>(cat({x, x}, 0)).size(), 6u);
  EXPECT_EQ(words(matmul(reshape(large(), {1, 5}), reshape(full({5}, 1, Dtype::uint64), {5, 1}))), Words{half + 11});
  EXPECT_EQ(bools(searchsorted(from_values<uint64_t>({3, half, most}), from_values<uint64_t>({half + 1}))),
            std::vector<uint8_t>{2});
  EXPECT_EQ(to_vector<int64_t>(index_select(large(), 0, from_values<uint16_t>({1, 3}))), (std::vector<int64_t>{5, 7}));
  EXPECT_EQ(words(masked_fill(large(), eq(large(), 0), most)), (Words{most, 5, half, 7, most}));
}

}  // namespace
}  // namespace hearth
