"""Tests of what `zhongtai ui` shows, in a real browser: `make test-browser`."""
