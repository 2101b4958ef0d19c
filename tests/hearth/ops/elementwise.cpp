// Arithmetic: PyTorch's values, gradients and dtypes; numbers; in-place forms; wrong input.
#include "hearth/ops/elementwise.h"

#include "frozen.h"
#include "hearth/autograd/gradcheck.h"
#include "hearth/ops/cumulative.h"

namespace hearth {
namespace {

using frozen::Keywords;
using Binary = Tensor (*)(const Tensor&, const Tensor&);

Tensor plain_div(const Tensor& x, const Tensor& y) { return div(x, y); }
Tensor plain_add(const Tensor& x, const Tensor& y) { return add(x, y); }
Tensor plain_sub(const Tensor& x, const Tensor& y) { return sub(x, y); }

TEST(Elementwise, FrozenValuesAndGradients) {
  const std::pair<const char*, Binary> binaries[] = {{"mul", mul},
                                                     {"floor_divide", floor_divide},
                                                     {"remainder", remainder},
                                                     {"fmod", fmod},
                                                     {"atan2", atan2},
                                                     {"hypot", hypot},
                                                     {"copysign", copysign},
                                                     {"logaddexp", logaddexp},
                                                     {"xlogy", xlogy},
                                                     {"bitwise_and", bitwise_and},
                                                     {"bitwise_or", bitwise_or},
                                                     {"bitwise_xor", bitwise_xor},
                                                     {"bitwise_left_shift", bitwise_left_shift},
                                                     {"bitwise_right_shift", bitwise_right_shift}};
  for (const auto& [name, f] : binaries) {
    SCOPED_TRACE(name);
    frozen::check_op(name, [f = f](const TensorList& x, const Keywords&) { return TensorList{f(x[0], x[1])}; });
  }
  frozen::check_op("bitwise_not", [](const TensorList& x, const Keywords&) { return TensorList{bitwise_not(x[0])}; });
  frozen::check_op("add", [](const TensorList& x, const Keywords& k) {
    return TensorList{add(x[0], x[1], k.has("alpha") ? Scalar(k.number("alpha", 1)) : Scalar(1))};
  });
  frozen::check_op("sub", [](const TensorList& x, const Keywords&) { return TensorList{sub(x[0], x[1])}; });
  frozen::check_op("div", [](const TensorList& x, const Keywords& k) {
    const std::string mode = k.text("rounding_mode", "");
    return TensorList{div(x[0], x[1],
                          mode == "floor"   ? Rounding::floor
                          : mode == "trunc" ? Rounding::trunc
                                            : Rounding::none)};
  });
  frozen::check_op("pow", [](const TensorList& x, const Keywords& k) {
    return TensorList{k.has("exponent") ? pow(x[0], k.number("exponent", 0)) : pow(x[0], x[1])};
  });
  frozen::check_op("lerp", [](const TensorList& x, const Keywords& k) {
    return TensorList{k.has("weight") ? lerp(x[0], x[1], k.number("weight", 0)) : lerp(x[0], x[1], x[2])};
  });
  frozen::check_op("addcmul", [](const TensorList& x, const Keywords& k) {
    return TensorList{addcmul(x[0], x[1], x[2], k.number("value", 1))};
  });
  frozen::check_op("addcdiv", [](const TensorList& x, const Keywords& k) {
    return TensorList{addcdiv(x[0], x[1], x[2], k.number("value", 1))};
  });
}

TEST(Elementwise, FirstAndSecondDerivatives) {
  const std::pair<const char*, Binary> binaries[] = {{"add", plain_add}, {"sub", plain_sub}, {"mul", mul},
                                                     {"div", plain_div}, {"pow", pow},       {"atan2", atan2},
                                                     {"hypot", hypot},   {"xlogy", xlogy},   {"logaddexp", logaddexp}};
  const Tensor x = linspace(0.4, 2.1, 6, Dtype::float64);
  const Tensor a = from_values<double>({0.4, 0.9, 1.3, 1.6, 2.1, 2.4}, {2, 3}).set_requires_grad();
  const Tensor b = from_values<double>({1.7, 0.6, 1.1}).set_requires_grad();
  for (const auto& [name, f] : binaries) {
    const auto run = [f = f](const TensorList& in) { return TensorList{f(in[0], in[1])}; };
    EXPECT_LT(gradcheck(run, {a, b}), 1e-6) << name;
    EXPECT_LT(gradgradcheck(run, {a, b}), 1e-6) << name;
    EXPECT_LT(gradcheck(run, {b, a}), 1e-6) << name;
  }
  const auto numbers = [](const TensorList& in) {
    return TensorList{2.0 / in[0] - pow(in[0], 1.5) + 3 * in[0] + pow(2.0, in[0]) + (1.0 - in[0]) / 3.0};
  };
  EXPECT_LT(gradcheck(numbers, {a}), 1e-6);
  EXPECT_LT(gradgradcheck(numbers, {a}), 1e-6);
}

/// Checks one table of result dtypes; `run` computes for the row's and the column's dtype.
template <class F>
void check_promotion(const std::string& name, size_t columns, F run) {
  const auto table = to_vector<int64_t>(frozen::Data::get().tensors.tensor("promotion." + name));
  const auto& names = frozen::Data::get().json.at("promotion").at("dtypes").as_array();
  const auto type = [&](size_t i) { return dtype_from_name(std::string_view(names[i].as_string())); };
  for (size_t i = 0; i < table.size(); ++i) {
    const Dtype a = type(i / columns);
    const std::string what = name + " row " + std::string(dtype_name(a)) + " column " + std::to_string(i % columns);
    if (table[i] < 0) {
      EXPECT_THROW(run(a, columns > 3 ? type(i % columns) : a, i % columns), Error) << what;
      continue;
    }
    try {
      EXPECT_EQ(run(a, columns > 3 ? type(i % columns) : a, i % columns).dtype(), type(size_t(table[i]))) << what;
    } catch (const Error& error) {
      ADD_FAILURE() << what << ": " << error.what();
    }
  }
}

TEST(Elementwise, Promotion) {
  const std::pair<const char*, Binary> binaries[] = {{"add", plain_add},
                                                     {"sub", plain_sub},
                                                     {"mul", mul},
                                                     {"div", plain_div},
                                                     {"floor_divide", floor_divide},
                                                     {"pow", pow},
                                                     {"maximum", maximum},
                                                     {"atan2", atan2},
                                                     {"eq", eq},
                                                     {"logical_and", logical_and},
                                                     {"bitwise_and", bitwise_and}};
  for (const auto& [name, f] : binaries) {
    const std::string op = name;
    const auto shaped = [f = f](const Shape& x, const Shape& y) {
      return [=](Dtype a, Dtype b, size_t) { return f(ones(x, a), ones(y, b)); };
    };
    check_promotion(op + "/tensor_tensor", 10, shaped({2}, {2}));
    check_promotion(op + "/tensor_zero_dim", 10, shaped({2}, {}));
    check_promotion(op + "/zero_dim_tensor", 10, shaped({}, {2}));
  }
  using Number = Tensor (*)(const Tensor&, const Scalar&);
  const std::pair<const char*, Number> numbers[] = {
      {"add", add},
      {"sub", sub},
      {"mul", mul},
      {"pow", pow},
      {"eq", eq},
      {"floor_divide", floor_divide},
      {"div", [](const Tensor& x, const Scalar& y) { return div(x, y); }}};
  const Scalar kinds[] = {true, 1, 1.0};
  for (const auto& [name, f] : numbers) {
    check_promotion(std::string(name) + "/tensor_number", 3,
                    [&, f = f](Dtype a, Dtype, size_t k) { return f(ones({2}, a), kinds[k]); });
    check_promotion(std::string(name) + "/zero_dim_number", 3,
                    [&, f = f](Dtype a, Dtype, size_t k) { return f(ones({}, a), kinds[k]); });
  }
}

TEST(Elementwise, UnaryPromotion) {
  const std::pair<const char*, std::function<Tensor(const Tensor&)>> functions[] = {
      {"neg", [](const Tensor& x) { return neg(x); }},
      {"abs", [](const Tensor& x) { return abs(x); }},
      {"sqrt", [](const Tensor& x) { return sqrt(x); }},
      {"reciprocal", [](const Tensor& x) { return reciprocal(x); }},
      {"sigmoid", [](const Tensor& x) { return sigmoid(x); }},
      {"floor", [](const Tensor& x) { return floor(x); }},
      {"sign", [](const Tensor& x) { return sign(x); }},
      {"isnan", [](const Tensor& x) { return isnan(x); }},
      {"logical_not", [](const Tensor& x) { return logical_not(x); }},
      {"bitwise_not", [](const Tensor& x) { return bitwise_not(x); }},
      {"sum", [](const Tensor& x) { return sum(x); }},
      {"prod", [](const Tensor& x) { return prod(x); }},
      {"mean", [](const Tensor& x) { return mean(x); }},
      {"std", [](const Tensor& x) { return std(x); }},
      {"cumsum", [](const Tensor& x) { return cumsum(x, 0); }},
      {"amax", [](const Tensor& x) { return amax(x); }},
      {"argmax", [](const Tensor& x) { return argmax(x); }},
      {"any", [](const Tensor& x) { return any(x); }},
      {"all", [](const Tensor& x) { return all(x); }},
      {"relu", [](const Tensor& x) { return relu(x); }},
      {"square", [](const Tensor& x) { return square(x); }},
      {"count_nonzero", [](const Tensor& x) { return count_nonzero(x); }},
      {"logsumexp", [](const Tensor& x) { return logsumexp(x); }},
      {"div_floor_by_2", [](const Tensor& x) { return div(x, 2, Rounding::floor); }}};
  for (const auto& [name, f] : functions)
    check_promotion(std::string(name) + "/unary", 1, [f = f](Dtype a, Dtype, size_t) { return f(ones({2}, a)); });
}

TEST(Elementwise, FrozenConversions) {
  const SafetensorsFile& file = frozen::Data::get().tensors;
  int found = 0;
  for (const std::string& name : file.names()) {
    if (name.rfind("to.", 0) != 0 || name.find("/in0") == std::string::npos) continue;
    const Tensor expected = file.tensor(name.substr(0, name.find('/')) + "/out0");
    frozen::expect_close(to(file.tensor(name), expected.dtype()), expected, 0, name);
    ++found;
  }
  EXPECT_GT(found, 10);
}

TEST(Elementwise, Numbers) {
  EXPECT_EQ(add(zeros({2}, Dtype::int32), 1).dtype(), Dtype::int32);
  EXPECT_EQ(add(zeros({2}, Dtype::int32), 1.5).dtype(), Dtype::float32);
  EXPECT_EQ(mul(zeros({2}, Dtype::bfloat16), 0.1).dtype(), Dtype::bfloat16);
  EXPECT_EQ(mul(zeros({}, Dtype::bfloat16), 0.1).dtype(), Dtype::bfloat16);
  EXPECT_EQ(pow(zeros({2}, Dtype::float16), 2).dtype(), Dtype::float16);
  EXPECT_EQ(remainder(from_values<float>({-3, 5}), 2.0).dtype(), Dtype::float32);
  // The number is not rounded to 16 bits before it is used.
  EXPECT_EQ(mul(full({1}, 100, Dtype::bfloat16), 0.1).item(), double(float(bfloat16(100 * 0.1f))));
  EXPECT_EQ(to_vector<float>(1 - from_values<float>({3, 4})), (std::vector<float>{-2, -3}));
  EXPECT_EQ(to_vector<int64_t>(add(from_values<bool>({true, false}), from_values<bool>({true, false}))),
            (std::vector<int64_t>{1, 0}));
}

TEST(Elementwise, IntegersAreDefinedEverywhere) {
  const int64_t least = std::numeric_limits<int64_t>::min();
  const Tensor x = from_values<int64_t>({least, least, 7}), y = from_values<int64_t>({-1, 2, -2});
  EXPECT_EQ(to_vector<int64_t>(floor_divide(x, y)), (std::vector<int64_t>{least, least / 2, -4}));
  EXPECT_EQ(to_vector<int64_t>(remainder(x, y)), (std::vector<int64_t>{0, 0, -1}));
  EXPECT_EQ(to_vector<int64_t>(mul(x, y)), (std::vector<int64_t>{least, 0, -14}));
  EXPECT_THROW(floor_divide(x, zeros({3}, Dtype::int64)), ValueError);
  EXPECT_THROW(remainder(x, 0), ValueError);
  EXPECT_THROW(fmod(x, 0), ValueError);
  EXPECT_THROW(div(x, 0, Rounding::trunc), ValueError);
  EXPECT_THROW(pow(x, -1), ValueError);
  EXPECT_EQ(to_vector<int64_t>(add(from_values<int8_t>({127}), 1)), (std::vector<int64_t>{-128}));
}

TEST(Elementwise, InPlace) {
  Tensor x = from_values<float>({1, 2, 3, 4}, {2, 2});
  add_(x, from_values<float>({10, 20}));
  sub_(x, 1);
  mul_(x, x);
  div_(x, 2);
  EXPECT_EQ(to_vector<float>(x), (std::vector<float>{50, 220.5, 72, 264.5}));
  add_(x, transpose(x, 0, 1), 2);
  EXPECT_EQ(to_vector<float>(x)[1], 220.5f + 144);
  EXPECT_THROW(add_(x, zeros({3, 2, 2})), ShapeError);
  EXPECT_THROW(add_(zeros({2}, Dtype::int64), 0.5), DtypeError);
  EXPECT_THROW(div_(zeros({2}, Dtype::int64), 2), DtypeError);
  EXPECT_THROW(add_(zeros({2}, Dtype::boolean), 1), DtypeError);
  Tensor h = full({3}, 1, Dtype::bfloat16);
  add_(h, full({3}, 0.25));
  EXPECT_EQ(to_vector<float>(h), (std::vector<float>{1.25, 1.25, 1.25}));
  Tensor leaf = from_values<double>({2, 3}).set_requires_grad();
  Tensor y = leaf * 1;
  pow_(y, 2);
  mul_(y, leaf);
  EXPECT_EQ(to_vector<double>(grad({sum(y)}, {leaf})[0]), (std::vector<double>{12, 27}));
}

TEST(Elementwise, WrongInput) {
  EXPECT_THROW(add(zeros({2}), zeros({3})), ShapeError);
  EXPECT_THROW(sub(zeros({2}, Dtype::boolean), zeros({2}, Dtype::boolean)), DtypeError);
  EXPECT_THROW(bitwise_and(zeros({2}), zeros({2})), DtypeError);
  EXPECT_THROW(bitwise_not(zeros({2})), DtypeError);
  EXPECT_EQ(add(zeros({0, 3}), zeros({3})).shape(), (Shape{0, 3}));
}

}  // namespace
}  // namespace hearth
