"""Each loss of landmark_cyclegan moves what it should; two stages; the pool keeps fakes with their heatmaps."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_run import RESOLUTION, random_faces, random_landmarks, settings, tiny_model

from pipeline.errors import Kind, UserError
from pipeline.landmarks import five_points
from pipeline.train.batches import Batch, Faces
from pipeline.train.landmark_losses import first_local_epoch, landmark_loss, stage
from pipeline.train.landmarks import make_landmarks, read_landmarks
from pipeline.train.objectives import Objective

TRAIN = settings(model="landmark_cyclegan", noise=False, discriminator="spectral", discriminator_width=8)


class Known(torch.nn.Module):
    """A regressor that gives the points it was told."""

    def __init__(self, points: torch.Tensor) -> None:
        super().__init__()
        self.points = points

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.points + 0 * images.mean()


def batch(count: int = 2, epoch: int | None = None) -> Batch:
    own = random_landmarks(count, count)
    other = {domain: np.roll(points, -1, axis=0) for domain, points in own.items()}
    landmarks = make_landmarks(own, other, RESOLUTION, torch.device("cpu"))
    human, anime = (torch.from_numpy(random_faces(count, seed)).permute(0, 3, 1, 2) / 127.5 - 1 for seed in (0, 1))
    return Batch(human, anime, landmarks, epoch=epoch)


def moved_by(objective: Objective, loss: torch.Tensor) -> set[str]:
    """Return the networks and parts of discriminators that a loss has gradients for."""
    weights = {
        f"{name} {key}": weight
        for name, network in objective.networks.items()
        for key, weight in network.named_parameters()
    }
    trained = {name: weight for name, weight in weights.items() if weight.requires_grad}
    gradients = torch.autograd.grad(loss, list(trained.values()), allow_unused=True, retain_graph=True)
    return {
        name.split(".")[0] if name.startswith("discriminator") else name.split()[0]
        for name, gradient in zip(trained, gradients, strict=True)
        if gradient is not None and gradient.any()
    }


def test_a_shifted_eye_raises_the_landmark_loss_by_its_share_of_the_eye_distance():
    wanted = torch.tensor([[[10.0, 12], [20, 12], [15, 17], [12, 22], [18, 22]]])
    shifted = wanted.clone()
    shifted[0, 1] += torch.tensor([3.0, 4.0])
    assert landmark_loss(wanted, wanted).item() == pytest.approx(0, abs=1e-3)
    assert landmark_loss(shifted, wanted).item() == pytest.approx(5 / 10 / 5, abs=1e-3)


def test_the_landmark_loss_of_a_run_compares_with_the_mapped_landmarks_of_the_input():
    objective, seen = Objective(TRAIN, tiny_model(TRAIN)), batch()
    for domain, network in (
        ("anime", objective.model.discriminator_anime),
        ("human", objective.model.discriminator_human),
    ):
        network.regressor = Known(seen.landmarks.points[f"fake_{domain}"])
    terms, _ = objective.generator_losses(seen)
    assert terms["landmarks_anime"].item() == pytest.approx(0, abs=0.02)
    shift = torch.zeros(1, 5, 2)
    shift[0, 0, 1] = 3
    objective.model.discriminator_anime.regressor.points = seen.landmarks.points["fake_anime"] + shift
    raised, _ = objective.generator_losses(seen)
    eyes = (seen.landmarks.points["fake_anime"][:, 1] - seen.landmarks.points["fake_anime"][:, 0]).norm(dim=1)
    assert raised["landmarks_anime"].item() == pytest.approx(10 * (3 / eyes).mean().item() / 5, abs=0.02)
    assert raised["landmarks_human"].item() == pytest.approx(0, abs=0.02)


def test_each_loss_moves_what_it_should():
    objective, seen = Objective(TRAIN, tiny_model(TRAIN)), batch()
    terms, images = objective.generator_losses(seen)
    for name in ("landmarks", "adversarial_matched", "adversarial_local"):
        for domain, generator in (("anime", "human2anime"), ("human", "anime2human")):
            networks = {each for each in moved_by(objective, terms[f"{name}_{domain}"]) if "2" in each}
            assert networks == {generator}
    images = {name: image.detach() for name, image in images.items()}
    terms = objective.discriminator_losses(seen, images, objective.to_pool(images, seen))
    for name in ("matched", "local"):
        for domain in ("anime", "human"):
            assert moved_by(objective, terms[f"discriminator_{name}_{domain}"]) == {f"discriminator_{domain} {name}"}


def test_a_swapped_pair_raises_the_conditional_loss_of_a_trained_discriminator():
    """It learns to tell faces with their own landmarks from faces with those of others."""
    objective = Objective(TRAIN, tiny_model(TRAIN))
    network = objective.model.discriminator_anime
    random = np.random.default_rng(0)

    def pairs() -> Batch:
        own = {
            domain: RESOLUTION * five_points.AVERAGE[domain] + random.normal(0, 4, (8, 1, 2)) * np.ones((1, 5, 1))
            for domain in ("human", "anime")
        }
        landmarks = make_landmarks(
            own, {d: np.roll(p, -1, axis=0) for d, p in own.items()}, RESOLUTION, torch.device("cpu")
        )
        drawn = landmarks.heatmaps["anime"].sum(1, keepdim=True).expand(-1, 3, -1, -1) * 2 - 1
        return Batch(drawn, drawn, landmarks)

    adam = torch.optim.Adam(network.matched.parameters(), lr=2e-3)
    for _ in range(300):
        seen = pairs()
        images = {"fake_anime": seen.anime, "fake_human": seen.human}
        pooled = {"anime": torch.cat([seen.anime, seen.landmarks.heatmaps["other_anime"]], 1)}
        pooled["human"] = pooled["anime"]
        loss = objective.discriminator_losses(seen, images, pooled)["discriminator_matched_anime"]
        adam.zero_grad()
        loss.backward()
        adam.step()
    seen = pairs()
    swapped = replace(seen.landmarks, heatmaps=dict(seen.landmarks.heatmaps))
    swapped.heatmaps["anime"] = seen.landmarks.heatmaps["other_anime"]
    with torch.no_grad():
        right, wrong = (
            objective.discriminator_losses(replace(seen, landmarks=each), images, pooled)["discriminator_matched_anime"]
            for each in (seen.landmarks, swapped)
        )
    assert wrong.item() > 2 * right.item()


def test_local_discriminators_take_part_in_the_second_stage_alone():
    train = settings(model="landmark_cyclegan", epochs=4, local_start=0.5)
    assert [stage(train, epoch) for epoch in (0, 1, 2, 3, None)] == [1, 1, 2, 2, 2]
    assert [first_local_epoch(settings(model="landmark_cyclegan", local_start=at)) for at in (0, 1, 3, 0.34)] == [
        1,
        1,
        3,
        2,
    ]
    objective = Objective(train, tiny_model(train))
    for epoch in (0, 2):
        seen = batch(epoch=epoch)
        terms, images = objective.generator_losses(seen)
        images = {name: image.detach() for name, image in images.items()}
        terms |= objective.discriminator_losses(seen, images, objective.to_pool(images, seen))
        local = {name: term.item() for name, term in terms.items() if "local" in name}
        assert len(local) == 4
        assert all((value > 0) == (epoch == 2) for value in local.values())


@pytest.mark.parametrize("at", [2.5, 4])
def test_a_start_that_never_comes_is_refused(at: float):
    with pytest.raises(UserError, match=r"train\.local_start"):
        settings(model="landmark_cyclegan", epochs=3, local_start=at)


def test_the_pool_gives_each_fake_with_its_own_heatmaps():
    objective, seen = Objective(TRAIN, tiny_model(TRAIN)), batch()
    _, images = objective.generator_losses(seen)
    kept = objective.to_pool(images, seen)
    assert {domain: tuple(image.shape) for domain, image in kept.items()} == dict.fromkeys(
        ("human", "anime"), (2, 8, RESOLUTION, RESOLUTION)
    )
    assert torch.equal(kept["anime"][:, 3:], seen.landmarks.heatmaps["fake_anime"])
    assert torch.equal(kept["anime"][:, :3], images["fake_anime"])


def test_a_batch_has_landmarks_of_its_faces_and_others_of_other_faces():
    pixels = torch.from_numpy(random_faces(6, 0))
    own = random_landmarks(6, 6)
    faces = Faces(pixels, pixels, torch.device("cpu"), own)
    mirrors = 0
    for step in range(12):
        found = faces.batch(step, 2, 0)
        for place in range(2):
            points, other = (found.landmarks.points[name][place].numpy() for name in ("human", "other_human"))
            same = [
                (row, flip)
                for row in range(6)
                for flip in (False, True)
                if np.allclose(points, five_points.mirror(own["human"][row], 32) if flip else own["human"][row])
            ]
            ((row, flip),) = same
            mirrors += flip
            image = to_image(pixels[row], flip)
            torch.testing.assert_close(found.human[place], image)
            assert not np.allclose(points, other)
    assert 0 < mirrors < 24
    assert faces.batch(3, 2, 0).landmarks.points.keys() == found.landmarks.points.keys()


def to_image(pixels: torch.Tensor, flip: bool) -> torch.Tensor:
    image = pixels.permute(2, 0, 1) / 127.5 - 1
    return image.flip(2) if flip else image


def test_no_keypoints_at_all_are_refused():
    table = pd.DataFrame({"keypoints": [None], "schema": [None], "align": [[1 / 32, 0, 0, 0, 1 / 32, 0]]})
    with pytest.raises(UserError, match=r"landmarks\.anime\.detector") as error:
        read_landmarks(table, "anime", 32)
    assert (error.value.kind, error.value.subject) == (Kind.CONFLICT, "train.model")
