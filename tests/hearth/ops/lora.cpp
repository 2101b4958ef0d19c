// Low-rank paths beside a linear layer: values, derivatives, and bits that do not know the other segments of a pass.
#include "hearth/ops/lora.h"

#include "hearth/ops/concat.h"
#include "hearth/ops/fused_check.h"
#include "hearth/ops/matmul.h"

namespace hearth {
namespace {

using namespace fused_check;

class LoraTest : public Machine {};

LoraSegment segment(int64_t rank, int64_t in, int64_t out, int64_t begin, int64_t end, uint64_t seed, double scale) {
  return {random({rank, in}, seed).set_requires_grad(), random({out, rank}, seed + 1).set_requires_grad(), scale, begin,
          end};
}

/// Rows without a path at the beginning, between and at the end; ranks 1 to 16; one segment of one row, one of none.
struct Pass {
  explicit Pass(Dtype base = Dtype::float32, int64_t in = 40, int64_t out = 70)
      : x(random({120, in}, 1).set_requires_grad()),
        w(random({out, in}, 2, base)),
        bias(random({out}, 3).set_requires_grad()),
        dy(random({120, out}, 4)),
        segments({segment(3, in, out, 2, 9, 10, 1.75), segment(16, in, out, 9, 10, 20, 2),
                  segment(1, in, out, 10, 10, 30, 1), segment(8, in, out, 17, 83, 40, 0.5),
                  segment(5, in, out, 83, 112, 50, 1)}) {}

  Tensor composed(Dtype dtype = Dtype::float64) const {
    const Tensor wide = to(x, dtype);
    TensorList rows;
    for (int64_t r = 0; r < x.size(0); ++r) {
      const Tensor row = narrow(wide, 0, r, 1);
      Tensor y = add(matmul(row, transpose(to(w, dtype), 0, 1)), to(bias, dtype));
      for (const LoraSegment& s : segments)
        if (r >= s.begin && r < s.end) {
          const Tensor h = matmul(row, transpose(to(s.a, dtype), 0, 1));
          y = add(y, mul(matmul(h, transpose(to(s.b, dtype), 0, 1)), s.scale));
        }
      rows.push_back(y);
    }
    return cat(rows, 0);
  }
  Tensor fused() const { return lora_linear(x, PackedLinear(w), bias, segments); }

  TensorList wanted() const {
    TensorList list = {x, bias};
    for (const LoraSegment& s : segments) {
      list.push_back(s.a);
      list.push_back(s.b);
    }
    return list;
  }

