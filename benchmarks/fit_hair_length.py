"""Fit the regressions that see how long hair is next to jaw and neck, and measure them.

    uv run python -m benchmarks.fit_hair_length            # write pipeline/features/hair_length.npz
    uv run python -m benchmarks.fit_hair_length --measure  # measure only

The labels are what one person saw in photos of embedded people: hair above the jaw (also tied hair), down to the chin,
or below it. They are 240 random women, 120 random men, and 120 more men whose photos have hair below the jaw according
to the segmentation. Each photo is also used in distorted copies, as in training. Each person is predicted by a fit to
others.
"""

import argparse

import numpy as np

from benchmarks.labelled_people import fit, numbers, predict, read_copies
from pipeline.features import hair_traits
from pipeline.features.attributes_face import Face
from pipeline.files import atomic_file

#: Strength of the ridge regressions.
RIDGE = 3000.0
#: Distorted copies of each photo.
COPIES = 3
#: Numbers of people of the demo (seed 0). SUSPECTS are the men that were chosen by the segmentation.
FEMALE_SHORT = (
    "50 185 192 193 369 403 404 412 422 460 467 648 672 896 1009 1139 1267 1288 1355 1571 1961 2109 2113 2250 "
    "2520 2565 2781 2793 2841 2946 3033 3151 3195 3230 3301 3348 3408 3411 3447 3516 3560 3595 3643 3667 3680 "
    "3807 3845 3888 3957 4087 4134 4179 4197 4262 4298 4486 4540"
)
FEMALE_MEDIUM = (
    "26 333 360 444 676 699 740 787 886 1122 1160 1191 1193 1209 1233 1307 1328 1389 1440 1449 1478 1536 1575 "
    "1618 1795 1911 1995 2106 2285 2301 2315 2419 2445 2491 2542 2550 2613 2686 2729 2740 2752 2913 2922 2924 "
    "2963 3004 3009 3202 3207 3211 3319 3429 3442 3841 3846 3967 4001 4102 4152 4178 4243 4307 4372"
)
FEMALE_LONG = (
    "46 52 83 109 116 197 210 226 229 245 278 303 306 335 379 392 410 506 567 649 685 795 818 831 859 876 878 911 "
    "929 931 933 936 1011 1092 1118 1124 1127 1145 1228 1249 1260 1363 1396 1446 1455 1469 1537 1672 1962 2024 "
    "2040 2087 2092 2215 2325 2327 2376 2399 2405 2432 2453 2503 2575 2588 2612 2624 2739 2796 2852 2918 2970 "
    "3008 3055 3116 3119 3140 3194 3241 3262 3280 3285 3293 3297 3300 3355 3385 3397 3471 3472 3494 3563 3572 "
    "3600 3624 3655 3658 3726 3735 3759 3873 3933 3950 3970 4003 4048 4092 4098 4110 4113 4166 4194 4218 4368 "
    "4421 4443 4457 4559 4560 4569 4592"
)
MALE_SHORT = (
    "122 126 128 188 218 311 341 353 363 416 420 436 459 502 511 571 595 623 631 668 683 687 703 704 789 804 806 "
    "817 826 833 1099 1175 1187 1324 1332 1382 1439 1460 1476 1509 1534 1541 1668 1753 1816 1842 1873 1898 1920 "
    "2004 2010 2028 2030 2037 2086 2091 2190 2317 2332 2352 2361 2466 2486 2512 2633 2669 2695 2814 2828 2872 "
    "2874 2987 3025 3088 3121 3123 3157 3171 3188 3216 3251 3263 3362 3372 3390 3414 3517 3548 3574 3585 3615 "
    "3640 3708 3778 3820 3842 3849 3865 3987 4028 4031 4034 4163 4247 4318 4341 4350 4369 4389 4406 4420 4497 "
    "4502 4510"
)
MALE_MEDIUM = "2555 2725 4169"
MALE_LONG = "1552 3371 3701"
SUSPECTS_SHORT = (
    "28 81 142 301 433 454 599 617 619 646 659 666 693 1066 1096 1109 1161 1192 1201 1251 1290 1300 1312 1426 "
    "1467 1507 1547 1550 1561 1595 1641 1658 1678 1684 1692 1700 1910 2067 2187 2212 2245 2262 2272 2436 2464 "
    "2481 2509 2672 2776 2794 2882 2974 3029 3031 3065 3079 3229 3233 3317 3368 3377 3396 3399 3404 3443 3450 "
    "3491 3505 3644 3646 3723 3738 3779 3805 3877 3882 3910 4024 4067 4101 4117 4211 4244 4387 4393 4483 4484 "
    "4505 4528 4561"
)
SUSPECTS_MEDIUM = (
    "12 44 299 350 406 430 491 588 613 798 844 909 1718 1913 2451 2483 2601 3633 3690 3734 3828 3862 4162 4259"
)
SUSPECTS_LONG = "246 1062 2787 2938 2959 4392"
LENGTHS = ("short", "medium", "long")


