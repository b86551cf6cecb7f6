// SPDX-License-Identifier: GPL-3.0-or-later
// Where things lie: models, sample data, plugins, the torch module. Each can be set by an environment variable CAROUSEL_LAB_*.
#pragma once
#include <string>

namespace carousel {

std::string programFolder();    // folder of the running program
std::string modelFolder();      // CAROUSEL_LAB_MODELS, else $XDG_DATA_HOME/carousel-lab/models (what packaging/fetch fills)
std::string dataFolder();       // CAROUSEL_LAB_DATA, else $XDG_DATA_HOME/carousel-lab/data (ML-100K, Open Bandit)
std::string sampleDataFolder(); // CAROUSEL_LAB_SAMPLE_DATA, else sample_data/ of the source or install tree
std::string pluginFolder();     // CAROUSEL_LAB_PLUGINS, else lib/plugins beside the program
std::string endpointFile();     // CAROUSEL_LAB_ENDPOINTS, else $XDG_CONFIG_HOME/carousel-lab/endpoints.toml (servers with language models)
std::string cacheFolder();      // CAROUSEL_LAB_CACHE, else $XDG_CACHE_HOME/carousel-lab (what can be found out again); need not exist
std::string moduleFolder();     // folder of loadable modules (the torch module): lib beside bin

} // namespace carousel
