"""Names of people and places for the user and business tables."""

from __future__ import annotations

FIRST_NAMES = (
    "Jennifer", "Michael", "Jessica", "David", "Sarah", "John", "Lisa", "Chris", "Amanda", "Mike", "Ashley", "Matt",
    "Nicole", "James", "Michelle", "Robert", "Stephanie", "Daniel", "Melissa", "Brian", "Emily", "Kevin", "Elizabeth",
    "Mark", "Amy", "Jason", "Laura", "Eric", "Rachel", "Steve", "Heather", "Andrew", "Megan", "Ryan", "Karen",
    "Anthony", "Christina", "Joe", "Angela", "Scott", "Maria", "Tom", "Samantha", "Jose", "Rebecca", "Wei", "Priya",
    "Ahmed", "Yuki", "Fatima", "Carlos", "Ana", "Linh", "Olga", "Zoë", "José", "François", "Keisha", "Omar", "Ming",
    "Ingrid", "J",
)  # fmt: skip
SURNAMES = (
    "Miller", "Rossi", "Garcia", "Nguyen", "Johnson", "Kim", "Baker", "Lopez", "Patel", "O'Brien", "Fischer", "Martin",
    "Chen", "Romano", "Walker", "Haddad", "Silva", "Novak", "Taylor", "Moreau", "Singh", "Carter", "Reyes", "Wright",
)  # fmt: skip
ADJECTIVES = (
    "Golden", "Blue", "Corner", "Old Town", "Riverside", "Main Street", "Royal", "Happy", "Downtown", "Sunset",
    "Magnolia", "Lucky", "Northside", "Liberty", "Harbor", "Red Door", "Little", "Grand", "First", "Express", "Desert",
    "Bayou",
)  # fmt: skip
STREETS = (
    "Main St", "Market St", "Oak Ave", "E Broadway Blvd", "Walnut St", "Chestnut St", "2nd Ave", "W Kennedy Blvd",
    "State St", "Magazine St", "Virginia St", "Church St", "Park Blvd", "N Meridian St", "Jasper Ave NW", "Olive Blvd",
    "US Hwy 19 N",
)  # fmt: skip
# City, state or province, postal code, latitude, longitude.
CITIES: tuple[tuple[str, str, str, float, float], ...] = (
    ("Philadelphia", "PA", "19106", 39.952, -75.164),
    ("Tucson", "AZ", "85711", 32.222, -110.926),
    ("Tampa", "FL", "33602", 27.951, -82.459),
    ("Indianapolis", "IN", "46204", 39.768, -86.158),
    ("Nashville", "TN", "37203", 36.163, -86.781),
    ("New Orleans", "LA", "70130", 29.951, -90.072),
    ("Reno", "NV", "89501", 39.530, -119.814),
    ("Edmonton", "AB", "T5J 1S5", 53.546, -113.494),
    ("Saint Louis", "MO", "63103", 38.627, -90.199),
    ("Santa Barbara", "CA", "93101", 34.421, -119.698),
    ("Boise", "ID", "83702", 43.615, -116.202),
    ("Clearwater", "FL", "33755", 27.966, -82.800),
    ("St. Louis", "MO", "63110", 38.619, -90.256),
    ("Cherry Hill", "NJ", "08002", 39.927, -75.024),
    ("Wilmington", "DE", "19801", 39.739, -75.540),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
