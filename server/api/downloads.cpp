// Downloads: addresses of a checkpoint's files, and the files themselves. Addresses carry their own proof (see
// signed_urls.h), since clients fetch them without a key.
#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

#include "hearth/core/error.h"
#include "server/api/reply.h"
#include "server/api/routes.h"
#include "server/api/run_json.h"
#include "server/api/signed_urls.h"
#include "server/http/loop.h"
#include "server/store/archive.h"
#include "server/store/names.h"
#include "server/store/store.h"

namespace hearth::server {
namespace {

namespace fs = std::filesystem;

/// The checkpoint that a route's {run}/{type}/{name} means, if it is there and can be read.
CheckpointRecord find_checkpoint(Store& store, const Request& request) {
  const auto& p = request.parameters;
  const std::string words = "checkpoint '" + p[0] + "/" + p[1] + "/" + p[2] + "'";
  std::optional<CheckpointRecord> found;
  try {
    found = store.read().checkpoint(p[0], checkpoint_type(p[1]), p[2]);
  } catch (const ValueError&) {
    not_found(words);
  }
  if (!found || (found->expires && *found->expires <= time_now())) not_found(words);
  check<ValueError>(found->damage.empty(), "checkpoint: cannot be read: ", found->damage);
  return *found;
}

/// Only an own one, or one that was published.
CheckpointRecord readable_checkpoint(Store& store, const Request& request) {
  CheckpointRecord found = find_checkpoint(store, request);
  if (found.owner != request.owner && !found.is_public)
    not_found("checkpoint '" + found.run + "/" + request.parameters[1] + "/" + found.name + "'");
  return found;
}

std::string download_path(const CheckpointRecord& checkpoint, const std::string& file) {
  return "/api/v1/downloads/" + checkpoint.run + "/" + std::string(to_text(checkpoint.type)) + "/" + checkpoint.name +
         "/" + file;
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
  check<IoError>(!error, "checkpoint: its folder cannot be read: ", error.message());
  std::sort(names.begin(), names.end());
  return names;
}

void give_file_urls(const Api& api, const Request& request, const Respond& respond) {
  CheckpointRecord checkpoint = readable_checkpoint(api.store, request);
  check<ValueError>(checkpoint.type == CheckpointType::external_weights,
                    "external_weights_urls: only external weights can be downloaded file by file, not ",
                    to_text(checkpoint.type));
  const Time expires = time_now() + signed_url_lifetime;
  boost::json::object list;
  for (const std::string& file : files_in(api.store.folders().path(checkpoint.folder)))
    list[file] = signed_url(api, request, download_path(checkpoint, file), expires);
  respond(json_answer({{"urls", std::move(list)}, {"expires", iso_time(expires)}}));
}

void give_archive_url(const Api& api, const Request& request, const Respond& respond) {
  CheckpointRecord checkpoint = readable_checkpoint(api.store, request);
  const Time expires = time_now() + signed_url_lifetime;
  const std::string url = signed_url(api, request, download_path(checkpoint, "archive.tar"), expires);
  respond(json_answer({{"url", url}, {"expires", iso_time(expires)}}));
}

Response tar_response(const std::string& path) {
  Response response;
  response.content_type = "application/x-tar";
  response.file = path;
  return response;
}

void send_archive(const Api& api, const Request& request, const Respond& respond) {
  CheckpointRecord checkpoint = find_checkpoint(api.store, request);
  if (auto ready = api.store.archives().find(checkpoint.hash)) return respond(tar_response(ready->path));
  const std::string folder = api.store.folders().path(checkpoint.folder);
  api.store.background([respond, folder, hash = checkpoint.hash, &archives = api.store.archives(), &loop = api.loop] {
    Response response;
    try {
      response = tar_response(archives.build(folder, hash).path);
    } catch (const std::exception& error) {
      response = error_response(500, error.what());
    }
    loop.post([respond, response] { respond(response); });
  });
}

void send_file(const Api& api, const Request& request, const Respond& respond) {
  check_signature(api.store, request);
  const std::string& file = request.parameters[3];
  if (file == "archive.tar") return send_archive(api, request, respond);
  CheckpointRecord checkpoint = find_checkpoint(api.store, request);
  const std::string folder = api.store.folders().path(checkpoint.folder);
  const std::vector<std::string> names = files_in(folder);
  if (std::find(names.begin(), names.end(), file) == names.end()) not_found("file '" + file + "'");
  Response response;
  response.content_type = file.ends_with(".json") ? "application/json" : "application/octet-stream";
  response.file = folder + "/" + file;
  respond(std::move(response));
}

}  // namespace

void add_download_routes(Router& router, const Api& api) {
  const std::string one = "/api/v1/training_runs/{run}/checkpoints/{type}/{name}";
  router.add("GET", one + "/external_weights_urls",
             answer_errors([api](const Request& q, const Respond& r) { give_file_urls(api, q, r); }));
  router.add("GET", one + "/archive",
             answer_errors([api](const Request& q, const Respond& r) { give_archive_url(api, q, r); }));
  router.add("GET", "/api/v1/downloads/{run}/{type}/{name}/{file}",
             answer_errors([api](const Request& q, const Respond& r) { send_file(api, q, r); }),
             RouteOptions(Access::open));
}

}  // namespace hearth::server