def main() -> None:
    """Measure, and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="measure only")
    measure_only = parser.parse_args().measure
    groups = {
        "women": [numbers(text) for text in (FEMALE_SHORT, FEMALE_MEDIUM, FEMALE_LONG)],
        "men": [numbers(text) for text in (MALE_SHORT, MALE_MEDIUM, MALE_LONG)],
        "suspects": [numbers(text) for text in (SUSPECTS_SHORT, SUSPECTS_MEDIUM, SUSPECTS_LONG)],
    }
    people, inputs = read_copies(set().union(*(part for group in groups.values() for part in group)), COPIES, texture)
    female = np.isin(people, list(set().union(*groups["women"])))
    seen = np.zeros(len(people), dtype=int)
    for group in groups.values():
        for number, part in enumerate(group):
            seen[np.isin(people, list(part))] = number
    tasks = ((~female, seen > 0), (female, seen > 0), (female, seen == 2))
    scores = np.zeros((3, len(people)))
    for score, (chosen, targets) in zip(scores, tasks, strict=True):
        score[chosen] = predict(inputs[chosen], targets[chosen].astype(float), people[chosen], RIDGE)
    plain = np.arange(len(people)) % (COPIES + 1) == 0
    print_women(scores[1:], seen, {"women": female & plain, "women, distorted photos": female & ~plain})
    for title, name in (("men", "men"), ("men with hair below the jaw in the segmentation", "suspects")):
        photos = np.isin(people, list(set().union(*groups[name]))) & plain
        found = (scores[0] > hair_traits.MALE_JAW) & photos
        right, wrong = (found & (seen > 0)).sum(), (found & (seen == 0)).sum()
        print(f"{title}: below the jaw {right} of {(photos & (seen > 0)).sum()}, others {wrong}", end=" ")
        print(f"of {(photos & (seen == 0)).sum()}")
    if not measure_only:
        fits = [fit(inputs[chosen], targets[chosen].astype(float), RIDGE) for chosen, targets in tasks]
        weights, bias = zip(*fits, strict=True)
        with atomic_file(hair_traits.LENGTH_WEIGHTS) as partial, partial.open("wb") as stream:
            np.savez(stream, weights=np.array(weights, np.float32), bias=np.array(bias, np.float32))


def print_women(scores: np.ndarray, seen: np.ndarray, groups: dict[str, np.ndarray]) -> None:
    """Print the lengths seen [n] and measured of groups of photos, bool [n] each, from the scores [2, n]."""
    jaw, neck = scores
    measured = np.where(jaw <= hair_traits.FEMALE_JAW, 0, np.where(neck > hair_traits.FEMALE_NECK, 2, 1))
    for title, photos in groups.items():
        print(f"| {title}: seen in the photo | measured short | medium | long |")
        print("| --- | --- | --- | --- |")
        for number, name in enumerate(LENGTHS):
            counts = np.bincount(measured[photos & (seen == number)], minlength=3)
            print("| {} | {} | {} | {} |".format(name, *counts))


def texture(face: Face) -> np.ndarray:
    """Return the inputs of the regressions, [d]."""
    return hair_traits.texture_at_sides(face, hair_traits.levels(face))


if __name__ == "__main__":
    main()
