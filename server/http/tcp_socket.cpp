// Plain connections: waits until there is something to read, then reads it into the buffer of all connections.
#include <utility>

#include "server/http/socket.h"

namespace hearth::server {

namespace {

namespace asio = boost::asio;

class TcpSocket : public Socket {
 public:
  TcpSocket(asio::ip::tcp::socket socket, Scratch scratch) : socket_(std::move(socket)), scratch_(std::move(scratch)) {
    Error ignored;
    socket_.non_blocking(true, ignored);
  }

  void handshake(std::function<void(Error)> done) override { done({}); }

  void read(std::function<void(Error, std::string_view)> done) override {
    socket_.async_wait(asio::ip::tcp::socket::wait_read, [this, done = std::move(done)](Error error) mutable {
      if (error) return done(error, {});
      const std::size_t n = socket_.read_some(asio::buffer(*scratch_), error);
      if (error == asio::error::would_block || error == asio::error::interrupted) return read(std::move(done));
      // `done` may free this socket; the buffer must stay.
      const Scratch scratch = scratch_;
      done(error, std::string_view(*scratch).substr(0, error ? 0 : n));
    });
  }

  void write_some(std::span<const asio::const_buffer> pieces, std::function<void(Error, std::size_t)> done) override {
    socket_.async_write_some(pieces, std::move(done));
  }

  void shutdown_send(std::shared_ptr<void>) override {
    Error ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }

  void close() override {
    Error ignored;
    socket_.close(ignored);
  }

 private:
  asio::ip::tcp::socket socket_;
  Scratch scratch_;
};

}  // namespace

std::unique_ptr<Socket> make_tcp_socket(asio::ip::tcp::socket socket, Scratch scratch) {
  return std::make_unique<TcpSocket>(std::move(socket), std::move(scratch));
}

}  // namespace hearth::server
