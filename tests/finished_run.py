"""A `data` folder as the stages before `report` leave it, small: real tables, real networks, plausible numbers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from pipeline.evaluate import reconstruction
from pipeline.faces import open_pixels, read_crops, write_table
from pipeline.files import write_json
from pipeline.networks.model import ModelConfig, build_model, save_model
from pipeline.train.validation import sample_sheet

RESOLUTION = 32
#: Faces per domain of the balanced tables.
FACES = 24
DROPPED = 3
EPOCHS = 3


def write_finished_run(
    data: Path, tiny_faces: Callable[..., pd.DataFrame], licence: str = "CC0", name: str = "cyclegan"
) -> None:
    """Write everything that the report reads below `data`, as a run of the model `name` leaves it."""
    tables = {
        domain: _write_domain(data, domain, tiny_faces, licence) for domain in ("human", "anime", "external_test")
    }
    write_json({domain: len(tables[domain]) for domain in ("human", "anime")}, data / "split" / "split.json")
    test = {}
    for domain in ("human", "anime"):
        write_table(tables[domain], data / "split" / f"{domain}.parquet")
        pixels = open_pixels(data / "resize" / domain / "faces.npy")
        table = tables[domain][tables[domain]["split"] == "test"].reset_index(drop=True)
        test[domain] = (table, read_crops(pixels, table, RESOLUTION))
    small = {"resolution": RESOLUTION, "generator_width": 2, "residual_blocks": 1, "discriminator_width": 2}
    model = build_model(ModelConfig(model=name, epoch=EPOCHS, **small))
    save_model(model, data / "train")
    _write_history(data / "train", model, test)
    _write_evaluation(data / "evaluate", model, test, tables)


def _write_domain(data: Path, domain: str, tiny_faces: Callable[..., pd.DataFrame], licence: str) -> pd.DataFrame:
    total = FACES + DROPPED
    table = tiny_faces(data / "resize" / domain, domain, total, RESOLUTION)
    rejected = pd.DataFrame({"source": ["a.jpg", "b.jpg"], "reason": ["truncated", "not an image"]})
    rejected.to_csv(data / "resize" / domain / "rejected.csv", index=False)
    artifact = {"name": "faces.zip", "sha256": "0" * 64, "bytes": 1, "members": total + 2}
    facts = {"source": "archive", "dataset": f"{domain} set", "version": "1", "licence": licence, "licence_url": None}
    write_json({**facts, "artifacts": [artifact]}, data / "download" / domain / "manifest.json")
    sources = [*table["source"], *rejected["source"], "never/decoded.jpg"]
    write_table(pd.DataFrame({"source": sources}), data / "download" / domain / "members.parquet")
    reasons = [""] * FACES + ["side_profile"] * (DROPPED - 1) + ["duplicate"]
    table = table.assign(reason=reasons, status=["kept" if not reason else "dropped" for reason in reasons])
    write_table(table, data / "filter" / domain / "faces.parquet")
    sheets = data / "filter" / domain / "sheets"
    sheets.mkdir()
    Image.new("RGB", (64, 32), "red").save(sheets / "side_profile.png")
    chosen = table.iloc[:FACES].drop(columns="split")
    write_table(chosen, data / "balance" / domain / "faces.parquet")
    return chosen.assign(split=(["train"] * 12 + ["val"] * 4 + ["test"] * FACES)[:FACES])


def _write_history(folder: Path, model, test) -> None:
    columns = {"epoch": range(1, EPOCHS + 1)}
    for name in ("adversarial_anime", "cycle_human", "discriminator_anime"):
        columns |= {f"train_{name}": [3.0, 2.0, 1.5], f"val_{name}": [3.1, 2.5, 2.4]}
    for name in ("val_fd", "val_recall", "val_near_duplicate_rate"):
        columns |= {f"{name}_{direction}": [0.9, 0.8, 0.7] for direction in model.config.directions}
    pd.DataFrame(columns).to_csv(folder / "history.csv", index=False)
    (folder / "samples").mkdir()
    sheet = sample_sheet(model, test["human"][1], test["anime"][1], 0)
    for epoch in range(1, EPOCHS + 1):
        sheet.save(folder / "samples" / f"epoch_{epoch:03d}.png")


def _write_evaluation(folder: Path, model, test, tables) -> None:
    folder.mkdir()
    rows, metrics = [], []
    for direction in ("human2anime", "anime2human"):
        domain, other = direction.split("2")
        table, faces = test[domain]
        back = f"{other}2{domain}"
        translated = direction in model.config.directions
        outputs = model.translate(faces, direction) if translated else faces[:0]
        cycles = model.translate(outputs, back) if translated and back in model.config.directions else faces[:0]
        np.save(folder / f"{direction}.npy", outputs)
        np.save(folder / f"{domain}_cycle.npy", cycles)
        if not translated:
            continue
        n = len(table)
        frame = pd.DataFrame({"direction": direction, "index": range(n), "face_id": table["face_id"]})
        if len(cycles):
            frame["pixel_accuracy"] = reconstruction.pixel_accuracy(faces, cycles, 0.1)
            frame["ssim"] = reconstruction.ssim(faces, cycles)
            metrics.append(("cycle.ssim", direction, frame["ssim"].mean(), 0.1, 0.9, n))
        frame["domain_score"] = np.linspace(-1, 1, n)
        frame["near_duplicate"] = [True] + [False] * (n - 1)
        frame["nearest_train"] = tables[other]["face_id"].iloc[:n].to_numpy()
        frame["nearest_train_distance"] = np.linspace(2, 1, n)
        rows.append(frame)
        metrics.append(("fd", direction, 123.456, 110.0, 130.0, n))
        metrics.append(("baseline_no_translation.fd", direction, 246.9, None, None, n))
        metrics.append(("real_vs_real.fd", direction, 40.1, None, None, n))
    write_table(pd.concat(rows, ignore_index=True), folder / "per_image.parquet")
    columns = ["name", "direction", "value", "low", "high", "n"]
    pd.DataFrame(metrics, columns=columns).to_csv(folder / "metrics.csv", index=False)
    write_json({"human2anime": {"fd": 123.456}}, folder / "metrics.json")
    write_json([{"name": "human2anime.landmark_nme", "reason": "no face was found <anywhere>"}], folder / "absent.json")
    palette = [
        ("human2anime", "black", 0.7, 0.4),
        ("human2anime", "pink", 0.3, 0.6),
        ("human2anime", "green", 0.0, 0.0),
    ]
    pd.DataFrame(palette, columns=["direction", "colour", "outputs", "real"]).to_csv(
        folder / "palette.csv", index=False
    )
    groups = [
        ("human2anime", "gender", "female", "ssim", 30, 0.8, 0.78, 0.82, True),
        ("human2anime", "gender", "male", "ssim", 30, 0.6, 0.58, 0.62, True),
        ("human2anime", "age", "18-29", "ssim", 30, 0.7, 0.6, 0.8, True),
        ("human2anime", "age", "30-44", "ssim", 30, 0.65, 0.55, 0.75, True),
        ("human2anime", "age", "60 and over", "ssim", 3, 0.1, 0.0, 0.2, False),
    ]
    names = ["direction", "attribute", "group", "metric", "n", "mean", "low", "high", "large_enough"]
    pd.DataFrame(groups, columns=names).to_csv(folder / "subgroups.csv", index=False)
