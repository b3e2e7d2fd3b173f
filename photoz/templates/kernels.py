"""Exact minimum of chi2 over non-negative amplitudes and the narrow/broad scale, compiled.

For one galaxy, run and redshift, equation A4 is

    chi2(a, k) = c - 2 (k bN + bB) . a + a . (k^2 AN + AB) a,    a >= 0,  k_min <= k <= k_max

with AN, bN the normal equations of the narrow bands and AB, bB those of the broad ones. For a
given k it is a convex problem with one minimum (non-negative least squares, Lawson & Hanson 1974):
templates outside the passive set are zero, those inside solve a linear system. Along the redshift
grid that set hardly changes, so the set of one redshift is tried first at the next, and usually one
Cholesky factorisation proves it right.

k enters the minimum over amplitudes g(k) = min_a chi2(a, k) smoothly, and the factorisation that
gave the amplitudes gives g' and g'' as well: k is found by Newton's method together with the
amplitudes, instead of in turns with them, and is carried along the grid like the passive set.

Galaxies go through the grid together: their normal equations at one redshift are a matrix product,
(pairs of templates x bands) times (bands x galaxies), so the model is read once per chunk and not
once per galaxy. The matrices of one problem stand in a column of that product, whose
rows are the pairs of templates in packed lower-triangular order, then the templates (right-hand
sides).

All compiled functions are in this one module because numba's cache looks only at the file of the
function it starts from: a change elsewhere would go unnoticed. Those called for every problem are
compiled without reference counts (they allocate nothing), which would cost more than the
arithmetic.
"""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

MAX_TEMPLATES = 30
"""Templates a run may have: its passive set is kept as bits."""
LANES = 8
"""Galaxies are padded to a multiple of this many."""
_PAD = 8  # keeps columns of a matrix from falling into the same lines of the cache
_TOLERANCE = 1e-5  # of chi2: what another step in k may still gain
_SHORT = 2e-6  # of chi2: what following k to first order may leave out
_DUAL_TOLERANCE = 1e-10  # of chi2: gain from one more template on its own
_SINGULAR = 1e-11  # of the diagonal: a template that the others make up
_TURNS = 200  # of the solver; a quarter of them before it turns careful
_OPTIONS: dict[str, Any] = {"cache": True, "error_model": "numpy", "fastmath": {"contract"}}
_BARE = _OPTIONS | {"_nrt": False}


@njit(**_BARE)
def _gather(table, size, template, g, out, row):
    """Column of galaxy g's matrix that belongs to a template, into a row of out (size, size)."""
    q = template * (template + 1) // 2
    for j in range(template):
        out[row, j] = table[q + j, g]
    q += template
    for j in range(template, size):
        out[row, j] = table[q, g]
        q += j + 1


@njit(**_BARE)
def _factor_and_solve(n, index, k, narrow, broad, right, factor, half, x):
    """Cholesky factor of the passive block and x on it; returns a dependent template or -1."""
    square = k * k
    for i in range(n):
        p = index[i]
        for j in range(i):
            total = square * narrow[j, p] + broad[j, p]
            for m in range(j):
                total -= factor[i, m] * factor[j, m]
            factor[i, j] = total * factor[j, j]  # the diagonal is kept inverted
        diagonal = square * narrow[i, p] + broad[i, p]
        total = diagonal
        for m in range(i):
            total -= factor[i, m] * factor[i, m]
        if total <= _SINGULAR * diagonal:
            return i
        factor[i, i] = 1.0 / np.sqrt(total)
        total = right[p]
        for m in range(i):
            total -= factor[i, m] * half[m]
        half[i] = total * factor[i, i]
    for i in range(n - 1, -1, -1):
        total = half[i]
        for m in range(i + 1, n):
            total -= factor[m, i] * x[m]
        x[i] = total * factor[i, i]
    return -1


