// Random tensors: the same numbers as PyTorch draws on the CPU from the same seed.
#pragma once

#include <optional>

#include "hearth/core/random.h"
#include "hearth/core/tensor.h"

namespace hearth {

// `generator` is the default one when null. Numbers are drawn one after the other in row-major order (in memory order
// for a permuted tensor that is filled in place).

/// Uniform in [0, 1). Example: manual_seed(0); Tensor x = rand({2, 3});
Tensor rand(const Shape& shape, Dtype dtype = Dtype::float32, Generator* generator = nullptr);
/// Standard normal.
Tensor randn(const Shape& shape, Dtype dtype = Dtype::float32, Generator* generator = nullptr);
Tensor rand_like(const Tensor& x, Generator* generator = nullptr);
Tensor randn_like(const Tensor& x, Generator* generator = nullptr);
/// Whole numbers in [low, high). Raises ValueError when the range is empty.
Tensor randint(int64_t low, int64_t high, const Shape& shape, Dtype dtype = Dtype::int64,
               Generator* generator = nullptr);
/// A permutation of 0 ... n - 1. Raises ValueError for a negative n.
Tensor randperm(int64_t n, Dtype dtype = Dtype::int64, Generator* generator = nullptr);
/// 1 with the probability that each element of `p` states, else 0; p's dtype. Raises ValueError outside [0, 1].
Tensor bernoulli(const Tensor& p, Generator* generator = nullptr);
/// `count` indices drawn by weight from each row of probs [n] or [rows, n]; int64 [count] or [rows, count]. Raises
/// ValueError for negative, infinite or all-zero weights, or more draws than categories without replacement.
Tensor multinomial(const Tensor& probs, int64_t count, bool replacement = false, Generator* generator = nullptr);
/// Normal numbers with a mean and a deviation for each element (broadcast).
Tensor normal(const Tensor& mean, const Tensor& deviation, Generator* generator = nullptr);
Tensor normal(double mean, double deviation, const Shape& shape, Dtype dtype = Dtype::float32,
              Generator* generator = nullptr);

// Fill x, which must be floating (bernoulli_ and random_ take any dtype), and return it.
const Tensor& uniform_(const Tensor& x, double low = 0, double high = 1, Generator* generator = nullptr);
const Tensor& normal_(const Tensor& x, double mean = 0, double deviation = 1, Generator* generator = nullptr);
const Tensor& exponential_(const Tensor& x, double rate = 1, Generator* generator = nullptr);
const Tensor& bernoulli_(const Tensor& x, double p = 0.5, Generator* generator = nullptr);
const Tensor& random_(const Tensor& x, int64_t low, int64_t high, Generator* generator = nullptr);
/// Normal numbers inside [low, high]: what falls outside is drawn again.
const Tensor& trunc_normal_(const Tensor& x, double mean = 0, double deviation = 1, double low = -2, double high = 2,
                            Generator* generator = nullptr);

/// x with each element zeroed with probability p and the rest scaled by 1 / (1 - p); x itself when not training.
/// Raises ValueError unless 0 <= p <= 1.
Tensor dropout(const Tensor& x, double p = 0.5, bool training = true, Generator* generator = nullptr);

}  // namespace hearth
