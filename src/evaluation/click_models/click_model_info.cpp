// SPDX-License-Identifier: GPL-3.0-or-later
// What each click model is called, where it comes from, and what clicks alone can tell about it.
#include "evaluation/click_models/click_model.h"

namespace carousel {

const std::vector<ClickModelInfo>& clickModels() {
    using K = ClickModelKind;
    const auto make = [](K kind, const char* id, const char* name, const char* summary, const char* source, const char* identifies,
                         bool whole,
                         bool single = false) { return ClickModelInfo{kind, id, name, summary, source, identifies, whole, single}; };
    static const std::vector<ClickModelInfo> models{
        make(K::rankCtr, "rank-ctr", "Click rate per position", "Every position has its own click rate, whatever is shown there.",
             "Chuklin, Markov, de Rijke 2015", "The rates mix position and what was placed there; neither can be told from them.", false),
        make(K::itemCtr, "item-ctr", "Click rate per item", "Every item has its own click rate, wherever it is shown.",
             "Chuklin, Markov, de Rijke 2015", "The rates mix attraction and the positions an item was given.", false),
        make(K::pbm, "pbm", "Position-based model", "A click needs a look at the position and an attractive item, independently.",
             "Richardson et al., WWW 2007; Craswell et al., WSDM 2008",
             "Examination up to a factor (reported relative to the first position), and only if items were shown in several positions.",
             false),
        make(K::cascade, "cascade", "Cascade model", "The eye goes from the first position on and stops at the first click.",
             "Craswell et al., WSDM 2008", "Attraction; the reading order is assumed, not estimated.", true, true),
        make(K::dcm, "dcm", "Dependent click model", "A cascade that goes on after a click with a probability per position.",
             "Guo et al., WSDM 2009", "Attraction and continuation after a click; everything is assumed to be read until the first click.",
             true),
        make(K::ubm, "ubm", "User browsing model", "Examination depends on the position and on the last clicked position before.",
             "Dupret and Piwowarski, SIGIR 2008", "Examination up to a factor, and only if items were shown in several positions.", true),
        make(K::sdbn, "sdbn", "Simplified dynamic Bayesian model", "A cascade that ends when a clicked item satisfies.",
             "Chapelle and Zhang, WWW 2009", "Attraction and satisfaction; leaving without a click is assumed never to happen.", true),
        make(K::dbn, "dbn", "Dynamic Bayesian model", "A cascade that ends when a clicked item satisfies or patience runs out.",
             "Chapelle and Zhang, WWW 2009",
             "Attraction, satisfaction and patience; satisfaction and impatience are told apart by skipped items only.", true),
        make(K::ccm, "ccm", "Click chain model", "A cascade whose continuation depends on a click and on the relevance behind it.",
             "Guo et al., WWW 2009", "Relevance and three continuation probabilities; the two after a click are weakly told apart.", true),
        make(K::carousel, "carousel", "Carousel model", "Pages are looked at place by place; a swipe brings the next page into view.",
             "this program",
             "With logged reach: examination relative to the first place, swipe, post-swipe reset. From clicks alone: swipe times reset, "
             "held as swipe.",
             true),
    };
    return models;
}

Result<const ClickModelInfo*> clickModelInfo(const std::string& id) {
    std::string known;
    for (const ClickModelInfo& info : clickModels()) {
        if (info.id == id)
            return &info;
        known += (known.empty() ? "" : ", ") + info.id;
    }
    return fail(ErrorKind::usage, "CL-8021", fmt::format("There is no click model '{}'.", id), "Known: " + known + ".");
}

} // namespace carousel
