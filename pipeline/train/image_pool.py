"""Image pool: discriminators also see earlier fakes (Shrivastava 2017, 2.3; Zhu 2017, 4)."""

import numpy as np
import torch
from torch import Tensor


class ImagePool:
    """Up to `size` earlier fakes. Until it is full every query is stored and given back; a size of 0 keeps nothing."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.images: Tensor | None = None
        self.count = 0

    def query(self, fakes: Tensor, random: np.random.Generator) -> Tensor:
        """Return [b, 3, R, R]: image by image, the fake itself or, with chance 1/2, one of the pool against it."""
        fakes = fakes.detach()
        if self.size == 0:
            return fakes
        if self.images is None:
            self.images = fakes.new_zeros((self.size, *fakes.shape[1:]))
        answers = []
        for fake in fakes:
            if self.count < self.size:
                self.images[self.count] = fake
                self.count += 1
                answers.append(fake)
            elif random.random() < 0.5:
                place = int(random.integers(self.size))
                answers.append(self.images[place].clone())
                self.images[place] = fake
            else:
                answers.append(fake)
        return torch.stack(answers)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the pool's content: images [count, 3, R, R]."""
        return {} if self.images is None else {"images": self.images[: self.count].clone()}

    def load_state_dict(self, state: dict[str, Tensor], device: torch.device) -> None:
        """Restore a state of `state_dict`."""
        self.images, self.count = None, 0
        if "images" in state:
            images = state["images"].to(device)
            self.count = len(images)
            self.images = images.new_zeros((self.size, *images.shape[1:]))
            self.images[: self.count] = images
