// SPDX-License-Identifier: GPL-3.0-or-later
#include "experiment/training_parameters.h"

namespace carousel {

const std::vector<ParameterSpec>& trainingParameters() {
    static const TrainingSpec plain;
    static const std::vector<ParameterSpec> all{
        {.id = "clicks",
         .label = "Clicks",
         .kind = ParameterKind::choice,
         .defaultValue = plain.clicks,
         .help = "What the strategy learns from the carousel log besides its interactions.",
         .choices = {"none", "evidence", "naive", "ips"}},
        {.id = "examination",
         .label = "Examination",
         .kind = ParameterKind::number,
         .defaultValue = plain.examination,
         .help = "By this factor fewer look at each next place of a page of the log; 0 takes the study's.",
         .minimum = 0,
         .maximum = 1},
        {.id = "clip",
         .label = "Largest weight",
         .kind = ParameterKind::number,
         .defaultValue = plain.clip,
         .help = "No click weighs more than this: lower is steadier, higher removes more of the position bias.",
         .minimum = 1,
         .maximum = 1e6},
        {.id = "logShare",
         .label = "Share of the log",
         .kind = ParameterKind::number,
         .defaultValue = plain.logShare,
         .help = "The earliest sessions are learned from; the rest stays for off-policy evaluation.",
         .minimum = 0.001,
         .maximum = 1}};
    return all;
}

} // namespace carousel
