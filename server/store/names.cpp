// Names: checks, encoding into names of folders, and checkpoint paths.
#include "server/store/names.h"

#include <algorithm>

#include "hearth/core/error.h"
#include "server/store/digest.h"

namespace hearth::server {

namespace {

constexpr size_t longest_name = 255;
constexpr size_t longest_run = 512;
constexpr size_t longest_encoded = 180;
constexpr std::string_view prefix = "tinker://";

bool is_plain(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
         letter == '.' || letter == '_' || letter == '-';
}

/// Text from outside, fit for a message: cut, and without what a terminal would obey.
std::string shown(std::string_view text) {
  std::string out;
  for (const char letter : text.substr(0, 80)) out += letter >= ' ' && letter < 0x7f ? letter : '?';
  return text.size() > 80 ? out + "..." : out;
}

}  // namespace

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), is_plain);
}

void check_name(std::string_view what, std::string_view name) {
  check<ValueError>(is_valid_name(name), what,
                    ": a name has 1 to 255 letters, digits, '.', '_' or '-', and is not '.' or '..': '", shown(name),
                    "'");
}

std::string encode_name(std::string_view text) {
  constexpr const char* digits = "0123456789ABCDEF";
  std::string out;
  for (const char letter : text) {
    if (is_plain(letter) && !(letter == '.' && out.empty())) {
      out += letter;
    } else {
      const auto byte = static_cast<unsigned char>(letter);
      out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  if (out.empty()) return "%";
  // "~" is in no encoded name, so a cut one cannot be mistaken for another.
  if (out.size() > longest_encoded) out = out.substr(0, 100) + "~" + digest_hex(text);
  return out;
}

std::string_view to_text(CheckpointType type) {
  switch (type) {
    case CheckpointType::weights:
      return "weights";
    case CheckpointType::sampler_weights:
      return "sampler_weights";
    case CheckpointType::external_weights:
      return "external_weights";
  }
  fail<ValueError>("checkpoint: no such type: ", int(type));
}

CheckpointType checkpoint_type(std::string_view text) {
  for (const auto type : {CheckpointType::weights, CheckpointType::sampler_weights, CheckpointType::external_weights}) {
    if (text == to_text(type)) return type;
  }
  fail<ValueError>("checkpoint: the type is weights, sampler_weights or external_weights: '", shown(text), "'");
}

std::string CheckpointPath::text() const {
  return std::string(prefix) + run + "/" + std::string(to_text(type)) + "/" + name;
}

CheckpointPath parse_checkpoint_path(std::string_view path) {
  check<ValueError>(path.substr(0, prefix.size()) == prefix, "checkpoint: a path begins with tinker://: '", shown(path),
                    "'");
  const std::string_view rest = path.substr(prefix.size());
  const size_t first = rest.find('/');
  const size_t second = first == std::string_view::npos ? first : rest.find('/', first + 1);
  check<ValueError>(second != std::string_view::npos && rest.find('/', second + 1) == std::string_view::npos,
                    "checkpoint: a path is tinker://RUN/TYPE/NAME: '", shown(path), "'");
  CheckpointPath out;
  out.run = rest.substr(0, first);
  check<ValueError>(!out.run.empty() && out.run.size() <= longest_run, "checkpoint: the run has 1 to ", longest_run,
                    " bytes: '", shown(path), "'");
  out.type = checkpoint_type(rest.substr(first + 1, second - first - 1));
  out.name = rest.substr(second + 1);
  check_name("checkpoint", out.name);
  return out;
}

}  // namespace hearth::server
