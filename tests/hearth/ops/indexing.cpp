// Brackets: PyTorch's values for every kind of entry, views, writes, wrong input.
#include "hearth/ops/indexing.h"

#include <gtest/gtest.h>

#include <limits>

#include "frozen.h"
#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

using frozen::Keywords;

Tensor ids(std::initializer_list<int64_t> values, const Shape& shape) { return from_values<int64_t>(values, shape); }

std::optional<int64_t> bound(const std::string& text) {
  if (text.empty()) return {};
  return std::stoll(text);
}

/// One entry of Python's brackets; i, j, m name tensors.
Index parse_entry(const std::string& text, const TensorList& tensors) {
  if (text == "...") return Ellipsis;
  if (text == "None") return None;
  if (text == "i" || text == "m") return tensors.front();
  if (text == "j") return tensors.back();
  const size_t first = text.find(':');
  if (first == std::string::npos) return int64_t(std::stoll(text));
  const size_t second = text.find(':', first + 1);
  const std::string step = second == std::string::npos ? "" : text.substr(second + 1);
  return Slice(bound(text.substr(0, first)), bound(text.substr(first + 1, second - first - 1)),
               step.empty() ? 1 : std::stoll(step));
}

std::vector<Index> parse(const std::string& text, const TensorList& tensors) {
  std::vector<Index> indices;
  size_t at = 0;
  while (at <= text.size()) {
    const size_t comma = std::min(text.find(',', at), text.size());
    std::string entry = text.substr(at, comma - at);
    entry.erase(0, entry.find_first_not_of(' '));
    indices.push_back(parse_entry(entry, tensors));
    at = comma + 1;
  }
  return indices;
}

TEST(Indexing, AgreesWithPyTorch) {
  frozen::check_op("getitem", [](const TensorList& x, const Keywords& k) {
    return TensorList{index(x[0], parse(k.text("index", ""), TensorList(x.begin() + 1, x.end())))};
  });
  const auto put = [](const TensorList& x, const Keywords& k) {
    return TensorList{index_put(x[0], parse(k.text("index", ""), TensorList(x.begin() + 2, x.end())), x[1],
                                k.flag("accumulate", false))};
  };
  frozen::check_op("index_put", put);
  frozen::check_op("setitem", put);
}

TEST(Indexing, MixturesAgreeWithLoops) {
  const Tensor x = fused_check::random({4, 5, 6}, 1, Dtype::float64);
  const std::vector<double> v = to_vector<double>(x);
  const auto at = [&](int64_t a, int64_t b, int64_t c) { return v[size_t((a * 5 + b) * 6 + c)]; };
  const Tensor rows = ids({3, -4}, {2, 1}), columns = ids({5, 0, -2}, {3});
  // Tensors apart: their dimensions come first.
  const Tensor apart = index(x, {rows, Slice(1, None, 2), columns});
  ASSERT_EQ(apart.shape(), (Shape{2, 3, 2}));
  const int64_t r[] = {3, 0}, c[] = {5, 0, 4};
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t j = 0; j < 3; ++j)
      for (int64_t k = 0; k < 2; ++k)
        EXPECT_EQ(index(apart, {int(i), int(j), int(k)}).item(), at(r[i], 1 + 2 * k, c[j]));
  // An integer is taken before the tensors, so a lone tensor stays where it is.
  const Tensor beside = index(x, {1, None, Ellipsis, columns});
  ASSERT_EQ(beside.shape(), (Shape{1, 5, 3}));
  EXPECT_EQ(index(beside, {0, 2, 1}).item(), at(1, 2, 0));
  // A mask over two dimensions with a tensor that broadcasts against what it selects.
  Tensor mask = zeros({4, 5}, Dtype::boolean);
  index_put_(mask, {1, 2}, 1);
  index_put_(mask, {3, 4}, 1);
  const Tensor masked = index(x, {mask, ids({5, 1}, {2})});
  EXPECT_EQ(to_vector<double>(masked), (std::vector<double>{at(1, 2, 5), at(3, 4, 1)}));
  EXPECT_EQ(index(x, {true}).shape(), (Shape{1, 4, 5, 6}));
  EXPECT_EQ(index(x, {false, 2}).shape(), (Shape{0, 5, 6}));
  EXPECT_EQ(index(x, {zeros({0}, Dtype::int64), Ellipsis, 0}).shape(), (Shape{0, 5}));
  EXPECT_EQ(index(x, {scalar_tensor(2), Slice(-2, None)}).shape(), (Shape{2, 6}));
  const int64_t most = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(index(x, {Slice(-most, most, most), Slice(most, None)}).shape(), (Shape{1, 0, 6}));
}

