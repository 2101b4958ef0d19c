// Safetensors header: parsing with every length checked before use, and writing.
#include "hearth/io/safetensors_header.h"

#include <algorithm>
#include <bit>
#include <boost/json.hpp>
#include <cstring>
#include <optional>
#include <utility>

#include "hearth/core/error.h"
#include "hearth/io/json.h"

namespace hearth {

namespace json = boost::json;

static_assert(std::endian::native == std::endian::little, "safetensors files are read in place, as little-endian");

namespace {

constexpr std::string_view metadata_key = "__metadata__";
constexpr std::pair<std::string_view, Dtype> dtype_names[] = {
    {"F64", Dtype::float64},  {"F32", Dtype::float32},  {"F16", Dtype::float16}, {"BF16", Dtype::bfloat16},
    {"I64", Dtype::int64},    {"I32", Dtype::int32},    {"I16", Dtype::int16},   {"I8", Dtype::int8},
    {"U8", Dtype::uint8},     {"U16", Dtype::uint16},   {"U32", Dtype::uint32},  {"U64", Dtype::uint64},
    {"BOOL", Dtype::boolean}, {"C64", Dtype::complex64}};

std::optional<Dtype> dtype_of_name(std::string_view name) {
  for (const auto& [text, dtype] : dtype_names) {
    if (text == name) return dtype;
  }
  return std::nullopt;
}

// The start of every message about one tensor.
struct Place {
  const std::string& file;
  std::string_view tensor;
  template <class... Pieces>
  [[noreturn]] void fail(const Pieces&... pieces) const {
    constexpr size_t shown = 200;
    hearth::fail<IoError>("safetensors: ", file, ": tensor \"", tensor.substr(0, shown), "\": ", pieces...);
  }
};

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

uint64_t read_count(const json::value& value, const Place& place, const char* what) {
  if (const int64_t* number = value.if_int64(); number != nullptr && *number >= 0) return uint64_t(*number);
  place.fail(what, " must hold whole numbers from 0 to 2^63 - 1, holds ", json_kind(value));
}

std::vector<int64_t> read_shape(const json::value& value, const Place& place) {
  const json::array* sizes = value.if_array();
  if (sizes == nullptr) place.fail("shape must be a list, is ", json_kind(value));
  constexpr size_t most_dimensions = 64;
  if (sizes->size() > most_dimensions) place.fail("has ", sizes->size(), " dimensions, at most 64 are read");
  std::vector<int64_t> shape;
  for (const json::value& size : *sizes) shape.push_back(int64_t(read_count(size, place, "shape")));
  return shape;
}

SafetensorsInfo read_info(const json::value& value, const Place& place) {
  const json::object* object = value.if_object();
  if (object == nullptr) place.fail("must be an object, is ", json_kind(value));
  const json::value* dtype = object->if_contains("dtype");
  const json::value* shape = object->if_contains("shape");
  const json::value* offsets = object->if_contains("data_offsets");
  if (dtype == nullptr || shape == nullptr || offsets == nullptr || object->size() != 3) {
    place.fail("must have exactly dtype, shape and data_offsets, has ", object->size(), " keys");
  }
  if (!dtype->is_string()) place.fail("dtype must be a string, is ", json_kind(*dtype));
  const json::string& dtype_text = dtype->get_string();
  const std::optional<Dtype> known = dtype_of_name({dtype_text.data(), dtype_text.size()});
  if (!known)
    place.fail("dtype is not supported: ", std::string_view(dtype_text.data(), dtype_text.size()).substr(0, 40));
  SafetensorsInfo info;
  info.dtype = *known;
  info.shape = read_shape(*shape, place);
  const json::array* range = offsets->if_array();
  if (range == nullptr || range->size() != 2) place.fail("data_offsets must be a list of two numbers");
  info.begin = read_count((*range)[0], place, "data_offsets");
  info.end = read_count((*range)[1], place, "data_offsets");
  return info;
}

void check_size(const SafetensorsInfo& info, const Place& place, uint64_t data_size) {
  if (info.begin > info.end) place.fail("data_offsets run backwards: [", info.begin, ", ", info.end, "]");
  if (info.end > data_size) {
    place.fail("data_offsets leave the file: [", info.begin, ", ", info.end, "], the data section has ", data_size,
               " bytes");
  }
  uint64_t bytes = 0;
  if (!shape_bytes(info.shape, info.dtype, bytes)) place.fail("shape is too large: ", shape_text(info.shape));
  if (bytes != info.end - info.begin) {
    place.fail("shape ", shape_text(info.shape), " of ", dtype_name(info.dtype), " needs ", bytes,
               " bytes, data_offsets give ", info.end - info.begin);
  }
}

// The format wants the data section covered exactly: no byte outside a tensor, none in two.
void check_cover(const SafetensorsHeader& header, const std::string& file, uint64_t data_size) {
  std::vector<const std::pair<const std::string, SafetensorsInfo>*> order;
  for (const auto& entry : header.tensors) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::pair(a->second.begin, a->second.end) < std::pair(b->second.begin, b->second.end);
  });
  uint64_t covered = 0;
  for (const auto* entry : order) {
    const Place place{file, entry->first};
    const uint64_t begin = entry->second.begin;
    if (begin < covered) place.fail("overlaps the tensor before it: begins at ", begin, ", which ends at ", covered);
    if (begin > covered) place.fail("leaves a hole before it: begins at ", begin, ", bytes before it end at ", covered);
    covered = entry->second.end;
  }
  check<IoError>(covered == data_size, "safetensors: ", file, ": bytes after the last tensor: ", data_size - covered);
}

