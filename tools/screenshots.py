"""Photograph the reports for the documentation, in a real browser: ``make screenshots``.

The embedded sample is scored in a temporary folder, with a batch that drifts, a sweep and a learning curve. Needs
Chromium or Chrome on the PATH.
"""

from __future__ import annotations

import os
import shutil
import subprocess  # nosec B404 # starts this project and a browser, with arguments written below
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageChops

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Width of the picture -> maximum height
WIDTHS = {1400: 1500, 400: 2000}
COLOURS = 128
# Picture -> page
PAGES = {
    "entry": "index.html",
    "batches": "batches/index.html",
    "batch": "batches/2*.html",
    "card": "cards/v*.html",
    "sweep": "experiments/*.html",
}
DRIFTED = "sample.class_mix=[0.05,0.15,0.8]"
# Runs before the pages are photographed: six batches, of which the fourth and the last drift
RUNS = [
    ["pipeline=fti"],
    *(
        run
        for mix in ([], [], [], [DRIFTED], [], [DRIFTED])
        for run in (
            ["pipeline=sample", "sample.part=batch", *mix],
            ["pipeline=sample", "sample.part=labels"],
            ["pipeline=inference"],
        )
    ),
    ["-m", "pipeline=training", "model=logistic_regression", "model.params.C=0.1,1,10", "sweep=regularisation"],
    ["pipeline=learning_curve", "model=logistic_regression"],
]


def make_reports(folder: Path) -> Path:
    """Run the sample in a folder and return its reports."""
    # relative to the folder, since reports show the settings of paths
    program, places = str(ROOT / "start_batch_nlp.py"), ["paths.data=data", "paths.models=models", "log_level=WARNING"]
    for run in RUNS:
        print(" ".join(run), flush=True)
        # 4 and 5: the batch drifted and nothing was done about it, or a candidate failed its gate
        code = subprocess.run([sys.executable, program, *run, *places], cwd=folder, check=False).returncode  # nosec B603 # arguments are written above
        if code not in (0, 4, 5):
            raise SystemExit(f"The run {' '.join(run)} ended with exit code {code}.")
    return folder / "data" / "08_reporting"


def photograph(browser: str, page: Path, width: int, height: int, picture: Path) -> None:
    """Write a picture of the upper part of a page, in few colours."""
    with tempfile.TemporaryDirectory() as name:
        # a window is at least 500 pixels wide; a frame may be narrower
        frame, shot = Path(name) / "frame.html", Path(name) / "shot.png"
        attributes = f'scrolling="no" style="border: 0; width: {width}px; height: {height}px"'
        frame.write_text(f'<body style="margin: 0"><iframe src="{page.as_uri()}" {attributes}></iframe>')
        options = ["--headless", "--hide-scrollbars", f"--user-data-dir={name}/profile", f"--screenshot={shot}"]
        options += [f"--window-size={max(width, 500)},{height}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        subprocess.run([browser, *options, frame.as_uri()], check=True, capture_output=True, timeout=120)  # nosec B603 # arguments are written above
        image = Image.open(shot).convert("RGB").crop((0, 0, width, height))
        empty = Image.new("RGB", image.size, image.getpixel((1, height - 1)))
        box = ImageChops.difference(image, empty).getbbox()
        image = image.crop((0, 0, width, min(height, (box[3] if box else height) + 16)))
        image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(picture, optimize=True)


def main(folder: str | None = None) -> None:
    """Photograph every page at every width: of new runs, or of the reports in a folder."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise SystemExit(f"No browser is on the PATH ({', '.join(BROWSERS)}). Install Chromium.")
    with tempfile.TemporaryDirectory() as name:
        reports = Path(folder).absolute() if folder else make_reports(Path(name))
        for picture, pattern in PAGES.items():
            page = max(reports.glob(pattern))
            for width, height in WIDTHS.items():
                photograph(browser, page, width, height, IMAGES / f"{picture}-{width}.png")
                print(IMAGES / f"{picture}-{width}.png")


if __name__ == "__main__":
    main(*sys.argv[1:2])
