"""Devices, precisions, processes: the same numbers."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_run import fail, first_steps, first_steps_of_two, fit, mark, settings

from pipeline.errors import Kind, UserError
from pipeline.train.accelerator import Accelerator, choose_device, launch, prepare

CPU = torch.device("cpu")


@pytest.mark.parametrize("model", ["cyclegan", "cut", "landmark_cyclegan"])
def test_two_processes_give_the_gradients_of_one_with_twice_the_batch(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ANIMEMORPH_PROCESSES", "2")
    launch(first_steps_of_two, str(tmp_path), model)
    alone = first_steps(0, 1, 4, tmp_path, model)
    parts = [load_file(tmp_path / f"{rank}.safetensors") for rank in range(2)]
    for name, expected in alone.items():
        assert torch.equal(parts[0][name], parts[1][name]), name
        if model == "landmark_cyclegan" and name.startswith("output"):
            continue  # its second step makes 0.01 of a change of the gradients by 3e-7, in one process as well
        kind = name.rpartition(" ")[0]
        largest = max(values.abs().max().item() for other, values in alone.items() if other.startswith(kind))
        for part in parts:
            torch.testing.assert_close(part[name], expected, rtol=0, atol=1e-5 * largest)


def test_bfloat16_trains_like_float32(tmp_path: Path):
    losses = [
        fit(settings(precision=precision, epochs=2), tmp_path / precision, Accelerator(precision=precision))[1][-1]
        for precision in ("32", "bf16-mixed")
    ]
    for name in ("train_cycle_human", "train_identity_anime", "val_cycle_anime"):
        # bfloat16 keeps 8 bits: 0.4 % a value; means over thousands of values are nearer.
        assert losses[1][name] == pytest.approx(losses[0][name], rel=0.02)


def test_half_precision_is_refused_on_a_cpu():
    with pytest.raises(UserError) as error:
        Accelerator(CPU, "16-mixed")
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, "train.precision")


def test_each_player_has_its_own_loss_scale():
    """On the CPU with a scaler switched on by hand: one player's overflow leaves the other alone."""
    weights = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    players = [Accelerator().adam([weight], 0.1, (0.5, 0.999)) for weight in weights]
    for player in players:
        player.scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    players[0].update((weights[0] * float("inf")).sum(), 0.1)
    players[1].update(weights[1].sum(), 0.1)
    assert weights[0].tolist() == [1, 1]
    assert weights[1].tolist() == pytest.approx([0.9, 0.9])
    assert [player.scaler.get_scale() for player in players] == [512.0, 1024.0]
    restored = Accelerator().adam([weights[0]], 0.1, (0.5, 0.999))
    restored.scaler = torch.amp.GradScaler("cpu", init_scale=1.0)
    restored.load_state_dict(players[0].state_dict())
    assert restored.scaler.get_scale() == 512.0


@pytest.mark.parametrize("name", ["tpu", "mps", "cuda"])
def test_missing_device_is_refused(name: str):
    if {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}.get(name):
        pytest.skip("it is there")
    with pytest.raises(UserError, match=name) as error:
        choose_device(name)
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, "ANIMEMORPH_DEVICE")


@pytest.mark.parametrize(("load", "threads", "said"), [(0.3, 4, False), (3.0, 4, True), (3.0, 1, False)])
def test_busy_machine_is_reported(load: float, threads: int, said: bool, monkeypatch, caplog):
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    try:
        prepare(CPU, threads)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
    assert ["ANIMEMORPH_WORKERS" in record.getMessage() for record in caplog.records] == [True] * said


@pytest.mark.parametrize("value", ["0", "two", "-1"])
def test_number_of_processes_must_be_one(value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ANIMEMORPH_PROCESSES", value)
    with pytest.raises(UserError, match=f"'{value}'") as error:
        launch(print)
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, "ANIMEMORPH_PROCESSES")


def test_launch_starts_the_number_of_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ANIMEMORPH_PROCESSES", "2")
    launch(mark, str(tmp_path))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"0-of-2": "3.0", "1-of-2": "3.0"}


def test_one_failing_process_ends_all_with_its_error(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture):
    monkeypatch.setenv("ANIMEMORPH_PROCESSES", "2")
    with pytest.raises(UserError) as error:
        launch(fail)
    assert error.value.kind == Kind.FAILED
    assert "error: nothing works." in capfd.readouterr().err


def test_moments_survive_a_checkpoint_in_any_memory_order():
    accelerator, images = Accelerator(), torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    networks = []
    for _ in range(2):
        torch.manual_seed(0)
        networks.append(torch.nn.Conv2d(3, 5, 3).to(memory_format=torch.channels_last))
    optimizers = [accelerator.adam(network.parameters(), 1e-2, (0.5, 0.99)) for network in networks]
    optimizers[0].update(networks[0](images).square().mean(), 1e-2)
    networks[1].load_state_dict(networks[0].state_dict())
    state = optimizers[0].state_dict()
    moments = {
        index: {name: value.clone(memory_format=torch.contiguous_format) for name, value in values.items()}
        for index, values in state["moments"].items()
    }
    optimizers[1].load_state_dict(state | {"moments": moments})
    for network, optimizer in zip(networks, optimizers, strict=True):
        optimizer.update(network(images).square().mean(), 1e-2)
    assert torch.equal(networks[0].weight, networks[1].weight)
