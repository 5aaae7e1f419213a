"""Fit the regressions that see hats and curls in the texture of hair, and measure them.

    uv run python -m benchmarks.fit_hair_traits            # write pipeline/features/hair_traits.npz
    uv run python -m benchmarks.fit_hair_traits --measure  # measure only

The labels are what one person saw in photos of embedded people: of 384 random people, of 96 whom a first fit gave the
highest probability of a hat, and of 192 whom it gave curly or wavy hair. Each photo is also used in distorted copies,
as in training: tight crops, exposure, colour cast, blur, grain, JPEG, a hand in front. Each person is predicted by a
fit to others. Only the random people are counted, so the shares are those of all embedded people.
"""

import argparse

import numpy as np

from benchmarks.labelled_people import fit, numbers, predict, read_copies
from pipeline.features import hair_traits
from pipeline.features.attributes_face import Face
from pipeline.files import atomic_file

#: Strength of the ridge regressions.
RIDGE = 1000.0
#: Distorted copies of each photo.
COPIES = 4
#: Numbers of people of the demo (seed 0).
RANDOM = (
    "19 23 33 79 83 137 148 153 162 174 178 225 233 236 238 248 264 266 291 293 294 306 308 309 326 329 351 352 "
    "355 380 382 385 386 387 389 406 431 439 464 466 469 483 489 502 503 512 543 559 560 565 589 613 620 644 646 "
    "668 708 732 774 777 783 790 797 804 839 841 856 869 872 874 881 885 894 925 931 956 965 986 989 994 996 1012 "
    "1021 1030 1031 1050 1074 1080 1097 1102 1107 1108 1110 1117 1131 1135 1148 1162 1181 1182 1189 1190 1204 "
    "1234 1252 1265 1292 1297 1300 1302 1306 1361 1367 1399 1403 1431 1435 1462 1463 1464 1466 1476 1493 1495 "
    "1505 1544 1545 1559 1562 1563 1565 1568 1569 1570 1571 1575 1608 1620 1629 1655 1661 1684 1686 1692 1696 "
    "1702 1710 1724 1811 1818 1837 1844 1857 1875 1881 1888 1890 1892 1897 1898 1913 1925 1938 1951 1954 1959 "
    "1969 1981 1993 2014 2027 2042 2047 2048 2065 2071 2085 2090 2093 2121 2129 2148 2164 2206 2209 2213 2221 "
    "2235 2251 2262 2266 2269 2270 2277 2278 2291 2299 2321 2344 2363 2381 2386 2394 2407 2422 2450 2465 2472 "
    "2488 2518 2535 2566 2575 2593 2594 2601 2603 2609 2618 2640 2651 2670 2673 2689 2692 2697 2704 2716 2726 "
    "2728 2740 2753 2778 2785 2786 2799 2821 2844 2847 2858 2869 2870 2879 2888 2928 2945 2953 2968 2983 2990 "
    "3006 3043 3044 3045 3046 3060 3069 3092 3098 3104 3120 3137 3146 3184 3202 3204 3243 3257 3261 3263 3280 "
    "3283 3290 3309 3311 3342 3353 3356 3359 3375 3400 3403 3404 3413 3416 3428 3441 3443 3453 3457 3491 3493 "
    "3546 3568 3595 3604 3619 3628 3649 3652 3665 3674 3720 3744 3753 3755 3757 3762 3764 3776 3786 3799 3810 "
    "3820 3828 3836 3845 3857 3877 3882 3890 3898 3901 3902 3910 3921 3931 3954 3976 3982 4019 4027 4030 4032 "
    "4048 4063 4066 4067 4068 4071 4073 4076 4081 4096 4099 4104 4112 4134 4174 4183 4186 4190 4192 4200 4216 "
    "4221 4231 4283 4299 4308 4311 4327 4332 4340 4353 4371 4381 4399 4410 4414 4417 4425 4446 4462 4470 4504 "
    "4506 4517 4534 4557 4561 4567 4578 4593"
)
WAVY = (
    "90 94 148 162 239 275 282 329 417 451 468 492 503 562 566 586 613 732 754 868 881 905 939 993 1048 1098 1108 "
    "1127 1158 1252 1307 1412 1431 1444 1464 1552 1635 1647 1655 1659 1661 1702 1710 1718 1748 1789 1906 1950 "
    "2074 2099 2128 2148 2192 2221 2299 2333 2405 2465 2471 2488 2530 2536 2617 2704 2722 2729 2740 2791 2812 "
    "2847 2852 2869 2878 2891 2914 2959 3021 3036 3045 3046 3069 3189 3211 3253 3256 3269 3387 3465 3489 3491 "
    "3493 3533 3568 3583 3598 3604 3652 3653 3655 3797 3813 3833 3907 3910 3918 3939 4019 4048 4049 4071 4200 "
    "4216 4231 4259 4303 4311 4329 4332 4441 4462 4521"
)
CURLY = (
    "12 69 123 356 430 469 498 542 597 776 841 963 1067 1093 1145 1265 1302 1466 1505 1545 1685 1737 1809 1913 "
    "1918 2407 2437 2483 2519 2535 2561 2575 2673 2679 2728 2750 2778 2849 2953 3027 3137 3144 3210 3400 3439 "
    "3497 3776 3863 3976 3982 3998 4018 4023 4117 4219 4234 4235 4342 4427 4567 4591"
)
STRAIGHT = (
    "26 60 110 216 243 297 317 365 408 428 461 564 598 610 656 664 691 734 822 1175 1289 1389 1449 1616 1639 1664 "
    "1721 1743 1763 1849 1923 2034 2068 2111 2125 2200 2293 2301 2409 2423 2599 2638 2668 2755 2804 2833 2957 "
    "3208 3209 3262 3282 3314 3479 3511 3572 3633 3787 3867 3933 3934 3986 4148 4198 4205 4310 4334 4374 4382 "
    "4444 4491 4526 4555 4590"
)
HATS = (
    "137 178 259 269 319 466 496 651 653 667 670 723 777 783 934 1001 1084 1106 1131 1194 1251 1331 1545 1550 "
    "1565 1571 1761 1866 1905 1908 1920 1938 1969 1993 1997 2141 2166 2225 2358 2478 2531 2580 2585 2609 2673 "
    "2773 2783 2834 2867 3033 3087 3272 3309 3347 3399 3403 3445 3556 3581 3649 3749 3801 3882 3957 3990 4161 "
    "4176 4183 4247 4332 4340 4476 4517 4534"
)
BRIMS = (
    "108 144 161 265 568 641 687 714 837 844 924 950 980 999 1156 1294 1415 1476 1695 1941 2091 2136 2137 2162 "
    "2314 2464 2466 2549 2718 2815 2858 2896 2969 3221 3286 3302 3370 3378 3383 3902 4046 4094 4106 4136 4328 "
    "4394 4511 4554"
)


