// SPDX-License-Identifier: GPL-3.0-or-later
// completion bash: a script made from the commands and options as they are declared, so that it cannot fall behind them.
#include "cli/session.h"

namespace carousel::cli {

namespace {
// One case per command path: "runs compare") words="..." ;;
void addCases(const CLI::App& app, const std::string& path, std::string& cases) {
    std::string words;
    for (const auto* sub : app.get_subcommands({}))
        words += sub->get_name() + " ";
    for (const CLI::App* at = &app; at != nullptr; at = at->get_parent())
        for (const auto* option : at->get_options({}))
            if (!option->get_group().empty() && !option->get_lnames().empty())
                words += "--" + option->get_lnames().front() + " ";
    cases += fmt::format("        \"{}\") words=\"{}\" ;;\n", path, words.substr(0, words.size() - 1));
    for (const auto* sub : app.get_subcommands({}))
        addCases(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), cases);
}

std::string names(const CLI::App& app) {
    std::string all;
    for (const auto* sub : app.get_subcommands({}))
        all += sub->get_name() + "|" + names(*sub);
    return all;
}
} // namespace

void addCompletionCommand(CLI::App& app, Session& session) {
    auto* completion = app.add_subcommand("completion", "Print a completion script: source <(carousel-lab-cli completion bash)");
    auto shell = std::make_shared<std::string>();
    completion->add_option("shell", *shell, "bash")->required()->check(CLI::IsMember({"bash"}));
    session.chosen(completion, "completion", [&app]() -> Result<Answer> {
        std::string cases;
        addCases(app, "", cases);
        std::string all = names(app);
        all.pop_back();
        Answer answer;
        answer.text = fmt::format(R"(_carousel_lab_cli() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" path="" word words="" at
    for ((at = 1; at < COMP_CWORD; at++)); do
        word="${{COMP_WORDS[at]}}"
        case "$word" in
        {}) path="${{path:+$path }}$word" ;;
        esac
    done
    case "$path" in
{}        esac
    if [[ $current == -* || -n $words && $current != */* ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$current"))
    fi
    [[ ${{#COMPREPLY[@]}} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$current"))
}}
complete -o filenames -F _carousel_lab_cli carousel-lab-cli
)",
                                  all, cases);
        answer.data = {{"shell", "bash"}, {"script", answer.text}};
        return answer;
    });
}

} // namespace carousel::cli
