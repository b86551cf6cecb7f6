# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the reviews in *Six of hundreds*: what a product type has that people write about, and sentences for moods and stars.

A feature is (word, aspect, product types, what it did when it was good, what it did when it was bad). The word is one lower-case word, so that a
metric can look for it; the clauses finish "The WORD ..." and stand in the past tense, which fits one and many. None: every type of the category.
"""

ASPECTS = ["durability", "comfort", "price", "looks", "size", "delivery"]

COMMON = [
    ("price", "price", None, "left room for a second one", "stung more than it should have"),
    ("value", "price", None, "surprised me at the till", "never quite showed up"),
    ("parcel", "delivery", None, "came a day before it was promised", "sat in a depot for a week"),
    ("courier", "delivery", None, "rang, waited and smiled", "left it in the rain by the bins"),
    ("packaging", "delivery", None, "protected everything with plain paper", "arrived crushed on one side"),
]

FEATURES = {
    "camping": [
        ("zip", "durability", ["dome tent", "sleeping bag"], "ran without a snag all week", "jammed on the first cold night"),
        ("seams", "durability", ["dome tent", "sleeping bag", "sleeping mat"], "stayed tight through a wet weekend", "opened at the corner"),
        ("poles", "durability", ["dome tent"], "bent in the wind and sprang back", "buckled in a mild gust"),
        ("valve", "durability", ["sleeping mat", "gas stove"], "closed tight and stayed so", "hissed until morning"),
        ("padding", "comfort", ["sleeping mat", "camp pillow", "camp chair", "sleeping bag"], "carried me softly till morning", "went flat within an hour"),
        ("glow", "comfort", ["camp lantern"], "made the whole table cosy", "hurt the eyes"),
        ("battery", "durability", ["camp lantern"], "outlasted the trip", "died before supper"),
        ("flame", "durability", ["gas stove"], "burned steadily in the breeze", "went out at every puff of wind"),
        ("lid", "size", ["cook set"], "fitted like a lid should", "sat crooked on every pot"),
        ("legs", "durability", ["camp chair", "gas stove"], "stood firm on soft ground", "sank and then slipped"),
        ("pouch", "size", None, "took everything back without a fight", "turned packing up into wrestling"),
        ("fabric", "looks", ["dome tent", "sleeping bag", "camp chair", "camp pillow"], "kept its colour in the sun", "looked tired after a day")],
    "hiking": [
        ("straps", "comfort", ["hiking backpack", "trekking poles", "head torch"], "spread the load kindly", "cut into me by noon"),
        ("buckle", "durability", ["hiking backpack"], "clicked shut with cold fingers", "cracked on the second day"),
        ("pockets", "size", ["hiking backpack"], "swallowed map, snacks and gloves", "held hardly a sandwich"),
        ("grip", "comfort", ["trekking poles", "water bottle"], "stayed dry in a warm hand", "turned slippery at once"),
        ("tips", "durability", ["trekking poles"], "bit into wet rock", "wore round in a weekend"),
        ("cap", "durability", ["water bottle"], "sealed every single time", "dripped into my bag"),
        ("beam", "looks", ["head torch"], "drew a clean circle on the path", "flickered in ugly rings"),
        ("heel", "comfort", ["hiking socks"], "stayed in its place all day", "rubbed me raw"),
        ("elastic", "size", ["hiking socks", "head torch"], "held without pinching", "left red rings on the skin"),
        ("paper", "durability", ["trail map set"], "survived rain and a coffee", "tore along the fold"),
        ("print", "looks", ["trail map set"], "stayed crisp down to the footpaths", "blurred in the valleys"),
        ("weight", "comfort", None, "vanished after the first hour", "dragged at me uphill")],
    "cycling": [
        ("dial", "size", ["bike helmet"], "found my size in a moment", "slipped a notch at every bump"),
        ("vents", "comfort", ["bike helmet", "cycling gloves"], "kept me cool on the climb", "let in more rain than air"),
        ("mount", "durability", ["bike light set", "bike lock", "pannier bag"], "gripped the frame like a friend", "rattled loose on cobbles"),
        ("charge", "durability", ["bike light set"], "lasted from Monday to Friday", "ran out on the way home"),
        ("key", "comfort", ["bike lock"], "turned easily in the cold", "stuck whenever I was late"),
        ("coil", "size", ["bike lock"], "reached around post and wheel", "came up short at every rack"),
        ("hooks", "durability", ["pannier bag"], "locked onto the rack with a snap", "jumped off at a kerb"),
        ("flap", "size", ["pannier bag"], "closed over a full load", "gaped above the shopping"),
        ("palm", "comfort", ["cycling gloves"], "softened the gravel", "bunched up under the thumb"),
        ("gauge", "comfort", ["floor pump"], "read clearly from above", "hid its figures in a shadow"),
        ("hose", "size", ["floor pump"], "reached both wheels from one spot", "ended just before the valve"),
        ("reflectors", "looks", ["bike helmet", "pannier bag", "cycling gloves", "bike light set"], "shone without looking silly", "peeled and looked shabby")],
    "kitchen": [
        ("blade", "durability", ["chef's knife", "knife sharpener", "stand mixer"], "kept its bite for weeks", "dulled on the first squash"),
        ("handle", "comfort", ["chef's knife", "cast iron pan", "knife sharpener"], "sat in the hand as if grown there", "pinched between the fingers"),
        ("crust", "looks", ["cast iron pan", "baking tin set"], "came out golden right to the rim", "came out pale and patchy"),
        ("rim", "durability", ["cast iron pan", "baking tin set"], "took knocks without a chip", "chipped in the sink"),
        ("groove", "size", ["chopping board"], "caught every drop of juice", "overflowed with one tomato"),
        ("wood", "looks", ["chopping board", "chef's knife"], "darkened to a lovely tone", "went grey and fuzzy"),
        ("bowl", "size", ["stand mixer", "kitchen scale"], "held dough for the whole street", "proved too small for a loaf"),
        ("motor", "durability", ["stand mixer"], "hummed through heavy dough", "smelled hot and gave up"),
        ("display", "comfort", ["kitchen scale", "stand mixer"], "stayed readable beside a steaming pot", "faded whenever I leaned over"),
        ("coating", "durability", ["baking tin set", "cast iron pan"], "released every cake", "flaked into the batter"),
        ("strings", "size", ["kitchen apron"], "went twice around and tied in front", "barely met behind me"),
        ("base", "comfort", ["knife sharpener", "chopping board", "kitchen scale"], "stood still on the worktop", "skated over the worktop")],
    "coffee": [
        ("burrs", "durability", ["burr grinder"], "ground as evenly as on day one", "choked on a dark roast"),
        ("hopper", "size", ["burr grinder"], "held beans for the whole week", "emptied after two cups"),
        ("noise", "comfort", ["burr grinder", "espresso maker"], "never woke the baby", "woke the whole stairwell"),
        ("filter", "comfort", ["pour-over set", "teapot", "espresso maker"], "gave a clean cup", "let grit through"),
        ("collar", "looks", ["pour-over set"], "made the kitchen look grown up", "stained in ugly rings"),
        ("spout", "comfort", ["gooseneck kettle", "teapot"], "poured exactly where I aimed", "dribbled down the side"),
        ("thermostat", "durability", ["gooseneck kettle", "espresso maker"], "hit the mark every morning", "wandered all over the place"),
        ("steam", "comfort", ["espresso maker"], "turned milk into velvet", "spat and then sighed"),
        ("seal", "durability", ["travel mug", "espresso maker"], "held through a day in my bag", "failed in my bag"),
        ("latch", "comfort", ["travel mug"], "opened while I held a pram", "fought me at every sip"),
        ("glaze", "looks", ["teapot", "pour-over set"], "caught the morning light", "crazed after a few washes"),
        ("capacity", "size", ["teapot", "travel mug", "gooseneck kettle", "pour-over set"], "suited two thirsty people", "stopped short of a proper cup")],
    "bedding": [
        ("buttons", "durability", ["duvet cover set"], "stayed on through every wash", "popped off in the machine"),
        ("weave", "comfort", ["duvet cover set", "linen sheet", "wool blanket"], "grew softer each week", "scratched like straw"),
        ("corners", "size", ["linen sheet", "duvet cover set"], "hugged a deep mattress", "slid off every night"),
        ("filling", "comfort", ["pillow"], "kept my neck happy", "clumped on one side"),
        ("fringe", "looks", ["wool blanket"], "finished the sofa nicely", "tangled into a mess"),
        ("loops", "durability", ["bath towel set", "bath robe"], "survived rough children", "pulled out in long threads"),
        ("pile", "comfort", ["bath towel set", "bath robe"], "drank water and stayed fluffy", "pushed water around"),
        ("belt", "size", ["bath robe"], "tied properly and stayed tied", "slipped open at breakfast"),
        ("hem", "durability", ["linen sheet", "bath towel set", "wool blanket", "bath robe"], "lay flat after ironing", "frayed within a month"),
        ("shade", "looks", None, "matched the room exactly", "looked nothing like the picture"),
        ("length", "size", ["wool blanket", "bath robe", "pillow", "bath towel set"], "covered me from chin to toe", "stopped where the cold begins")],
    "living": [
        ("dimmer", "comfort", ["table lamp", "floor lamp"], "went from bright to sleepy", "buzzed at low light"),
        ("switch", "durability", ["table lamp", "floor lamp"], "clicked firmly every time", "wobbled and then broke"),
        ("lampshade", "looks", ["table lamp", "floor lamp"], "threw a warm circle", "yellowed by the window"),
        ("cable", "size", ["table lamp", "floor lamp", "desk organiser"], "reached the far socket", "ended an arm too early"),
        ("tabletop", "durability", ["side table"], "shrugged off hot cups", "kept a ring from the first cup"),
        ("screws", "durability", ["side table", "wall shelf"], "went in straight and held", "stripped before they held"),
        ("bracket", "durability", ["wall shelf"], "carried a row of heavy books", "sagged under paperbacks"),
        ("edges", "looks", ["side table", "wall shelf", "desk organiser"], "felt finished by hand", "showed glue and splinters"),
        ("neck", "size", ["ceramic vase", "floor lamp"], "suited three tall stems", "crowded even two stems"),
        ("foot", "durability", ["ceramic vase", "floor lamp", "table lamp"], "kept it upright near the cat", "tipped at a touch"),
        ("compartments", "size", ["desk organiser"], "gave every pen a home", "fitted nothing I own"),
        ("lustre", "looks", ["ceramic vase"], "changed with the light", "dulled under dust")],
    "garden": [
        ("spring", "durability", ["pruning shears"], "snapped back all afternoon", "jumped out into the hedge"),
        ("grips", "comfort", ["pruning shears", "garden gloves"], "suited my small hands", "gave me blisters"),
        ("planks", "durability", ["raised bed"], "weathered to silver without warping", "warped by midsummer"),
        ("joints", "durability", ["raised bed", "compost bin"], "slotted together without swearing", "parted under wet soil"),
        ("rose", "comfort", ["watering can"], "rained gently on seedlings", "flooded the seedlings"),
        ("balance", "comfort", ["watering can", "pruning shears"], "felt right even when heavy", "tired the wrist quickly"),
        ("germination", "durability", ["seed collection"], "filled every row", "left half the rows bare"),
        ("varieties", "looks", ["seed collection"], "made a bed worth showing", "turned out much alike"),
        ("cuffs", "size", ["garden gloves"], "kept soil out of my sleeves", "let every thorn in"),
        ("fingertips", "durability", ["garden gloves"], "stood up to brambles", "wore through in a week"),
        ("hatch", "size", ["compost bin"], "let the spade in easily", "jammed behind wet leaves"),
        ("drainage", "durability", ["raised bed", "compost bin", "watering can"], "worked after heavy rain", "turned everything into soup"),
        ("tint", "looks", None, "sat well among the green", "glared across the lawn")],
    "audio": [
        ("bass", "comfort", ["wireless headphones", "in-ear headphones", "bluetooth speaker", "bookshelf speakers"], "stayed warm and never boomed", "drowned every voice"),
        ("cushions", "comfort", ["wireless headphones"], "let me forget them for hours", "pressed on my glasses"),
        ("hinge", "durability", ["wireless headphones", "headphone case"], "folded a hundred times without play", "cracked in the cold"),
        ("buds", "size", ["in-ear headphones"], "stayed put on a run", "fell out on the stairs"),
        ("microphone", "durability", ["in-ear headphones", "wireless headphones"], "coped with wind and trams", "made me sound far away"),
        ("pairing", "comfort", ["bluetooth speaker", "wireless headphones", "in-ear headphones"], "took one tap", "dropped in every other song"),
        ("grille", "looks", ["bluetooth speaker", "bookshelf speakers"], "looked smart on the shelf", "dented at a touch"),
        ("stylus", "durability", ["turntable"], "tracked even a scratched record", "skipped over the first song"),
        ("platter", "looks", ["turntable"], "spun like a small sculpture", "wobbled for all to see"),
        ("veneer", "looks", ["bookshelf speakers", "turntable"], "glowed like old furniture", "bubbled near the radiator"),
        ("magnet", "durability", ["headphone case"], "closed with a firm click", "gave up in my pocket"),
        ("bristles", "durability", ["record brush"], "lifted dust in one turn", "shed onto the record"),
        ("lining", "size", ["headphone case", "record brush"], "held everything snugly", "left things rattling about")],
    "computing": [
        ("keys", "comfort", ["mechanical keyboard"], "answered with a soft knock", "clacked through every call"),
        ("keycaps", "looks", ["mechanical keyboard"], "kept their letters crisp", "went shiny in a month"),
        ("wheel", "durability", ["wireless mouse"], "scrolled smoothly and quietly", "jumped two lines at a time"),
        ("sensor", "comfort", ["wireless mouse"], "followed me even on glass", "lost its way on wood"),
        ("shape", "size", ["wireless mouse", "wrist rest", "mechanical keyboard"], "met my hand halfway", "cramped my hand"),
        ("rubber", "durability", ["laptop stand", "wrist rest", "wireless mouse"], "held on a slick desk", "peeled off in a strip"),
        ("angle", "comfort", ["laptop stand"], "saved my neck", "let the screen droop"),
        ("ports", "size", ["usb-c hub"], "left space between fat plugs", "sat too close together"),
        ("casing", "durability", ["portable drive", "usb-c hub"], "took a fall without complaint", "warmed up and creaked"),
        ("speed", "comfort", ["portable drive", "usb-c hub"], "moved a holiday in a minute", "crawled after the first folder"),
        ("gel", "comfort", ["wrist rest"], "warmed up in no time", "leaked at the seam"),
        ("lights", "looks", ["mechanical keyboard", "portable drive", "usb-c hub"], "stayed discreet in the dark", "blinked like a fairground"),
        ("aluminium", "looks", ["laptop stand"], "matched the rest of the desk", "scratched at first sight")],
    "outerwear": [
        ("hood", "size", ["rain jacket", "down jacket"], "moved with my head", "covered one eye"),
        ("zipper", "durability", ["rain jacket", "down jacket", "fleece pullover", "walking trousers"], "ran up in one pull", "caught the fabric each morning"),
        ("membrane", "durability", ["rain jacket"], "kept out an hour of hard rain", "soaked through at the shoulders"),
        ("down", "durability", ["down jacket"], "stayed lofty all winter", "leaked feathers on my scarf"),
        ("sleeves", "size", ["rain jacket", "down jacket", "fleece pullover", "merino base layer"], "ended exactly at the wrist", "rode up on the bike"),
        ("neckline", "comfort", ["fleece pullover", "rain jacket"], "stroked the chin", "scraped the chin"),
        ("knit", "comfort", ["wool beanie", "merino base layer"], "warmed without itching", "itched from the first minute"),
        ("cut", "looks", ["walking trousers", "down jacket", "fleece pullover", "merino base layer"], "flattered without fuss", "hung like a sack"),
        ("knees", "durability", ["walking trousers"], "took rocks and brambles", "bagged after a day"),
        ("waistband", "size", ["walking trousers"], "sat well under a pack", "slid down with a full pocket"),
        ("odour", "comfort", ["merino base layer"], "stayed away for days", "arrived by lunchtime"),
        ("dye", "looks", None, "stayed deep after washing", "bled onto my shirt")],
    "shoes": [
        ("soles", "durability", ["hiking boots", "trail running shoes", "leather sneakers", "sandals", "felt slippers"], "gripped wet stone", "came unglued in a puddle"),
        ("laces", "durability", ["hiking boots", "trail running shoes", "leather sneakers"], "stayed tied all day", "frayed at the top hooks"),
        ("toecap", "size", ["hiking boots", "trail running shoes", "leather sneakers"], "left room to wriggle", "squeezed my little toe"),
        ("insoles", "comfort", ["hiking boots", "leather sneakers", "felt slippers"], "cared for my arches", "slid forward at each step"),
        ("ankle", "comfort", ["hiking boots", "trail running shoes"], "felt supported downhill", "ached after an hour"),
        ("leather", "looks", ["leather sneakers", "hiking boots"], "aged into a fine brown", "creased in ugly lines"),
        ("mesh", "durability", ["trail running shoes"], "drained in a few steps", "ripped on a root"),
        ("buckles", "size", ["sandals"], "adjusted to a wide foot", "ran out of holes"),
        ("footbed", "comfort", ["sandals"], "moulded to my foot", "blistered my heel"),
        ("felt", "looks", ["felt slippers"], "kept its tidy shape", "pilled within days"),
        ("brushes", "durability", ["shoe care kit"], "brought up a real shine", "lost half their hair"),
        ("wax", "looks", ["shoe care kit"], "left an even glow", "left white streaks"),
        ("tin", "size", ["shoe care kit"], "fitted the hall drawer", "refused to close again")],
    "pantry": [
        ("aroma", "comfort", ["coffee beans", "loose leaf tea", "olive oil", "forest honey"], "filled the kitchen", "vanished as soon as I opened it"),
        ("roast", "looks", ["coffee beans"], "showed an even brown", "showed burnt and pale together"),
        ("leaves", "looks", ["loose leaf tea"], "unfurled whole and green", "crumbled into dust"),
        ("snap", "comfort", ["dark chocolate"], "sounded just as it should", "bent instead of breaking"),
        ("sweetness", "comfort", ["dark chocolate", "forest honey", "trail mix"], "stayed in the background", "covered everything else"),
        ("bitterness", "comfort", ["olive oil", "coffee beans", "dark chocolate"], "came late and pleasantly", "flattened everything"),
        ("texture", "comfort", ["dried pasta", "forest honey", "trail mix"], "kept its bite", "turned to glue"),
        ("nuts", "size", ["trail mix"], "came whole and plentiful", "hid among cheap fillers"),
        ("heat", "comfort", ["hot sauce"], "built slowly and left politely", "burned and said nothing else"),
        ("bottle", "durability", ["olive oil", "hot sauce"], "poured without a mess", "dripped all over the shelf"),
        ("jar", "size", ["forest honey", "loose leaf tea"], "lasted us a good while", "was gone before the weekend"),
        ("freshness", "durability", None, "lasted to the final bite", "had gone before I opened it"),
        ("wrapper", "looks", ["dark chocolate", "dried pasta", "trail mix", "coffee beans", "hot sauce"], "deserved a frame", "looked like an afterthought"),
        ("portion", "size", None, "suited our table", "left us hungry")],
    "books": [
        ("plot", "comfort", ["crime novel", "science fiction novel", "fantasy novel"], "kept me up past bedtime", "gave itself away early"),
        ("ending", "durability", ["crime novel", "science fiction novel", "fantasy novel", "travel memoir"], "stayed with me for days", "fell apart in the last chapter"),
        ("characters", "comfort", ["crime novel", "science fiction novel", "fantasy novel", "picture book"], "felt like neighbours", "talked like cardboard"),
        ("pace", "comfort", ["crime novel", "travel memoir", "popular science book", "fantasy novel", "science fiction novel"], "carried me along", "dragged through the middle"),
        ("binding", "durability", None, "survived a beach and a bath", "cracked on first opening"),
        ("cover", "looks", None, "earned a place face out", "promised another book"),
        ("typeface", "size", ["crime novel", "travel memoir", "popular science book", "cookbook", "gardening book"], "spared my eyes", "shrank to nothing"),
        ("maps", "looks", ["travel memoir", "fantasy novel"], "made me trace every mile", "blurred where it mattered"),
        ("recipes", "comfort", ["cookbook"], "worked the first time", "left out half the steps"),
        ("photographs", "looks", ["cookbook", "gardening book", "travel memoir"], "made me hungry for more", "looked dark and old"),
        ("advice", "comfort", ["gardening book"], "suited my poor soil", "assumed a country estate"),
        ("explanations", "comfort", ["popular science book"], "made hard things plain", "circled without landing"),
        ("drawings", "looks", ["picture book"], "hid something new each night", "scared my youngest"),
        ("pages", "durability", ["picture book", "cookbook"], "stood up to sticky hands", "came loose in a week"),
        ("chapters", "size", ["crime novel", "science fiction novel", "fantasy novel", "travel memoir", "popular science book"], "fitted one train ride each", "went on without a break")],
}

# Sentences that say nothing about the product. {place} is one of the category's places.
OCCASIONS = [
    "Bought this after a long talk with my brother.", "A birthday present to myself.", "My neighbour had one and would not stop talking about it.",
    "We moved house in spring and needed a few things.", "Hello everyone, first review from me.", "I usually never write reviews.",
    "Good evening from a rainy town.", "Ordered it on a quiet Sunday.", "My old one had served me for many years.", "I had looked around for weeks before I decided.",
    "My daughter picked it.", "It was a wedding gift for friends, and later one for us.", "We first used it {place}.", "I wanted something to use {place}.",
    "I took it out {place} last week.", "So here is what I think after some time with it.", "A colleague asked me to write this down.",
    "I have owned several of these over the years.", "There was a voucher left from Christmas.", "Sorry for the late review, life got busy.",
    "Most of the time it is me who does the shopping at home.", "I read all the other reviews first.", "Writing this from the kitchen table.", "It has had a fair trial {place} by now."]

# What the customer cares for: by aspect, by liked style, by price sensitivity (low, high).
CARES = {
    "durability": ["I want things that last.", "What counts for me is how a thing looks after itself over the years.", "I hate replacing things."],
    "comfort": ["Ease of use comes first for me.", "If it annoys me daily, it goes.", "I like things that are pleasant to use."],
    "price": ["I always compare what others charge.", "Every purchase goes through my household book.", "I ask what I get for my money."],
    "looks": ["I admit that I buy with my eyes.", "It has to please me when I see it every day.", "A thing should be good to look at."],
    "size": ["Getting the right size is my usual trouble.", "I measure before I buy.", "In our home everything has to fit somewhere."],
    "delivery": ["I judge a shop by how it sends things.", "I am rarely at home when the bell rings.", "A shop starts with how the box arrives."],
}
LIKED_STYLES = {
    "minimal": ["I like plain things without a logo.", "Less is more in my home."], "rugged": ["My things have to bear mud and bad weather.", "I am not careful with my belongings."],
    "classic": ["I like things that our grandparents would know.", "Old patterns please me most."], "playful": ["Life is grey enough, so I buy bright things.", "I like a bit of fun in everyday things."],
    "eco": ["I read labels and prefer things that can be mended.", "Waste bothers me."], "pro": ["I read data sheets for fun.", "I expect the tools that professionals use."]}
PURSES = (["I gladly pay for good work.", "Money was not the question here."], ["I have to watch my spending.", "I waited for months until I could afford it."])

# Said about the feature once more, and in passing about another one.
AGAIN = {True: ["I notice that every time.", "That alone made me happy.", "Others could learn from that.", "I had not expected so much."],
         False: ["I have no patience for that.", "That should not happen.", "I wrote to the shop about it.", "It bothers me each time."]}
ASIDES = ["Nothing to say about the {word}.", "The {word} did the job.", "As for the {word}, no complaints and no cheers.", "The {word} was as expected."]

VERDICTS = {
    1: ["It went straight back.", "I cannot recommend it to anyone.", "Never again.", "A complete waste."],
    2: ["I would not buy it again.", "Sadly not for me.", "I expected a good deal more.", "It now lives at the back of a cupboard."],
    3: ["It does what it must, no more.", "All in all a mixed bag.", "I am neither glad nor sorry.", "Fine for now, but I keep looking."],
    4: ["I am happy with it.", "A good buy, with small reservations.", "I would order it again.", "Solid, nearly perfect."],
    5: ["I could not be happier.", "One of my best purchases this year.", "I have already recommended it to friends.", "Simply wonderful."]}

# Headlines: {word} as it is, {Word} at the beginning. By (is the feature good, mood: low, middle, high); those of an aspect stand beside them.
HEADLINES = {
    (True, "high"): ["Love the {word}", "Great {word}, delighted with it", "Worth it for the {word}", "{Word} spot on, very pleased", "Top marks for the {word}"],
    (True, "middle"): ["Nice {word}, the rest is ordinary", "{Word} good, rest just average", "Decent {word}, nothing special otherwise"],
    (True, "low"): ["Only the {word} is any good", "Good {word} cannot save it", "{Word} fine, everything else disappoints"],
    (False, "high"): ["Good, apart from the {word}", "{Word} could improve, otherwise great", "Happy despite the {word}", "Nearly perfect, mind the {word}"],
    (False, "middle"): ["So-so because of the {word}", "{Word} lets it down, otherwise fine", "Average, with a weak {word}"],
    (False, "low"): ["{Word} spoils it", "Disappointed by the {word}", "Poor {word}, do not buy", "Returned because of the {word}"]}
ASPECT_HEADLINES = {
    "durability": {True: ["{Word} built to last", "Sturdy {word}, made for years"], False: ["{Word} did not last", "Flimsy {word}, gave up early"]},
    "comfort": {True: ["{Word} a daily pleasure", "Pleasant {word}, easy to live with"], False: ["{Word} gets on my nerves", "Annoying {word} every single day"]},
    "price": {True: ["Fair {word}, money well spent", "{Word} better than feared"], False: ["{Word} hard to justify", "Unhappy about the {word}"]},
    "looks": {True: ["Beautiful {word}, a real eye-catcher", "{Word} looks the part"], False: ["{Word} not pretty at all", "Ugly {word} in real life"]},
    "size": {True: ["{Word} just the right size", "Roomy enough, well judged {word}"], False: ["{Word} the wrong size", "Misjudged {word}, measure first"]},
    "delivery": {True: ["{Word} quick and careful", "Fast, friendly, good {word}"], False: ["{Word} a sorry story", "Trouble with the {word}"]}}