@njit(**_BARE)
def _without(n, index, narrow, broad, x, bad):
    """Remove template `bad`, or if -1 those with x <= 0; returns how many remain."""
    kept = 0
    for i in range(n):
        if i == bad or (bad < 0 and x[i] <= 0.0):
            continue
        if kept != i:
            index[kept] = index[i]
            x[kept] = x[i]
            for j in range(narrow.shape[1]):
                narrow[kept, j] = narrow[i, j]
                broad[kept, j] = broad[i, j]
        kept += 1
    return kept


@njit(**_BARE)
def _scale_step(n, index, k, narrow, right, factor, half, x):
    """Newton step of k with the passive set held; `half` becomes dx/dk.

    Returns the step, the gain in chi2 it predicts and whether it is Newton's (else it is to the
    best k for these amplitudes).
    """
    quadratic = 0.0
    linear = 0.0
    for i in range(n):
        total = 0.0
        for j in range(n):
            total += narrow[j, index[i]] * x[j]
        half[i] = total
        quadratic += total * x[i]
        linear += right[index[i]] * x[i]
    if quadratic <= 0.0:
        return 0.0, 0.0, False
    slope = k * quadratic - linear
    curvature = quadratic
    for i in range(n):
        total = 2.0 * k * half[i] - right[index[i]]
        for m in range(i):
            total -= factor[i, m] * half[m]
        half[i] = total * factor[i, i]
        curvature -= half[i] * half[i]
    if curvature < 1e-3 * quadratic:
        return linear / quadratic - k, slope * slope / quadratic, False
    for i in range(n - 1, -1, -1):
        total = half[i]
        for m in range(i + 1, n):
            total += factor[m, i] * half[m]
        half[i] = -total * factor[i, i]
    return -slope / curvature, slope * slope / curvature, True


@njit(**_BARE)
def _settle(size, n, g, k, narrow, broad, index, own_narrow, own_broad, x, gradient):
    """chi2 less its constant at x and k; writes gradient (size,): minus half that of chi2."""
    pairs = size * (size + 1) // 2
    for j in range(size):
        gradient[j] = k * narrow[pairs + j, g] + broad[pairs + j, g]
    total = 0.0
    for i in range(n):
        total -= x[i] * gradient[index[i]]
    square = k * k
    for i in range(n):
        value = x[i]
        for j in range(size):
            gradient[j] -= (square * own_narrow[i, j] + own_broad[i, j]) * value
    for i in range(n):
        total -= x[i] * gradient[index[i]]
    return total


@njit(**_BARE)
def _move_scale(n, index, k, limits, careful, narrow, right, factor, half, x):
    """Move k to its minimum and x with it; returns k and whether to solve for x again."""
    step, gain, newton = _scale_step(n, index, k, narrow, right, factor, half, x)
    new = min(max(k + step, limits[0]), limits[1])
    if gain <= _TOLERANCE or abs(new - k) <= 1e-9 * k:
        return k, False
    # The amplitudes follow k to first order. What that leaves out is of third order in chi2, so
    # after a short step there is nothing to factorise again.
    step = new - k
    again = careful or not newton or gain * abs(step) >= _SHORT * k
    for i in range(n):
        again = again or x[i] + step * half[i] <= 0.0
    if not again:
        for i in range(n):
            x[i] += step * half[i]
    return new, again


@njit(**_BARE)
def _enter(template, size, n, g, narrow, broad, own_narrow, own_broad, index):
    """Add a template to the passive set; returns how many there are."""
    index[n] = template
    _gather(narrow, size, template, g, own_narrow, n)
    _gather(broad, size, template, g, own_broad, n)
    return n + 1


@njit(**_BARE)
def _best_entering(size, g, k, narrow, broad, gradient, barred):
    """The template whose growth from zero gains most, or -1."""
    enter, most = -1, _DUAL_TOLERANCE
    for j in range(size):
        if gradient[j] > 0.0 and not barred >> j & 1:
            q = j * (j + 1) // 2 + j
            diagonal = k * k * narrow[q, g] + broad[q, g]
            if gradient[j] * gradient[j] > most * diagonal and diagonal > 0.0:
                enter, most = j, gradient[j] * gradient[j] / diagonal
    return enter


