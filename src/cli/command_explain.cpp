// SPDX-License-Identifier: GPL-3.0-or-later
// explain: why an item is recommended, in sentences that are checked against the facts; and how often a writer makes things up.
#include "base/file.h"
#include "base/text.h"
#include "cli/explain.h"
#include "cli/table.h"
#include "server/endpoints.h"
#include "workbench/grounded_explanations.h"

namespace carousel::cli {

using nlohmann::json;

namespace {

struct ExplainOptions {
    std::int64_t run = 0, position = 0, sample = 0;
    std::string user, item, writer, model, promptFile;
    std::vector<std::string> sets, allowedServers;
    std::uint64_t seed = 1;
};

json described(const GroundedExplanation& e, const EntityTable& items) {
    const auto& f = e.facts;
    json attributes = json::array(), shared = json::array(), statements = json::array();
    for (const auto& a : f.attributes)
        attributes.push_back({{"field", a.field}, {"value", a.text}});
    for (const auto& s : f.shared)
        shared.push_back({{"field", s.field}, {"value", s.value}, {"count", s.count}});
    for (const auto& s : e.checked.statements) {
        json spans = json::array();
        for (const auto& span : s.spans)
            spans.push_back({{"begin", span.begin}, {"end", span.end}, {"text", e.text.substr(span.begin, span.end - span.begin)}, {"status", name(span.status)}, {"reason", span.reason}});
        statements.push_back({{"begin", s.begin}, {"end", s.end}, {"text", e.text.substr(s.begin, s.end - s.begin)}, {"status", name(s.status)}, {"spans", spans}});
    }
    json facts{{"title", f.title}, {"attributes", attributes}, {"liked", f.likedTitles}, {"likedKnown", f.likedKnown}, {"shared", shared}, {"likedBy", f.likedBy},
               {"popularityRank", f.popularityRank}, {"items", f.items}, {"position", f.position}, {"strategy", f.strategy}, {"scorer", f.scorer}, {"reasons", f.reasons}};
    if (f.price)
        facts["price"] = *f.price;
    if (f.usualPrices)
        facts["usualPrices"] = {{"low", f.usualPrices->low}, {"middle", f.usualPrices->middle}, {"high", f.usualPrices->high}};
    return {{"item", items.ids.id(f.item)}, {"writer", e.writer}, {"model", e.model}, {"prompt", e.prompt}, {"text", e.text}, {"cut", e.cut}, {"unsupported", e.checked.unsupported()},
            {"statements", statements}, {"facts", facts}, {"promptTokens", e.promptTokens}, {"generatedTokens", e.generatedTokens}, {"seconds", e.seconds}, {"fromCache", e.fromCache}};
}

std::string statementLines(const GroundedExplanation& e) {
    TextTable table({"Status", "Statement"});
    std::string reasons;
    for (const auto& s : e.checked.statements) {
        table.add({name(s.status), quotedForMessage(e.text.substr(s.begin, s.end - s.begin), 160)});
        for (const auto& span : s.spans)
            if (span.status >= StatementStatus::unsupported)
                reasons += fmt::format("  '{}': {}\n", quotedForMessage(e.text.substr(span.begin, span.end - span.begin)), span.reason);
    }
    return table.text() + (reasons.empty() ? "" : "\nWhy not:\n" + reasons);
}

Result<Parameters> optionsOf(const ExplainOptions& given) {
    const auto specs = explanationParameters();
    Parameters out;
    auto sets = given.sets;
    if (!given.writer.empty())
        sets.push_back("writer=" + given.writer);
    if (!given.model.empty())
        sets.push_back("model=" + given.model);
    for (const auto& each : sets) {
        const auto at = each.find('=');
        const auto id = each.substr(0, at);
        const auto spec = std::find_if(specs.begin(), specs.end(), [&](const ParameterSpec& s) { return s.id == id; });
        if (at == std::string::npos || spec == specs.end()) {
            std::vector<std::string> known;
            for (const auto& s : specs)
                known.push_back(s.id);
            return fail(ErrorKind::usage, "CL-3001", fmt::format("explanation has no parameter '{}'.", quotedForMessage(id)), fmt::format("Use NAME=VALUE with one of: {}.", fmt::join(known, ", ")));
        }
        CAROUSEL_ASSIGN(auto value, parseParameter(*spec, each.substr(at + 1), "explanation"));
        out.set(id, std::move(value));
    }
    if (!given.promptFile.empty()) {
        CAROUSEL_ASSIGN(auto prompt, readFile(given.promptFile, std::size_t(1) << 20));
        out.set("prompt", std::move(prompt));
    }
    return out;
}

Result<Answer> explainOne(Session& session, Workbench& bench, const ExplainOptions& options, const Parameters& parameters) {
    CAROUSEL_ASSIGN(const auto row, bench.store().run(options.run));
    CAROUSEL_ASSIGN(const auto users, bench.runUsers(options.run));
    if (users.empty())
        return fail(ErrorKind::input, "CL-7012", fmt::format("Run {} has no finished user yet.", options.run), fmt::format("Go on with `resume {}`.", row.study));
    CAROUSEL_ASSIGN(const auto dataset, bench.dataset(row.dataset, session.control()));
    const Code user = options.user.empty() ? users.front() : dataset->users.ids.find(options.user);
    if (user == noCode || std::find(users.begin(), users.end(), user) == users.end())
        return fail(ErrorKind::input, "CL-7012", fmt::format("Run {} has no result for the user '{}'.", options.run, quotedForMessage(options.user)),
                    fmt::format("It has {} users; the first is '{}'.", users.size(), dataset->users.ids.id(users.front())));
    Code item = noCode;
    if (!options.item.empty()) {
        item = dataset->items.ids.find(options.item);
        if (item == noCode)
            return fail(ErrorKind::input, "CL-7014", fmt::format("The data have no item '{}'.", quotedForMessage(options.item)), "`carousel RUN --user ID --json` names the items of a carousel.");
    } else {
        CAROUSEL_ASSIGN(const auto shown, bench.carousel(options.run, user));
        const auto position = std::max<std::int64_t>(1, options.position);
        if (position > static_cast<std::int64_t>(shown.cards.size()))
            return fail(ErrorKind::input, "CL-7014", fmt::format("Position {} is behind the {} items that are shown for this user.", position, shown.cards.size()), "Choose a smaller one, or name the item with --item.");
        item = shown.cards[static_cast<std::size_t>(position - 1)].item;
    }
    CAROUSEL_ASSIGN(const auto told, GroundedExplainer(bench).explain(options.run, user, item, parameters, session.control()));
    Answer answer;
    answer.text = fmt::format("{}, user {}, position {}: {}\n\n{}\n\n{}\n{} of {} statements are not supported.\n\nFacts\n{}", row.strategy, dataset->users.ids.id(user), told.facts.position, told.facts.title, told.text,
                              statementLines(told), told.checked.unsupported(), told.checked.statements.size(), factLines(told.facts));
    if (told.writer == "model")
        answer.text += fmt::format("\nWritten by {}: {} prompt tokens, {} written, {:.1f} s{}\n", told.model, told.promptTokens, told.generatedTokens, told.seconds, told.fromCache ? " (from the cache)" : "");
    if (told.cut)
        answer.warnings.push_back("The answer was cut at its longest length (--set maximumTokens=N); its last statement may be half.");
    answer.data = described(told, dataset->items);
    answer.data["run"] = options.run;
    answer.data["user"] = dataset->users.ids.id(user);
    return answer;
}

Result<Answer> explainSample(Session& session, Workbench& bench, const ExplainOptions& options, const Parameters& parameters) {
    CAROUSEL_ASSIGN(const auto row, bench.store().run(options.run));
    CAROUSEL_ASSIGN(const auto dataset, bench.dataset(row.dataset, session.control()));
    CAROUSEL_ASSIGN(const auto sample, GroundedExplainer(bench).sample(options.run, static_cast<int>(options.sample), options.seed, parameters, session.control()));
    Answer answer;
    TextTable table({"Writer", ">Texts", ">With an unsupported statement", ">Unsupported per text", ">Contradicted", ">Supported", ">No claim", ">Tokens written", ">Seconds"});
    json writers = json::array(), worst = json::array();
    for (const auto& w : sample.writers) {
        const std::string who = w.writer == "plain" ? w.writer : w.model;
        table.add({who, std::to_string(w.texts), fmt::format("{:.0f} % [{:.0f}, {:.0f}]", 100 * w.share, 100 * w.shareInterval.low, 100 * w.shareInterval.high),
                   fmt::format("{:.2f} [{:.2f}, {:.2f}]", w.unsupported, w.unsupportedInterval.low, w.unsupportedInterval.high), fmt::format("{:.2f}", w.contradicted), fmt::format("{:.2f}", w.supported),
                   fmt::format("{:.2f}", w.noClaim), std::to_string(w.generatedTokens), fmt::format("{:.1f}{}", w.seconds, w.cached ? fmt::format(" ({} from the cache)", w.cached) : "")});
        writers.push_back({{"writer", w.writer}, {"model", w.model}, {"texts", w.texts}, {"shareWithUnsupported", w.share}, {"shareInterval", {w.shareInterval.low, w.shareInterval.high}},
                           {"unsupportedPerText", w.unsupported}, {"unsupportedInterval", {w.unsupportedInterval.low, w.unsupportedInterval.high}}, {"contradictedPerText", w.contradicted},
                           {"supportedPerText", w.supported}, {"noClaimPerText", w.noClaim}, {"statementsPerText", w.statements}, {"promptTokens", w.promptTokens}, {"generatedTokens", w.generatedTokens},
                           {"fromCache", w.cached}, {"seconds", w.seconds}});
    }
    answer.text = fmt::format("{} (run {}): {}\n\n{}\n95 % bootstrap intervals over the texts; statements per text.\n", row.strategy, options.run, sample.note, table.text());
    for (const auto& e : sample.worst) {
        answer.text += fmt::format("\n{}, for user {}\n{}\n{}", e.facts.title, dataset->users.ids.id(e.facts.user), e.text, statementLines(e));
        worst.push_back(described(e, dataset->items));
        worst.back()["user"] = dataset->users.ids.id(e.facts.user);
    }
    answer.data = {{"run", options.run}, {"seed", options.seed}, {"note", sample.note}, {"writers", writers}, {"worst", worst}};
    return answer;
}

Result<Answer> explain(Session& session, const ExplainOptions& options) {
    CAROUSEL_ASSIGN(const auto parameters, optionsOf(options));
    if (!options.item.empty() && options.position > 0)
        return fail(ErrorKind::usage, "CL-3072", "--item and --position both name an item.", "Give one of them.");
    if (options.sample > 0 && (!options.item.empty() || options.position > 0 || !options.user.empty()))
        return fail(ErrorKind::usage, "CL-3072", "--sample chooses users and items itself.", "Leave out --user, --item and --position.");
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
    for (const auto& server : options.allowedServers)
        bench->endpoints().allow(server);
    return options.sample > 0 ? explainSample(session, *bench, options, parameters) : explainOne(session, *bench, options, parameters);
}

} // namespace

void addExplainCommand(CLI::App& app, Session& session) {
    auto options = std::make_shared<ExplainOptions>();
    auto* sub = app.add_subcommand("explain", "Why an item is recommended, in sentences that are checked against the facts");
    sub->add_option("run", options->run, "Run")->required();
    sub->add_option("--user", options->user, "User id of the data; none: the first of the run");
    sub->add_option("--item", options->item, "Item id of the data");
    sub->add_option("--position", options->position, "Position in the carousel; none: 1")->check(CLI::Range(1, 1000000));
    sub->add_option("--writer", options->writer, "plain: our own sentences; model: a language model")->type_name("plain|model");
    sub->add_option("--model", options->model, "Model of the shelf, or server:NAME");
    sub->add_option("--sample", options->sample, "How often both writers say what no fact backs, over N users")->check(CLI::Range(1, 1000000))->type_name("N");
    sub->add_option("--seed", options->seed, "Of the sample")->capture_default_str();
    sub->add_option("--prompt", options->promptFile, "File with a prompt of your own; {{facts}} becomes the facts")->type_name("FILE");
    sub->add_option("--set", options->sets, "lastChoices=N, maximumTokens=N, temperature=T, prompt=TEXT")->type_name("NAME=VALUE")->expected(1)->take_all();
    sub->add_option("--allow-server", options->allowedServers, "Prompts with item texts and people's histories may be sent to this endpoint (may be given again)")->type_name("NAME")->expected(1)->take_all();
    session.chosen(sub, "explain", [&session, options] { return explain(session, *options); });
}

} // namespace carousel::cli
