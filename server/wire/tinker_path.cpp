// Paths of checkpoints: tinker://RUN/TYPE/NAME.
#include "server/wire/tinker_path.h"

#include <algorithm>

#include "hearth/core/error.h"
#include "server/wire/shown.h"

namespace hearth::server {
namespace {

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

void check_checkpoint_name(std::string_view name, std::string_view where) {
  const bool ok = !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
                  std::all_of(name.begin(), name.end(), name_character);
  check<ValueError>(ok, where,
                    ": a name is 1 to 255 of letters, digits, '.', '_', '-', and not \".\" or \"..\": ", shown(name));
}

TinkerPath parse_tinker_path(std::string_view text, std::string_view where) {
  constexpr std::string_view scheme = "tinker://";
  const auto wrong = [&] {
    fail<ValueError>(where, ": wants tinker://RUN/weights/NAME (or sampler_weights, external_weights): ", shown(text));
  };
  if (!text.starts_with(scheme)) wrong();
  std::string_view rest = text.substr(scheme.size());
  const size_t first = rest.find('/');
  if (first == std::string_view::npos || first == 0 || first > 512) wrong();
  const size_t second = rest.find('/', first + 1);
  if (second == std::string_view::npos) wrong();
  TinkerPath path{std::string(rest.substr(0, first)), std::string(rest.substr(first + 1, second - first - 1)),
                  std::string(rest.substr(second + 1))};
  if (path.type != "weights" && path.type != "sampler_weights" && path.type != "external_weights") wrong();
  check_checkpoint_name(path.name, where);
  return path;
}

}  // namespace hearth::server
