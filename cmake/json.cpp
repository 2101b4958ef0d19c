// Boost.JSON: compiled once from its own headers, because Debian's static library cannot go into a Python extension.
#include <boost/json/src.hpp>
