"""Default shares of the choices (any positive numbers), and values that follow from a choice."""

#: Hairstyle -> hair length.
LENGTHS = {
    "long": "long", "waves": "long", "twin": "long", "pony": "long", "braids": "long", "drills": "long",
    "curls": "long", "medium": "medium", "bob": "medium", "bun": "medium", "afro": "medium", "locs": "medium",
    "short": "short", "crop": "short", "curly": "short", "buzz": "short", "balding": "short", "bald": "none",
}  # fmt: skip
GENDERS = {"female": 1, "male": 1}
AGES = {"child": 14, "young": 54, "adult": 22, "old": 10}
FEMALE_STYLES = {
    "long": 26,
    "waves": 10,
    "medium": 18,
    "bob": 15,
    "twin": 11,
    "pony": 6,
    "bun": 4,
    "braids": 4,
    "drills": 3,
    "short": 6,
    "curls": 2,
    "curly": 1,
    "afro": 1,
    "locs": 1,
    "crop": 0.5,
    "buzz": 0.2,
    "bald": 0.1,
}
#: Shares that replace the default ones for dark skin.
DARK_SKIN_STYLES = {"afro": 12, "curly": 10, "curls": 10, "locs": 8, "braids": 8, "buzz": 8}
MALE_STYLES = {
    "short": 62, "crop": 24, "medium": 9, "long": 3, "pony": 2, "bald": 2, "bob": 0.2, "waves": 0.3, "bun": 0.3,
    "curly": 4, "buzz": 5, "balding": 0.5, "afro": 0.5, "locs": 0.5,
}  # fmt: skip
FEMALE_FRINGES = {
    "locks": 42,
    "straight": 14,
    "parted": 12,
    "swept": 14,
    "centre": 5,
    "see_through": 9,
    "spiky": 4,
    "back": 1,
    "combed": 2,
}
MALE_FRINGES = {
    "locks": 32,
    "spiky": 28,
    "swept": 18,
    "parted": 10,
    "centre": 4,
    "back": 6,
    "straight": 3,
    "combed": 16,
}
EXPRESSIONS = {
    "neutral": 34,
    "smile": 29,
    "open_smile": 9,
    "frown": 10,
    "surprised": 6,
    "sad": 5,
    "closed_smile": 4,
    "sleepy": 4,
    "angry": 4,
}
#: Expression -> smile (-1: corners of the mouth down, 1: up), opening of the mouth (0-1) and of the eyes.
FACES = {
    "neutral": (0.2, 0.0, 1.0), "smile": (0.8, 0.0, 0.97), "open_smile": (1.0, 0.8, 0.95), "frown": (-0.6, 0.0, 0.92),
    "surprised": (0.0, 0.6, 1.1), "sad": (-0.5, 0.0, 0.92), "closed_smile": (1.0, 0.0, 0.0),
    "sleepy": (0.1, 0.0, 0.62), "angry": (-0.7, 0.0, 0.86),
}  # fmt: skip
EYE_SHAPES = {"round": 30, "tall": 24, "almond": 24, "drooping": 10, "sharp": 12}
MALE_EYE_SHAPES = {"narrow": 40, "sharp": 25, "almond": 25, "round": 10}
CLOTHES = {
    "sailor": 14,
    "blazer": 20,
    "shirt": 13,
    "tee": 8,
    "hoodie": 7,
    "turtleneck": 5,
    "jacket": 8,
    "dress": 8,
    "bare": 5,
    "kimono": 5,
    "scarf": 4,
    "suit": 3,
    "maid": 4,
    "uniform": 5,
    "vest": 7,
}
MALE_CLOTHES = CLOTHES | {"sailor": 0, "dress": 0, "maid": 0, "bare": 1, "suit": 14, "jacket": 16, "shirt": 20}
BACKGROUNDS = {"plain": 12, "gradient": 10, "room": 46, "sky": 10, "foliage": 13, "night": 4, "abstract": 5}
OLD_MALE_STYLES = {"bald": 12, "balding": 22}
#: Natural and fantasy hair colours.
HAIR = {
    "black": 15, "blue_black": 6, "dark_brown": 14, "brown": 16, "light_brown": 13, "blond": 11, "pale_blond": 6,
    "orange": 4, "red": 1, "silver": 1, "white": 1, "grey": 1,
}  # fmt: skip
FANTASY_HAIR = {
    "red": 4, "crimson": 2, "pink": 5, "purple": 5, "lavender": 3, "blue": 5, "light_blue": 3, "green": 2, "teal": 2,
    "silver": 3, "white": 2,
}  # fmt: skip
#: Probability of a fantasy hair colour.
FANTASY = 0.3
OLD_HAIR = {"grey": 34, "silver": 26, "white": 22, "black": 6, "dark_brown": 6, "light_brown": 6}
DARK_SKIN_HAIR = {"black": 50, "blue_black": 15, "dark_brown": 26, "brown": 6, "white": 1, "silver": 1}
EYES = {
    "brown": 20, "dark_brown": 12, "amber": 9, "red": 10, "pink": 6, "purple": 11, "blue": 14, "light_blue": 7,
    "green": 10, "teal": 5, "grey": 6,
}  # fmt: skip
BROWNER_EYES = EYES | {"brown": 36, "dark_brown": 40}
BEARDS = {"none": 60, "stubble": 14, "goatee": 10, "moustache": 6, "full": 10}
NO_BEARD = {"none": 1, "stubble": 0, "goatee": 0, "moustache": 0, "full": 0}
GLASSES = {"none": 90, "round": 3, "square": 4, "half": 2.5, "sun": 0.5}
HATS = {"none": 90, "cap": 2, "beanie": 2, "beret": 1.5, "straw": 1, "hood": 1, "hijab": 0, "turban": 0.8}
FEMALE_HATS = HATS | {"cap": 1, "beret": 2, "hijab": 2, "turban": 0.2}
MALE_ORNAMENTS = {"none": 90, "headphones": 4, "headband": 6}
FEMALE_ORNAMENTS = {
    "none": 52, "ribbon": 13, "hairband": 10, "pins": 10, "flower": 5, "bow": 5, "headphones": 2, "cat_ears": 3,
    "headband": 0.5,
}  # fmt: skip
MALE_NECKWEAR = {"none": 96, "choker": 0, "pendant": 4}
FEMALE_NECKWEAR = {"none": 82, "choker": 11, "pendant": 7}
EARRINGS = {"female": 0.12, "male": 0.05}
FRECKLES = 0.03
#: Age -> probability of wrinkles.
WRINKLED = {"child": 0.0, "young": 0.0, "adult": 0.15, "old": 1.0}
HIGHLIGHTS = {"ring": 28, "arc": 20, "streaks": 24, "soft": 8, "tufts": 14, "none": 6}
EYE_DETAILS = {"gradient": 34, "ringed": 18, "flat": 12, "glassy": 12, "dark": 12, "bright": 12}
#: JPEG quality -> share; 0: not compressed.
JPEG = {"0": 30, "98": 10, "94": 20, "90": 20, "85": 12, "78": 8}
