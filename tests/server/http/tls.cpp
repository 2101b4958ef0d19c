// TLS with a certificate made here: requests, long answers, what is refused.
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <filesystem>

#include "hearth/core/error.h"
#include "tests/server/http/running_server.h"

namespace hearth::server {
namespace {

using std::chrono::milliseconds;
using test::Client;
using test::RunningServer;

/// A key and a certificate that it signed itself, as two PEM files.
struct Certificate {
  Certificate() {
    static int made = 0;
    folder = std::filesystem::temp_directory_path() /
             ("hearth-tls-" + std::to_string(getpid()) + "-" + std::to_string(++made));
    std::filesystem::create_directories(folder);
    EVP_PKEY* pair = EVP_EC_gen("P-256");
    X509* x509 = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, pair);
    X509_NAME* name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1,
                               0);
    X509_set_issuer_name(x509, name);
    X509_sign(x509, pair, EVP_sha256());
    FILE* file = std::fopen(certificate().c_str(), "w");
    PEM_write_X509(file, x509);
    std::fclose(file);
    file = std::fopen(key().c_str(), "w");
    PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(x509);
    EVP_PKEY_free(pair);
  }
  ~Certificate() { std::filesystem::remove_all(folder); }
  std::string certificate() const { return folder / "cert.pem"; }
  std::string key() const { return folder / "key.pem"; }
  std::filesystem::path folder;
};

/// A TLS connection, up to the version `highest`.
class TlsBytes : public test::Bytes {
 public:
  explicit TlsBytes(std::uint16_t port, int highest = TLS1_3_VERSION)
      : tcp_(port), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_max_proto_version(context_, highest);
    ssl_ = SSL_new(context_);
    static constexpr unsigned char protocols[] = "\x02h2\x08http/1.1";
    SSL_set_alpn_protos(ssl_, protocols, sizeof protocols - 1);
    SSL_set_fd(ssl_, tcp_.socket());
    connected_ = SSL_connect(ssl_) == 1;
  }
  ~TlsBytes() override {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  bool connected() const { return connected_; }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl_, &name, &length);
    return std::string(reinterpret_cast<const char*>(name), length);
  }
  bool send(std::string_view text) override { return SSL_write(ssl_, text.data(), static_cast<int>(text.size())) > 0; }
  std::string receive(milliseconds) override {
    std::string text(16384, '\0');
    const int n = SSL_read(ssl_, text.data(), static_cast<int>(text.size()));
    ended_ = SSL_get_error(ssl_, n) == SSL_ERROR_ZERO_RETURN;
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }
  /// Only an end that the server declares: one that is cut could be anybody's doing.
  bool ended() const override { return ended_; }

 private:
  test::TcpBytes tcp_;
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  bool connected_ = false, ended_ = false;
};

ServerOptions with(const Certificate& certificate) {
  ServerOptions options;
  options.tls_certificate = certificate.certificate();
  options.tls_key = certificate.key();
  return options;
}

TEST(Tls, ServesHttp11) {
  const Certificate certificate;
  RunningServer server(with(certificate));
  auto bytes = std::make_unique<TlsBytes>(server.port());
  ASSERT_TRUE(bytes->connected());
  EXPECT_EQ(bytes->protocol(), "http/1.1");
  Client client(std::move(bytes));
  std::string large;
  for (int i = 0; i < 200000; ++i) large += std::to_string(i);
  client.request("POST", "/echo", "", large);
  client.request("GET", "/ping", "Connection: close\r\n");
  EXPECT_TRUE(client.answer().body == "local:" + large);
  EXPECT_EQ(client.answer().body, "{}");
  EXPECT_TRUE(client.closed());
}

TEST(Tls, RefusesOldVersionsAndPlainRequestsAndSilence) {
  const Certificate certificate;
  ServerOptions options = with(certificate);
  options.limits.handshake_time = milliseconds(200);
  RunningServer server(options);
  EXPECT_FALSE(TlsBytes(server.port(), TLS1_1_VERSION).connected());
  EXPECT_EQ(Client(server.port()).get("/ping").status, 0);
  Client silent(server.port());
  EXPECT_TRUE(silent.closed());
  EXPECT_TRUE(TlsBytes(server.port()).connected());
}

TEST(Tls, SaysWhichFileCannotBeUsed) {
  const Certificate certificate, other;
  Router router;
  const auto complaint = [&](const std::string& cert, const std::string& key) -> std::string {
    Loop loop;
    ServerOptions options;
    options.bind = "127.0.0.1:0";
    options.tls_certificate = cert;
    options.tls_key = key;
    Server server(loop, router, options);
    try {
      server.listen();
    } catch (const IoError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(complaint(certificate.certificate(), certificate.key()), "");
  EXPECT_NE(complaint("/nonexistent.pem", certificate.key()).find("/nonexistent.pem"), std::string::npos);
  EXPECT_NE(complaint(certificate.certificate(), certificate.certificate()).find("cannot use the key"),
            std::string::npos);
  EXPECT_NE(complaint(certificate.certificate(), other.key()), "");
}

}  // namespace
}  // namespace hearth::server
