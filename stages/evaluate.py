"""Stage `evaluate`: compute the metrics of the trained model on the test split and the external test set."""

import os
from contextlib import ExitStack

from pipeline import params
from pipeline.evaluate.evaluator import evaluate
from pipeline.evaluate.inputs import read_external, read_split
from pipeline.evaluate.metrics import DISTANCE_NAMES, MetricParams
from pipeline.evaluate.outputs import write_outputs
from pipeline.faces import MODEL_DOMAINS
from pipeline.features.extractors import create_extractor
from pipeline.landmarks import Detector, create_detector, picture_detector
from pipeline.networks.model import load_model
from pipeline.train.accelerator import choose_device
from stages import DATA, run


def main() -> None:
    """Read split, model and external test set; write `data/evaluate`."""
    config = params.load()
    device = choose_device(os.environ.get("ANIMEMORPH_DEVICE", "auto"))
    model = load_model(DATA / "train", device)
    splits = {domain: read_split(DATA, domain, model.config.resolution) for domain in MODEL_DOMAINS}
    external = read_external(DATA, model.config.resolution)
    names = DISTANCE_NAMES[config.evaluate.extractor]
    metric_params = MetricParams(
        *names, config.evaluate.reconstruction_tolerance, config.evaluate.bootstrap_resamples, config.seed
    )
    extractor = create_extractor(config.evaluate.extractor, config.evaluate.inception_weights, device)
    with ExitStack() as stack:
        detectors = {domain: open_detector(config.landmarks[domain], stack) for domain in MODEL_DOMAINS}
        evaluation = evaluate(model, splits, external, extractor, detectors, metric_params)
    write_outputs(evaluation, DATA / "evaluate")


def open_detector(config: params.DomainLandmarks, stack: ExitStack) -> Detector | None:
    """Create the detector of the stage `landmarks`; None if the keypoints are annotations of the dataset."""
    if config.detector == "celeba":
        return None
    device = os.environ.get("ANIMEMORPH_DEVICE", "auto")
    return stack.enter_context(
        create_detector(
            picture_detector(config.detector), face_detector=config.face_detector, weights=config.weights, device=device
        )
    )


if __name__ == "__main__":
    run(main)
