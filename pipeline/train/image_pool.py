"""Image pool: a history of fakes for the discriminators (Shrivastava 2017, section 2.3; Zhu 2017, section 4)."""

import numpy as np
import torch
from torch import Tensor


class ImagePool:
    """Up to `size` earlier fakes. Until it is full, every fake is stored and returned; a size of 0 stores nothing."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.images: Tensor | None = None
        self.count = 0

    def query(self, fakes: Tensor, random: np.random.Generator) -> Tensor:
        """Return [b, 3, R, R]: each fake or, with probability 1/2, an image of the pool, which the fake replaces."""
        fakes = fakes.detach()
        if self.size == 0:
            return fakes
        if self.images is None:
            self.images = fakes.new_zeros((self.size, *fakes.shape[1:]))
        returned = []
        for fake in fakes:
            if self.count < self.size:
                self.images[self.count] = fake
                self.count += 1
                returned.append(fake)
            elif random.random() < 0.5:
                index = int(random.integers(self.size))
                returned.append(self.images[index].clone())
                self.images[index] = fake
            else:
                returned.append(fake)
        return torch.stack(returned)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the images of the pool, [count, 3, R, R]."""
        return {} if self.images is None else {"images": self.images[: self.count].clone()}

    def load_state_dict(self, state: dict[str, Tensor], device: torch.device) -> None:
        """Restore a state that `state_dict` returned."""
        self.images, self.count = None, 0
        if "images" in state:
            images = state["images"].to(device)
            self.count = len(images)
            self.images = images.new_zeros((self.size, *images.shape[1:]))
            self.images[: self.count] = images
