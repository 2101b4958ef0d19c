// Routes: every path that the server answers, one function a resource. Handlers run on the loop thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace hearth::server {

class Engine;
class Loop;
class Router;
class Store;
class UnknownFields;

/// What handlers work with; it and all that it names outlive the router.
struct Api {
  Loop& loop;
  Engine& engine;
  Store& store;
  UnknownFields* unknown = nullptr;                ///< told of fields that no handler knows
  std::function<std::string()> http_metrics = {};  ///< of the server; set once that is made from the router
  std::chrono::milliseconds hold{25000};  ///< how long one who waits for a result is kept; clients give up after 45 s
  std::string scheme = "http";            ///< of addresses that answers name: "https" where the server speaks TLS
};

// What trains and samples: futures of the engine.
void add_service_routes(Router& router, const Api& api);   ///< healthz, capabilities, client config, telemetry, metrics
void add_session_routes(Router& router, const Api& api);   ///< create_session, session_heartbeat, sessions/{id}/finish
void add_model_routes(Router& router, const Api& api);     ///< create_model, get_info, unload_model
void add_training_routes(Router& router, const Api& api);  ///< forward_backward, optim_step, save_*, load_weights
void add_sampling_routes(Router& router, const Api& api);  ///< create_sampling_session, samplers/{id}, asample, join
void add_future_routes(Router& router, const Api& api);    ///< retrieve_future, retrieve_futures, cancel_future

// What was made: listings, checkpoints, files.
void add_run_routes(Router& router, const Api& api);             ///< training_runs
void add_checkpoint_routes(Router& router, const Api& api);      ///< checkpoints: list, publish, ttl, delete
void add_weights_routes(Router& router, const Api& api);         ///< weights_info, copy_weights
void add_download_routes(Router& router, const Api& api);        ///< archive, external_weights_urls, signed files
void add_session_record_routes(Router& router, const Api& api);  ///< sessions: list, info, project, search, trace
void add_account_routes(Router& router, const Api& api);         ///< auth, audit, billing

// Other clients than the Tinker SDK.
void add_openai_routes(Router& router, const Api& api);  ///< /v1 and /oai/api/v1: models, completions, chat/completions

/// All of the above. Call it before the loop runs.
inline void add_routes(Router& router, const Api& api) {
  for (auto add : {add_service_routes, add_session_routes, add_model_routes, add_training_routes, add_sampling_routes,
                   add_future_routes, add_run_routes, add_checkpoint_routes, add_weights_routes, add_download_routes,
                   add_session_record_routes, add_account_routes, add_openai_routes})
    add(router, api);
}

}  // namespace hearth::server
