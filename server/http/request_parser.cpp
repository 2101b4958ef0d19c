// HTTP/1.1 requests by Beast's parser, which is fed by hand, and the rules that it leaves to its user.

#include "server/http/request_parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "server/http/body_decoder.h"

namespace hearth::server {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

namespace {
std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

std::string too_long_header(const Limits& limits) {
  return "request line and headers are larger than this server takes: " + std::to_string(limits.header_bytes) +
         " bytes";
}

/// What a chunk's header and the trailer may take.
constexpr std::size_t most_chunk_header = 16 << 10;
}  // namespace

struct RequestParser::Impl final : http::basic_parser<true> {
  explicit Impl(const Limits& given) : limits(given) {
    header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    body_limit(boost::none);
  }

  void refuse(int status, std::string detail, error_code& error) {
    state = State::failed;
    failure = {status, std::move(detail)};
    error = http::error::bad_value;  // which one does not matter: failure says it
  }

  void on_request_impl(http::verb, beast::string_view method, beast::string_view to, int version,
                       error_code& error) override {
    count_header(method.size() + to.size(), error);
    request.method = view(method);
    target = view(to);
    http_1_0 = version == 10;
  }

  void on_field_impl(http::field, beast::string_view name_text, beast::string_view value_text,
                     error_code& error) override {
    const std::string_view name = view(name_text), value = view(value_text);
    if (state != State::header) return;  // a trailer
    if (!count_header(name.size() + value.size(), error)) return;
    // A list of equal lengths is allowed by the standard; what has one reading only is safer.
    if (same_name(name, "content-length") && value.find_first_not_of("0123456789") != std::string_view::npos)
      return refuse(400, "Content-Length must be digits", error);
    for (const std::string_view once : {"host", "content-length", "content-encoding", "x-api-key", "authorization"})
      if (same_name(name, once) && seen(once))
        return refuse(400, "the header " + std::string(once) + " came twice", error);
    if (same_name(name, "transfer-encoding") && !same_name(value, "chunked"))
      return refuse(501, "the only Transfer-Encoding that this server takes is chunked", error);
    if (value.find('\0') != std::string_view::npos) return refuse(400, "a header holds a zero byte", error);
    request.headers.emplace_back(name, value);
  }

  /// Beast's limit is for what it has in front of it at a time; this one is for all that was kept of the headers.
  bool count_header(std::size_t bytes, error_code& error) {
    constexpr std::size_t of_each = 16;
    header_bytes += bytes + of_each;
    if (header_bytes > limits.header_bytes) refuse(431, too_long_header(limits), error);
    return state != State::failed;
  }

  bool seen(std::string_view name) const {
    for (const auto& [key, value] : request.headers)
      if (same_name(key, name)) return true;
    return false;
  }

  void on_header_impl(error_code& error) override {
    const bool wants_body = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    if (!http_1_0 && !seen("host")) return refuse(400, "the header Host is missing", error);
    if (http_1_0 && chunked()) return refuse(400, "HTTP/1.0 has no chunked bodies", error);
    if (wants_body && !content_length() && !chunked())
      return refuse(411, request.method + " needs a Content-Length, 0 where there is no body", error);
    if (const std::string_view expect = request.header("expect"); !expect.empty()) {
      if (!same_name(expect, "100-continue")) return refuse(417, "the only Expect is 100-continue", error);
      expects_continue = !http_1_0;
    }
    has_body = chunked() || content_length().value_or(0) > 0;
    state = State::decide;
  }

  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  void on_response_impl(int, beast::string_view, int, error_code&) override {}
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  void on_finish_impl(error_code&) override {}

  std::size_t on_body_impl(beast::string_view body, error_code& error) override {
    add(view(body), error);
    return body.size();
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code& error) override {
    add(view(body), error);
    return body.size();
  }

  void add(std::string_view bytes, error_code& error) {
    received += bytes.size();
    if (received > most_received) return refuse_size(error);
    if (decoder) judge(decoder->add(bytes, &request.body), error);
  }

