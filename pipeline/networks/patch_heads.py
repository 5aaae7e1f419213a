"""Heads that embed patches of an image for the contrastive loss of cut (Park 2020, arXiv:2007.15651, section 3)."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from .generators import initialise

#: Dimensions of the embedding of a patch, as in the paper.
DIMENSIONS = 256


class PatchHeads(nn.Module):
    """A two-layer perceptron for each level of the generator's encoder.

    Args:
        channels: Channels of each level.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(inputs, DIMENSIONS), nn.ReLU(), nn.Linear(DIMENSIONS, DIMENSIONS))
            for inputs in channels
        )
        initialise(self)

    def forward(self, features: list[Tensor], positions: list[Tensor]) -> list[Tensor]:
        """Embed patches.

        Args:
            features: Features of each level, [b, c, h, w].
            positions: Indices of the patches of each level, int64 [n], below h * w.

        Returns:
            Vectors of unit length of each level, float32 [b, n, DIMENSIONS].
        """
        embeddings = []
        for head, level, chosen in zip(self.heads, features, positions, strict=True):
            patches = level.flatten(2).transpose(1, 2)[:, chosen]  # [b, n, c]
            embeddings.append(F.normalize(head(patches).float(), dim=2))
        return embeddings
