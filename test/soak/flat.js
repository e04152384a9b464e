'use strict';

/* Whether a series of measurements grows. */

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * By how much the series has grown: the median of its later half less that of its earlier half.
 * Outliers move neither, a leak moves the later one in proportion to the length of the run.
 * @param {number[]} series at least four
 */
function growth(series) {
  const half = series.length >> 1;
  return median(series.slice(-half)) - median(series.slice(0, half));
}

module.exports = { growth };
