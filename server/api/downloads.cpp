// Downloads: addresses of a checkpoint's files, and the files themselves. Addresses carry their own proof (see
// signed_links.h), since clients fetch them without a key.
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>

#include "hearth/core/error.h"
#include "server/api/reply.h"
#include "server/api/routes.h"
#include "server/api/run_json.h"
#include "server/api/signed_links.h"
#include "server/http/loop.h"
#include "server/store/names.h"
#include "server/store/store.h"
#include "server/store/tar.h"

namespace hearth::server {
namespace {

namespace fs = std::filesystem;

constexpr Time link_time = 3600 * second;
const char* const adapter_files[] = {"adapter_config.json", "adapter_model.safetensors"};

struct Downloads {
  explicit Downloads(const Api& api) : api(api), links(api.store), archives(api.store.folder() + "/archives") {
    std::error_code ignored;
    fs::remove_all(archives, ignored);  // of a process that was killed while it sent one
  }

  /// A checkpoint that `owner` may read: an own one, or one that was published.
  CheckpointRecord readable(const Request& request, CheckpointType type, const std::string& name) const {
    const std::string& run = request.parameters[0];
    auto found = api.store.read().checkpoint(run, type, name);
    bool may = found && (found->owner == request.owner || found->is_public);
    if (!may || (found->expires && *found->expires <= time_now()))
      not_found("checkpoint '" + run + "/" + std::string(to_text(type)) + "/" + name + "'");
    check<ValueError>(found->damage.empty(), "checkpoint: cannot be read: ", found->damage);
    return *found;
  }

  void give_urls(const Request& request, const Respond& respond) const;
  void give_archive_url(const Request& request, const Respond& respond) const;
  void send_file(const Request& request, const Respond& respond) const;
  void send_archive(const Request& request, const Respond& respond);

  Api api;
  SignedLinks links;
  std::string archives;
  uint64_t made = 0;
};

CheckpointType type_of(const Request& request) {
  try {
    return checkpoint_type(request.parameters[1]);
  } catch (const ValueError&) {
    not_found("checkpoint '" + request.parameters[1] + "/" + request.parameters[2] + "'");
  }
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

void Downloads::give_urls(const Request& request, const Respond& respond) const {
  const CheckpointType type = type_of(request);
  check<ValueError>(type == CheckpointType::external_weights,
                    "external_weights_urls: only external weights can be downloaded file by file, not ", to_text(type));
  CheckpointRecord checkpoint = readable(request, type, request.parameters[2]);
  const Time expires = time_now() + link_time;
  boost::json::object urls;
  for (const std::string& file : files_in(api.store.folders().path(checkpoint.folder)))
    urls[file] = links.url(api.scheme, request, {"file", checkpoint.run, checkpoint.folder, file, expires}, file);
  respond(json_answer({{"urls", std::move(urls)}, {"expires", iso_time(expires)}}));
}

void Downloads::give_archive_url(const Request& request, const Respond& respond) const {
  CheckpointRecord checkpoint = readable(request, type_of(request), request.parameters[2]);
  const Time expires = time_now() + link_time;
  Link link{"archive", checkpoint.run, checkpoint.folder, "", expires};
  respond(
      json_answer({{"url", links.url(api.scheme, request, link, "checkpoint.tar")}, {"expires", iso_time(expires)}}));
}

void Downloads::send_file(const Request& request, const Respond& respond) const {
  Link link = links.open(request.parameters[0], "file", time_now());
  if (!api.store.read().folder_is_known(link.folder)) not_found("the checkpoint was deleted: its file is");
  Response response;
  response.content_type = link.file.ends_with(".json") ? "application/json" : "application/octet-stream";
  response.file = api.store.folders().path(link.folder) + "/" + link.file;
  respond(std::move(response));
}

void Downloads::send_archive(const Request& request, const Respond& respond) {
  Link link = links.open(request.parameters[0], "archive", time_now());
  if (!api.store.read().folder_is_known(link.folder)) not_found("the checkpoint was deleted: its archive is");
  const std::string folder = api.store.folders().path(link.folder);
  const std::string path = archives + "/" + std::to_string(++made) + ".tar";
  api.store.background([respond, folder, path, archives = archives, loop = &api.loop] {
    std::string trouble;
    try {
      fs::create_directories(archives);
      std::vector<TarFile> files;
      for (const char* name : adapter_files) files.push_back({name, folder + "/" + name});
      files.push_back({"checkpoint_complete", ""});
      write_tar(path, files);
    } catch (const std::exception& error) {
      std::error_code ignored;
      fs::remove(path, ignored);
      trouble = error.what();
    }
    loop->post([respond, path, trouble] {
      if (!trouble.empty()) return respond(error_response(500, trouble));
      Response response;
      response.content_type = "application/x-tar";
      response.file = path;
      response.remove_file = true;
      respond(std::move(response));
    });
  });
}

}  // namespace

void add_download_routes(Router& router, const Api& api) {
  auto downloads = std::make_shared<Downloads>(api);
  const std::string one = "/api/v1/training_runs/{run}/checkpoints/{type}/{name}";
  router.add("GET", one + "/external_weights_urls",
             answer_errors([downloads](const Request& q, const Respond& r) { downloads->give_urls(q, r); }));
  router.add("GET", one + "/archive",
             answer_errors([downloads](const Request& q, const Respond& r) { downloads->give_archive_url(q, r); }));
  router.add("GET", "/api/v1/files/{token}/{name}",
             answer_errors([downloads](const Request& q, const Respond& r) { downloads->send_file(q, r); }),
             RouteOptions(Access::open));
  router.add("GET", "/api/v1/archives/{token}/{name}",
             answer_errors([downloads](const Request& q, const Respond& r) { downloads->send_archive(q, r); }),
             RouteOptions(Access::open));
}

}  // namespace hearth::server
