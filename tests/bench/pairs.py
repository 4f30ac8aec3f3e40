"""Two things by turns: the median of the ratios of their pairs, and the interval in which it lies with 95 % confidence, whatever
the ratios are distributed like (by order statistics)."""
import dataclasses
import math
import statistics

DOUBT = 0.05
NARROW = 0.03  # an interval of that width tells a loss of 3 % from one of less than 1.5


@dataclasses.dataclass(frozen=True)
class Comparison:
    ratio: float
    low: float
    high: float

    def is_narrow(self):
        return self.high - self.low <= NARROW

    def verdict(self, row):
        """yes or no, if all of the interval is on one side of what the row aims at."""
        inside, outside = (self.low >= row.aim, self.high < row.aim) if row.higher_is_better else (
            self.high <= row.aim, self.low > row.aim)
        return "yes" if inside else "no" if outside else "cannot tell"


def compare(ratios):
    """None: there are too few for any interval."""
    values, n = sorted(ratios), len(ratios)
    outside, beyond = 0, 0.0  # so many of the least, and of the greatest, are outside; the chance that the median is, too
    while n and (beyond := beyond + 2 * math.comb(n, outside) / 2 ** n) <= DOUBT:
        outside += 1
    return Comparison(statistics.median(values), values[outside - 1], values[n - outside]) if outside else None


def self_test():
    assert compare(range(5)) is None
    assert compare(range(6)) == Comparison(2.5, 0, 5), compare(range(6))
    assert compare(range(20)) == Comparison(9.5, 5, 14), compare(range(20))  # as tables of the sign test have it
