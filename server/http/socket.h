// One connection's bytes, plain or through TLS.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace hearth::server {

/// At most one read and one write at a time. After close() no more calls are made but those under way, with an error.
class Socket {
 public:
  using Error = boost::system::error_code;
  virtual ~Socket() = default;
  virtual void handshake(std::function<void(Error)> done) = 0;
  /// Gives what came; the bytes are there only during the call. An empty piece with an error is the end.
  virtual void read(std::function<void(Error, std::string_view)> done) = 0;
  /// Sends some of the pieces, in order, and says how many bytes went.
  virtual void write_some(std::span<const boost::asio::const_buffer> pieces,
                          std::function<void(Error, std::size_t)> done) = 0;
  /// Says that no more will be sent. `owner` keeps this object until that is done.
  virtual void shutdown_send(std::shared_ptr<void> owner) = 0;
  virtual void close() = 0;
};

/// What reads of plain connections are put into: one for all of them, so that a waiting connection has no buffer.
using Scratch = std::shared_ptr<std::string>;

std::unique_ptr<Socket> make_tcp_socket(boost::asio::ip::tcp::socket socket, Scratch scratch);

/// A certificate and its key, loaded.
class TlsContext {
 public:
  /// Raises IoError naming the file that cannot be used.
  TlsContext(const std::string& certificate, const std::string& key);
  ~TlsContext();
  std::unique_ptr<Socket> make_socket(boost::asio::ip::tcp::socket socket);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::server