TEST(Indexing, BasicIndexingIsAView) {
  const Tensor x = zeros({3, 4}, Dtype::float64);
  const Tensor row = index(x, {1, Slice(None, None, 2)});
  EXPECT_EQ(row.storage(), x.storage());
  index_put_(row, {Ellipsis}, from_values<double>({5, 6}));
  EXPECT_EQ(to_vector<double>(x), (std::vector<double>{0, 0, 0, 0, 5, 0, 6, 0, 0, 0, 0, 0}));
}

TEST(Indexing, WritesWithHistory) {
  const Tensor leaf = from_values<double>({1, 2, 3, 4, 5, 6}, {2, 3}).set_requires_grad();
  const Tensor value = from_values<double>({10}).set_requires_grad();
  const TensorFunction f = [](const TensorList& v) {
    Tensor x = v[0] * v[0];
    index_put_(x, {Slice(), ids({2, 0, 2}, {3})}, v[1] * v[1], true);
    index_put_(x, {0, ids({1}, {1})}, v[1] * 3);
    index_put_(x, {Slice(1, 2), 2}, v[1]);
    return TensorList{x * x};
  };
  EXPECT_LT(gradcheck(f, {leaf, value}), 1e-6);
  EXPECT_LT(gradgradcheck(f, {leaf, value}), 1e-6);
  const Tensor doubled = leaf * 1;
  index_put_(doubled, {0, 0}, 1.5, true);
  EXPECT_EQ(index(doubled, {0, 0}).item(), 2.5);
}

TEST(Indexing, WritesDirectlyOnAnyNumberOfThreads) {
  const Tensor at = Tensor::empty({4000}, Dtype::int64);
  for (int64_t i = 0; i < 4000; ++i) at.data<int64_t>()[i] = i * 31 % 7 - 3;
  const Tensor value = fused_check::random({4000, 200}, 5);
  const int threads = cpu::num_threads();
  Tensor first;
  for (int count : {1, 2, 3}) {
    cpu::set_num_threads(count);
    const Tensor x = zeros({7, 200});
    index_put_(x, {at}, value, true);
    if (!first.defined()) first = x;
    EXPECT_TRUE(fused_check::same_bits(first, x)) << count;
  }
  cpu::set_num_threads(threads);
  const Tensor x = from_values<int64_t>({1, 2, 3, 4});
  index_put_(x, {ids({3, 0}, {2})}, index(x, {Slice(0, 2)}));
  EXPECT_EQ(to_vector<int64_t>(x), (std::vector<int64_t>{2, 2, 3, 1}));
}

TEST(Indexing, RefusesWrongInput) {
  const Tensor x = zeros({3, 4});
  try {
    index(x, {Slice(), ids({4}, {1})});
    FAIL();
  } catch (const IndexError& error) {
    EXPECT_STREQ(error.what(), "index: index 4 is out of bounds for dimension 1 with size 4");
  }
  EXPECT_THROW(index(x, {3}), IndexError);
  EXPECT_THROW(index(x, {-4}), IndexError);
  EXPECT_THROW(index(x, {0, 0, 0}), IndexError);
  EXPECT_THROW(index(x, {Ellipsis, Ellipsis}), IndexError);
  EXPECT_THROW(index(x, {zeros({4}, Dtype::boolean)}), IndexError);
  EXPECT_THROW(index(x, {zeros({2})}), DtypeError);
  EXPECT_THROW(index(x, {Tensor()}), IndexError);
  EXPECT_THROW(index(x, {ids({0, 1}, {2}), ids({0, 1, 2}, {3})}), ShapeError);
  EXPECT_THROW(index(x, {Slice(0, 2, -1)}), ValueError);
  EXPECT_THROW(index_put_(x, {ids({0, 1}, {2})}, zeros({3})), ShapeError);
  EXPECT_THROW(index_put_(expand(zeros({1}), {3}), {ids({0}, {1})}, 1), ValueError);
}

}  // namespace
}  // namespace hearth