@njit(**_BARE)
def _lawson_hanson(
    size,
    narrow,
    broad,
    g,
    k,
    own_narrow,
    own_broad,
    factor,
    scaled,
    half,
    gradient,
    trial,
    index,
    x,
):
    """Non-negative least squares from zero for one k: slower, but it cannot cycle.

    Returns the number of templates in the passive set (`index`, with amplitudes `x`).
    """
    pairs = size * (size + 1) // 2
    n = barred = 0
    for _ in range(10 * size):
        _settle(size, n, g, k, narrow, broad, index, own_narrow, own_broad, x, gradient)
        for i in range(n):
            gradient[index[i]] = 0.0
        enter = _best_entering(size, g, k, narrow, broad, gradient, barred)
        if enter < 0:
            break
        x[n] = 0.0
        n = _enter(enter, size, n, g, narrow, broad, own_narrow, own_broad, index)
        while n > 0:
            for i in range(n):
                scaled[index[i]] = k * narrow[pairs + index[i], g] + broad[pairs + index[i], g]
            bad = _factor_and_solve(n, index, k, own_narrow, own_broad, scaled, factor, half, trial)
            if bad >= 0:
                barred |= 1 << index[bad]
                n = _without(n, index, own_narrow, own_broad, x, bad)
                continue
            step = 1.0
            for i in range(n):
                if trial[i] <= 0.0:
                    step = min(step, x[i] / (x[i] - trial[i]) if x[i] > trial[i] else 0.0)
            for i in range(n):
                x[i] += step * (trial[i] - x[i])
                if trial[i] <= 0.0 and x[i] <= 1e-14 * abs(trial[i]):
                    x[i] = 0.0
                    if index[i] == enter:
                        barred |= 1 << enter
            if step >= 1.0:
                barred = 0
                break
            n = _without(n, index, own_narrow, own_broad, x, -1)
    return n


@njit(**_BARE)
def solve(size, narrow, broad, g, constant, mask, k, free, limits, room, index, x):
    """Minimum of chi2 over amplitudes and scale.

    Parameters
    ----------
    size : int
        Number of templates, at most `MAX_TEMPLATES`.
    narrow, broad : (pairs + size, columns)
        Normal equations of the narrow and of the broad bands.
    g : int
        The problem's column.
    constant : float
        c, chi2 without any model.
    mask, k : int, float
        Passive set (a bit for each template) and scale to try first.
    free : bool
        Whether k is fitted, between the two `limits`.
    room : (3 size + 5, size)
        Room to work in.
    index, x : (size,)
        Written: templates of the passive set and their amplitudes.

    Returns
    -------
    chi2, mask, k, n
        Minimum, where it is, and the number of templates in the passive set.
    """
    own_narrow, own_broad, factor = room[:size], room[size : 2 * size], room[2 * size : 3 * size]
    right, half, gradient = room[3 * size], room[3 * size + 1], room[3 * size + 2]
    scaled, trial = room[3 * size + 3], room[3 * size + 4]
    pairs = size * (size + 1) // 2
    n = 0
    for j in range(size):
        right[j] = narrow[pairs + j, g]
        if mask >> j & 1:
            n = _enter(j, size, n, g, narrow, broad, own_narrow, own_broad, index)
    best, chi2, careful = np.inf, constant, False
    for turn in range(_TURNS):
        careful = careful or turn == _TURNS // 4
        if careful:
            n = _lawson_hanson(
                *(size, narrow, broad, g, k, own_narrow, own_broad, factor, scaled, half),
                *(gradient, trial, index, x),
            )
        else:
            for i in range(n):
                scaled[index[i]] = k * right[index[i]] + broad[pairs + index[i], g]
        while n > 0 and not careful:
            bad = _factor_and_solve(n, index, k, own_narrow, own_broad, scaled, factor, half, x)
            kept = _without(n, index, own_narrow, own_broad, x, bad)
            if kept == n:
                break
            n = kept
        if free and n > 0:
            k, again = _move_scale(n, index, k, limits, careful, own_narrow, right, factor, half, x)
            if again:
                continue
        chi2 = constant + _settle(
            size, n, g, k, narrow, broad, index, own_narrow, own_broad, x, gradient
        )
        if careful:
            break
        for i in range(n):
            gradient[index[i]] = 0.0
        enter = _best_entering(size, g, k, narrow, broad, gradient, 0)
        if enter < 0:
            break
        careful = chi2 >= best  # templates are swapped in circles
        best = chi2
        n = _enter(enter, size, n, g, narrow, broad, own_narrow, own_broad, index)
    mask = 0
    for i in range(n):
        mask |= 1 << index[i]
    return max(chi2, 0.0), mask, k, n


