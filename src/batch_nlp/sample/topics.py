"""What each kind of business is called, is made of, and is praised or blamed for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """One kind of business.

    Attributes
    ----------
    weight : float
        Share of the businesses that are of this kind.
    group : str
        The Yelp category that all of them carry.
    categories : tuple of str
        Further Yelp categories, from which a business takes some.
    names : tuple of str
        Endings of business names.
    slots : dict of str to tuple of str
        Words for ``place``, ``thing``, ``things`` and ``person``.
    good, okay, bad, fact : tuple of str
        Clauses that only this kind of business gets.
    """

    weight: float
    group: str
    categories: tuple[str, ...]
    names: tuple[str, ...]
    slots: dict[str, tuple[str, ...]]
    good: tuple[str, ...]
    okay: tuple[str, ...]
    bad: tuple[str, ...]
    fact: tuple[str, ...]


TOPICS: tuple[Topic, ...] = (
    Topic(
        weight=0.33,
        group="Restaurants",
        categories=(
            "Italian", "Mexican", "American (Traditional)", "American (New)", "Chinese", "Sushi Bars", "Japanese",
            "Pizza", "Burgers", "Seafood", "Thai", "Indian", "Vietnamese", "Barbeque", "Steakhouses", "Mediterranean",
            "Sandwiches",
        ),
        names=(
            "Grill", "Kitchen", "Trattoria", "Taqueria", "Bistro", "Noodle House", "Pizzeria", "Steakhouse", "Diner",
        ),
        slots={
            "place": ("restaurant", "spot", "place", "diner", "bistro", "grill"),
            "thing": (
                "food", "pasta", "burger", "chicken", "steak", "pizza", "soup", "salmon", "curry", "sushi", "dessert",
                "brisket", "salad", "pad thai", "lasagna", "ramen", "pork belly", "risotto", "cheesecake", "gumbo",
                "hummus",
            ),
            "things": (
                "tacos", "fries", "appetizers", "noodles", "ribs", "dumplings", "oysters", "drinks", "portions",
                "wings", "side dishes", "meatballs", "spring rolls", "biscuits", "enchiladas", "scallops",
                "vegetables",
            ),
            "person": (
                "our waiter", "our server", "the waitress", "the hostess", "the chef", "the owner", "the manager",
            ),
        },
        good=(
            "the flavors were on point", "the {thing} was cooked just right", "the {things} come out hot and crispy",
            "the portions are huge", "you can taste that it is made from scratch", "we cleaned our plates",
        ),
        okay=(
            "the {thing} needed a little salt", "the {things} were lukewarm but tasty", "the menu is rather short",
            "fine for a weeknight dinner", "the {thing} was good, the {things} not so much",
        ),
        bad=(
            "the {thing} was dry and had no taste", "the {things} were soggy", "there was a hair in the {thing}",
            "our order came out wrong", "the {thing} was raw in the middle", "the table was still sticky",
        ),
        fact=(
            "we ordered the {thing} and the {things}", "I had the {thing}", "{company} got the {things} to share",
            "we sat on the patio", "it was restaurant week", "we made a reservation for {hour}",
        ),
    ),
    Topic(
        weight=0.12,
        group="Food",
        categories=(
            "Coffee & Tea", "Bakeries", "Ice Cream & Frozen Yogurt", "Desserts", "Donuts", "Juice Bars & Smoothies",
            "Bagels", "Grocery", "Breakfast & Brunch", "Cafes", "Specialty Food",
        ),
        names=("Coffee", "Bakery", "Cafe", "Donuts", "Creamery", "Market", "Bagels", "Tea House"),
        slots={
            "place": ("cafe", "coffee shop", "bakery", "spot", "little place", "shop"),
            "thing": (
                "coffee", "latte", "espresso", "croissant", "cake", "ice cream", "tea", "sandwich", "muffin", "bread",
                "smoothie", "quiche", "banana bread", "cappuccino", "frosting", "breakfast", "gelato",
            ),
            "things": (
                "donuts", "pastries", "bagels", "cookies", "scones", "macarons", "pancakes", "cupcakes", "sweets",
                "waffles", "cinnamon rolls", "beans",
            ),
            "person": ("the barista", "the girl at the counter", "the baker", "the owner", "the cashier", "the staff"),
        },
        good=(
            "the {thing} smells like heaven", "they bake everything in house", "a great corner to read or work in",
            "my morning starts here", "the {things} melt in your mouth",
        ),
        okay=(
            "the {thing} is a little too sweet for me", "the wifi comes and goes", "good {thing}, not enough seats",
        ),
        bad=(
            "the {thing} tasted burnt", "the {things} were stale", "they got my name and my order wrong",
            "the milk had gone off", "the {thing} was watery",
        ),
        fact=(
            "I got {a_thing} to go", "I picked up a dozen {things}", "they have oat milk",
            "I work from here on {day}s",
        ),
    ),
    Topic(
        weight=0.10,
        group="Shopping",
        categories=(
            "Fashion", "Women's Clothing", "Department Stores", "Books, Mags, Music & Video", "Furniture Stores",
            "Jewelry", "Electronics", "Sporting Goods", "Flowers & Gifts", "Shoe Stores", "Home Decor",
            "Thrift Stores",
        ),
        names=("Boutique", "Outfitters", "Books", "Furniture", "Jewelers", "Emporium", "Florist", "Electronics"),
        slots={
            "place": ("store", "shop", "boutique", "place", "showroom"),
            "thing": (
                "dress", "couch", "jacket", "selection", "ring", "mattress", "return policy", "bouquet", "laptop",
                "suit", "fitting room", "bookcase", "price tag", "delivery", "necklace", "layaway plan",
            ),
            "things": (
                "clothes", "shoes", "prices", "deals", "flowers", "books", "shelves", "jeans", "gifts", "earrings",
                "records", "fabrics",
            ),
            "person": (
                "the sales lady", "the cashier", "the salesman", "the clerk", "the store manager", "the stylist",
            ),
        },
        good=(
            "I found exactly what I needed", "returns were no problem", "the {thing} fits like a glove",
            "they carry brands you don't see elsewhere", "no pressure to buy",
        ),
        okay=(
            "you have to dig to find something", "the sale was not much of a sale", "nice {things}, high prices",
        ),
        bad=(
            "the {thing} fell apart after a week", "they refused my return", "the {things} were all over the floor",
            "they followed us around the store", "the {thing} arrived with a scratch",
        ),
        fact=("I was shopping for {a_thing}", "they had a sale on {things}", "I needed {things} for {occasion_of}"),
    ),
    Topic(
        weight=0.09,
        group="Beauty & Spas",
        categories=(
            "Hair Salons", "Nail Salons", "Day Spas", "Massage", "Barbers", "Waxing", "Skin Care", "Eyelash Service",
            "Tanning", "Makeup Artists", "Hair Extensions",
        ),
        names=("Salon", "Spa", "Nails", "Barber Shop", "Beauty Bar", "Hair Studio", "Day Spa"),
        slots={
            "place": ("salon", "spa", "shop", "place", "studio"),
            "thing": (
                "haircut", "massage", "manicure", "color", "pedicure", "facial", "blowout", "balayage", "shave",
                "eyebrow wax", "polish", "fade", "perm", "scalp treatment", "trim",
            ),
            "things": (
                "nails", "highlights", "lashes", "brows", "extensions", "products", "layers", "hot towels", "bangs",
            ),
            "person": ("my stylist", "the nail tech", "the receptionist", "my barber", "the masseuse", "the colorist"),
        },
        good=(
            "I get compliments on my {thing} all the time", "{person} listened to what I wanted",
            "I walked out relaxed", "the {things} lasted for weeks", "so gentle and precise",
        ),
        okay=(
            "the {thing} faded after a few days", "it took longer than planned but looks fine",
            "relaxing, if a bit noisy",
        ),
        bad=(
            "the {thing} came out uneven", "{person} cut off way too much", "the {things} chipped the next day",
            "they burned my scalp", "I had to have the {thing} redone somewhere else",
        ),
        fact=("I booked {a_thing}", "I wanted something new for {occasion_of}", "I showed {person} a picture"),
    ),
    Topic(
        weight=0.06,
        group="Automotive",
        categories=(
            "Auto Repair", "Oil Change Stations", "Tires", "Car Dealers", "Car Wash", "Body Shops", "Auto Detailing",
            "Towing", "Transmission Repair", "Auto Parts & Supplies",
        ),
        names=("Auto Repair", "Tire & Auto", "Motors", "Car Wash", "Collision Center", "Garage", "Transmission"),
        slots={
            "place": ("shop", "garage", "dealership", "place", "body shop"),
            "thing": (
                "oil change", "repair", "estimate", "car", "inspection", "paint job", "alignment", "truck", "car wash",
                "loaner", "diagnosis", "warranty", "battery", "transmission", "windshield", "detailing",
            ),
            "things": (
                "brakes", "tires", "repairs", "parts", "mechanics", "rims", "wiper blades", "labor costs", "rotors",
            ),
            "person": ("the mechanic", "the service advisor", "the salesman", "the tow driver", "the guy at the desk"),
        },
        good=(
            "my car runs like new", "they showed me the old parts", "the final bill matched the estimate",
            "no upselling at all", "they squeezed me in the same day",
        ),
        okay=(
            "the job got done, just a day late", "not the cheapest, not the most expensive",
            "the waiting room has seen better days",
        ),
        bad=(
            "the check engine light came right back on", "they tried to sell me {things} that I did not need",
            "they returned my car with a scratch", "the final bill was double the estimate", "a bolt was left loose",
        ),
        fact=("I brought my car in about the {thing}", "my car was making a strange noise", "I needed new {things}"),
    ),
    Topic(
        weight=0.06,
        group="Home Services",
        categories=(
            "Plumbing", "Heating & Air Conditioning/HVAC", "Movers", "Electricians", "Contractors", "Pest Control",
            "Landscaping", "Roofing", "Home Cleaning", "Painters", "Carpet Cleaning", "Handyman",
        ),
        names=(
            "Plumbing", "Heating & Air", "Movers", "Electric", "Roofing", "Pest Control", "Landscaping", "Cleaning",
        ),
        slots={
            "place": ("company", "business", "outfit", "crew"),
            "thing": (
                "installation", "water heater", "quote", "move", "repair", "roof", "furnace", "drain", "paint",
                "AC unit", "cleanup", "contract", "kitchen remodel", "fence", "wiring", "sprinkler system",
            ),
            "things": (
                "movers", "carpets", "boxes", "pipes", "windows", "technicians", "gutters", "tiles", "cabinets",
            ),
            "person": (
                "the technician", "the plumber", "the electrician", "the foreman", "the dispatcher", "the crew",
            ),
        },
        good=(
            "{person} showed up on time", "they left the house cleaner than before", "not a single box was damaged",
            "the quote was the price", "{person} explained every step",
        ),
        okay=(
            "it took two visits to get the {thing} right", "the work is fine, the communication is not",
            "they came a day late but called ahead",
        ),
        bad=(
            "{person} never showed up", "they broke two of our {things}", "the {thing} leaked the same night",
            "they kept the deposit", "I had to hire someone else to redo the {thing}",
        ),
        fact=("I called about the {thing}", "our {thing} quit in the middle of summer", "I got three quotes"),
    ),
    Topic(
        weight=0.06,
        group="Health & Medical",
        categories=(
            "Dentists", "General Dentistry", "Doctors", "Optometrists", "Chiropractors", "Urgent Care",
            "Physical Therapy", "Dermatologists", "Pediatricians", "Orthodontists", "Hospitals",
        ),
        names=(
            "Dental", "Family Medicine", "Eye Care", "Chiropractic", "Urgent Care", "Dermatology", "Wellness Center",
        ),
        slots={
            "place": ("office", "clinic", "practice", "place"),
            "thing": (
                "checkup", "cleaning", "treatment", "exam", "visit", "adjustment", "diagnosis", "billing", "procedure",
                "crown", "follow up", "bedside manner", "root canal", "X-ray", "paperwork", "prescription",
            ),
            "things": (
                "glasses", "nurses", "results", "forms", "bills", "braces", "appointments", "doctors", "fillings",
            ),
            "person": ("the doctor", "the dentist", "the nurse", "the receptionist", "the hygienist", "my therapist"),
        },
        good=(
            "I felt no pain at all", "{person} explained everything in plain words", "they worked with my insurance",
            "I am finally able to sleep again", "they called the next day to check on me",
        ),
        okay=(
            "good doctor, hard to reach by phone", "the {thing} was quick, the paperwork was not",
            "the waiting room was full but it moved along",
        ),
        bad=(
            "they billed me for {a_thing} that never happened", "{person} spent two minutes with me",
            "my {things} got lost", "they double booked my appointment", "the {thing} hurt for days",
        ),
        fact=("I came in for {a_thing}", "I am new to the area and needed a doctor", "they take my insurance"),
    ),
    Topic(
        weight=0.04,
        group="Hotels & Travel",
        categories=(
            "Hotels", "Event Planning & Services", "Bed & Breakfast", "Resorts", "Airports", "Car Rental", "Tours",
            "Airport Shuttles", "Vacation Rentals", "Airlines",
        ),
        names=("Hotel", "Inn & Suites", "Resort", "Bed & Breakfast", "Car Rental", "Tours", "Lodge"),
        slots={
            "place": ("hotel", "property", "resort", "place", "inn"),
            "thing": (
                "room", "bed", "breakfast", "pool", "view", "shower", "check in", "shuttle", "lobby", "bathroom",
                "upgrade", "minibar", "suite", "air conditioning", "gym", "rental car",
            ),
            "things": (
                "rooms", "pillows", "beds", "towels", "amenities", "elevators", "hallways", "views", "sheets", "tours",
            ),
            "person": (
                "the front desk", "the concierge", "the housekeeper", "the night manager", "the driver", "our guide",
            ),
        },
        good=(
            "we slept like babies", "they let us check in early", "you can walk to everything",
            "the {thing} was spotless", "they upgraded us for free",
        ),
        okay=(
            "fine for one night", "the {thing} is dated but clean", "good location, thin walls",
        ),
        bad=(
            "the {thing} smelled like smoke", "there were bugs in the {thing}", "they lost our reservation",
            "the walls are paper thin", "they charged a resort fee that nobody mentioned",
        ),
        fact=(
            "we stayed for {number} nights", "our flight was late", "we were on the {nth} floor",
            "I booked the {thing} online",
        ),
    ),
    Topic(
        weight=0.06,
        group="Nightlife",
        categories=(
            "Bars", "Cocktail Bars", "Pubs", "Sports Bars", "Lounges", "Breweries", "Dance Clubs", "Wine Bars",
            "Karaoke", "Dive Bars", "Music Venues",
        ),
        names=("Tavern", "Pub", "Lounge", "Brewing", "Saloon", "Taproom", "Club", "Ale House"),
        slots={
            "place": ("bar", "pub", "club", "spot", "brewery", "lounge"),
            "thing": (
                "beer", "music", "crowd", "happy hour", "DJ", "cocktail", "band", "dance floor", "cover charge",
                "old fashioned", "beer list", "patio", "trivia night", "karaoke", "wine", "sound system",
            ),
            "things": (
                "drinks", "cocktails", "bartenders", "shots", "pours", "bouncers", "bar snacks", "martinis",
                "craft beers",
            ),
            "person": ("the bartender", "the bouncer", "our waitress", "the DJ", "the owner", "the doorman"),
        },
        good=(
            "we danced all night", "the {things} are strong and cheap", "{person} makes a mean drink",
            "never a dull night here", "a crowd of all ages",
        ),
        okay=(
            "it gets packed after ten", "good {things}, loud {thing}", "fun once you are two drinks in",
        ),
        bad=(
            "the {things} were watered down", "{person} ignored us for the regulars",
            "the floor was sticky and the bathroom worse", "they let in way too many people",
            "my tab had drinks on it that we never ordered",
        ),
        fact=(
            "we went out for {occasion_of}", "we caught the end of happy hour", "there was a game on",
            "we had a round of {things}",
        ),
    ),
    Topic(
        weight=0.04,
        group="Active Life",
        categories=(
            "Gyms", "Fitness & Instruction", "Yoga", "Trainers", "Martial Arts", "Parks", "Golf", "Swimming Pools",
            "Climbing", "Pilates", "Cycling Classes",
        ),
        names=("Fitness", "Yoga", "Gym", "Athletic Club", "Golf Club", "Martial Arts", "Pilates"),
        slots={
            "place": ("gym", "studio", "club", "place", "facility"),
            "thing": (
                "class", "workout", "equipment", "membership", "locker room", "pool", "sauna", "training",
                "spin class", "personal training", "schedule", "boot camp", "course", "yoga flow", "front desk",
                "treadmill",
            ),
            "things": (
                "classes", "machines", "instructors", "showers", "weights", "trainers", "trails", "mats", "coaches",
            ),
            "person": ("my trainer", "the instructor", "the coach", "the guy at the front desk", "the yoga teacher"),
        },
        good=(
            "I am in the best shape of my life", "all levels are welcome", "{person} pushes you just enough",
            "no contracts, no games", "I have already lost ten pounds",
        ),
        okay=(
            "good {thing}, but crowded after work", "half the {things} work on any given day",
            "fine if you only need the basics",
        ),
        bad=(
            "it is impossible to cancel the membership", "the {things} have been broken for months",
            "the showers were moldy", "they kept charging me after I quit", "classes get canceled without notice",
        ),
        fact=("I signed up for a month", "I took the {hour} {thing}", "I go {number} times a week"),
    ),
    Topic(
        weight=0.02,
        group="Pets",
        categories=("Veterinarians", "Pet Groomers", "Pet Stores", "Pet Boarding", "Dog Walkers", "Pet Training"),
        names=("Animal Hospital", "Pet Resort", "Grooming", "Veterinary Clinic", "Pet Supply"),
        slots={
            "place": ("clinic", "vet", "kennel", "place", "pet store"),
            "thing": (
                "grooming", "surgery", "boarding", "exam", "haircut", "daycare", "nail trim", "vet visit",
                "obedience class",
            ),
            "things": ("groomers", "vaccines", "kennels", "treats", "toys", "puppies", "techs", "pet foods"),
            "person": ("the vet", "the groomer", "the vet tech", "the trainer", "the front desk"),
        },
        good=(
            "my dog can't wait to go in", "they treated our cat like their own", "our puppy came home happy and clean",
        ),
        okay=("my dog did not mind, so that is something", "good care, steep prices"),
        bad=(
            "my dog came back with cuts", "they ran tests that we did not need", "our cat came home sick and scared",
        ),
        fact=("my dog is a big baby", "we adopted a kitten last month", "I dropped off our dog at {hour}"),
    ),
    Topic(
        weight=0.02,
        group="Arts & Entertainment",
        categories=("Museums", "Cinema", "Performing Arts", "Arcades", "Zoos", "Casinos", "Festivals", "Escape Games"),
        names=("Museum", "Theatre", "Cinema", "Arcade", "Escape Room", "Gallery", "Casino"),
        slots={
            "place": ("museum", "theater", "venue", "place", "arcade"),
            "thing": (
                "show", "exhibit", "movie", "tour", "sound", "escape room", "gift shop", "stage", "popcorn",
                "collection",
            ),
            "things": (
                "seats", "exhibits", "games", "tickets", "screens", "performers", "snacks", "lines", "slot machines",
            ),
            "person": ("the guide", "the usher", "the game master", "the lady at the box office", "security"),
        },
        good=("the kids did not want to leave", "you could spend a whole day here", "we laughed until it hurt"),
        okay=("once is enough", "interesting, though you can see it all in an hour"),
        bad=(
            "half the {things} were closed", "the {thing} started an hour late", "our seats had no view of the stage",
        ),
        fact=("we bought the tickets online", "we had seats in row {number}", "we saw the late {thing}"),
    ),
)  # fmt: skip
