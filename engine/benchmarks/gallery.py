"""Measure the page of a large cohort: its size, first paint, and the longest stall in scrolling.

    python engine/benchmarks/gallery.py --studies 10000

The studies have all published measurements and projections of different phantoms. Chromium without
a screen and without a graphics card opens the page from a file, scrolls through all of it by the
wheel, and chooses studies; a stall is the longest time between two frames.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ENGINE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ENGINE), str(ENGINE / "tests" / "builders")]

#: Different projections; the studies show them in turn.
PHANTOMS = 20
#: Turns of the wheel, and pixels of each.
TURNS, PIXELS = 120, 900
#: Goals: bytes of thumbnails per 10,000 studies, seconds, milliseconds.
GOALS = {"thumbnails": 40e6, "first paint": 2.0, "stall": 100.0}
#: Notes the time of each frame.
WATCH = """() => {
  window.frames_ = [];
  const note = (now) => { window.frames_.push(now); requestAnimationFrame(note); };
  requestAnimationFrame(note);
}"""
STALLS = "() => window.frames_.slice(1).map((at, n) => at - window.frames_[n])"
#: Notes the time at which the first cards are about to be painted.
FIRST_CARDS = """new MutationObserver(() => {
  if (document.querySelector(".card")) requestAnimationFrame(() => {
    window.painted_ ??= performance.now();
  });
}).observe(document, { childList: true, subtree: true });"""


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=10_000)
    parser.add_argument("--opened", type=int, default=3, help="times that the page is opened")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        output = write_cohort(Path(scratch), options.studies)
        begin = time.perf_counter()
        page = write_page(output)
        seconds = time.perf_counter() - begin
        small = sum(path.stat().st_size for path in (page.parent / "thumbnails").iterdir())
        goal = GOALS["thumbnails"] * options.studies / 10_000 / 1e6
        print(f"| {options.studies:,} studies | measured | goal |\n|---|---|---|")
        print(f"| time to write the page | {seconds:.0f} s | |")
        print(f"| thumbnails | {small / 1e6:.1f} MB | {goal:.0f} MB |")
        print(f"| page with its numbers | {page.stat().st_size / 1e6:.1f} MB | |")
        for line in in_browser(page, options.opened):
            print(line)


def write_cohort(folder: Path, count: int) -> Path:
    """Write an output folder of so many studies."""
    from gallery_builder import varied_studies, write_output

    from mimir_engine.phantom.render_projection import render_projection

    images = [render_projection(seed) for seed in range(PHANTOMS)]
    return write_output(folder / "results", varied_studies(count), images)


def write_page(output: Path) -> Path:
    """Write the page of the studies."""
    from mimir_engine.report.gallery.write_gallery import GalleryOptions, write_gallery

    return write_gallery(output, GalleryOptions()).page


def in_browser(page_file: Path, opened: int) -> list[str]:
    """Return lines of the table about the page in a browser."""
    from browser import chromium

    paints, idle, scrolls, choices = [], [], [], []
    with chromium() as browser:
        for _ in range(opened):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.add_init_script(FIRST_CARDS)
            page.goto(page_file.as_uri())
            page.wait_for_selector(".card img")
            page.wait_for_timeout(500)
            paints.append(page.evaluate("window.painted_") / 1000)
            idle.append(stalls(page, lambda page: page.wait_for_timeout(4000)))
            scrolls.append(stalls(page, scroll))
            choices.append(stalls(page, choose))
            page.close()
    return [
        f"| first paint of cards (median of {opened}) | {statistics.median(paints):.2f} s"
        f" | {GOALS['first paint']:g} s |",
        f"| longest stall in scrolling | {statistics.median(map(max, scrolls)):.0f} ms"
        f" | {GOALS['stall']:g} ms |",
        f"| the same while nothing is done | {statistics.median(map(max, idle)):.0f} ms | |",
        f"| frames of scrolling that come within 50 ms | {share(scrolls, 50):.1%} | |",
        f"| longest stall in sorting and filtering | {statistics.median(map(max, choices)):.0f} ms"
        " | |",
    ]


def share(stalls_: list[list[float]], limit: float) -> float:
    """Return the share of frames that came sooner than a limit (ms)."""
    frames = [gap for gaps in stalls_ for gap in gaps]
    return sum(gap < limit for gap in frames) / len(frames)


def stalls(page: Any, act: Any) -> list[float]:
    """Return the times between frames (ms) while something is done."""
    page.evaluate(WATCH)
    act(page)
    page.wait_for_timeout(300)
    return list(page.evaluate(STALLS))


def scroll(page: Any) -> None:
    """Turn the wheel, then drag the bar to the end and back."""
    page.mouse.move(800, 400)
    for _ in range(TURNS):
        page.mouse.wheel(0, PIXELS)
        page.wait_for_timeout(30)
    for share_ in (0.5, 1, 0.25, 0):
        page.evaluate(
            "share => { const s = document.getElementById('sheet');"
            " s.scrollTop = share * s.scrollHeight; }",
            share_,
        )
        page.wait_for_timeout(200)


def choose(page: Any) -> None:
    """Sort by a measurement, and choose a part of the names."""
    page.select_option("select[name=order]", "3")
    page.wait_for_timeout(300)
    page.fill("input[name=name]", "scan_0001")
    page.wait_for_timeout(300)
    page.fill("input[name=name]", "")


if __name__ == "__main__":
    main()
