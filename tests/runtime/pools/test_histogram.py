"""Histograms count each duration once, in the bucket whose bound it does not exceed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.runtime.pools.histogram import BOUNDS_S, Histogram, HistogramFigures


def filled(*seconds):
    histogram = Histogram()
    for each in seconds:
        histogram.add(each)
    return histogram.figures()


@given(st.lists(st.floats(0, 100)))
def test_all_durations_are_counted(seconds):
    figures = filled(*seconds)
    assert figures.count == len(seconds)
    assert figures.total_s == pytest.approx(sum(seconds))
    assert figures.max_s == max(seconds, default=0.0)
    bounds = (0.0, *BOUNDS_S, float("inf"))
    for low, high, count in zip(bounds[:-1], bounds[1:], figures.counts, strict=True):
        assert count == sum(low < each <= high or (low == each == 0) for each in seconds)


def test_a_bound_belongs_to_its_bucket():
    assert filled(0.001).counts[0] == 1
    assert filled(0.0010001).counts[1] == 1


@given(st.lists(st.floats(0, 20), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_never_below_the_true_one(seconds, share):
    truth = sorted(seconds)[max(0, -int(-share * len(seconds) // 1) - 1)]
    assert truth <= filled(*seconds).at_most_s(share) <= max(seconds)


def test_an_empty_one_has_figures():
    figures = HistogramFigures()
    assert (figures.count, figures.mean_s, figures.at_most_s(0.99)) == (0, 0.0, 0.0)
    assert figures == Histogram().figures()


def test_the_mean():
    assert filled(1.0, 3.0).mean_s == 2.0