void read_metadata(const json::value& value, const std::string& file, SafetensorsHeader& header) {
  check<IoError>(value.is_object(), "safetensors: ", file, ": __metadata__ must be an object, is ", json_kind(value));
  for (const auto& [key, text] : value.get_object()) {
    check<IoError>(text.is_string(), "safetensors: ", file, ": __metadata__ must hold strings, ",
                   std::string_view(key.data(), key.size()), " is ", json_kind(text));
    header.metadata.emplace(std::string(key), std::string(text.get_string()));
  }
}

json::value parse_header_json(std::string_view text, const std::string& file) {
  JsonLimits limits;
  limits.max_depth = 4;
  try {
    return parse_json(text, file + " (header)", limits);
  } catch (const ValueError& error) {
    fail<IoError>("safetensors: ", error.what());
  }
}

}  // namespace

std::string_view safetensors_dtype_name(Dtype dtype) {
  for (const auto& [text, known] : dtype_names) {
    if (known == dtype) return text;
  }
  fail<DtypeError>("safetensors: dtype has no name in the format: ", dtype_name(dtype));
}

bool shape_bytes(const std::vector<int64_t>& shape, Dtype dtype, uint64_t& bytes) {
  int64_t product = int64_t(dtype_size(dtype));
  bool zero = false;
  for (const int64_t size : shape) {
    if (size < 0) return false;
    zero = zero || size == 0;
    // A zero elsewhere must not hide an overflow: strides are products of the other sizes.
    if (size != 0 && __builtin_mul_overflow(product, size, &product)) return false;
  }
  bytes = zero ? 0 : uint64_t(product);
  return true;
}

SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file, const std::string& name) {
  check<IoError>(file.size() >= 8, "safetensors: ", name, ": is too short for a header: ", file.size(), " bytes");
  uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  check<IoError>(length <= safetensors_header_limit, "safetensors: ", name, ": header is larger than ",
                 safetensors_header_limit, " bytes: ", length, " (is this a safetensors file?)");
  check<IoError>(length <= file.size() - 8, "safetensors: ", name, ": header leaves the file: ", length, " bytes of ",
                 file.size() - 8);
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + 8, size_t(length));
  check<IoError>(text.starts_with('{'), "safetensors: ", name, ": header does not begin with {");
  const json::value value = parse_header_json(text, name);
  check<IoError>(value.is_object(), "safetensors: ", name, ": header must be an object, is ", json_kind(value));

  SafetensorsHeader header;
  header.data_start = 8 + length;
  const uint64_t data_size = file.size() - header.data_start;
  for (const auto& [key, entry] : value.get_object()) {
    const std::string_view tensor(key.data(), key.size());
    if (tensor == metadata_key) {
      read_metadata(entry, name, header);
      continue;
    }
    const Place place{name, tensor};
    SafetensorsInfo info = read_info(entry, place);
    check_size(info, place, data_size);
    header.tensors.emplace(std::string(tensor), std::move(info));
  }
  check_cover(header, name, data_size);
  return header;
}

std::string write_safetensors_header(std::map<std::string, SafetensorsInfo>& tensors,
                                     const std::vector<std::string>& order,
                                     const std::map<std::string, std::string>& metadata) {
  json::object root;
  if (!metadata.empty()) {
    json::object& texts = root[json::string_view(metadata_key)].emplace_object();
    for (const auto& [key, text] : metadata) texts[key] = text;
  }
  uint64_t next = 0;
  for (const std::string& name : order) {
    check<ValueError>(name != metadata_key, "save_safetensors: the name is reserved by the format: ", name);
    SafetensorsInfo& info = tensors.at(name);
    uint64_t bytes = 0;
    check<ValueError>(shape_bytes(info.shape, info.dtype, bytes), "save_safetensors: shape is too large: ", name);
    info.begin = next;
    info.end = next += bytes;
    json::object& entry = root[name].emplace_object();
    const std::string_view dtype = safetensors_dtype_name(info.dtype);
    entry["dtype"] = json::string_view(dtype.data(), dtype.size());
    entry["shape"] = json::array(info.shape.begin(), info.shape.end());
    entry["data_offsets"] = json::array{info.begin, info.end};
  }
  std::string text = json::serialize(root);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  check<ValueError>(text.size() <= safetensors_header_limit, "save_safetensors: header is larger than ",
                    safetensors_header_limit, " bytes: ", text.size());
  // Reading it back catches what a reader would refuse, such as a name that is not UTF-8.
  try {
    JsonLimits limits;
    limits.max_depth = 4;
    parse_json(text, "header", limits);
  } catch (const ValueError& error) {
    fail<ValueError>("save_safetensors: a name or metadata text is not UTF-8: ", error.what());
  }
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text;
}

}  // namespace hearth
