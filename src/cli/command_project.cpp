// SPDX-License-Identifier: GPL-3.0-or-later
// init and doctor.
#include "base/file.h"
#include "base/parallel.h"
#include "base/paths.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/version.h"
#include "llm/model_shelf.h"
#include <filesystem>
#include <sys/utsname.h>

namespace carousel::cli {

using nlohmann::json;

namespace {
struct InitOptions {
    std::string file, title;
};

Result<Answer> initProject(Session& session, const InitOptions& options) {
    const std::string file = options.file.empty() ? session.projectFile() : options.file;
    if (file.empty())
        return fail(ErrorKind::usage, "CL-4010", "No project is given.", "Write `init FILE.carousel`, or `--project FILE init`.");
    const std::string title = options.title.empty() ? std::filesystem::path(file).stem().string() : options.title;
    CAROUSEL_TRY(session.bench().createProject(file, title));
    const int schema = session.bench().store().schemaVersion();
    session.bench().closeProject();
    Answer answer;
    answer.text = fmt::format("Made the project '{}'.", file);
    answer.data = {{"project", file}, {"title", title}, {"schemaVersion", schema}};
    return answer;
}

Result<Answer> doctor(Session& session) {
    Answer answer;
    utsname system{};
    ::uname(&system);
    std::string text = fmt::format("Carousel Lab {}\nSystem: {} {} {}, {} threads\n\n", programVersion, system.sysname, system.release, system.machine, threadCount());
    json folders = json::object();
    TextTable places({"Folder", "Path", "State"});
    auto place = [&](const char* what, const std::string& path) {
        const bool there = fileExists(path);
        places.add({what, path, there ? "found" : "missing"});
        folders[what] = {{"path", path}, {"found", there}};
    };
    place("models", modelFolder());
    place("data", dataFolder());
    place("samples", sampleDataFolder());
    place("plugins", pluginFolder());
    text += places.text() + "\n";
    TextTable models({"Model", "State", "Detail"});
    json modelList = json::array();
    for (const auto& status : ModelShelf().status()) {
        models.add({status.model.id, name(status.state), status.detail});
        modelList.push_back({{"id", status.model.id}, {"state", name(status.state)}, {"detail", status.detail}});
        if (status.state != ModelState::ready)
            answer.warnings.push_back(fmt::format("Model '{}' cannot be used ({}). {}", status.model.id, name(status.state),
                                                  status.model.known ? "Run packaging/fetch.sh once with a network." : "`models list` says why."));
    }
    text += models.text() + "\n";
    const auto& plugins = session.bench().plugins();
    text += fmt::format("Plugins: {} loaded, {} refused\n", plugins.all().size(), plugins.refused().size());
    json refused = json::array();
    for (const auto& entry : plugins.refused()) {
        refused.push_back({{"file", entry.file}, {"reason", entry.reason}});
        answer.warnings.push_back(fmt::format("Plugin '{}' is refused: {}", entry.file, entry.reason));
    }
    answer.data = {{"version", programVersion}, {"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)}, {"threads", threadCount()},
                   {"folders", folders}, {"models", modelList}, {"plugins", {{"loaded", plugins.all().size()}, {"refused", refused}}}};
    if (!session.projectFile().empty()) {
        CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
        CAROUSEL_TRY(bench->store().integrityCheck());
        CAROUSEL_ASSIGN(const auto datasets, bench->store().datasets());
        CAROUSEL_ASSIGN(const auto runs, bench->store().runs());
        text += fmt::format("Project: '{}' is sound (schema {}, {} data sets, {} runs, {} cached model answers)\n", session.projectFile(), bench->store().schemaVersion(), datasets.size(),
                            runs.size(), bench->store().cachedAnswers());
        answer.data["project"] = {{"file", session.projectFile()}, {"sound", true}, {"schemaVersion", bench->store().schemaVersion()}, {"dataSets", datasets.size()},
                                  {"runs", runs.size()}, {"cachedAnswers", bench->store().cachedAnswers()}};
    }
    answer.text = text;
    return answer;
}
} // namespace

void addProjectCommands(CLI::App& app, Session& session) {
    auto* init = app.add_subcommand("init", "Make a new project file");
    auto options = std::make_shared<InitOptions>();
    init->add_option("file", options->file, "Project file to make (else that of --project)")->type_name("FILE");
    init->add_option("--title", options->title, "Title of the project (else the file's name)");
    session.chosen(init, "init", [&session, options] { return initProject(session, *options); });
    auto* check = app.add_subcommand("doctor", "Show what this program finds on the machine, and check the project if one is given");
    session.chosen(check, "doctor", [&session] { return doctor(session); });
}

} // namespace carousel::cli
