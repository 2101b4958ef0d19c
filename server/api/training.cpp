// Training: forward_backward, optim_step, saving and loading weights; all of them become futures.
#include "server/api/submit.h"
#include "server/wire/result.h"

namespace hearth::server {
namespace {

// JSON or anything else here would be a client that cannot read the answer either.
bool is_protobuf(std::string_view type) { return same_name(type.substr(0, type.find(';')), protobuf_type); }

Handler forward_backward_handler(const Api& api) {
  return [submit = submit_handler(api, CommandKind::forward_backward)](Request request, Respond respond) {
    if (!is_protobuf(request.header("content-type"))) {
      return respond(error_response(415, "forward_backward: wants Content-Type: application/x-protobuf"));
    }
    submit(std::move(request), std::move(respond));
  };
}

}  // namespace

void add_training_routes(Router& router, const Api& api) {
  router.add("POST", "/api/v1/forward_backward", forward_backward_handler(api));
  for (const CommandKind kind :
       {CommandKind::optim_step, CommandKind::save_weights, CommandKind::save_weights_for_sampler,
        CommandKind::save_weights_external, CommandKind::load_weights}) {
    router.add("POST", "/api/v1/" + std::string(command_name(kind)), submit_handler(api, kind));
  }
}

}  // namespace hearth::server