def main() -> None:
    """Measure, and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="measure only")
    measure_only = parser.parse_args().measure
    random, brims, curly, wavy = numbers(RANDOM), numbers(BRIMS), numbers(CURLY), numbers(WAVY)
    hats = numbers(HATS) | brims
    people, inputs = read_copies(random | hats | curly | wavy | numbers(STRAIGHT), COPIES, texture)

    def is_in(group: set[int]) -> np.ndarray:
        return np.isin(people, list(group))

    curls = is_in(wavy) + 2.0 * is_in(curly)
    tasks = (
        (is_in(random | hats), is_in(hats).astype(float)),
        (is_in(hats), is_in(brims).astype(float)),
        (~is_in(hats), curls),
    )
    hat, brim, curl = np.zeros((3, len(people)))
    for predicted, (chosen, targets) in zip((hat, brim, curl), tasks, strict=True):
        predicted[chosen] = predict(inputs[chosen], targets[chosen], people[chosen], RIDGE)
    plain = np.arange(len(people)) % (COPIES + 1) == 0
    bare = is_in(random - hats)
    print("| seen in the photo | random people | of them found | others found |")
    print("| --- | --- | --- | --- |")
    for name, photos, seen, found in (
        ("hat", is_in(random) & plain, is_in(hats), hat > hair_traits.HAT),
        ("hat, distorted photos", is_in(random) & ~plain, is_in(hats), hat > hair_traits.HAT),
        ("wavy or curly hair", bare & plain, curls > 0, curl > hair_traits.WAVY),
        ("curly hair", bare & plain, curls == 2, curl > hair_traits.CURLY),
    ):
        counts = [(seen & photos).sum(), photos.sum(), (seen & found & photos).sum(), (found & ~seen & photos).sum()]
        print("| {} | {} of {} | {} | {} |".format(name, *counts))
    right = (brim > hair_traits.BRIM) == is_in(brims)
    print(f"hats with and without a brim told apart: {right[is_in(hats) & plain].mean():.2f}")
    if not measure_only:
        weights, bias = zip(*(fit(inputs[chosen], targets[chosen], RIDGE) for chosen, targets in tasks), strict=True)
        with atomic_file(hair_traits.WEIGHTS) as partial, partial.open("wb") as stream:
            np.savez(stream, weights=np.array(weights, np.float32), bias=np.array(bias, np.float32))


def texture(face: Face) -> np.ndarray:
    """Return the inputs of the regressions, [d]."""
    return hair_traits.texture(face, hair_traits.levels(face))


if __name__ == "__main__":
    main()