  Tensor x, w, bias, dy;
  LoraSegments segments;
};

TEST_F(LoraTest, ValuesAndGradientsOfTheComposedForm) {
  const Pass pass;
  const Tensor expected = pass.composed();
  const TensorList gradients = grad({expected}, pass.wanted(), {to(pass.dy, Dtype::float64)}, {}, true);
  each_isa([&] {
    expect_close(pass.fused(), expected, 1e-5, 1e-5);
    const TensorList got = grad({pass.fused()}, pass.wanted(), {pass.dy});
    for (size_t i = 0; i < got.size(); ++i) {
      const Tensor wanted = gradients[i].defined() ? gradients[i] : zeros(got[i].shape());
      expect_close(got[i], wanted, 1e-4, 1e-4, ("gradient " + std::to_string(i)).c_str());
    }
  });
}

TEST_F(LoraTest, OnlyWantedGradients) {
  const Pass pass;
  const TensorList all = grad({pass.fused()}, pass.wanted(), {pass.dy});
  for (size_t i = 0; i < all.size(); ++i)
    EXPECT_TRUE(same_bits(grad({pass.fused()}, {pass.wanted()[i]}, {pass.dy})[0], all[i])) << i;
}

TEST_F(LoraTest, SecondDerivatives) {
  const Pass pass;
  const auto second = [&](const Tensor& y) {
    const Tensor dy = to(pass.dy, y.dtype());
    const TensorList first =
        grad({sum(y * y * dy)}, {pass.x, pass.segments[0].a, pass.segments[3].b}, {}, {.create_graph = true});
    Tensor total = scalar_tensor(0.0);
    for (const Tensor& g : first) total = add(total, sum(mul(g, g)));
    return grad({total}, {pass.segments[0].b, pass.segments[3].a});
  };
  const TensorList expected = second(pass.composed()), got = second(pass.fused());
  for (size_t i = 0; i < expected.size(); ++i) {
    double size = 0;
    for (double v : to_vector<double>(expected[i])) size = std::max(size, std::abs(v));
    expect_close(got[i], expected[i], 0, 2e-5 * size);
  }
}

/// Result, and the gradients of x, a and b, of rows [begin, end) with one segment.
TensorList alone(const Pass& pass, const LoraSegment& s) {
  const int64_t rows = s.end - s.begin;
  const Tensor x = clone(narrow(pass.x, 0, s.begin, rows).detach()).set_requires_grad();
  const Tensor y = lora_linear(x, PackedLinear(pass.w), pass.bias, s.a, s.b, s.scale);
  TensorList results = grad({y}, {x, s.a, s.b}, {narrow(pass.dy, 0, s.begin, rows)});
  results.push_back(y.detach());
  return results;
}

TEST_F(LoraTest, ASegmentsBitsAreThoseOfItAlone) {
  for (Dtype base : {Dtype::float32, Dtype::bfloat16})
    for (auto [in, out] : {std::array<int64_t, 2>{40, 70}, {192, 520}}) {
      const Pass pass(base, in, out);
      expect_thread_invariant([&] {
        const Tensor y = pass.fused();
        TensorList all = grad({y}, pass.wanted(), {pass.dy});
        all.push_back(y.detach());
        return all;
      });
      each_isa([&] {
        const Tensor y = pass.fused();
        const TensorList g = grad({y}, pass.wanted(), {pass.dy});
        for (size_t i = 0; i < pass.segments.size(); ++i) {
          const LoraSegment& s = pass.segments[i];
          if (s.begin == s.end) continue;
          const TensorList own = alone(pass, s);
          EXPECT_TRUE(same_bits(narrow(g[0], 0, s.begin, s.end - s.begin), own[0])) << i;
          EXPECT_TRUE(same_bits(g[2 + 2 * i], own[1])) << i;
          EXPECT_TRUE(same_bits(g[3 + 2 * i], own[2])) << i;
          EXPECT_TRUE(same_bits(narrow(y, 0, s.begin, s.end - s.begin), own[3])) << i;
        }
        const Tensor plain = linear(pass.x, PackedLinear(pass.w), pass.bias);
        EXPECT_TRUE(same_bits(narrow(y, 0, 10, 7), narrow(plain, 0, 10, 7))) << "rows without a path";
      });
    }
}

TEST_F(LoraTest, OneRowASegmentIsTheSameAsOneSegment) {
  // As in decoding: neighbours of one path are joined where no gradient is asked for.
  const int64_t in = 96, out = 130;
  const Tensor x = random({64, in}, 1);
  const PackedLinear w(random({out, in}, 2));
  LoraSegments paths;
  for (uint64_t k = 0; k < 8; ++k) paths.push_back(segment(16, in, out, int64_t(8 * k), int64_t(8 * k + 8), k, 2));
  LoraSegments rows;
  for (int64_t r = 0; r < 64; ++r) {
    rows.push_back(paths[size_t(r / 8)]);
    rows.back().begin = r;
    rows.back().end = r + 1;
  }
  LoraSegments turns;  // never two rows of one path together
  for (int64_t r = 0; r < 64; ++r) {
    turns.push_back(paths[size_t(r % 8)]);
    turns.back().begin = r;
    turns.back().end = r + 1;
  }
  each_isa([&] {
    const Tensor y = lora_linear(x, w, {}, paths);
    EXPECT_TRUE(same_bits(lora_linear(x, w, {}, rows), y));
    NoGrad guard;
    EXPECT_TRUE(same_bits(lora_linear(x, w, {}, rows), y));
    const Tensor z = lora_linear(x, w, {}, turns);
    for (int64_t r : {0, 13, 63}) {
      const LoraSegment& s = paths[size_t(r % 8)];
      EXPECT_TRUE(same_bits(narrow(z, 0, r, 1), lora_linear(narrow(x, 0, r, 1), w, {}, s.a, s.b, s.scale)));
    }
  });
}

TEST_F(LoraTest, AddedToAnotherProductItIsTheSameBits) {
  const Pass pass;
  const Tensor w = clone(pass.w).set_requires_grad();
  each_isa([&] {
    const Tensor fused = lora_linear(pass.x, PackedLinear(pass.w), {}, pass.segments);
    const Tensor added = lora_add(linear(pass.x, w), pass.x, pass.segments);
    EXPECT_TRUE(same_bits(added, fused));
    TensorList wanted = pass.wanted();
    wanted.erase(wanted.begin() + 1);  // no bias
    const TensorList expected = grad({fused}, wanted, {pass.dy});
    wanted.push_back(w);
    const TensorList got = grad({added}, wanted, {pass.dy});
    for (size_t i = 0; i < expected.size(); ++i)
      if (i == 0)
        expect_close(got[i], expected[i], 1e-5, 1e-5);
      else
        EXPECT_TRUE(same_bits(got[i], expected[i])) << i;
    expect_close(got.back(), matmul(transpose(pass.dy, 0, 1), pass.x), 1e-5, 1e-5);
  });
}

TEST_F(LoraTest, EmptyAndWrong) {
  const Pass pass;
  const PackedLinear w(pass.w);
  const LoraSegment& s = pass.segments[0];
  EXPECT_EQ(lora_linear(zeros({0, 40}), w, {}, s.a, s.b, 1).shape(), (Shape{0, 70}));
  EXPECT_TRUE(same_bits(lora_linear(pass.x, w, {}, LoraSegments{}), linear(pass.x, w)));
  EXPECT_THROW(lora_linear(pass.x, w, {}, s.b, s.a, 1), ShapeError);
  EXPECT_THROW(lora_linear(zeros({3, 5}), w, {}, s.a, s.b, 1), ShapeError);
  EXPECT_THROW(lora_linear(zeros({40}), w, {}, s.a, s.b, 1), ShapeError);
  EXPECT_THROW(lora_linear(to(pass.x, Dtype::float64), w, {}, s.a, s.b, 1), DtypeError);
  EXPECT_THROW(lora_linear(pass.x, w, {}, to(s.a, Dtype::float64), s.b, 1), DtypeError);
  const auto with_rows = [&](std::vector<std::array<int64_t, 2>> ranges) {
    LoraSegments segments;
    for (auto [begin, end] : ranges) segments.push_back({s.a, s.b, 1, begin, end});
    return lora_linear(pass.x, w, {}, segments);
  };
  EXPECT_THROW(with_rows({{0, 121}}), ValueError);
  EXPECT_THROW(with_rows({{-1, 3}}), ValueError);
  EXPECT_THROW(with_rows({{4, 3}}), ValueError);
  EXPECT_THROW(with_rows({{0, 5}, {4, 8}}), ValueError);
  EXPECT_THROW(with_rows({{5, 8}, {0, 5}}), ValueError);
}

TEST_F(LoraTest, WeightsWrittenBeforeBackwardAreNoticed) {
  const Pass pass;
  const Tensor y = pass.fused();
  {
    NoGrad guard;
    fill_(pass.segments[3].a, 0);
  }
  EXPECT_THROW(grad({y}, {pass.x}, {pass.dy}), ValueError);
}

}  // namespace
}  // namespace hearth
