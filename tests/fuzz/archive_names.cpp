// Fuzzes what clients name: checkpoints, their paths, age recipients. No text becomes a path outside its folder, and
// what is refused is a ValueError.
#include <cstdlib>
#include <string>
#include <string_view>

#include "hearth/core/error.h"
#include "server/store/age.h"
#include "server/store/blob.h"
#include "server/store/downloads.h"
#include "server/store/folders.h"
#include "server/store/names.h"

namespace {

using namespace hearth::server;

void must(bool holds) {
  if (!holds) std::abort();
}

/// One part of a path: it stays in the folder where it is put.
void must_be_one_part(const std::string& name) {
  must(!name.empty() && name.size() <= 255 && name != "." && name != "..");
  must(name.find_first_of(std::string_view("/\0", 2)) == std::string::npos);
}

void use_name(std::string_view text) {
  const std::string encoded = encode_name(text);
  must_be_one_part(encoded);
  must(encoded.find('+') == std::string::npos);
  if (encoded == text) must(is_valid_name(text) || text == "%");
  if (is_valid_name(text)) must_be_one_part(std::string(text));
  const std::string place = Folders::place_of_checkpoint(text, CheckpointType::weights, text);
  size_t slashes = 0;
  for (const char letter : place) slashes += letter == '/';
  must(slashes == 3 && place.find("/../") == std::string::npos);
}

void use_path(std::string_view text) {
  try {
    const CheckpointPath path = parse_checkpoint_path(text);
    must(path.text() == text);
    must(is_valid_name(path.name));
  } catch (const hearth::ValueError&) {
  }
}

void use_recipient(std::string_view text) {
  try {
    const AgeRecipient recipient = parse_age_recipient(text);
    std::string out;
    AgeWriter writer({recipient}, [&out](std::string_view bytes) { out += bytes; });
    writer.write("x");
    writer.finish();
    must(out.starts_with("age-encryption.org/v1\n-> X25519 "));
  } catch (const hearth::ValueError&) {
  }
}

void use_stored(std::string_view text) {
  try {
    unpack_blob(text);
  } catch (const hearth::IoError&) {
  }
  must(unpack_blob(pack_blob(text)) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  use_name(text);
  use_path(text);
  use_path("tinker://" + std::string(text));
  use_recipient(text);
  // A frame may claim more than a fuzzer's memory: the database holds only what pack_blob made, of its own size.
  if (size < 5 || text[0] != 1) use_stored(text);
  static const DownloadSigner signer(std::string(32, 'k'));
  must(!signer.check("/file", text, text, 0));
  return 0;
}
