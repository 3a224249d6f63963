"""Zhongtai, a bank's data mid-platform. The packages below are its layers; `docs/architecture.md` is the map."""

__version__ = "0.1.0"
