// cpu_kind and build_id: from the kernels' choice of instruction sets and from the program's own ELF notes.
#include "server/engine/platform.h"

#include <link.h>

#include <cstring>

#include "hearth/backend/cpu/isa.h"

namespace hearth::server {
namespace {

std::string hex(const unsigned char* bytes, size_t count) {
  static const char digits[] = "0123456789abcdef";
  std::string out;
  for (size_t i = 0; i < count; ++i) out += {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
  return out;
}

size_t padded(size_t size) { return (size + 3) & ~size_t(3); }

// The first object of the list is the program itself.
int read_note(dl_phdr_info* info, size_t, void* result) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    const auto* at = reinterpret_cast<const unsigned char*>(info->dlpi_addr + header.p_vaddr);
    const auto* end = at + header.p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) note;
      std::memcpy(&note, at, sizeof note);
      const auto* name = at + sizeof note;
      const auto* value = name + padded(note.n_namesz);
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0)
        *static_cast<std::string*>(result) = hex(value, note.n_descsz);
      at = value + padded(note.n_descsz);
    }
  }
  return 1;
}

}  // namespace

std::string cpu_kind() {
  std::string kind(cpu::isa_name(cpu::isa()));
  if (cpu::has_avx512_bf16()) kind += " bf16";
  return kind;
}

std::string build_id() {
  std::string id;
  dl_iterate_phdr(read_note, &id);
  return id.empty() ? "compiler " __VERSION__ : id;
}

}  // namespace hearth::server
