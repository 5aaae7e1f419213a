"""The truth about drawings: landmarks against a second render in flat colours, poses, shares of attributes."""

import numpy as np
import pytest
from scipy.stats import chisquare

from pipeline.drawing import STYLES, draw, draw_in_style, parameters, regions, shares
from pipeline.drawing.choices import Choices, Streams
from pipeline.landmarks.schemas import SCHEMAS

SIZE = 192
#: Rows of the landmarks -> the regions that they lie in, and may be hidden by.
PLACES = {
    "eyes": (range(11, 23), {"eyes"}),
    "mouth": (range(24, 28), {"mouth"}),
    "nose": ([23], {"skin"}),
    "brows": (range(5, 11), {"brows"}),
    "contour": (range(5), {"skin", "ears", "neck", "background", "clothes"}),
}
COVERS = {"hair", "glasses", "hat", "accessories", "beard"}
#: Landmarks lie on edges: a pixel of the region must be this near, in pixels of SIZE.
REACH = 3


def near(masks: dict[str, np.ndarray], point: np.ndarray) -> set[str]:
    """Names of the regions around a point."""
    x, y = np.floor(point).astype(int)
    window = slice(max(0, y - REACH), y + REACH + 1), slice(max(0, x - REACH), x + REACH + 1)
    return {name for name, mask in masks.items() if mask[window].any()}


def misplaced(masks: dict[str, np.ndarray], landmarks: np.ndarray) -> list[tuple[str, int]]:
    inside = [
        (part, row)
        for part, (rows, _) in PLACES.items()
        for row in rows
        if (landmarks[row] > 0).all() and (landmarks[row] < SIZE).all()
    ]
    return [(part, row) for part, row in inside if not near(masks, landmarks[row]) & (PLACES[part][1] | COVERS)]


@pytest.mark.parametrize("index", range(24))
def test_landmarks_lie_in_their_regions(index):
    drawing, masks = draw(11, index, SIZE), regions(11, index, SIZE)
    assert misplaced(masks, drawing.landmarks) == []


def test_landmarks_of_another_face_do_not():
    assert len(misplaced(regions(11, 0, SIZE, x=128, y=112), draw(11, 0, SIZE, x=118, y=98).landmarks)) >= 4


def test_bare_eyes_show_their_landmarks():
    drawing = draw(11, 3, SIZE, hairstyle="bald", glasses="none", expression="neutral", hat="none", yaw=0, pitch=0)
    masks = regions(11, 3, SIZE, hairstyle="bald", glasses="none", expression="neutral", hat="none", yaw=0, pitch=0)
    for group in (range(11, 17), range(17, 23)):
        centre = drawing.landmarks[group].mean(axis=0)
        assert masks["eyes"][tuple(np.floor(centre[::-1]).astype(int))]


@pytest.mark.parametrize("yaw", [8, 20, 35])
def test_mirrored_poses_have_mirrored_landmarks(yaw):
    left, right = (draw_in_style("modern", SIZE, yaw=sign * yaw, pitch=3) for sign in (-1, 1))
    assert (left.pose[0], right.pose[0]) == (-yaw, yaw)
    keypoints = np.column_stack([left.landmarks, np.ones(28)])
    mirrored = SCHEMAS["hysts28"].flip(keypoints, SIZE)[:, :2]
    # The lower lids run left to right in both, and so agree with the flip pairs; brows and lids are drawn per side.
    assert np.abs(mirrored - right.landmarks).max() < 0.02 * SIZE


def test_turned_heads_look_to_their_side():
    nose = [draw_in_style(0, SIZE, yaw=yaw).landmarks[23, 0] - SIZE / 2 for yaw in (-25, 0, 25)]
    assert nose[0] < -2 < nose[1] < 2 < nose[2]


def drawn(name: str, count: int, distribution: dict | None = None) -> list[str]:
    """Values of one attribute in many persons, without rendering them."""
    return [
        getattr(parameters.figure(Choices(Streams(5, i).of("choices"), {}, distribution)), name) for i in range(count)
    ]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("gender", {"female": 1, "male": 3}),
        ("age", {"child": 1, "young": 1, "adult": 1, "old": 1}),
        ("skin", {"fair": 2, "dark": 1}),
        ("hairstyle", {"long": 2, "afro": 1, "bald": 1}),
        ("hat", {"none": 1, "hijab": 1}),
        ("hair", {"pink": 1, "black": 4}),
        ("glasses", {"none": 3, "round": 1}),
    ],
)
def test_shares_are_as_asked(name, asked):
    values, count = drawn(name, 800, {name: asked}), 800
    expected = np.array(list(asked.values())) / sum(asked.values()) * count
    assert chisquare([values.count(value) for value in asked], expected).pvalue > 1e-3


@pytest.mark.parametrize("name", ["earrings", "wrinkles", "freckles"])
@pytest.mark.parametrize("asked", [0.3, {"yes": 3, "no": 7}])
def test_probabilities_are_as_asked(name, asked):
    worn = drawn(name, 800, {name: asked}).count("yes")
    assert chisquare([worn, 800 - worn], [240, 560]).pvalue > 1e-3


def test_default_shares_are_equal_over_gender_and_skin():
    for name, table in (("gender", shares.GENDERS), ("skin", parameters.colours.SKIN)):
        values = drawn(name, 1200)
        assert chisquare([values.count(value) for value in table]).pvalue > 1e-3


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_fantasy_hair_has_its_share(share):
    natural = set(shares.HAIR) | set(shares.OLD_HAIR) | set(shares.DARK_SKIN_HAIR)
    values = set(drawn("hair", 200, {"fantasy_hair": share}))
    assert values <= (set(shares.FANTASY_HAIR) if share else natural)


def test_skin_never_burns_out():
    for style in STYLES:
        for skin in ("porcelain", "#ffffff"):
            drawing = draw_in_style(style, 96, skin=skin, hairstyle="bald")
            forehead = drawing.picture[22:28, 40:56].reshape(-1, 3).mean(axis=0)
            assert forehead @ (0.299, 0.587, 0.114) < 243
