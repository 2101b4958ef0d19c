// Journal load: rows with bodies that can be recognized, written and later looked for; for tests that break things.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "server/store/database.h"
#include "server/store/store.h"

namespace hearth::server::test {

/// What operation `number` carries: between 1 byte and some pages, not compressible, different for each.
inline std::string body_of(int64_t number) {
  std::string out(size_t(1 + number * 7919 % 20000), '\0');
  uint64_t state = uint64_t(number) * 0x9e3779b97f4a7c15u + 1;
  for (char& byte : out) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = char(state);
  }
  return out;
}

inline OperationRecord operation_of(int64_t number) {
  OperationRecord out;
  out.request_id = "r" + std::to_string(number);
  out.model_id = "m";
  out.seq_id = number;
  out.kind = "forward_backward";
  out.body = body_of(number);
  return out;
}

inline void write_operation(Tables& tables, int64_t number) {
  tables.insert(operation_of(number));
  if (number % 3 != 0) return;
  Outcome outcome;
  outcome.state = OperationState::done;
  outcome.result = body_of(number + 1);
  tables.finish_operation("r" + std::to_string(number), outcome, "hash");
}

/// The database is whole, and everything acknowledged is there with the right bytes.
inline void expect_all(Store& store, const std::set<int64_t>& acknowledged) {
  store.write_now([](Tables& t) {
    t.database().check_integrity(true);
    EXPECT_EQ(t.database().integer("SELECT count(*) FROM pragma_foreign_key_check"), 0);
  });
  for (const int64_t number : acknowledged) {
    const auto found = store.read().operation("r" + std::to_string(number));
    ASSERT_TRUE(found) << "operation " << number << " was acknowledged and is lost";
    ASSERT_EQ(found->body, body_of(number)) << number;
    if (number % 3 == 0) {
      ASSERT_EQ(found->outcome.result, body_of(number + 1)) << number;
    }
  }
}

}  // namespace hearth::server::test
