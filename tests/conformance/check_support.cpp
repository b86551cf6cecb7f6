// SPDX-License-Identifier: GPL-3.0-or-later
#include "checks.h"
#include <chrono>
#include <thread>

namespace carousel::conformance {

std::string label(const PluginEntry& entry) {
    return fmt::format("{}/{}", name(entry.manifest.kind), entry.manifest.id);
}

std::string exampleScorerCommand() {
    return fmt::format("'{}' '{}'", CAROUSEL_TEST_PYTHON, CAROUSEL_EXAMPLE_SCORER);
}

Parameters defaultsOf(const PluginEntry& entry) {
    return parametersOf(entry, {});
}

Parameters parametersOf(const PluginEntry& entry, std::initializer_list<std::pair<std::string, ParameterValue>> set) {
    Parameters given;
    if (label(entry) == "scorer/external")
        given.set("command", exampleScorerCommand());
    for (const auto& [id, value] : set)
        given.set(id, value);
    return must(validate(entry.manifest.parameters, given, label(entry)));
}

RunControl stoppedControl() {
    std::stop_source source;
    source.request_stop();
    return RunControl(source.get_token());
}

std::string checkStops(const std::function<Result<void>(const RunControl&)>& run) {
    using Clock = std::chrono::steady_clock;
    auto limit = std::chrono::milliseconds(1000); // the promise is 250 ms on a machine that does nothing else
    auto start = Clock::now();
    const auto stopped = run(stoppedControl());
    if (stopped)
        return "a stopped run ended as if finished";
    if (stopped.error().kind != ErrorKind::cancelled)
        return "a stopped run ended with: " + describe(stopped.error());
    if (Clock::now() - start > limit)
        return "a stopped run took more than a second to end";
    std::stop_source source;
    Clock::time_point asked;
    std::jthread stopper([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        asked = Clock::now();
        source.request_stop();
    });
    const auto onTheWay = run(RunControl(source.get_token()));
    const auto ended = Clock::now();
    stopper.join();
    if (!onTheWay && onTheWay.error().kind != ErrorKind::cancelled)
        return "stopped on the way, it ended with: " + describe(onTheWay.error());
    return ended - asked > limit ? "stopped on the way, it took more than a second to end" : "";
}

FeatureTable plainFeatures(const PluginRegistry& registry, const SmallData& data) {
    Bench bench;
    const auto& entry = *must(registry.find(StageKind::feature, "text_template"));
    return must(must(entry.manifest.createFeature(defaultsOf(entry), bench.environment()))->build(data.training, {}));
}

EmbeddingTable textVectors(const SmallData&, const FeatureTable& features) {
    FakeModel model;
    EmbeddingTable out;
    out.items = must(model.embed(features.itemText, Pooling::mean, {}));
    return out;
}

EmbeddingTable freeVectors(const PluginRegistry& registry, const SmallData& data) {
    Bench bench;
    const auto& entry = *must(registry.find(StageKind::encoder, "one_hot_embedding"));
    return must(must(entry.manifest.createEncoder(parametersOf(entry, {{"dimension", std::int64_t(8)}}), bench.environment()))
                    ->encode({}, data.training, {}));
}

} // namespace carousel::conformance
