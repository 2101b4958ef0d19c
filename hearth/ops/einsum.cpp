// Sums of products in index notation: every operand gets the same list of dimensions, then pairs are contracted.
#include "hearth/ops/einsum.h"

#include <algorithm>
#include <array>
#include <string>

#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// Letters are 'A'..'z'; dimension i of the ellipsis, counted from the last one, is ellipsis_label + i.
constexpr int ellipsis_label = 128;

using Labels = std::vector<int>;

/// What stands for one tensor; the ellipsis is a single entry.
constexpr int dots = -1;

Labels parse_term(std::string_view equation, std::string_view term) {
  Labels labels;
  for (size_t i = 0; i < term.size(); ++i) {
    const char c = term[i];
    if (c == ' ') continue;
    if (c == '.') {
      check<ValueError>(term.substr(i, 3) == "..." && std::count(labels.begin(), labels.end(), dots) == 0,
                        "einsum: an ellipsis is three dots, once in a term: ", equation);
      labels.push_back(dots);
      i += 2;
      continue;
    }
    check<ValueError>((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'), "einsum: '", c, "' is not a letter in ",
                      equation);
    labels.push_back(c);
  }
  return labels;
}

struct Equation {
  std::vector<Labels> terms;
  Labels output;
  bool has_output = false;
};

Equation parse(std::string_view text) {
  Equation equation;
  std::string_view left = text;
  if (const size_t arrow = text.find("->"); arrow != std::string_view::npos) {
    left = text.substr(0, arrow);
    equation.output = parse_term(text, text.substr(arrow + 2));
    equation.has_output = true;
  }
  for (size_t at = 0; at <= left.size();) {
    const size_t comma = std::min(left.find(',', at), left.size());
    equation.terms.push_back(parse_term(text, left.substr(at, comma - at)));
    at = comma + 1;
  }
  return equation;
}

/// Replaces the ellipsis by labels for `count` dimensions.
Labels spelled_out(const Labels& term, int count) {
  Labels labels;
  for (int label : term) {
    if (label != dots) {
      labels.push_back(label);
      continue;
    }
    for (int i = count - 1; i >= 0; --i) labels.push_back(ellipsis_label + i);
  }
  return labels;
}

bool contains(const Labels& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

/// Labels of each operand with the ellipses spelled out, checked against the ranks; returns the longest ellipsis.
int spell_out_terms(std::string_view text, Equation& equation, const TensorList& operands) {
  check<ValueError>(equation.terms.size() == operands.size(), "einsum: ", text, " names ", equation.terms.size(),
                    " operands, got ", operands.size());
  int longest = 0;
  for (size_t k = 0; k < operands.size(); ++k) {
    Labels& term = equation.terms[k];
    const bool open = contains(term, dots);
    const int named = int(term.size()) - open, free = operands[k].dim() - named;
    check<ShapeError>(open ? free >= 0 : free == 0, "einsum: ", text, " names ", named, " dimensions of operand ", k,
                      ", which has shape ", operands[k].shape());
    longest = std::max(longest, free);
    term = spelled_out(term, free);
  }
  return longest;
}

/// The labels that stay, in order.
Labels output_labels(std::string_view text, const Equation& equation, int ellipsis) {
  if (equation.has_output) {
    const Labels output = spelled_out(equation.output, ellipsis);
    for (size_t i = 0; i < output.size(); ++i) {
      check<ValueError>(std::count(output.begin(), output.end(), output[i]) == 1,
                        "einsum: a letter stands twice after the arrow: ", text);
      const bool known = std::any_of(equation.terms.begin(), equation.terms.end(),
                                     [&](const Labels& term) { return contains(term, output[i]); });
      check<ValueError>(known, "einsum: a letter after the arrow is in no operand: ", text);
    }
    return output;
  }
  std::array<int, 128> times{};
  for (const Labels& term : equation.terms)
    for (int label : term)
      if (label < ellipsis_label) ++times[size_t(label)];
  Labels output;
  for (int i = ellipsis - 1; i >= 0; --i) output.push_back(ellipsis_label + i);
  for (int label = 0; label < ellipsis_label; ++label)
    if (times[size_t(label)] == 1) output.push_back(label);
  return output;
}

/// All labels: those that stay, then those summed over, each once.
Labels all_labels(const Equation& equation, const Labels& output) {
  Labels all = output;
  for (const Labels& term : equation.terms)
    for (int label : term)
      if (!contains(all, label)) all.push_back(label);
  return all;
}

/// x with one dimension for each of `all`, size 1 where it lacks the label; repeated labels become diagonals.
Tensor aligned(std::string_view text, const Tensor& x, Labels labels, const Labels& all) {
  Tensor y = x;
  for (size_t i = 0; i < labels.size(); ++i)
    for (size_t j = i + 1; j < labels.size(); ++j) {
      if (labels[i] != labels[j]) continue;
      check<ShapeError>(y.shape()[int(i)] == y.shape()[int(j)], "einsum: a repeated letter has two sizes in ", text,
                        ": ", x.shape());
      y = diagonal(y, 0, int64_t(i), int64_t(j));
      labels.push_back(labels[i]);
      labels.erase(labels.begin() + long(j));
      labels.erase(labels.begin() + long(i));
      i = size_t(-1);  // the labels moved: look at all of them again
      break;
    }
  Shape order;
  int missing = 0;
  for (int label : all) {
    const auto at = std::find(labels.begin(), labels.end(), label);
    if (at != labels.end())
      order.push_back(at - labels.begin());
    else
      order.push_back(int64_t(labels.size()) + missing++);
  }
  for (int i = 0; i < missing; ++i) y = unsqueeze(y, -1);
  return permute(y, order);
}

Tensor summed(const Tensor& x, const Dims& dims) { return dims.empty() ? x : sum(x, dims, true); }

/// Sizes of the named dimensions, and their product.
int64_t product_of(const Shape& shape, const Dims& dims) {
  int64_t n = 1;
  for (int64_t d : dims) n *= shape[int(d)];
  return n;
}

Shape concatenated(std::initializer_list<const Dims*> lists) {
  Shape all;
  for (const Dims* list : lists)
    for (int64_t d : *list) all.push_back(d);
  return all;
}

/// a * b summed over `contracted` dimensions, which become size 1, as one batched product.
Tensor contract(const Tensor& a, const Tensor& b, const std::vector<bool>& contracted) {
  Dims batch, left, right, inner, sum_a, sum_b;
  for (int d = 0; d < a.dim(); ++d) {
    const bool in_a = a.shape()[d] != 1, in_b = b.shape()[d] != 1;
    if (contracted[size_t(d)])
      (in_a && in_b ? inner : in_a ? sum_a : in_b ? sum_b : left).push_back(d);
    else
      (in_a && in_b ? batch : in_b ? right : left).push_back(d);
  }
  const Tensor x = summed(a, sum_a), y = summed(b, sum_b);
  left.insert(left.end(), sum_a.begin(), sum_a.end());
  right.insert(right.end(), sum_b.begin(), sum_b.end());
  const int64_t batches = product_of(x.shape(), batch), k = product_of(x.shape(), inner);
  const int64_t m = product_of(x.shape(), left), n = product_of(y.shape(), right);
  const Shape order_x = concatenated({&batch, &left, &inner, &right});
  const Shape order_y = concatenated({&batch, &inner, &right, &left});
  // Integers that were summed have become int64.
  const Dtype dtype = promote_types(x.dtype(), y.dtype());
  const Tensor z = matmul(to(reshape(permute(x, order_x), {batches, m, k}), dtype),
                          to(reshape(permute(y, order_y), {batches, k, n}), dtype));
  const Shape order = concatenated({&batch, &left, &right, &inner});
  Shape sizes, inverse(a.dim(), 0);
  for (int i = 0; i < order.size(); ++i) {
    const int d = int(order[i]);
    const bool is_inner = i >= order.size() - int(inner.size());
    sizes.push_back(is_inner ? 1 : std::max(x.shape()[d] == 1 ? y.shape()[d] : x.shape()[d], int64_t(0)));
    inverse[d] = i;
  }
  return permute(reshape(z, sizes), inverse);
}

/// Sizes of one label must agree, or be 1.
void check_sizes(std::string_view text, const TensorList& operands) {
  for (int d = 0; d < operands[0].dim(); ++d) {
    int64_t size = 1;
    for (const Tensor& x : operands) {
      const int64_t here = x.shape()[d];
      check<ShapeError>(here == size || here == 1 || size == 1, "einsum: a letter has two sizes, ", size, " and ", here,
                        ", in ", text);
      if (here != 1) size = here;
    }
  }
}

}  // namespace

Tensor einsum(std::string_view text, const TensorList& operands) {
  check<ValueError>(!operands.empty(), "einsum: needs at least one operand");
  Equation equation = parse(text);
  const int ellipsis = spell_out_terms(text, equation, operands);
  const Labels output = output_labels(text, equation, ellipsis), all = all_labels(equation, output);
  TensorList parts;
  for (size_t k = 0; k < operands.size(); ++k) {
    check<DtypeError>(operands[k].dtype() == operands[0].dtype(), "einsum: dtypes differ: ", operands[0].dtype(),
                      " and ", operands[k].dtype());
    parts.push_back(aligned(text, operands[k], equation.terms[k], all));
  }
  check_sizes(text, parts);
  const int kept = int(output.size()), rank = int(all.size());
  Tensor result = parts[0];
  for (size_t k = 1; k < parts.size(); ++k) {
    // A dimension can be summed over once no later operand has it.
    std::vector<bool> contracted(size_t(rank), false);
    for (int d = kept; d < rank; ++d) {
      contracted[size_t(d)] = true;
      for (size_t later = k + 1; later < parts.size(); ++later)
        if (parts[later].shape()[d] != 1) contracted[size_t(d)] = false;
    }
    result = contract(result, parts[k], contracted);
  }
  Dims rest;
  for (int d = kept; d < rank; ++d) rest.push_back(d);
  if (rest.empty()) return result;
  bool ones = true;
  for (int64_t d : rest) ones = ones && result.shape()[int(d)] == 1;
  if (!ones) return sum(result, rest);
  Shape shape(std::span<const int64_t>(result.shape().data(), size_t(kept)));
  return reshape(result, shape);
}

}  // namespace hearth
