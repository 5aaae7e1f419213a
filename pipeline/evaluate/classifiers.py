"""Domain classifier (anime or photo) and discriminator scores (real or generated)."""

import numpy as np
import torch
from torch import nn

from ..devices import BATCH
from ..networks.discriminators import image_scores
from ..networks.generators import to_network

#: RIDGE: regularisation, relative to the mean variance of the features.
RIDGE = 1e-2


class DomainClassifier:
    """A linear classifier of features, fitted to real human and real anime faces: above 0 means anime.

    Ridge regression on ±1 with equal weights of both domains (the regularised linear discriminant of Friedman 1989).
    The solution is unique. Features are centred and scaled to unit mean variance first.
    """

    def __init__(self, human: np.ndarray, anime: np.ndarray) -> None:
        """Fit to features [n, D] and [m, D] of the train split; ValueError when one of them is empty."""
        if not len(human) or not len(anime):
            raise ValueError("a classifier needs training faces of both domains")
        features = np.concatenate([human, anime]).astype(np.float64)
        targets = np.concatenate([-np.ones(len(human)), np.ones(len(anime))])
        weights = np.concatenate([np.full(len(human), 0.5 / len(human)), np.full(len(anime), 0.5 / len(anime))])
        self.mean = weights @ features
        self.scale = max(float(np.sqrt((weights @ (features - self.mean) ** 2).mean())), 1e-12)
        centred = (features - self.mean) / self.scale
        covariance = (centred * weights[:, None]).T @ centred
        ridge = RIDGE * max(np.trace(covariance) / len(covariance), 1e-12)
        moment = (centred * weights[:, None]).T @ targets
        self.direction = np.linalg.solve(covariance + ridge * np.eye(len(covariance)), moment)

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Return one score per row of `features` [n, D], [n]; above 0 means anime."""
        return (features.astype(np.float64) - self.mean) / self.scale @ self.direction


@torch.inference_mode()
def discriminator_scores(network: nn.Module, images: np.ndarray) -> np.ndarray:
    """Return the scores [n] of a discriminator for uint8 RGB images [n, R, R, 3]; see `image_scores`."""
    device = next(network.parameters()).device
    network.eval()
    pixels = torch.from_numpy(np.ascontiguousarray(images)).split(BATCH)
    scores = torch.cat([image_scores(network(to_network(batch.to(device)))).cpu() for batch in pixels])
    return scores.double().numpy()
