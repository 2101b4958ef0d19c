// Grad mode: whether ops record what backward needs, per thread.
#pragma once

namespace hearth {

bool grad_enabled();
void set_grad_enabled(bool enabled);

/// Sets the mode for a scope. Example: { NoGrad guard; y = model(x); }
class GradMode {
 public:
  explicit GradMode(bool enabled) : before_(grad_enabled()) { set_grad_enabled(enabled); }
  ~GradMode() { set_grad_enabled(before_); }
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool before_;
};

class NoGrad : public GradMode {
 public:
  NoGrad() : GradMode(false) {}
};

class EnableGrad : public GradMode {
 public:
  EnableGrad() : GradMode(true) {}
};

}  // namespace hearth
