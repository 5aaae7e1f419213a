import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.landmarks.schemas import SCHEMAS, Schema

EACH = pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)


@EACH
def test_points_regions_and_pairs_fit_together(schema: Schema):
    count = schema.size
    assert set(schema.regions) == {"left_eye", "right_eye", "mouth"}
    assert all(0 <= index < count for region in schema.regions.values() for index in region)
    paired = [index for pair in schema.flip_pairs for index in pair]
    assert len(set(paired)) == len(paired) and set(paired) <= set(range(count))
    # The mirror image of the left eye is the right eye; the mouth maps to itself.
    for region, other in (("left_eye", "right_eye"), ("mouth", "mouth")):
        assert set(schema.mirrored[list(schema.regions[region])]) == set(schema.regions[other])


def test_sizes_and_pairs_of_the_published_sets():
    assert {name: schema.size for name, schema in SCHEMAS.items()} == {
        "ibug68": 68,
        "celeba5": 5,
        "hysts28": 28,
        "animeface": 14,
    }
    landmark = pytest.importorskip("anime_face_detector._landmark")
    assert set(SCHEMAS["hysts28"].flip_pairs) == set(landmark.FLIP_PAIRS)


def test_pairs_of_ibug68_are_those_of_face_alignment():
    torch = pytest.importorskip("torch")
    from face_alignment.utils import shuffle_lr

    theirs = shuffle_lr(torch.arange(68.0).view(68, 1, 1))[:, 0, 0].numpy().astype(int)
    np.testing.assert_array_equal(SCHEMAS["ibug68"].mirrored, theirs)


@EACH
@given(seed=st.integers(0, 2**32 - 1), width=st.floats(8, 4096))
def test_flipping_twice_changes_nothing(schema: Schema, seed: int, width: float):
    keypoints = np.random.default_rng(seed).uniform(0, width, (schema.size, 3))
    flipped = schema.flip(keypoints, width)
    np.testing.assert_allclose(schema.flip(flipped, width), keypoints, atol=1e-9 * width)
    np.testing.assert_allclose(schema.interocular(flipped), schema.interocular(keypoints))
    left, right = schema.centre(keypoints, "left_eye"), schema.centre(flipped, "right_eye")
    np.testing.assert_allclose([width - left[0], left[1]], right, atol=1e-9 * width)
