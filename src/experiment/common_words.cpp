// SPDX-License-Identifier: GPL-3.0-or-later
#include "experiment/common_words.h"
#include "base/text.h"
#include <unordered_set>

namespace carousel {

namespace {
constexpr std::string_view ordinary =
    "a able about above action adventure after again against age ago air all almost alone along already also although always am among an and animal another any "
    "anyone anything apple are around art as ask at available away baby back bad based be beach beautiful because become been before begin behind being believe "
    "best better between beyond big bird black blue board body book both box boy brand bring brother brown build business but buy by call can car care carry case "
    "category change child children choice choices choose christmas city class classic clear close cloud club cold color colour come common company contact "
    "cool copy cost could country course crash cut customer customers daily dance dark date day dead dear deep design did different do does done door double down "
    "dream drive early earth east easy eat edge either else end enjoy enough even evening event ever every everyone everything example excellent experience "
    "explore face fact fair fall family far fast father feature features feel few field fight film final find fine fire first fit five fly follow food foot for "
    "force forest four free fresh friend friends from full fun game garden general get gift girl give go god gold good grand great green ground group grow had "
    "half hand happy hard has have he head hear heart heat help her here hero high him his history hold home hope hot hour house how however i idea if ill im "
    "important in inside interest into is island it item items its ive job join journey just keep key kid kids kind king kitchen know lady land large last late "
    "later latest law lead learn leave left less let level life light like line list little live living local long look lost lot love low made magic main make "
    "man many mark match matches may maybe me mean meet men mid mind modern money month moon more morning most mother mountain move movie much music must my "
    "name natural nature near need never new next nice night nine no north not note nothing now number of off often old on once one only open or order original "
    "other others our out outdoor outside over overall own part party past people perfect person personal piece place plan play please plus point popular "
    "position power practical present price product products professional protect pure put quality quick quiet quite rain rank rated rather read ready real "
    "really reason recommend recommendation recommendations recommended red related rest review reviews rich right river road rock room rose run sail same save "
    "say school scream sea second secret see seem selection sense set seven several shadow shall share she shop short should show side silent silver similar "
    "simple since sister six size sky slow small smart smooth so soft some someone something song soon sound source south space special speed spirit spring star "
    "stars start state stay step still stone stop storm story street strong student studio style such suit summer sun super sure table tag tags take taste team "
    "technical tell ten test than thank thanks that the their them then there these they thing things think this those though three through time times title to "
    "today together top total touch town trail travel tree trip true trust try turn two type under until up upon us use used user users usual value very view "
    "village visit wait walk wall want war warm was watch water way we weather week well were west what when where whether which while white who whole whose why "
    "wide wild will wind window winner winter wish with within without woman wonder wood word work world would writer year years yellow yes yet you young your "
    "youre youve january february march april june july august september october november december monday tuesday wednesday thursday friday saturday sunday "
    "english american european dear hello hi ok tv";
constexpr std::string_view idioms =
    "action art basic bold book books classic clear cool design drama family fun gift gifts gold gray grey home living mystery natural nature new outdoor outdoors play "
    "professional pure sand silver sky smart sport sports stone style technical travel value war work premium standard simple minimal modern playful romance";

std::unordered_set<std::string_view> setOf(std::string_view words) {
    std::unordered_set<std::string_view> out;
    for (const auto word : split(words, ' '))
        out.insert(word);
    return out;
}
} // namespace

bool isOrdinaryWord(std::string_view folded) {
    static const auto words = setOf(ordinary);
    return words.count(folded) != 0;
}
bool isIdiomWord(std::string_view folded) {
    static const auto words = setOf(idioms);
    return words.count(folded) != 0;
}

} // namespace carousel
