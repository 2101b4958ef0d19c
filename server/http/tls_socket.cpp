// Connections through TLS, by OpenSSL.
#include <algorithm>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <string>
#include <utility>

#include "hearth/core/error.h"
#include "server/http/socket.h"

namespace hearth::server {

namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;

class TlsSocket : public Socket {
 public:
  TlsSocket(asio::ip::tcp::socket socket, ssl::context& context) : stream_(std::move(socket), context) {}

  void handshake(std::function<void(Error)> done) override {
    stream_.async_handshake(ssl::stream_base::server, std::move(done));
  }

  void read(std::function<void(Error, std::string_view)> done) override {
    buffer_.resize(buffer_size);
    stream_.async_read_some(asio::buffer(buffer_), [this, done = std::move(done)](Error error, std::size_t n) {
      const std::string bytes = std::exchange(buffer_, {});
      done(error, std::string_view(bytes).substr(0, error ? 0 : n));
    });
  }

  void write_some(std::span<const asio::const_buffer> pieces, std::function<void(Error, std::size_t)> done) override {
    // One record holds one piece, and a record a piece costs more than putting small ones together.
    record_.clear();
    for (const asio::const_buffer& piece : pieces) {
      const std::size_t room = record_size - record_.size();
      record_.append(static_cast<const char*>(piece.data()), std::min(room, piece.size()));
      if (record_.size() == record_size) break;
    }
    stream_.async_write_some(asio::buffer(record_), std::move(done));
  }

  void shutdown_send(std::shared_ptr<void> owner) override {
    stream_.async_shutdown([owner = std::move(owner)](Error) {});
  }

  void close() override {
    Error ignored;
    stream_.lowest_layer().close(ignored);
  }

 private:
  static constexpr std::size_t buffer_size = 16 << 10, record_size = 16 << 10;
  ssl::stream<asio::ip::tcp::socket> stream_;
  std::string buffer_, record_;
};

/// HTTP/1.1 is all that is offered, also to clients that would like HTTP/2.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                    unsigned in_length, void*) {
  static constexpr unsigned char ours[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_length, ours, sizeof ours - 1, in, in_length);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

struct TlsContext::Impl {
  ssl::context context{ssl::context::tls_server};
};

TlsContext::TlsContext(const std::string& certificate, const std::string& key) : impl_(std::make_unique<Impl>()) {
  ssl::context& context = impl_->context;
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_alpn_select_cb(context.native_handle(), choose_protocol, nullptr);
  boost::system::error_code error;
  context.use_certificate_chain_file(certificate, error);
  check<IoError>(!error, "tls: cannot use the certificate ", certificate, ": ", error.message());
  context.use_private_key_file(key, ssl::context::pem, error);
  check<IoError>(!error, "tls: cannot use the key ", key, ": ", error.message());
  check<IoError>(SSL_CTX_check_private_key(context.native_handle()) == 1, "tls: the key ", key,
                 " does not belong to the certificate ", certificate);
}

TlsContext::~TlsContext() = default;

std::unique_ptr<Socket> TlsContext::make_socket(asio::ip::tcp::socket socket) {
  return std::make_unique<TlsSocket>(std::move(socket), impl_->context);
}

}  // namespace hearth::server
