"""Financial distress: when it begins, how bad it gets, what is missed, and whether it ends.

A shock comes with a hazard that grows with latent risk; signals grow from the shock to its peak; some shocks lead to
missed instalments at the peak; some of these become defaults ninety days later. The lead time of every signal is
therefore known: peak minus shock before the first missed instalment, and ninety days more before the default.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.settings import Distress

#: Days past due at which a loan is in default (Basel Framework CRE36.69).
DEFAULT_DAYS = 90


@dataclass(frozen=True)
class Timeline:
    """One timeline for each person or company: day numbers, NEVER where it does not happen; `depth` from 0 to 1."""

    shock: np.ndarray
    peak: np.ndarray
    miss: np.ndarray
    default: np.ndarray
    cure: np.ndarray
    depth: np.ndarray
    recovery_days: float

    def distress(self, day: int) -> np.ndarray:
        """How badly off each one is on `day`: 0 before the shock, at most 1 from its peak, fading after the cure."""
        lead = np.maximum(self.peak - self.shock, 1).astype(np.float32)
        rising = np.clip((day - self.shock) / lead, 0.0, 1.0)
        fading = np.clip(1.0 - (day - self.cure) / np.float32(self.recovery_days), 0.0, 1.0)
        return (self.depth * rising * fading).astype(np.float32)

    def in_arrears(self, day: int) -> np.ndarray:
        """Who misses instalments on `day`."""
        return (self.miss <= day) & (day < self.cure)


class Distressed:
    """Whoever has a timeline, one row each: its days under their own names."""

    timeline: Timeline

    def distress(self, day: int) -> np.ndarray:
        """See Timeline.distress."""
        return self.timeline.distress(day)

    @property
    def shock(self) -> np.ndarray:
        """Day on which distress begins."""
        return self.timeline.shock

    @property
    def miss(self) -> np.ndarray:
        """Day from which instalments are missed."""
        return self.timeline.miss

    @property
    def default(self) -> np.ndarray:
        """Day on which missed instalments are ninety days old."""
        return self.timeline.default

    @property
    def cure(self) -> np.ndarray:
        """Day on which distress ends."""
        return self.timeline.cure


def draw_timeline(
    rng: np.random.Generator, risk: np.ndarray, settings: Distress, horizon: int, factor: float = 1.0
) -> Timeline:
    """Draw a timeline for each latent `risk` (standard normal). Always draws as many numbers, whatever happens."""
    count = len(risk)
    slope = settings.risk_slope
    hazard = factor * settings.yearly_shocks * np.exp(slope * risk - slope**2 / 2) / 365.0
    shock = np.floor(rng.exponential(1.0, count) / hazard) - settings.before_days
    lead = np.maximum(10, settings.peak_days_median * np.exp(settings.peak_days_sigma * rng.standard_normal(count)))
    happens = shock < horizon
    shock = np.where(happens, shock, NEVER).astype(np.int32)
    peak = np.where(happens, shock + lead, NEVER).astype(np.int32)
    misses = happens & (rng.random(count) < settings.miss_share)
    defaults = misses & (rng.random(count) < settings.default_share)
    cured = rng.random(count) < settings.cure_share
    brief, long = rng.integers(5, 85, count), rng.integers(120, 500, count)
    miss = np.where(misses, peak, NEVER)
    cure = np.where(misses, peak + brief, peak + brief // 2)
    cure = np.where(defaults, np.where(cured, peak + long, NEVER), cure)
    depth = np.where(rng.random(count) < settings.silent_share, 0.15, 1.0) * rng.uniform(0.5, 1.0, count)
    return Timeline(
        shock=shock,
        peak=peak,
        miss=miss.astype(np.int32),
        default=np.where(defaults, miss + DEFAULT_DAYS, NEVER).astype(np.int32),
        cure=np.where(happens, np.minimum(cure, NEVER), NEVER).astype(np.int32),
        depth=depth.astype(np.float32),
        recovery_days=settings.recovery_days,
    )
