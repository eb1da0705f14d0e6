"""A page in a real browser: Chromium without a screen, driven by chromedriver."""
from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

FLAGS = ('--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--hide-scrollbars',
         '--host-resolver-rules=MAP * ~NOTFOUND')     # a page that asks the network for something gets nothing


def start(folder: Path) -> Any:
    """A browser that keeps all of its own in `folder`; the test skips where there is none. The caller ends it by quit()."""
    chromium, driver = shutil.which('chromium'), shutil.which('chromedriver')
    if not (chromium and driver):
        message = 'no Chromium here: apt-get install chromium chromium-driver'
        pytest.fail(message) if os.environ.get('GLUON_RNN_NEEDS_BROWSER') else pytest.skip(message)
    webdriver = pytest.importorskip('selenium.webdriver')
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f'--user-data-dir={folder}'):
        options.add_argument(flag)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))


def overflow(driver: Any, page: Path, width: int) -> int:
    """By how many pixels a file is wider than such a window, which complained of nothing."""
    driver.set_window_size(width, 900)
    driver.get(page.as_uri())
    assert [entry['message'] for entry in driver.get_log('browser')] == []
    return driver.execute_script(f'return document.documentElement.scrollWidth - {width}')
