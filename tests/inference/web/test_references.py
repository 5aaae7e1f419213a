"""Reference drawings on the web page: the gallery, the API and the visitor's own drawing."""

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.drawing import draw_in_style
from pipeline.inference import Translator
from pipeline.inference.backends import BUNDLE, PRETRAINED
from pipeline.inference.recolouring import measure_palette

from .conftest import Server

RAW = {"Content_Type": "application/octet-stream"}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(PRETRAINED / BUNDLE, tmp_path_factory.mktemp("shipped"))
    yield running
    running.process.terminate()
    running.process.wait(30)
    assert running.said == []


def png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def drawing(style: str = "retro") -> bytes:
    return png(draw_in_style(style, 256, "portrait", gender="female", hair="pink", background_colour="#a02020").picture)


def opened(address: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))


def test_a_drawing_is_measured_and_followed_as_in_python(shipped: Server, portrait: Path) -> None:
    status, look = shipped.send("reference", drawing(), **RAW)
    assert status == 200 and look["style"] == "retro"
    colours = {name: look[name].removeprefix("#") for name in ("hair", "eyes", "background")}
    query = "&".join(f"{name}={colour}" for name, colour in colours.items())
    status, answer = shipped.post(portrait.read_bytes(), f"size=128&style={look['style']}&{query}")
    assert status == 200
    translator = Translator(PRETRAINED / BUNDLE)
    like = translator.reference(Image.open(io.BytesIO(drawing())))
    mine = np.asarray(translator.translate(Image.open(portrait), size=128, like=like))
    # The colours of the request have 8 bits.
    assert np.abs(opened(answer["faces"][0]["anime"]).astype(int) - mine).mean() < 1
    assert measure_palette(mine).hair[1] > 10


def test_all_drawings_of_the_gallery_can_be_followed(shipped: Server) -> None:
    references = shipped.facts()["references"]
    assert len(references) >= 6
    for reference in references:
        words = {"styles": [reference["style"]], "size": 256, "person": reference["person"]}
        (drawn,) = shipped.draw(words)[1]["drawings"]
        status, look = shipped.send("reference", png(opened(drawn["picture"])), **RAW)
        assert status == 200
        assert look["style"] == reference["style"]
        assert None not in look.values()


def test_hostile_drawings_and_wrong_colours_get_one_sentence(
    shipped: Server, hostile: Callable[[], Path], portrait: Path
) -> None:
    statuses = {}
    for path in sorted(hostile().iterdir()):
        statuses[path.name], answer = shipped.send("reference", path.read_bytes(), **RAW)
        if statuses[path.name] != 200:
            assert answer["error"].endswith(".") and "Traceback" not in answer["error"]
    assert {statuses[name] for name in ("one_pixel.png", "animated.gif", "deep_noise.png")} == {422}
    assert {statuses[name] for name in ("bomb.png", "truncated.jpg", "zip.png", "script.svg.png")} == {400}
    assert shipped.send("reference", b"\0" * (12 * 2**20 + 1), **RAW)[0] == 413
    assert shipped.send("reference", drawing(), Content_Type="image/png")[0] == 415
    for query in ("hair=red", "eyes=12345", "background=%23a02020"):
        assert shipped.post(portrait.read_bytes(), query)[0] == 400


@pytest.mark.browser
def test_gallery_and_own_drawing_in_a_browser(shipped: Server, browser: object, portrait: Path, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    expect.set_options(timeout=120_000)
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: "Content Security Policy" in message.text and wrong.append(message.text))
    message, anime, choices = (page.locator(name) for name in ("#message", "#results .anime", "#references input"))
    page.goto(shipped.address)
    expect(choices).to_have_count(len(shipped.facts()["references"]))
    page.set_input_files("#file", portrait)
    expect(message).to_have_text("One face.")
    plain = anime.get_attribute("src")
    choices.nth(3).check(force=True)
    expect(anime).not_to_have_attribute("src", plain)
    expect(message).to_have_text("One face.")
    followed = anime.get_attribute("src")
    page.screenshot(path=tmp_path / "gallery.png", full_page=True)
    (tmp_path / "own.png").write_bytes(drawing())
    page.set_input_files("#own", tmp_path / "own.png")
    expect(anime).not_to_have_attribute("src", followed)
    expect(choices.last).to_be_checked()
    assert measure_palette(opened(anime.get_attribute("src"))).hair[1] > 10
    Image.new("RGB", (200, 200), "teal").save(tmp_path / "flat.png")
    page.set_input_files("#own", tmp_path / "flat.png")
    expect(message).to_contain_text("No face was found in the reference")
    expect(page.locator("#styles input").first).to_be_checked()
    page.check("#styles input[value=modern]", force=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert wrong == []
    page.close()
