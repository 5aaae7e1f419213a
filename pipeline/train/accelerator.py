"""Device, precision and processes of a training run, on a CPU, one GPU or several GPUs.

Each process computes the gradients of its share of a batch. `average_gradients` averages them before each update, as
DistributedDataParallel does. That class is not used, because a GAN calls a network several times per backward pass.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, distributed, nn
from torch.multiprocessing import ProcessExitedException, spawn

from .. import devices
from ..errors import Kind, UserError, bad_value
from .checkpoint import die_with_parent

log = logging.getLogger(__name__)

Precision = Literal["32", "bf16-mixed", "16-mixed"]


@dataclass
class Accelerator:
    """Device, precision and processes of a run.

    Args:
        device: Device of this process.
        precision: Precision of activations; weights and optimizers stay float32.
        rank: Number of this process, from 0.
        world_size: Number of processes.
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    precision: Precision = "32"
    rank: int = 0
    world_size: int = 1

    def __post_init__(self) -> None:
        if self.precision == "16-mixed" and self.device.type == "cpu":
            raise bad_value("train.precision", self.precision, "32 or bf16-mixed on a CPU")

    def describe(self) -> str:
        """Describe the hardware that bit-exact results depend on."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return f"{self.device.type} with {torch.get_num_threads()} thread(s)"

    def autocast(self) -> torch.autocast:
        """Return the context in which losses are computed."""
        dtype = torch.float16 if self.precision == "16-mixed" else torch.bfloat16
        return torch.autocast(self.device.type, dtype=dtype, enabled=self.precision != "32")

    def to_device(self, module: nn.Module) -> nn.Module:
        """Move a network to the device, in channels-last memory format where that is faster.

        It is faster on CUDA, and on a CPU for networks with the attribute `channels_last`.
        """
        if self.device.type == "cuda" or getattr(module, "channels_last", False):
            return module.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return module.to(self.device)

    def adam(self, parameters: Iterable[nn.Parameter], lr: float, betas: tuple[float, float]) -> "Optimizer":
        """Return Adam with its own gradient scaler, so that an overflow in one optimizer does not affect the other."""
        # The fused implementation updates all weights in one kernel.
        adam = torch.optim.Adam(list(parameters), lr=lr, betas=betas, fused=self.device.type != "mps")
        return Optimizer(adam, torch.amp.GradScaler(self.device.type, enabled=self.precision == "16-mixed"), self)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace the gradients by their mean over all processes."""
        if self.world_size == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.world_size
        for gradient, mean in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean over all processes."""
        if self.world_size > 1:
            distributed.all_reduce(values)
            values = values / self.world_size
        return values

    def broadcast(self, value: Any) -> Any:
        """Return the value of process 0 in every process."""
        if self.world_size == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values, 0, device=self.device)
        return values[0]

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all processes in order of rank."""
        if self.world_size == 1:
            return [value]
        values = [None] * self.world_size
        distributed.all_gather_object(values, value)
        return values


@dataclass
class Optimizer:
    """Adam with a gradient scaler, which is active with 16-mixed only."""

    adam: torch.optim.Adam
    scaler: torch.amp.GradScaler
    accelerator: Accelerator

    def update(self, loss: Tensor, lr: float) -> None:
        """Make one optimizer step on `loss` with learning rate `lr`."""
        self.adam.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        for group in self.adam.param_groups:
            group["lr"] = lr
            self.accelerator.average_gradients(group["params"])
        self.scaler.step(self.adam)
        self.scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """Return the moments of Adam and the state of the gradient scaler."""
        return {"moments": self.adam.state_dict()["state"], "scaler": self.scaler.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state that `state_dict` returned."""
        parameters = [parameter for group in self.adam.param_groups for parameter in group["params"]]
        moments = {
            int(index): {name: _with_strides_of(parameters[int(index)], value) for name, value in values.items()}
            for index, values in state["moments"].items()
        }
        self.adam.load_state_dict({"state": moments, "param_groups": self.adam.state_dict()["param_groups"]})
        self.scaler.load_state_dict(state["scaler"])


def _with_strides_of(parameter: Tensor, moment: Tensor) -> Tensor:
    """Return a moment in the memory format of its parameter, because fused Adam ignores strides."""
    if moment.shape != parameter.shape:  # the step counter, a scalar
        return moment
    return torch.empty_like(parameter, dtype=moment.dtype).copy_(moment)


def choose_device(name: str, local_rank: int = 0) -> torch.device:
    """Return the device for `auto`, `cpu`, `cuda` or `mps`; UserError when it is not available."""
    name = devices.choose(name)
    if name == "cuda":
        torch.cuda.set_device(local_rank)
        return torch.device("cuda", local_rank)
    return torch.device(name)


def prepare(device: torch.device, threads: int) -> None:
    """Make results reproducible: deterministic algorithms and a fixed number of CPU threads."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # The gradient of reflection padding has no deterministic kernel on CUDA, hence only a warning there.
    torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
    # Filling new memory takes 5 % of a step. It changes no result, because this memory is always overwritten.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    if device.type == "cpu":
        torch.set_num_threads(threads)
        _warn_about_busy_cores(threads)


def _warn_about_busy_cores(threads: int) -> None:
    """Warn if other processes use the CPU cores, because each step waits for its slowest thread.

    The number of threads is not reduced automatically, because bit-exact results depend on it.
    """
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if threads > 1 and load + threads > cores + 1:
        text = (
            "other processes use this machine (load %.1f on %d cores): ANIMEMORPH_WORKERS=1 may be several times faster"
        )
        log.warning(text, load, cores)


def launch(main: Callable[..., None], *args: Any) -> None:
    """Call `main(rank, world_size, *args)` in ANIMEMORPH_PROCESSES processes (default 1), or in those of torchrun.

    Use one process per GPU. On CPUs, several processes are faster only if they run on several machines.
    """
    if "WORLD_SIZE" in os.environ and "RANK" in os.environ:  # torchrun started this process and set all variables
        _worker(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), main, *args)
        return
    try:
        world_size = int(os.environ.get("ANIMEMORPH_PROCESSES", "1"))
    except ValueError:
        world_size = 0
    if world_size < 1:
        raise bad_value("ANIMEMORPH_PROCESSES", os.environ["ANIMEMORPH_PROCESSES"], "a number of at least 1")
    if world_size == 1:
        main(0, 1, *args)
        return
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    try:
        spawn(_spawned, (world_size, main, *args), nprocs=world_size)
    except ProcessExitedException:
        raise UserError("a training process failed. See its error above.", kind=Kind.FAILED) from None


def free_port() -> int:
    """Return a free TCP port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _spawned(rank: int, world_size: int, main: Callable[..., None], *args: Any) -> None:
    die_with_parent()
    os.environ["LOCAL_RANK"] = str(rank)
    try:
        _worker(rank, world_size, main, *args)
    except UserError as error:
        raise SystemExit(f"error: {error}" if rank == 0 else 1) from None


def _worker(rank: int, world_size: int, main: Callable[..., None], *args: Any) -> None:
    # The default backends are used: NCCL for CUDA tensors, gloo for CPU tensors.
    distributed.init_process_group(rank=rank, world_size=world_size)
    main(rank, world_size, *args)
    # Not called after an error: this process would wait for processes that wait for it.
    distributed.destroy_process_group()
