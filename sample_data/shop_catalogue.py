# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the shop in *Six of hundreds*: categories, product types, brands, styles and the sentence grammar.

Every brand, product and book is invented. A product type is (name, usual price, details, companions): the details finish the sentence
"a ... that ...", the companions are product types that people tend to buy within the next weeks.
"""

# id: (plain words for texts, who buys it, what they do with it, product types)
CATEGORIES = {
    "camping": ("camping gear", ["weekend campers", "festival goers", "families on their first trip", "people who sleep outside in March"], ["under canvas", "at the lake", "on a wet hillside"], [
        ("dome tent", 189, ["pitches in four minutes and shrugs off sideways rain", "sleeps two with room for muddy boots in the porch"], ["sleeping bag", "sleeping mat", "camp lantern"]),
        ("sleeping bag", 119, ["keeps its warmth down to two degrees", "unzips into a quilt on warm nights"], ["sleeping mat", "camp pillow"]),
        ("sleeping mat", 69, ["inflates with a dozen breaths and stays quiet when you turn over", "rolls up smaller than a loaf of bread"], ["camp pillow"]),
        ("camp lantern", 39, ["hangs from a branch and lights a whole table", "charges a phone when the battery bar turns red"], ["camp chair"]),
        ("gas stove", 54, ["boils a litre in three minutes, even in a breeze", "folds flat into its own pot"], ["cook set", "camp lantern"]),
        ("cook set", 45, ["nests two pots, a pan and a strainer", "weighs less than a full water bottle"], ["gas stove"]),
        ("camp chair", 49, ["holds a grown adult and folds to forearm length", "has a pocket for a book and a mug"], ["camp lantern"]),
        ("camp pillow", 24, ["packs into your fist", "has a washable brushed cover"], ["sleeping bag"])]),
    "hiking": ("hiking equipment", ["day walkers", "hut-to-hut hikers", "trail runners", "dog owners with long routes"], ["on the ridge", "between two huts", "on forest tracks"], [
        ("hiking backpack", 135, ["carries twelve kilos without pulling at the shoulders", "has a rain cover tucked in its base"], ["trekking poles", "water bottle"]),
        ("trekking poles", 79, ["lock with one hand, gloves on", "spare the knees on the way down"], ["hiking socks"]),
        ("water bottle", 26, ["keeps tea hot until the summit", "never leaks, even upside down in a bag"], ["hiking backpack"]),
        ("head torch", 44, ["throws a beam across a valley and a soft light for reading", "switches to red light so that others can sleep"], ["hiking backpack"]),
        ("hiking socks", 19, ["stay where they are and dry overnight", "cushion the heel and leave the toes alone"], ["water bottle"]),
        ("trail map set", 29, ["covers four regions on tear-proof paper", "marks every spring, hut and bus stop"], ["head torch"])]),
    "cycling": ("cycling gear", ["daily commuters", "gravel riders", "parents with a trailer", "slow tourers"], ["in city traffic", "on gravel", "on the long way home"], [
        ("bike helmet", 74, ["turns with a dial and lets the wind through", "has a rear light built into the shell"], ["bike light set", "cycling gloves"]),
        ("bike light set", 42, ["is seen from six hundred metres away", "clips on without tools and charges in an hour"], ["bike lock"]),
        ("bike lock", 64, ["weighs a kilo and gives thieves a long, loud day", "coils into a pouch on the frame"], ["bike helmet"]),
        ("pannier bag", 89, ["clicks off the rack and becomes a shoulder bag", "closes with a roll and floats if it must"], ["bike lock", "rain jacket"]),
        ("cycling gloves", 28, ["pad the palm where it hurts after an hour", "work on a touch screen"], ["bike helmet"]),
        ("floor pump", 39, ["reaches full pressure in thirty strokes", "fits every valve without an adapter hunt"], ["bike light set"])]),
    "kitchen": ("kitchenware", ["home cooks", "people who bake on Sundays", "flat sharers", "cooks with small kitchens"], ["on a weekday evening", "for eight guests", "beside a small stove"], [
        ("chef's knife", 85, ["slices a ripe tomato by its own weight", "keeps its edge through a month of onions"], ["chopping board", "knife sharpener"]),
        ("cast iron pan", 69, ["gives steak a crust and cornbread a rim", "goes from flame to oven to table"], ["chef's knife", "kitchen apron"]),
        ("chopping board", 38, ["stays put on a wet worktop", "has a groove that catches the juice"], ["chef's knife"]),
        ("stand mixer", 249, ["kneads two loaves without walking across the counter", "whips a single egg white as willingly as five"], ["baking tin set", "kitchen scale"]),
        ("kitchen scale", 29, ["weighs to the gram and wipes clean", "reads in grams, ounces and cups of flour"], ["baking tin set"]),
        ("baking tin set", 34, ["lets go of every cake without a fight", "holds a loaf, a tart and a dozen muffins"], ["kitchen scale"]),
        ("knife sharpener", 32, ["brings back a tired blade in ten pulls", "holds the angle for you"], ["chopping board"]),
        ("kitchen apron", 27, ["has a towel loop at the right height", "washes hot and softens with age"], ["cast iron pan"])]),
    "coffee": ("coffee and tea things", ["early risers", "office brewers", "people who weigh their beans", "tea drinkers"], ["before eight o'clock", "at the office window", "on slow Saturdays"], [
        ("burr grinder", 129, ["grinds for espresso and for a press alike", "leaves almost nothing behind in the chute"], ["pour-over set", "coffee beans"]),
        ("pour-over set", 44, ["brews two clear cups with a paper filter", "has a wooden collar that stays cool"], ["gooseneck kettle", "coffee beans"]),
        ("gooseneck kettle", 79, ["pours in a thin, steady line", "holds any temperature to the degree"], ["pour-over set", "loose leaf tea"]),
        ("espresso maker", 179, ["reaches pressure in a minute and steams milk properly", "is narrow enough for a rented kitchen"], ["burr grinder", "coffee beans"]),
        ("travel mug", 29, ["survives a bag full of keys", "opens with one thumb and seals with a click"], ["coffee beans"]),
        ("teapot", 42, ["pours without a drip", "has a basket that lifts out when the tea is ready"], ["loose leaf tea"])]),
    "bedding": ("bed and bath linen", ["light sleepers", "guest room hosts", "people who move in this month", "cold sleepers"], ["in the guest room", "through a cold winter", "on hot August nights"], [
        ("duvet cover set", 79, ["gets softer with every wash", "closes with hidden buttons"], ["linen sheet", "pillow"]),
        ("linen sheet", 64, ["stays cool in July", "fits a deep mattress without slipping"], ["pillow"]),
        ("pillow", 45, ["holds its shape through the night", "lets you take filling out until it is right"], ["duvet cover set"]),
        ("wool blanket", 95, ["is heavy enough to calm and light enough to carry to the sofa", "was woven in one small mill"], ["pillow"]),
        ("bath towel set", 49, ["drinks up water and dries before evening", "has loops that survive children"], ["bath robe"]),
        ("bath robe", 69, ["reaches the knee and closes without gaping", "is as warm as a second towel"], ["bath towel set"])]),
    "living": ("lamps and small furniture", ["people in small flats", "evening readers", "home office workers", "collectors of odd corners"], ["beside the sofa", "in a narrow hall", "on the desk"], [
        ("table lamp", 75, ["dims from reading to midnight", "throws a warm circle on the wall"], ["side table"]),
        ("floor lamp", 139, ["bends over an armchair", "lights the ceiling and half the room"], ["table lamp"]),
        ("side table", 99, ["fits between sofa and wall", "carries a lamp, a cup and three books"], ["table lamp", "ceramic vase"]),
        ("wall shelf", 59, ["hangs on two screws and hides both", "holds a row of paperbacks or plants"], ["ceramic vase"]),
        ("ceramic vase", 36, ["makes three stems look intended", "has a glaze that is different each time"], ["side table"]),
        ("desk organiser", 32, ["gives cables and pens a place", "stacks when the paper wins"], ["table lamp"])]),
    "garden": ("garden tools", ["balcony gardeners", "allotment holders", "people with clay soil", "patient growers"], ["on a north-facing balcony", "in heavy clay", "from March to October"], [
        ("pruning shears", 39, ["cut green wood cleanly and come apart for oiling", "fit small hands"], ["garden gloves"]),
        ("raised bed", 109, ["stands on a balcony without staining it", "needs no tools and one friend"], ["seed collection", "watering can"]),
        ("watering can", 34, ["has a rose fine enough for seedlings", "balances when full"], ["seed collection"]),
        ("seed collection", 18, ["sows a kitchen garden from chard to beans", "flowers from May until the frost"], ["raised bed", "watering can"]),
        ("garden gloves", 17, ["stop thorns and still feel a seed", "dry on the tap"], ["pruning shears"]),
        ("compost bin", 74, ["turns peelings into soil within a season", "keeps its lid on in a storm"], ["raised bed"])]),
    "audio": ("audio equipment", ["commuters", "home listeners", "people in open-plan offices", "late-night film watchers"], ["on the train", "in an open office", "late at night"], [
        ("wireless headphones", 179, ["hush an open office and last a week of commutes", "fold flat and remember two devices"], ["headphone case", "bluetooth speaker"]),
        ("in-ear headphones", 89, ["stay in on a run and take a call in the wind", "charge for an hour in five minutes"], ["headphone case"]),
        ("bluetooth speaker", 99, ["fills a kitchen and survives a splash", "pairs with a second one for stereo"], ["in-ear headphones"]),
        ("turntable", 229, ["has a belt drive and a proper cartridge", "plays at both speeds and stops by itself"], ["record brush", "bookshelf speakers"]),
        ("bookshelf speakers", 259, ["sound larger than they look", "need no amplifier and one socket"], ["turntable"]),
        ("headphone case", 22, ["keeps cable, plug and buds together", "closes with a magnet"], ["in-ear headphones"]),
        ("record brush", 16, ["lifts dust in one turn", "rests in its own stand"], ["turntable"])]),
    "computing": ("computer accessories", ["remote workers", "students", "programmers", "photographers on the road"], ["at a shared desk", "in the library", "on the road"], [
        ("mechanical keyboard", 119, ["answers every key with a soft knock", "lets you swap switches without a soldering iron"], ["wrist rest", "wireless mouse"]),
        ("wireless mouse", 49, ["glides on glass and sleeps when you do", "fits the left hand as well as the right"], ["wrist rest"]),
        ("laptop stand", 45, ["lifts the screen to eye level", "folds into a sleeve"], ["mechanical keyboard", "usb-c hub"]),
        ("usb-c hub", 55, ["adds two screens, a card slot and a network port", "stays cool under load"], ["laptop stand"]),
        ("portable drive", 94, ["copies a holiday of photographs in a minute", "takes a fall from the table"], ["usb-c hub"]),
        ("wrist rest", 25, ["keeps the wrist straight", "warms up quickly and wipes clean"], ["wireless mouse"])]),
    "outerwear": ("outdoor clothing", ["city walkers", "bike commuters", "ferry passengers", "people who dislike umbrellas"], ["in sideways rain", "from office to trailhead", "on the ferry deck"], [
        ("rain jacket", 159, ["keeps out an hour of hard rain and breathes on the climb", "packs into its own hood"], ["fleece pullover", "merino base layer"]),
        ("down jacket", 199, ["weighs as much as an apple and warms like a stove", "layers under a shell without bulk"], ["wool beanie"]),
        ("fleece pullover", 79, ["has a deep zip and a chest pocket", "dries on the radiator within an hour"], ["merino base layer"]),
        ("merino base layer", 69, ["can be worn for three days without anyone knowing", "sits flat under a pack"], ["hiking socks"]),
        ("wool beanie", 27, ["covers the ears and does not itch", "is knitted in one piece"], ["down jacket"]),
        ("walking trousers", 89, ["stretch at the knee and shed burrs", "turn into shorts without looking like it"], ["rain jacket"])]),
    "shoes": ("shoes", ["people on their feet all day", "weekend walkers", "travellers with one bag", "runners"], ["on wet cobbles", "on a ten-hour shift", "with one bag"], [
        ("hiking boots", 169, ["grip on wet granite and need no breaking in", "can be resoled twice"], ["hiking socks", "shoe care kit"]),
        ("trail running shoes", 129, ["drain in ten steps", "hold the heel on steep ground"], ["hiking socks"]),
        ("leather sneakers", 119, ["look better after a year", "go with a suit and with a bicycle"], ["shoe care kit"]),
        ("sandals", 75, ["grip like boots and dry like towels", "adjust in three places"], ["water bottle"]),
        ("felt slippers", 42, ["keep feet warm on stone floors", "have soles that forgive a trip to the bins"], ["wool blanket"]),
        ("shoe care kit", 24, ["cleans, feeds and waterproofs", "holds two brushes and a cloth in a tin"], ["leather sneakers"])]),
    "pantry": ("groceries", ["curious eaters", "people who cook for one", "hosts of long breakfasts", "hungry hikers"], ["on toast", "on a long breakfast", "in a lunch box"], [
        ("coffee beans", 14, ["taste of hazelnut and dark honey", "taste of red berries and a little of jasmine"], ["travel mug"]),
        ("loose leaf tea", 12, ["steeps to a clear amber", "smells of bergamot and wood smoke"], ["teapot"]),
        ("dark chocolate", 6, ["snaps cleanly and finishes on cherries", "has sea salt where you least expect it"], ["loose leaf tea"]),
        ("olive oil", 17, ["is green, grassy and sharp at the end", "comes from a single late harvest"], ["dried pasta"]),
        ("dried pasta", 5, ["holds sauce in every ridge", "was dried slowly for two days"], ["olive oil"]),
        ("forest honey", 11, ["tastes of fir and caramel", "comes from hives that stand in one valley"], ["loose leaf tea"]),
        ("trail mix", 8, ["carries you over the last hill", "leaves out the raisins"], ["water bottle"]),
        ("hot sauce", 9, ["starts with mango and ends with fire", "is fermented for six weeks"], ["dried pasta"])]),
    "books": ("books", ["train readers", "book clubs", "people who read past midnight", "curious children and their parents"], ["on a night train", "in a book club", "past midnight"], [
        ("crime novel", 14, ["follows a retired surveyor through a winter of locked houses", "opens with an empty ferry and an honest thief"], ["crime novel"]),
        ("science fiction novel", 15, ["asks what a colony owes to the machine that raised it", "maps a war over the last slow radio"], ["science fiction novel"]),
        ("fantasy novel", 16, ["sends a bell founder across a drowned kingdom", "begins where the prophecy went wrong"], ["fantasy novel"]),
        ("travel memoir", 18, ["walks a border from the sea to the glacier", "crosses a continent by local bus"], ["trail map set"]),
        ("cookbook", 27, ["cooks a year of suppers from one pan", "explains bread to impatient people"], ["chef's knife", "baking tin set"]),
        ("gardening book", 24, ["plans a balcony month by month", "lets the weeds explain the soil"], ["seed collection"]),
        ("popular science book", 19, ["measures the sea with string and patience", "tells how sleep was taken apart and put together"], ["popular science book"]),
        ("picture book", 13, ["hides a different fox on every page", "counts to twelve with very tired owls"], ["picture book"])]),
}

# id: (adjectives for titles, adjectives for sentences, closing sentences, wishes, colours, tags)
STYLES = {
    "minimal": (["Plain", "Quiet", "Slim", "Pure", "Bare"], ["pared-back", "unfussy", "slim", "quietly designed"],
                ["Nothing on it that does not earn its place.", "One shape, one colour, no logo.", "It disappears until you need it.", "Clean lines, and not a screw in sight."],
                ["want fewer and better things", "dislike logos", "keep their surfaces empty"], ["white", "stone", "graphite", "sand"], ["minimal", "design"]),
    "rugged": (["Field", "Storm", "Granite", "Expedition", "Iron"], ["tough", "hard-wearing", "overbuilt", "weatherproof"],
               ["Built for mud, salt and bad decisions.", "Drop it, soak it, carry on.", "Reinforced wherever the last one broke.", "Tested by people who are careless with their things."],
               ["go out in any weather", "break everything else", "would rather be outdoors"], ["olive", "rust", "black", "moss"], ["rugged", "outdoor"]),
    "classic": (["Heritage", "Traditional", "Archive", "Old Harbour", "Original"], ["timeless", "traditional", "well-mannered", "handsome"],
                ["The same pattern since our grandparents' day.", "It will look right in twenty years.", "Made the slow way, with visible stitching.", "A design that nobody has managed to improve."],
                ["buy once", "like things with a past", "iron their napkins"], ["navy", "burgundy", "walnut", "cream"], ["classic", "handmade"]),
    "playful": (["Sunny", "Pop", "Jolly", "Confetti", "Wobble"], ["cheerful", "colourful", "bright", "slightly silly"],
                ["Comes in colours that make the neighbours ask.", "Grown-ups pretend it is for the children.", "Guaranteed to start a conversation.", "Stripes on the outside, a joke on the inside."],
                ["refuse to buy grey", "give good presents", "smile at their luggage"], ["yellow", "coral", "turquoise", "pink"], ["playful", "gift"]),
    "eco": (["Second Life", "Meadow", "Circular", "Leaf", "Regrown"], ["low-waste", "repairable", "plant-based", "recycled"],
            ["Made from recycled stock and packed in paper.", "Every part can be ordered and replaced.", "Grown and made within two hundred kilometres.", "Send it back at the end of its life and we make the next one."],
            ["read labels", "mend before they buy", "count kilometres of transport"], ["sage", "natural", "clay", "sky"], ["sustainable", "repairable"]),
    "pro": (["Pro", "Precision", "Studio", "Ultra", "Carbon"], ["high-performance", "precise", "technical", "professional"],
            ["Measured in the laboratory, then taken outside.", "The figures on the box are the figures you get.", "Used daily by people who are paid for it.", "Calibrated before it leaves the workshop."],
            ["compare data sheets", "want the last ten per cent", "do this for a living"], ["black", "silver", "signal red", "slate"], ["professional", "technical"]),
}

# name: (categories, house style, price factor)
BRANDS = {
    "Tarnfell": (["camping", "hiking", "outerwear", "shoes"], "rugged", 1.15), "Pelldrift": (["camping", "hiking", "garden"], "eco", 1.0),
    "Oskarvale": (["camping", "outerwear", "bedding"], "classic", 1.3), "Lumoko": (["camping", "living", "cycling"], "playful", 0.8),
    "Vantrace": (["hiking", "cycling", "shoes"], "pro", 1.4), "Bluffworks": (["camping", "hiking", "cycling"], "rugged", 0.75),
    "Ridgely & Sons": (["hiking", "outerwear", "shoes"], "classic", 1.2), "Spokewell": (["cycling", "computing"], "minimal", 1.05),
    "Kettlemere": (["kitchen", "coffee"], "classic", 1.25), "Hollin & Vey": (["kitchen", "living", "bedding"], "minimal", 1.2),
    "Pannifex": (["kitchen", "coffee"], "pro", 1.45), "Cobblewick": (["kitchen", "coffee", "pantry"], "playful", 0.85),
    "Dunmarrow": (["kitchen", "garden", "pantry"], "eco", 1.0), "Brewhalt": (["coffee", "pantry"], "minimal", 1.0),
    "Sundgrove": (["bedding", "living", "garden"], "eco", 1.1), "Nappenfeld": (["bedding", "kitchen"], "classic", 0.9),
    "Moonhusk": (["bedding", "living"], "playful", 0.8), "Aravelle": (["bedding", "living", "outerwear"], "minimal", 1.35),
    "Fennick Studio": (["living", "computing", "audio"], "minimal", 1.3), "Glimmerby": (["living", "garden"], "playful", 0.85),
    "Thornacre": (["garden", "pantry"], "classic", 1.05), "Spadeleigh": (["garden", "outerwear"], "rugged", 0.9),
    "Resonari": (["audio"], "pro", 1.5), "Hushline": (["audio", "computing"], "minimal", 1.1),
    "Bopsy": (["audio", "computing"], "playful", 0.7), "Walnut & Wire": (["audio", "living"], "classic", 1.3),
    "Keyholt": (["computing"], "pro", 1.3), "Tidebit": (["computing", "audio"], "eco", 1.0), "Anvilux": (["computing", "cycling"], "rugged", 1.05),
    "Wetherlund": (["outerwear", "hiking"], "pro", 1.4), "Marlow Loft": (["outerwear", "shoes"], "minimal", 1.2),
    "Puddlejack": (["outerwear", "shoes"], "playful", 0.75), "Lastwright": (["shoes"], "classic", 1.3), "Mossfoot": (["shoes", "outerwear"], "eco", 1.05),
    "Marrowby": (["pantry"], "classic", 1.1), "Fireweed Foods": (["pantry"], "rugged", 0.95), "Nibbleton": (["pantry"], "playful", 0.8),
    "Harrow Lane Press": (["books"], "classic", 1.1), "Small Orbit Books": (["books"], "playful", 0.85), "Blank Page House": (["books"], "minimal", 1.1),
    "Meridian Field Guides": (["books"], "rugged", 1.2), "Greenspine": (["books"], "eco", 1.0), "Datum Books": (["books"], "pro", 1.25),
}

MODELS = ["Lark", "Heron", "Juniper", "Tern", "Osier", "Bramble", "Kestrel", "Pike", "Sorrel", "Wren", "Alder", "Finch", "Marten", "Otter", "Plover",
          "Rowan", "Sable", "Teal", "Vole", "Yarrow", "Badger", "Clover", "Dipper", "Ember", "Fern", "Gorse", "Hazel", "Ibis", "Jackdaw", "Linden"]

TRAITS = {
    "camping": ["2-Person", "3-Season", "Ultralight", "Family Size", "with Carry Bag"], "hiking": ["28 L", "Compact", "All-Weather", "Long Route", "Lightweight"],
    "cycling": ["Commuter", "Gravel", "Size M", "with Reflectors", "Quick Release"], "kitchen": ["20 cm", "Dishwasher Safe", "Large", "Hand-Finished", "Set of 3"],
    "coffee": ["for Two", "600 ml", "Stainless", "with Timer", "Matte"], "bedding": ["Double", "Washed Cotton", "King Size", "Organic", "Winter Weight"],
    "living": ["Oak", "Dimmable", "Round", "Wall-Mounted", "Brass"], "garden": ["Small", "Galvanised", "Heirloom", "Left- and Right-Handed", "60 cm"],
    "audio": ["with Noise Cancelling", "40-Hour", "Stereo", "Hi-Res", "Splashproof"], "computing": ["75 %", "Quiet", "Multi-Device", "Aluminium", "1 TB"],
    "outerwear": ["3-Layer", "Hooded", "Regular Fit", "Packable", "Windproof"], "shoes": ["Mid", "Wide Fit", "Waterproof", "Vegan", "Cushioned"],
    "pantry": ["Organic", "250 g", "Single Origin", "Small Batch", "Fair Trade"], "books": [],
}

# A book's title is made of two words of its genre; its "trait" is the subtitle.
BOOKS = {
    "crime novel": (["Salt", "Low", "Last", "Paper", "Borrowed", "Northern"], ["Ferry", "Alibi", "Tide", "Witness", "Ledger"], "A Harbour Mystery"),
    "science fiction novel": (["Slow", "Ninth", "Hollow", "Patient", "Silent"], ["Orbit", "Signal", "Colony", "Machine", "Meridian"], "A Novel of the Far Stations"),
    "fantasy novel": (["Drowned", "Ashen", "Thorn", "Hidden", "Amber"], ["Bell", "Crown", "Road", "Oath", "Winter"], "Book of the Nine Rivers"),
    "travel memoir": (["Long", "Border", "Wind", "Local", "Slow"], ["Walk", "Bus", "Coast", "Map", "Summer"], "A Journey on Foot"),
    "cookbook": (["One-Pan", "Everyday", "Sunday", "Honest", "Green"], ["Suppers", "Bread", "Table", "Kitchen", "Harvest"], "80 Recipes"),
    "gardening book": (["Balcony", "Wild", "Patient", "Kitchen", "Winter"], ["Garden", "Soil", "Border", "Harvest", "Allotment"], "A Month-by-Month Guide"),
    "popular science book": (["Measured", "Hidden", "Restless", "Curious", "Small"], ["Ocean", "Sleep", "Number", "Atom", "Weather"], "How We Found Out"),
    "picture book": (["Sleepy", "Tiny", "Brave", "Muddy", "Twelve"], ["Fox", "Owls", "Bear", "Train", "Moon"], "Ages 3 to 6"),
}

# Food and books speak of style in their own words: (adjectives for sentences, closing sentences).
OWN_WORDS = {
    "pantry": {
        "minimal": (["simple", "three-ingredient", "clean-tasting", "plainly labelled"], ["Three ingredients, all of which you can spell.", "A short list on the back and a plain label on the front.", "Nothing added, nothing to hide."]),
        "rugged": (["sturdy", "camp-proof", "energy-dense", "smoky"], ["Survives the bottom of a rucksack.", "Tastes best out of a tin mug.", "Made for cold hands and long days."]),
        "classic": (["traditional", "old-fashioned", "stone-ground", "slow-made"], ["From a recipe older than the company.", "Made in small batches, as it always was.", "In the tin that your grandmother kept buttons in."]),
        "playful": (["cheeky", "party-sized", "rainbow-wrapped", "surprising"], ["There is a riddle under the lid.", "Bring it to a party and leave without it.", "The label is half the fun."]),
        "eco": (["organic", "plastic-free", "fairly traded", "shade-grown"], ["Packed in paper and shipped by sail and rail.", "The growers are named on the label.", "Refill the jar and get a third off."]),
        "pro": (["competition-grade", "laboratory-tested", "chef's", "precisely made"], ["Graded by a tasting panel, batch by batch.", "Bought by restaurant kitchens in larger bags.", "Harvest date, altitude and acidity are on the label."])},
    "books": {
        "minimal": (["spare", "short", "restrained", "quiet"], ["Two hundred pages and not a word too many.", "A slim volume in a plain cover.", "It leaves more unsaid than most books say."]),
        "rugged": (["breathless", "weather-beaten", "wild", "hard-edged"], ["Read it with your boots on.", "Snow on page one and no rescue until the end.", "Written by someone who was there."]),
        "classic": (["old-fashioned", "beautifully bound", "richly told", "stately"], ["A clothbound edition with a ribbon.", "The kind of book that people inherit.", "In a new setting of a much-loved text."]),
        "playful": (["funny", "mischievous", "gleeful", "oddball"], ["You will read parts of it aloud to strangers.", "The footnotes alone are worth the price.", "With flaps, maps and one terrible pun."]),
        "eco": (["gentle", "green-minded", "hopeful", "rooted"], ["Printed on recycled paper by a press that runs on sun.", "It makes a case for less and makes it kindly.", "A share of the price plants hedgerows."]),
        "pro": (["exact", "thoroughly researched", "fact-filled", "expert"], ["With forty pages of notes and an index that works.", "Checked by three specialists.", "The reference that others quote."])},
}
