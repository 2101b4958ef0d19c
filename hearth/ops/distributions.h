// Further distributions: fills and samples beyond uniform and normal, drawn as PyTorch draws them on the CPU.
#pragma once

#include "hearth/core/random.h"
#include "hearth/core/tensor.h"

namespace hearth {

// Fill x, which must be floating unless said otherwise, and return it. Raise ValueError for parameters out of range.

/// exp of a normal number.
const Tensor& log_normal_(const Tensor& x, double mean = 1, double deviation = 2, Generator* generator = nullptr);
/// median + sigma tan(pi (u - 1/2)).
const Tensor& cauchy_(const Tensor& x, double median = 0, double sigma = 1, Generator* generator = nullptr);
/// How many trials of probability p until the first success, at least 1; any real dtype.
const Tensor& geometric_(const Tensor& x, double p, Generator* generator = nullptr);
/// 1 with the probability that the element of p (broadcast) states, else 0; any real dtype.
const Tensor& bernoulli_(const Tensor& x, const Tensor& p, Generator* generator = nullptr);
/// Whole numbers over all that x's dtype counts exactly: [0, 2^24] for float32, the non-negative ones for integers.
const Tensor& random_(const Tensor& x, Generator* generator = nullptr);
/// Whole numbers from `low` to the largest that x's dtype counts exactly.
const Tensor& random_from_(const Tensor& x, int64_t low, Generator* generator = nullptr);

/// Complex normal numbers: the variance is shared by both parts.
const Tensor& complex_normal_(const Tensor& x, double mean, double deviation, Generator* generator = nullptr);

/// A Poisson number for each rate. Raises ValueError for a negative one.
Tensor poisson(const Tensor& rate, Generator* generator = nullptr);
/// How many of `count` trials of probability `p` succeed; dtypes must agree (DtypeError), shapes broadcast.
Tensor binomial(const Tensor& count, const Tensor& p, Generator* generator = nullptr);

}  // namespace hearth
