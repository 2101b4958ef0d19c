// Schema: the tables of the database, and how the file of an older hearth becomes one of this.
#pragma once

#include <span>

namespace hearth::server {

class Database;

/// Script number n (from 0) takes a database from version n to version n + 1. Released scripts never change.
std::span<const char* const> schema_scripts();

/// Brings the database to the version that `scripts` lead to, each script in a transaction of its own. Returns the
/// version that it had. Raises IoError for a file of a newer hearth or of another program.
int migrate(Database& database, std::span<const char* const> scripts = schema_scripts());

}  // namespace hearth::server