@njit(**_BARE)
def solve_pair(size, narrow, broad, g, constant, index, x):
    """Minimum of chi2 with at most two templates, by trying all of them; k is 1.

    Parameters as in `solve`.

    Returns
    -------
    chi2, mask, n
    """
    pairs = size * (size + 1) // 2
    best = 0.0
    first = second = -1
    for i in range(size):
        q = i * (i + 1) // 2
        di = narrow[q + i, g] + broad[q + i, g]
        bi = narrow[pairs + i, g] + broad[pairs + i, g]
        if di <= 0.0:
            continue
        if bi > 0.0 and bi * bi > best * di:
            best = bi * bi / di
            first, second = i, -1
            x[0] = bi / di
        for j in range(i):
            dj = narrow[j * (j + 1) // 2 + j, g] + broad[j * (j + 1) // 2 + j, g]
            bj = narrow[pairs + j, g] + broad[pairs + j, g]
            cross = narrow[q + j, g] + broad[q + j, g]
            determinant = di * dj - cross * cross
            if determinant <= _SINGULAR * di * dj:
                continue
            ai = (bi * dj - bj * cross) / determinant
            aj = (bj * di - bi * cross) / determinant
            if ai > 0.0 and aj > 0.0 and bi * ai + bj * aj > best:
                best = bi * ai + bj * aj
                first, second = i, j
                x[0], x[1] = ai, aj
    if first < 0:
        return constant, 0, 0
    index[0] = first
    if second < 0:
        return max(constant - best, 0.0), 1 << first, 1
    index[1] = second
    return max(constant - best, 0.0), 1 << first | 1 << second, 2


@njit(cache=True, fastmath={"contract", "reassoc"})
def _products(flux, first, size, z, out):
    """Products of all pairs of a run's templates (pair, band), and below them the fluxes."""
    pairs = size * (size + 1) // 2
    for i in range(size):
        for b in range(flux.shape[2]):
            out[pairs + i, b] = flux[first + i, z, b]
    for i in range(size):
        for j in range(i + 1):
            q = i * (i + 1) // 2 + j
            for b in range(flux.shape[2]):
                out[q, b] = out[pairs + i, b] * out[pairs + j, b]


@njit(cache=True, fastmath={"contract", "reassoc"})
def _accumulate(products, first, last, low, high, data, columns, out):
    """out[p, g] = sum over the bands low..high of products[p, b] data[b, g], two p at a time."""
    for p in range(first, last, 2):
        other = min(p + 1, last - 1)
        one, two = products[p], products[other]
        for g in range(columns):
            out[p, g] = 0.0
            out[other, g] = 0.0
        b = low
        while b + 4 <= high:
            a0, a1, a2, a3 = one[b], one[b + 1], one[b + 2], one[b + 3]
            c0, c1, c2, c3 = two[b], two[b + 1], two[b + 2], two[b + 3]
            for g in range(columns):
                d0, d1, d2, d3 = data[b, g], data[b + 1, g], data[b + 2, g], data[b + 3, g]
                first_sum = out[p, g] + (a0 * d0 + a1 * d1) + (a2 * d2 + a3 * d3)
                second_sum = out[other, g] + (c0 * d0 + c1 * d1) + (c2 * d2 + c3 * d3)
                out[p, g] = first_sum
                out[other, g] = second_sum
            b += 4
        while b < high:
            a0, c0 = one[b], two[b]
            for g in range(columns):
                first_sum = out[p, g] + a0 * data[b, g]
                second_sum = out[other, g] + c0 * data[b, g]
                out[p, g] = first_sum
                out[other, g] = second_sum
            b += 1


@njit(**_OPTIONS)
def fit_nodes(
    flux,
    first,
    size,
    nodes,
    n_narrow,
    weight,
    weighted,
    constant,
    free,
    paired,
    limits,
    masks,
    scales,
    chi2,
    mask_out,
    scale_out,
):
    """Fit galaxies at some redshifts of one run, in order.

    Parameters
    ----------
    flux : (template, z, band) float32
        Model fluxes of all runs, narrow bands first.
    first, size : int
        The run's first template and their number.
    nodes : (k,) int
        Positions of the redshifts.
    n_narrow : int
        Number of narrow bands.
    weight, weighted : (band, columns)
        1 / error^2 and flux / error^2, 0 where not observed; columns is a multiple of `LANES`.
    constant, free, paired : (g,)
        chi2 without a model; whether k is fitted; whether at most two templates are allowed.
    limits : (2,)
        Bounds of k.
    masks, scales : (g,)
        Passive set and k to try first; overwritten by those of the last redshift.
    chi2, mask_out, scale_out : (k, g)
        Written.
    """
    number = constant.size
    columns = weight.shape[1]
    n_bands = flux.shape[2]
    pairs = size * (size + 1) // 2
    rows = pairs + size
    products = np.empty((rows, n_bands))
    narrow = np.empty((rows, columns + _PAD))
    broad = np.empty((rows, columns + _PAD))
    room = np.empty((3 * size + 5, size))
    index, x = np.empty(size, np.int64), np.empty(size)
    for k in range(nodes.size):
        _products(flux, first, size, nodes[k], products)
        _accumulate(products, 0, pairs, 0, n_narrow, weight, columns, narrow)
        _accumulate(products, pairs, rows, 0, n_narrow, weighted, columns, narrow)
        _accumulate(products, 0, pairs, n_narrow, n_bands, weight, columns, broad)
        _accumulate(products, pairs, rows, n_narrow, n_bands, weighted, columns, broad)
        for g in range(number):
            if paired[g]:
                value, mask, _ = solve_pair(size, narrow, broad, g, constant[g], index, x)
                scale = 1.0
            else:
                value, mask, scale, _ = solve(
                    *(size, narrow, broad, g, constant[g], masks[g], scales[g], free[g], limits),
                    *(room, index, x),
                )
            masks[g], scales[g] = mask, scale
            chi2[k, g], mask_out[k, g], scale_out[k, g] = value, mask, scale


@njit(**_OPTIONS)
def fit_intervals(
    flux,
    first,
    size,
    coarse,
    chosen,
    n_narrow,
    weight,
    weighted,
    constant,
    free,
    paired,
    limits,
    masks,
    scales,
    chi2,
    scale_out,
):
    """Fit galaxies at the redshifts between coarse ones, where chosen.

    Parameters as in `fit_nodes`, and

    coarse : (c,) int
        Positions of the coarse redshifts.
    chosen : (c - 1, g) bool
        Intervals to fill in.
    masks, scales : (c, g)
        Passive sets and k at the coarse redshifts.
    chi2, scale_out : (z, g)
        Written where chosen.

    Returns
    -------
    int
        Problems solved.
    """
    number, n_bands = constant.size, flux.shape[2]
    solved = 0
    picked = np.empty(number, np.int64)
    own_weight, own_weighted = np.zeros((n_bands, 0)), np.zeros((n_bands, 0))
    before = np.empty(0, np.int64)
    for interval in range(coarse.size - 1):
        n = 0
        for g in range(number):
            if chosen[interval, g]:
                picked[n] = g
                n += 1
        nodes = np.arange(coarse[interval] + 1, coarse[interval + 1])
        if n == 0 or nodes.size == 0:
            continue
        rows = picked[:n]
        if before.size != n or np.any(before != rows):
            columns = (n + LANES - 1) // LANES * LANES
            own_weight = np.zeros((n_bands, columns))
            own_weighted = np.zeros((n_bands, columns))
            for b in range(n_bands):
                for i in range(n):
                    own_weight[b, i] = weight[b, rows[i]]
                    own_weighted[b, i] = weighted[b, rows[i]]
            before = rows.copy()
        start, start_scale = masks[interval][rows], scales[interval][rows]
        value = np.empty((nodes.size, n))
        mask = np.empty((nodes.size, n), masks.dtype)
        scale = np.empty((nodes.size, n), scales.dtype)
        fit_nodes(
            *(flux, first, size, nodes, n_narrow, own_weight, own_weighted, constant[rows]),
            *(free[rows], paired[rows], limits, start, start_scale, value, mask, scale),
        )
        for k in range(nodes.size):
            for i in range(n):
                chi2[nodes[k], rows[i]] = value[k, i]
                scale_out[nodes[k], rows[i]] = scale[k, i]
        solved += n * nodes.size
    return solved


@njit(**_OPTIONS)
def add_run(chi2, scale, run, penalty, least, least_run, least_scale, density):
    """Add a run to p(z): density becomes sum over runs of exp(-(chi2 - least) / 2).

    Parameters
    ----------
    chi2, scale : (z, g)
        Of the run; chi2 is inf where not fitted.
    run : int
    penalty : (z, g) or (0, 0)
        -2 ln prior, added to chi2.
    least, least_run, least_scale, density : (z, g)
        Updated: chi2 (with penalty) of the best run so far, that run and its k, and the sum.
    """
    for z in range(chi2.shape[0]):
        for g in range(chi2.shape[1]):
            value = chi2[z, g]
            if penalty.size:
                value += penalty[z, g]
            if value < least[z, g]:
                density[z, g] = 1.0 + density[z, g] * np.exp(0.5 * (value - least[z, g]))
                least[z, g], least_run[z, g], least_scale[z, g] = value, run, scale[z, g]
            elif value < least[z, g] + 120.0:
                density[z, g] += np.exp(-0.5 * (value - least[z, g]))


@njit(**_OPTIONS)
def fit_each(flux, first, size, n_narrow, weight, weighted, constant, free, paired, limits, out):
    """Fit galaxies each with model fluxes of its own, at its own redshift.

    Parameters as in `fit_nodes`, but

    flux : (template, g, band)
        Model fluxes for each galaxy.
    out : (g, 2 + size)
        Written: chi2, k and the amplitudes of all templates.
    """
    pairs = size * (size + 1) // 2
    rows, n_bands = pairs + size, flux.shape[2]
    products = np.empty((rows, n_bands))
    narrow, broad = np.zeros((rows, 1)), np.zeros((rows, 1))
    room = np.empty((3 * size + 5, size))
    index, x = np.empty(size, np.int64), np.empty(size)
    for g in range(constant.size):
        _products(flux, first, size, g, products)
        for p in range(rows):
            data = weight if p < pairs else weighted
            narrow[p, 0] = broad[p, 0] = 0.0
            for b in range(n_narrow):
                narrow[p, 0] += products[p, b] * data[b, g]
            for b in range(n_narrow, n_bands):
                broad[p, 0] += products[p, b] * data[b, g]
        k = 1.0
        if paired[g]:
            chi2, _, n = solve_pair(size, narrow, broad, 0, constant[g], index, x)
        else:
            chi2, _, k, n = solve(
                *(size, narrow, broad, 0, constant[g], 0, 1.0, free[g], limits, room, index, x)
            )
        out[g, 0], out[g, 1] = chi2, k
        out[g, 2:] = 0.0
        for i in range(n):
            out[g, 2 + index[i]] = x[i]
