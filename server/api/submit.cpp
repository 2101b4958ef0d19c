// Submitting: requests that become futures.
#include "server/api/submit.h"

#include <boost/json.hpp>

namespace hearth::server {

Then<Accepted> answer_accepted(const Respond& respond) {
  return [respond](Reply<Accepted> reply) {
    if (const auto* no = std::get_if<Refusal>(&reply)) return respond(refused(*no));
    const Accepted& accepted = std::get<Accepted>(reply);
    boost::json::object answer{{"request_id", accepted.request_id}};
    if (!accepted.sequence_ids.empty()) {
      answer["sample_sequence_ids"] = boost::json::array(accepted.sequence_ids.begin(), accepted.sequence_ids.end());
    }
    respond(json_answer(answer));
  };
}

Handler submit_handler(const Api& api, CommandKind kind) {
  return [engine = &api.engine, kind](Request request, Respond respond) {
    // Out of the request first: handlers see it as constant, and a batch is large.
    std::string body = std::move(request.body);
    answer_errors([&](const Request& request, const Respond& respond) {
      engine->submit(request.owner, kind, std::move(body), answer_accepted(respond));
    })(std::move(request), std::move(respond));
  };
}

}  // namespace hearth::server
