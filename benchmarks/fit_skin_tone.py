"""Fit the regression that estimates the tone of skin from embeddings of faces, and measure it.

    uv run python -m benchmarks.fit_skin_tone            # write pipeline/features/skin_tone.npz, 4 minutes on one core
    uv run python -m benchmarks.fit_skin_tone --measure  # measure only

The labels are tones that one person saw in the photos of embedded people, from 1 (light) to 5 (dark). Two thirds were
chosen because their cheeks are dark in the photo or because a first fit gave them dark skin, the others are spread over
the rest. Each person is predicted by a fit to others. The lightness of the cheeks is compared with it.
"""

import argparse

import numpy as np

from benchmarks.labelled_people import fit, predict, read_faces
from pipeline.features.attributes_colours import skin_lab
from pipeline.features.skin_tone import WEIGHTS, embed
from pipeline.files import atomic_file

#: Strength of the ridge regression on standardised embeddings.
RIDGE = 100.0
#: Tone -> numbers of people of the demo (seed 0).
LABELS: dict[int, str] = {
    1: (
        "10 11 14 15 23 25 27 30 32 34 41 42 43 45 50 57 59 62 64 65 67 68 71 72 75 78 79 80 81 84 86 93 94 96 97 102 "
        "103 104 107 108 118 127 132 143 149 152 155 158 160 174 176 179 181 191 201 202 207 208 211 217 220 221 232 "
        "233 234 236 237 239 244 255 258 260 261 264 265 266 268 269 273 275 277 281 283 286 289 302 304 305 309 312 "
        "313 316 317 320 325 328 330 332 333 341 344 345 346 352 357 358 360 361 362 365 369 372 373 387 390 396 401 "
        "411 413 417 420 427 428 429 431 436 441 442 451 471 515 596 659 681 948 964 1002 1025 1110 1121 1218 1237 "
        "1354 1391 1496 1577 1623 1702 1722 1741 1789 1840 1857 1920 1944 2059 2071 2084 2165 2184 2286 2372 2394 "
        "2488 2519 2542 2546 2628 2651 2680 2718 2897 2997 3016 3029 3048 3125 3144 3287 3319 3413 3509 3529 3532 "
        "3534 3555 3600 3734 3750 3822 3882 4068 4145 4208 4239 4427 4465"
    ),
    2: (
        "6 22 46 58 63 69 83 105 122 126 147 161 186 189 190 197 245 263 311 315 318 327 339 350 367 368 371 394 395 "
        "400 410 416 430 446 542 583 737 799 867 1031 1239 1322 1411 1507 1633 1794 1877 1910 1923 1970 2096 2224 "
        "2226 2230 2346 2352 2384 2481 2561 2723 2762 2800 2857 2911 2932 2934 3003 3018 3043 3111 3133 3170 3249 "
        "3313 3315 3362 3474 3618 3620 3675 3776 3875 3895 4066 4070 4152 4303 4327 4333 4420 4509 4511 4551 4587 "
        "4595"
    ),
    3: (
        "5 9 90 95 128 139 166 178 199 204 205 212 219 223 249 280 287 291 308 359 366 384 386 398 422 504 544 635 "
        "715 806 1011 1014 1063 1083 1116 1183 1344 1377 1389 1394 1405 1564 1582 1677 1685 1901 1916 2017 2146 2376 "
        "2440 2483 2492 2496 2552 2619 2646 2827 2944 2983 3027 3088 3123 3196 3511 3519 3754 3849 3971 4002 4017 "
        "4034 4055 4149 4165 4235 4325 4524 4547 4565"
    ),
    4: (
        "12 254 356 376 404 412 889 1538 1670 1758 1819 1823 2074 2450 2536 2703 2949 3012 3150 3178 3372 3525 3587 "
        "3939 4117 4361"
    ),
    5: "99 123 262 651 1131 2008 2248 2413 3005 3485 3801",
}


def read_people() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return embeddings [n, 128], lightness L* of the cheeks [n] and labelled tones [n] of the people with a face."""
    tones = {int(number): tone for tone, numbers in LABELS.items() for number in numbers.split()}
    rows = [
        (embed(face), skin, tones[number]) for number, face in read_faces(tones) if (skin := skin_lab(face)) is not None
    ]
    embeddings, skins, labels = zip(*rows, strict=True)
    return np.array(embeddings), np.array(skins)[:, 0], np.array(labels, dtype=float)


def report(name: str, inputs: np.ndarray, tones: np.ndarray) -> None:
    """Print a row of the table."""
    predicted = predict(inputs, tones, np.arange(len(tones)), RIDGE)
    correlation = np.corrcoef(predicted, tones)[0, 1]
    error = np.sqrt(np.mean((predicted - tones) ** 2))
    darker, lighter = (predicted > 2.2) & (tones == 1), (predicted < 2.5) & (tones >= 4)
    counts = f"{darker.sum()} of {(tones == 1).sum()} | {lighter.sum()} of {(tones >= 4).sum()}"
    print(f"| {name} | {correlation:.2f} | {error:.2f} | {counts} |")


def main() -> None:
    """Measure, and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="measure only")
    measure_only = parser.parse_args().measure
    embeddings, lightness, tones = read_people()
    print("| from | correlation | error (RMS) | light drawn brown (above 2.2) | brown drawn light (below 2.5) |")
    print("| --- | --- | --- | --- | --- |")
    report("lightness of the cheeks", lightness[:, None], tones)
    report("embedding", embeddings, tones)
    if not measure_only:
        weights, bias = fit(embeddings, tones, RIDGE)
        with atomic_file(WEIGHTS) as partial, partial.open("wb") as stream:
            np.savez(stream, weights=weights.astype(np.float32), bias=np.float32(bias))


if __name__ == "__main__":
    main()
