// The CPU backend's table: every kernel that it has, assigned to its slot.
#pragma once

namespace hearth::cpu {

void install();

}  // namespace hearth::cpu
