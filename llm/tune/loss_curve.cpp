// The loss curve of a run, as an SVG picture that needs nothing else.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "llm/tune/metrics.h"

namespace hearth::llm {

namespace {

constexpr double width = 760, height = 420, left = 64, right = 24, top = 48, bottom = 56;

struct Axis {
  double low, high, from, to;
  double place(double v) const { return from + (v - low) / std::max(high - low, 1e-12) * (to - from); }
};

/// A round step that cuts a range into about `parts`.
double round_step(double range, int parts) {
  const double raw = std::max(range, 1e-9) / parts, unit = std::pow(10, std::floor(std::log10(raw)));
  for (double m : {1.0, 2.0, 5.0})
    if (raw <= m * unit) return m * unit;
  return 10 * unit;
}

/// The mean over the neighbours on both sides, so that the trend is seen through the noise of single batches and does
/// not lag behind it.
std::vector<double> smoothed(const std::vector<StepMetrics>& steps) {
  const size_t n = steps.size(), half = n / 50;
  std::vector<double> sums = {0}, out;
  for (const StepMetrics& s : steps) sums.push_back(sums.back() + s.loss);
  for (size_t i = 0; i < n; ++i) {
    const size_t reach = std::min({half, i, n - 1 - i});
    out.push_back((sums[i + reach + 1] - sums[i - reach]) / double(2 * reach + 1));
  }
  return out;
}

std::string polyline(const std::vector<std::pair<double, double>>& points, const char* style) {
  std::string out = "<polyline fill=\"none\" ";
  out += style;
  out += " points=\"";
  for (const auto& [x, y] : points) out += fmt::format("{:.1f},{:.1f} ", x, y);
  return out + "\"/>\n";
}

std::string escape(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

std::string grid(const Axis& x, const Axis& y) {
  std::string out;
  const double y_step = round_step(y.high - y.low, 5), x_step = std::max(1.0, round_step(x.high - x.low, 6));
  for (double v = std::ceil(y.low / y_step) * y_step; v <= y.high + 1e-9; v += y_step)
    out += fmt::format(
        "<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#e3e3e3\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:.3g}</text>\n",
        left, width - right, y.place(v), left - 8, y.place(v) + 4, v);
  for (double v = std::ceil(x.low / x_step) * x_step; v <= x.high + 1e-9; v += x_step)
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.0f}</text>\n", x.place(v),
                       height - bottom + 20, v);
  out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">step</text>\n", (left + width - right) / 2,
                     height - 14);
  out += fmt::format(
      "<text x=\"18\" y=\"{0}\" text-anchor=\"middle\" transform=\"rotate(-90 18 {0})\">loss per token</text>\n",
      (top + height - bottom) / 2);
  return out;
}

}  // namespace

std::string loss_curve_svg(const std::vector<StepMetrics>& steps, const std::string& title) {
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
      "font-family=\"sans-serif\" "
      "font-size=\"12\" fill=\"#333\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"{2}\" y=\"26\" "
      "font-size=\"16\">{3}</text>\n",
      width, height, left, escape(title));
  if (steps.empty()) return out + "</svg>\n";
  double low = steps[0].loss, high = low;
  for (const StepMetrics& s : steps) {
    for (double v : {s.loss, s.validation_loss.value_or(s.loss)})
      if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  }
  const double margin = std::max((high - low) * 0.06, 1e-3);
  const Axis x = {double(steps.front().step), double(std::max(steps.back().step, steps.front().step + 1)), left,
                  width - right};
  const Axis y = {std::max(low - margin, 0.0), high + margin, height - bottom, top};
  out += grid(x, y);
  std::vector<std::pair<double, double>> raw, trend, validation;
  const std::vector<double> means = smoothed(steps);
  for (size_t i = 0; i < steps.size(); ++i) {
    const double at = x.place(double(steps[i].step));
    raw.emplace_back(at, y.place(steps[i].loss));
    trend.emplace_back(at, y.place(means[i]));
    if (steps[i].validation_loss) validation.emplace_back(at, y.place(*steps[i].validation_loss));
  }
  out += polyline(raw, "stroke=\"#f2b48c\" stroke-width=\"1\"");
  out += polyline(trend, "stroke=\"#d9480f\" stroke-width=\"2\"");
  out += polyline(validation, "stroke=\"#1864ab\" stroke-width=\"2\"");
  for (const auto& [px, py] : validation)
    out += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"#1864ab\"/>\n", px, py);
  out += fmt::format("<text x=\"{0}\" y=\"26\" text-anchor=\"end\" fill=\"#d9480f\">training</text>\n",
                     width - right - (validation.empty() ? 0 : 90));
  if (!validation.empty())
    out +=
        fmt::format("<text x=\"{}\" y=\"26\" text-anchor=\"end\" fill=\"#1864ab\">validation</text>\n", width - right);
  return out + "</svg>\n";
}

}  // namespace hearth::llm