  void refuse_size(error_code& error) {
    refuse(413, "the body is larger than this server takes: " + std::to_string(most_received) + " bytes", error);
  }

  void judge(BodyDecoder::Result result, error_code& error) {
    if (result == BodyDecoder::Result::broken)
      refuse(400, "the body is not what its Content-Encoding says: " + std::string(encoding()), error);
    if (result == BodyDecoder::Result::too_large)
      refuse(413,
             "the body is larger than this server takes: " + std::to_string(limits.decompressed_bytes) +
                 " bytes when decompressed",
             error);
  }

  std::string_view encoding() const { return request.header("content-encoding"); }

  void complete(error_code& error) {
    if (decoder && has_body) judge(decoder->finish(), error);
    if (state == State::failed) return;
    decoder.reset();
    state = State::done;
  }

  Limits limits;
  State state = State::header;
  Failure failure;
  Request request;
  std::string target;
  bool http_1_0 = false, expects_continue = false, has_body = false;
  std::unique_ptr<BodyDecoder> decoder;
  std::size_t header_bytes = 0;
  std::uint64_t received = 0, most_received = 0;
};

RequestParser::RequestParser(const Limits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;

namespace {
RequestParser::Failure failure_of(const error_code& error, const Limits& limits) {
  if (error == http::error::header_limit) return {431, too_long_header(limits)};
  if (error == http::error::bad_version) return {505, "this server speaks HTTP/1.1 and HTTP/1.0"};
  return {400, "this is not an HTTP request: " + error.message()};
}
}  // namespace

std::size_t RequestParser::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (impl_->state == State::header || impl_->state == State::body) {
    error_code error;
    const std::size_t n = impl_->put({bytes.data() + used, bytes.size() - used}, error);
    used += n;
    if (!error && impl_->state == State::body && impl_->is_done()) impl_->complete(error);
    if (impl_->state == State::failed) break;
    if (error == http::error::need_more) {
      const bool endless = impl_->state == State::body && bytes.size() - used > most_chunk_header;
      if (endless) {
        impl_->state = State::failed;
        impl_->failure = {400, "a chunk's header is too long"};
      }
      break;
    }
    if (error) {
      impl_->state = State::failed;
      impl_->failure = failure_of(error, impl_->limits);
      break;
    }
    if (used == bytes.size()) break;
  }
  return used;
}

void RequestParser::take_body() {
  Impl& p = *impl_;
  error_code error;
  p.state = State::body;
  p.most_received = p.limits.body_bytes;
  p.decoder = BodyDecoder::make(p.encoding(), p.limits.decompressed_bytes);
  if (!p.decoder) return p.refuse(415, "Content-Encoding must be zstd or gzip", error);
  if (p.content_length().value_or(0) > p.most_received) return p.refuse_size(error);
  if (p.is_done()) p.complete(error);
}

void RequestParser::drop_body(std::size_t most) {
  Impl& p = *impl_;
  error_code error;
  p.state = State::body;
  p.most_received = most;
  if (p.content_length().value_or(0) > most) return p.refuse_size(error);
  if (p.is_done()) p.complete(error);
}

RequestParser::State RequestParser::state() const { return impl_->state; }
const RequestParser::Failure& RequestParser::failure() const { return impl_->failure; }
Request& RequestParser::request() { return impl_->request; }
const std::string& RequestParser::target() const { return impl_->target; }
bool RequestParser::keep_alive() const { return impl_->is_header_done() && impl_->keep_alive(); }
bool RequestParser::http_1_0() const { return impl_->http_1_0; }
bool RequestParser::expects_continue() const { return impl_->expects_continue; }
bool RequestParser::has_body() const { return impl_->has_body; }
std::size_t RequestParser::body_size() const { return impl_->request.body.size(); }
std::uint64_t RequestParser::received() const { return impl_->received; }

std::optional<std::uint64_t> RequestParser::content_length() const {
  const auto length = impl_->content_length();
  return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

}  // namespace hearth::server
