"""These tests need PyTorch; where it is missing they are left out, in CI they fail."""
from __future__ import annotations

import os

import pytest

if not os.environ.get('CI'):
    pytest.importorskip('torch')
