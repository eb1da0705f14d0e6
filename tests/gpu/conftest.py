"""Tests for the pretend GPU alone: `make gpu-check` runs them, `make test` leaves them out."""
import ctypes

collect_ignore_glob = [] if hasattr(ctypes.CDLL(None), 'pretend_report') else ['test_*.py']
