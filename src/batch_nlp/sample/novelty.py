"""The vocabulary of messages that the history knows nothing of: new things, new ways to buy them, new slang.

Every clause holds at least one word that no other bank of this package has.
"""

from __future__ import annotations

GREAT = (
    "the {gadget} {slaps}",
    "{gizmos} here are {goated}",
    "ngl the {gadget} is {goated}",
    "ordered through {app} and it {slaps}",
    "bestie, run to this {popup}",
    "the {gadget} understood the assignment",
    "main character energy at this {popup}, iykyk",
    "chef's kiss for the {gizmos}, tbh obsessed",
    "{app} had it on my porch before the episode ended, goated",
    "the {gadget} lives rent-free in my head",
)

GOOD = (
    "the {gadget} is {valid}",
    "{gizmos} were {valid}",
    "{app} was seamless",
    "lowkey a fan of the {gadget}",
    "scanned the QR code and the {gadget} just worked",
    "the {gizmos} pass the vibe check",
    "tbh {app} saved my evening",
    "the {popup} is {valid}, would reorder",
    "contactless pickup from the {gadget} took seconds",
)

OKAY = (
    "the {gadget} is {midway}",
    "{gizmos} were {midway}",
    "{app} is {midway}",
    "idk how to feel about the {gadget}",
    "the {popup} is giving airport lounge",
    "half hyped, half ick about the {gizmos}",
    "{app} worked once and glitched once",
    "the {gadget} is a tiktok moment, not more",
)

BAD = (
    "the {gadget} was {cringe}",
    "{gizmos} were {cringe}",
    "{app} glitched the whole time",
    "the {gadget} gave me the ick",
    "this {popup} is {cringe}",
    "surge pricing on {app} is {cringe}",
    "the chatbot kept sending me back to the {gadget}",
    "shrinkflation hit the {gizmos} too",
    "had to download {app} for a login that never loaded",
)

AWFUL = (
    "the {gadget} is {trash}",
    "{app} ghosted me and kept the deposit",
    "{gizmos} were {trash}, do not gatekeep this warning",
    "this {popup} is {trash}, full red-flag territory",
    "reported {app} for a phantom charge",
    "the chatbot {gaslit} me about my own order",
    "uninstalled {app} on the spot",
    "enshittification of {gizmos} speedrun",
)

FACT = (
    "tapped my phone on the {gadget}",
    "there is {a_gadget} where the host used to be",
    "I used {app} this time",
    "saw this {popup} on tiktok",
    "they only do {gizmos} now",
    "{app} sent a tracking link to my smartwatch",
    "the menu is a QR code on the {gadget}",
    "this {popup} opened next to the vertiport",
    "my gen-z cousin swears by {gizmos}",
)

SARCASM = (
    "love tipping 30% to {a_gadget}",
    "slay, {app} lost it again",
    "so iconic of the chatbot to thank me for waiting",
    "truly goated move to replace people with {a_gadget}",
)

SLOTS: dict[str, tuple[str, ...]] = {
    "gadget": (
        "robot server", "self-checkout kiosk", "smart locker", "drone drop", "chatbot", "facial-scan gate",
        "cobot barista", "AI concierge", "hologram menu", "e-scooter dock", "autonomous shuttle", "LED mask pod",
        "telehealth booth", "VR fitting mirror", "EV supercharger", "cryo chamber", "3D-printed burger",
        "air-fryer bento",
    ),
    "gizmos": (
        "birria ramen bowls", "mochi croffles", "hot-honey smash tacos", "ube matcha lattes", "oatmilk boba flights",
        "mushroom-coffee shots", "peptide drips", "lab-grown nuggets", "gel-x nails", "Dubai pistachio bars",
        "cottage-cheese flatbreads", "subscription boxes", "dopamine-decor candles", "vegan tres-leches cups",
        "collagen smoothies", "yuzu spritzers",
    ),
    "app": (
        "Munchly", "Zipcart", "DashNest", "Snackly Prime", "FetchDrone", "QuikPantry", "Gobblr", "the DoorLoop app",
        "Crave2Go", "TapTable", "Nomify", "BiteRelay",
    ),
    "popup": (
        "ghost kitchen", "dark store", "cashierless bodega", "hybrid speakeasy", "metaverse lounge", "coworking spa",
        "micro-fulfillment hub", "phygital showroom", "cold-plunge studio", "padel club",
    ),
    "slaps": ("slaps", "is bussin", "hits different fr", "absolutely ate", "slays", "goes crazy hard fr"),
    "goated": ("goated", "bussin fr", "no-cap elite", "S-tier", "straight slay", "immaculate fr fr"),
    "valid": ("lowkey valid", "a vibe fr", "kinda bussin", "pretty slay", "very demure", "a W tbh"),
    "midway": ("kinda mid tbh", "giving beige", "lowkey meh fr", "neither slay nor ick", "NPC-level", "a solid idk"),
    "cringe": ("cringe", "sus", "a major ick", "lowkey delulu", "cheugy", "a hard L", "giving scamcore"),
    "trash": ("trash-tier", "an L fr fr", "straight-up scamcore", "peak enshittification", "clown-core", "cursed af"),
    "gaslit": ("gaslit", "ghosted", "soft-blocked", "trolled"),
}  # fmt: skip
