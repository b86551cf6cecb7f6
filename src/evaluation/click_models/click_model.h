// SPDX-License-Identifier: GPL-3.0-or-later
// Click models: P(clicks | slate). Sources: Chuklin, Markov, de Rijke, "Click Models for Web Search", 2015 (notation), and per model: PBM
// (Richardson et al., WWW 2007; Craswell et al., WSDM 2008), cascade (Craswell et al., WSDM 2008), DCM (Guo et al., WSDM 2009), UBM (Dupret
// and Piwowarski, SIGIR 2008), DBN and SDBN (Chapelle and Zhang, WWW 2009), CCM (Guo et al., WWW 2009), carousel (ours, below).
// What is exact here: a session without a click counts like any other; the posterior of a hidden state is conditioned on the clicks seen
// (e_r = P(E_r = 1 | C_<r)), checked against enumeration of all hidden states. Thread rule: objects are immutable after construction.
//
// carousel: pages of `window` slots. On a page in view each slot is looked at with theta_k (k = place in the page) on its own; a slot looked
// at is clicked with alpha_item. After a click the visit goes on with probability `continueAfterClick`; at the end of a page with the visit
// still on, the user swipes on with probability `swipe`; on later pages theta is multiplied by `reset` (post-swipe; held at 1 when reach is
// not logged, since it cannot be told from swipe then). Where the log says which slots were in view, that is used.
#pragma once
#include "evaluation/click_models/click_log.h"
#include <memory>

namespace carousel {

enum class ClickModelKind { rankCtr, itemCtr, pbm, cascade, dcm, ubm, sdbn, dbn, ccm, carousel };

struct ClickModelInfo {
    ClickModelKind kind = ClickModelKind::pbm;
    std::string id, name;      // "pbm", "Position-based model"
    std::string summary;       // one sentence
    std::string source;        // paper
    std::string identifies;    // what clicks alone can and cannot tell, in words
    bool needsWholeSlates = true;
    bool singleClick = false;  // cannot give a session with two clicks a probability above 0 (cascade)
};
const std::vector<ClickModelInfo>& clickModels();                // in the order of the enum
Result<const ClickModelInfo*> clickModelInfo(const std::string& id); // CL-8021 naming the known ids

// Blocks that a model does not use are empty. All are probabilities.
struct ClickModelParameters {
    std::vector<double> attraction;   // alpha, per item code (itemCtr: click rate)
    std::vector<double> satisfaction; // sigma, per item code: sdbn, dbn
    // rankCtr: click rate per slot. pbm: gamma per slot. ubm: gamma[slot * (slots + 1) + p], p = 1 + slot of the last click before, 0: none.
    // carousel: theta per place in the page.
    std::vector<double> examination;
    // dcm: lambda per slot. dbn: one. ccm: t1 (no click), t2 (click, not relevant), t3 (click, relevant).
    std::vector<double> continuation;
    double swipe = 0, continueAfterClick = 0, reset = 1; // carousel
    int window = 0;                                      // carousel: slots of a page
};

class ClickModel {
public:
    virtual ~ClickModel() = default;
    virtual ClickModelKind kind() const = 0;
    virtual const ClickModelParameters& parameters() const = 0;
    // P(C_r = 1 | C_<r) for every row of the session: what likelihood and conditional perplexity use. Reach columns are not used here, so
    // that models with and without them are compared on clicks alone.
    virtual void conditional(const SessionView& session, std::span<double> out) const = 0;
    // P(C_r = 1), no click known.
    virtual void marginal(const SessionView& session, std::span<double> out) const = 0;
    // P(E_r = 1 | all clicks of the session): examined; the carousel model counts a slot not in view as not examined.
    virtual void examined(const SessionView& session, std::span<double> out) const = 0;
    // Draws clicks (and, for the carousel model, reach into `reached`, else empty) for the items of a session. Pure in (seed, index).
    virtual void draw(const SessionView& session, std::uint64_t seed, std::uint64_t index, std::span<std::uint8_t> click,
                      std::span<std::uint8_t> reached) const = 0;
};
// CL-8022 when a block has the wrong size or a value outside [0, 1].
Result<std::unique_ptr<ClickModel>> makeClickModel(ClickModelKind kind, ClickModelParameters parameters, std::int32_t items, std::int32_t slots);

// Sum over rows of log P(c_r | c_<r), natural log, probabilities held within [1e-12, 1 - 1e-12].
double logLikelihood(const ClickModel& model, const SessionView& session);

struct ClickModelScore { // on a log that was not used for fitting
    double logLikelihood = 0;                 // mean per session
    std::vector<double> perSession;           // for paired intervals
    std::vector<double> perplexity;           // per slot, 2^(-mean log2 p), marginal probabilities
    std::vector<double> conditionalPerplexity;// per slot, conditional probabilities
    double meanPerplexity = 0, meanConditionalPerplexity = 0; // over slots
};
ClickModelScore scoreClickModel(const ClickModel& model, const ClickLog& log);

} // namespace carousel
