"""The page in a browser: no errors, nothing too wide, and controls that change what is drawn."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ratemlx.report.page import write_report
from tests.report.runs import HOSTILE, Recipe, metrics_of, write_database

SIZES = ((1366, 768), (390, 844))
PIXELS = """
const canvas = document.querySelectorAll("#maps-view .field canvas")[arguments[0]];
return [canvas.width, canvas.height, [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]];
"""


@pytest.fixture(scope="module")
def report(run_folder: Path) -> str:
    return write_report(run_folder).as_uri()


def show(browser: Any, address: str, size: tuple[int, int] = SIZES[0], dark: bool = False) -> None:
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    browser.get_log("browser")
    browser.get(address)
    assert browser.execute_script("return document.documentElement.dataset.ready") == "yes"


def console(browser: Any) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser")]


def widths(browser: Any) -> tuple[int, int]:
    scroll, inner = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    return scroll, inner


def pixels(browser: Any, panel: int = 0) -> np.ndarray[Any, np.dtype[Any]]:
    columns, rows, data = browser.execute_script(PIXELS, panel)
    return np.array(data).reshape(rows, columns, 4)


def pick(browser: Any, identity: str, value: str) -> None:
    script = """
    const control = document.getElementById(arguments[0]);
    control.value = arguments[1];
    control.dispatchEvent(new Event(control.type === "range" ? "input" : "change", {bubbles: true}));
    """
    browser.execute_script(script, identity, value)


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_too_wide_and_nothing_fails(browser: Any, report: str, size: tuple[int, int]) -> None:
    show(browser, report, size)
    assert widths(browser) == (size[0], size[0])
    assert console(browser) == []


def test_runs_without_metrics_show(browser: Any, series_folder: Path) -> None:
    address = write_report(series_folder).as_uri()
    for size in SIZES:
        show(browser, address, size)
        assert widths(browser) == (size[0], size[0])
    assert len(browser.find_elements("css selector", "#traces-view .trace")) == 6
    assert console(browser) == []


def test_a_page_with_nothing_to_draw_shows(browser: Any, tmp_path: Path, empty_recipe: Recipe) -> None:
    write_database(tmp_path, empty_recipe)
    show(browser, write_report(tmp_path).as_uri())
    assert browser.find_elements("id", "maps") == []
    assert console(browser) == []


def test_light_and_dark_differ(browser: Any, report: str) -> None:
    from matplotlib.image import imread

    means = []
    for dark in (False, True):
        show(browser, report, dark=dark)
        shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        means.append(float(imread(io.BytesIO(base64.b64decode(shot["data"])))[..., :3].mean()))
    light, dark = means
    assert light > 0.85
    assert dark < 0.3


def test_a_map_has_a_pixel_for_each_cell_in_the_right_colour(browser: Any, report: str) -> None:
    show(browser, report)
    pick(browser, "maps-metric-choice", "2")
    pick(browser, "maps-axes-at-3", "1")
    image = pixels(browser, 1)
    assert image.shape == (4, 5, 4)
    lowest, highest = metrics_of(0.0, 0.0, 500.0, 2.0, 42)[2], metrics_of(0.8, 0.0, 500.0, 4.0, 42)[2]
    assert lowest is not None
    assert highest is not None
    value = metrics_of(0.8, 0.0, 500.0, 2.0, 42)[2]
    assert value is not None
    from matplotlib import colormaps

    expected = 255 * np.array(colormaps["viridis"]((value - lowest) / (highest - lowest))[:3])
    assert np.abs(image[3, 4, :3] - expected).max() < 6
    assert image[3, 0, :3].tolist() == [0x44, 0x01, 0x54]
    np.testing.assert_array_equal(pixels(browser, 0)[3, 4, :3], [0xB4, 0x52, 0x4B])


def test_controls_change_the_maps(browser: Any, report: str) -> None:
    show(browser, report)
    before = pixels(browser)
    pick(browser, "maps-axes-at-3", "2")
    slid = pixels(browser)
    assert not np.array_equal(before, slid)
    pick(browser, "maps-axes-at-3", "0")
    assert not np.array_equal(pixels(browser), slid)
    pick(browser, "maps-metric-choice", "1")
    assert not np.array_equal(pixels(browser), before)
    assert len(browser.find_elements("css selector", "#maps-view .field")) == 3
    pick(browser, "maps-axes-facet", "3")
    assert len(browser.find_elements("css selector", "#maps-view .field")) == 2
    pick(browser, "maps-axes-facet", "-1")
    assert len(browser.find_elements("css selector", "#maps-view .field")) == 1
    pick(browser, "maps-axes-x", "1")
    assert pixels(browser).shape[:2] == (5, 4)
    assert console(browser) == []


def test_a_cell_can_be_read_with_the_keyboard(browser: Any, report: str) -> None:
    from selenium.webdriver.common.keys import Keys

    show(browser, report)
    field = browser.find_element("css selector", "#maps-view .field")
    field.send_keys(Keys.ARROW_RIGHT)
    text = browser.find_element("id", "maps-readout").text
    assert "global_coupling = 0.2, b_e = 0 pA, tau_w_e = 300 ms" in text
    field.send_keys(Keys.ARROW_UP)
    field.send_keys(Keys.ENTER)
    shown = browser.find_element("id", "maps-cell").text
    assert "b_e = 40 pA" in shown
    rate = metrics_of(0.2, 40.0, 300.0, 2.0, 42)[2]
    assert f"{rate:.4g} Hz" in shown


def test_the_numbers_can_be_had_as_a_table(browser: Any, report: str) -> None:
    show(browser, report)
    pick(browser, "maps-metric-choice", "1")
    browser.execute_script("document.getElementById('maps-table').open = true")
    browser.execute_async_script("setTimeout(arguments[0], 50)")
    rows = browser.find_elements("css selector", "#maps-table table:first-of-type tbody tr")
    assert rows[0].text.split() == ["0", "0.1", "0.2", "0.3", "0.4", "not", "defined"]


def test_traces_follow_their_controls(browser: Any, series_folder: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    show(browser, write_report(series_folder).as_uri())
    paths = "return [...document.querySelectorAll('#traces-view path')].map((path) => path.getAttribute('d')).join()"
    before = browser.execute_script(paths)
    browser.find_element("id", "traces-faint").click()
    assert len(browser.execute_script(paths)) < len(before)
    browser.find_element("css selector", "#traces-view .trace").send_keys(Keys.ARROW_RIGHT)
    text = browser.find_element("id", "traces-readout").text
    assert text.startswith("E 0.00")
    assert "instance 0: global_coupling = 0.2, b_e = 0 pA" in text


def test_rows_of_best_fits_show_their_matrices(browser: Any, report: str) -> None:
    show(browser, report)
    matrices = "#best-matrices figure"
    assert len(browser.find_elements("css selector", matrices)) == 3
    rows = browser.find_elements("css selector", "#best-table tbody tr")
    assert len(rows) == 10
    rows[1].find_element("css selector", "button").click()
    title = browser.find_element("css selector", "#best-matrices h3").text
    second = browser.find_elements("css selector", "#best-table tbody tr")[1]
    assert title == f"Instance {second.find_element('css selector', 'button').text}"
    captions = [item.text for item in browser.find_elements("css selector", f"{matrices} figcaption")]
    assert re.fullmatch(r"FC of E\nr = \S+ with the reference, r = \S+ with weights", captions[0])
    assert captions[1:] == ["Reference FC of E", "weights"]
    bars = [item.text.split("\n") for item in browser.find_elements("css selector", "#best-matrices .colours")]
    assert [bar[0] for bar in bars] == ["FC", "weights"]
    low, middle, high = (float(text) for text in bars[0][1:])
    assert (low, middle) == (-high, 0.0)  # diverging, although the correlations may have one sign


def test_rows_without_matrices_say_why(browser: Any, report: str) -> None:
    show(browser, report)
    pick(browser, "best-metric-choice", "2")
    note = browser.find_element("id", "best-note").text
    assert note.startswith("No link: ")
    assert "The run kept no matrices of these" in note


def test_one_swept_parameter_makes_a_line(browser: Any, tmp_path: Path) -> None:
    recipe = Recipe(g=(0.0, 0.2, 0.8), b_e=(0.0,), tau=(300.0,), speed=(2.0,), arrays=False)
    write_database(tmp_path, recipe)  # the last of the three diverged
    show(browser, write_report(tmp_path).as_uri())
    pick(browser, "maps-metric-choice", "2")
    dots = browser.find_elements("css selector", "#maps-view circle")
    heights = [float(dot.get_attribute("cy").rstrip("%")) for dot in dots]
    assert heights == pytest.approx([92.0, 8.0], abs=1e-3)
    assert len(browser.find_elements("css selector", "#maps-view .gone")) >= 1
    assert console(browser) == []


@pytest.mark.parametrize("size", SIZES)
def test_the_label_below_a_map_is_in_its_middle(browser: Any, report: str, size: tuple[int, int]) -> None:
    show(browser, report, size)
    pick(browser, "maps-axes-facet", "-1")
    middles = browser.execute_script(
        """
        const range = document.createRange();
        range.selectNodeContents(document.querySelector("#maps-view .x"));
        return [document.querySelector("#maps-view .field"), range].map((item) => {
          const box = item.getBoundingClientRect();
          return box.left + box.width / 2;
        });
        """
    )
    assert middles[0] == pytest.approx(middles[1], abs=1.0)


def test_colours_diverge_only_where_both_signs_matter(browser: Any, report: str, tmp_path: Path) -> None:
    show(browser, report)
    ends = "return [...document.querySelectorAll('#maps-view .ends span')].map((item) => Number(item.textContent))"
    pick(browser, "maps-metric-choice", "5")  # from -0.4 to 0.52
    low, _, high = browser.execute_script(ends)
    assert low == -high
    write_database(tmp_path, Recipe(g=(0.35, 0.8), arrays=False))
    show(browser, write_report(tmp_path).as_uri())
    pick(browser, "maps-metric-choice", "5")
    low, _, high = browser.execute_script(ends)
    assert (low, high) == (-0.05, 0.52)


def test_hostile_names_do_nothing(browser: Any, tmp_path: Path) -> None:
    write_database(tmp_path, Recipe(model=HOSTILE, region=HOSTILE))
    show(browser, write_report(tmp_path).as_uri())
    assert browser.execute_script("return window.hacked") is None
    assert browser.find_elements("css selector", "img") == []
    assert HOSTILE in browser.find_element("tag name", "h1").text
    assert widths(browser) == (SIZES[0][0], SIZES[0][0])
    assert console(browser) == []
