import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import SimilarityTransform

from pipeline.images import crop_aligned
from pipeline.landmarks.alignment import CANONICAL, is_face, similarity, whole_frame
from pipeline.landmarks.detection import alignments
from pipeline.landmarks.detectors.base import Detection
from pipeline.landmarks.face_measures import describe
from pipeline.landmarks.schemas import SCHEMAS


def face(schema: str, places: np.ndarray) -> np.ndarray:
    keypoints = np.zeros((SCHEMAS[schema].size, 3))
    for region, place in zip(("left_eye", "right_eye", "mouth"), places, strict=True):
        keypoints[list(SCHEMAS[schema].regions[region]), :2] = place
    return keypoints


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("domain", CANONICAL)
@settings(deadline=None, max_examples=30)
@given(angle=st.floats(-3, 3), scale=st.floats(0.5, 500), x=st.floats(-500, 500), y=st.floats(-500, 500))
def test_a_moved_canonical_face_comes_home(schema, domain, angle, scale, x, y):
    moved = SimilarityTransform(scale=scale, rotation=angle, translation=(x, y))
    matrix = similarity(face(schema, moved(CANONICAL[domain])), schema, domain)
    np.testing.assert_allclose(matrix, moved.inverse.params[:2], atol=1e-6)


@given(seed=st.integers(0, 2**32 - 1))
def test_least_squares_as_scikit_image_has_it(seed):
    places = np.random.default_rng(seed).uniform(0, 128, (3, 2))
    expected = SimilarityTransform.from_estimate(places, CANONICAL["human"])
    np.testing.assert_allclose(similarity(face("celeba5", places), "celeba5", "human"), expected.params[:2], atol=1e-9)


def test_no_other_similarity_is_closer():
    rng = np.random.default_rng(0)
    places = np.array([[40.0, 55], [90, 50], [70, 95]])
    matrix = similarity(face("celeba5", places), "celeba5", "anime")

    def cost(m: np.ndarray) -> float:
        return float(((places @ m[:, :2].T + m[:, 2] - CANONICAL["anime"]) ** 2).sum())

    for _ in range(200):
        a, b, x, y = np.array([matrix[0, 0], matrix[1, 0], *matrix[:, 2]]) + rng.normal(0, [1e-4, 1e-4, 1e-2, 1e-2])
        assert cost(np.array([[a, -b, x], [b, a, y]])) >= cost(matrix)


def test_pixels_follow_the_points():
    """Coloured dots at eyes and mouth of a turned face end where the domain has them."""
    places = SimilarityTransform(scale=70, rotation=0.4, translation=(50, 10))(CANONICAL["human"])
    picture = np.zeros((160, 160, 3), np.uint8)
    for channel, place in enumerate(places):
        layer = np.ascontiguousarray(picture[:, :, channel])
        centre = [round(float(value - 0.5) * 256) for value in place]
        cv2.circle(layer, centre, 3 * 256, 255, -1, cv2.LINE_AA, 8)
        picture[:, :, channel] = layer
    crop = crop_aligned(picture, similarity(face("ibug68", places), "ibug68", "human"), 100).astype(float)
    rows, columns = np.mgrid[:100, :100] + 0.5
    for channel, place in enumerate(CANONICAL["human"] * 100):
        weight = crop[:, :, channel] / crop[:, :, channel].sum()
        np.testing.assert_allclose([(weight * columns).sum(), (weight * rows).sum()], place, atol=0.1)


def test_whole_frame_changes_no_pixel():
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(crop_aligned(picture, whole_frame(64), 64), picture)


@pytest.mark.parametrize(
    "points",
    [
        np.full((5, 3), 3.0),
        np.full((5, 3), 1e9),
        np.full((5, 3), np.nan),
        np.full((5, 3), np.inf),
        np.vstack([np.full((4, 3), 3.0), np.full((1, 3), np.nan)]),
    ],
)
def test_degenerate_points_are_no_face(points):
    assert not is_face(points, "celeba5")
    assert similarity(points, "celeba5", "human") is None


def test_degenerate_detections_are_left_out_of_the_table():
    good = face("celeba5", CANONICAL["human"] * 100)
    detections = [
        Detection(np.array([0, 0, 90, 90.0]), 0.9, np.full((5, 3), 3.0), "celeba5"),
        Detection(np.array([0, 0, 80, 80.0]), 0.8, good, "celeba5"),
        Detection(np.array([0, 0, 70, 70.0]), 0.7, np.full((5, 3), np.nan), "celeba5"),
    ]
    picture = np.zeros((100, 100, 3), np.uint8)
    table = describe([detections, detections[:1]], [picture, picture])
    assert table["n_faces"].tolist() == [1, 0]
    assert table["score"][0] == 0.8
    matrices, aligned = alignments(table, "human", 100, align=True)
    assert aligned == [True, False]
    assert np.allclose(matrices[1], [0.01, 0, 0, 0, 0.01, 0])


def test_domains_have_their_faces_in_about_the_same_place():
    human, anime = CANONICAL["human"], CANONICAL["anime"]
    assert np.abs(human - anime).max() < 0.03
    for places in (human, anime):
        assert places[0, 1] == places[1, 1] and places[0, 0] + places[1, 0] == pytest.approx(1)
