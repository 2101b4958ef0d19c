// What a connection still has to send.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <utility>

namespace hearth::server {

/// Pieces in the order of sending. They stay where they are until consume().
class OutputQueue {
 public:
  void push(std::string piece) {
    if (piece.empty()) return;
    size_ += piece.size();
    pieces_.push_back(std::move(piece));
  }
  bool empty() const { return pieces_.empty(); }
  std::size_t size() const { return size_; }

  /// The next pieces, as Asio wants them; valid until the next call.
  std::span<const boost::asio::const_buffer> next() {
    std::size_t n = 0;
    for (auto piece = pieces_.begin(); piece != pieces_.end() && n < buffers_.size(); ++piece, ++n) {
      const std::size_t skip = n == 0 ? sent_ : 0;
      buffers_[n] = boost::asio::const_buffer(piece->data() + skip, piece->size() - skip);
    }
    return {buffers_.data(), n};
  }

  void consume(std::size_t n) {
    size_ -= n;
    sent_ += n;
    while (!pieces_.empty() && sent_ >= pieces_.front().size()) {
      sent_ -= pieces_.front().size();
      pieces_.pop_front();
    }
    // A deque keeps blocks of memory; thousands of waiting connections need none.
    if (pieces_.empty()) std::deque<std::string>().swap(pieces_);
  }

 private:
  std::deque<std::string> pieces_;
  std::size_t sent_ = 0, size_ = 0;
  std::array<boost::asio::const_buffer, 8> buffers_;
};

}  // namespace hearth::server
