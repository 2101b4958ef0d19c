// The Asio side of the event loop, for the files of this folder.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "server/http/loop.h"

namespace hearth::server {

struct Loop::Impl {
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
  std::atomic<std::thread::id> thread{};
  std::vector<std::shared_ptr<boost::asio::signal_set>> signals;
};

}  // namespace hearth::server
