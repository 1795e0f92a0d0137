"""The restricted likelihood of a linear mixed model with patients as blocks, for the one Newton of the package.

Patients enter by their sums of products only (q x q, q x p), so the work does not depend on the number of visits,
and no matrix larger than p x p + q x q is formed. Fixed effects and residual variance are profiled out; what is climbed
is a function of the relative Cholesky factor L of the random effects (their covariance is L L' times the residual
variance), whose boundary (a variance of 0) is an ordinary point. Gradient and curvature are exact.

Convention: y has variance s2 V with V = I + Z L L' Z'; P = V^-1 - V^-1 X (X' V^-1 X)^-1 X' V^-1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rarefactor.stats._arrays import Floats, Ints, compute_inverse, index_pairs
from rarefactor.stats._penalty import Point

FLAT = 1e-8
"""A direction in which the deviance bends less than this share of the most is one of no information."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Sums of products: ``zz`` (m, q, q), ``zx`` (m, q, p), ``zy`` (m, q) by patient; ``xx``, ``xy``, ``yy`` of all."""

    zz: Floats
    zx: Floats
    zy: Floats
    xx: Floats
    xy: Floats
    yy: float
    rows: int

    @property
    def width(self) -> int:
        """The number of elements of the Cholesky factor."""
        q = self.zz.shape[1]
        return q * (q + 1) // 2

    @property
    def scale(self) -> Floats:
        """Return ones: the factor is not scaled here."""
        return np.ones((1, self.width))

    @property
    def weights(self) -> Floats:
        """Return one weight: Newton asks whether elements are determined when all else is equal."""
        return np.ones((1, 1))

    def sum_pairs(self, weights: Floats) -> Floats:
        """Return the unit matrix: the elements of the factor are determined."""
        return weights[:, :1, None] * np.eye(self.width)

    @property
    def df(self) -> int:
        """Rows less fixed effects."""
        return self.rows - len(self.xy)

    def compute_reach(self, step: Floats) -> Floats:
        """Return the largest change (B,) of an element of the factor."""
        return np.abs(step).max(axis=1)


def build_blocks(X: Floats, Z: Floats, y: Floats, patient: Ints) -> Blocks:
    """Sum the products of rows (n,) within patients numbered from 0."""
    order = np.argsort(patient, kind="stable")
    starts = np.searchsorted(patient[order], np.arange(int(patient.max()) + 1))

    def total(products: Floats) -> Floats:
        return np.add.reduceat(products[order], starts, axis=0)

    return Blocks(
        zz=total(Z[:, :, None] * Z[:, None, :]),
        zx=total(Z[:, :, None] * X[:, None, :]),
        zy=total(Z * y[:, None]),
        xx=X.T @ X,
        xy=X.T @ y,
        yy=float(y @ y),
        rows=y.size,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """The model at one factor per problem, and the derivatives of the deviance's parts by the covariance psi = L L'.

    ``psi`` (B, q, q); ``middle`` (B, m, q, q) is Z' V^-1 Z, ``across`` (B, m, q, p) is Z' V^-1 X, ``pull`` (B, m, q) is
    Z' P y; ``beta`` (B, p); ``cov`` (B, p, p) is (X' V^-1 X)^-1; ``rss`` (B,) is y' P y. By element r of psi:
    ``traces`` (B, w) is tr(P G), ``forms`` (B, w) is y' P G P y; by pairs: ``trace_pairs``, ``form_pairs`` (B, w, w);
    ``bends`` (B, w, p, p) is X' V^-1 G V^-1 X.
    """

    psi: Floats
    middle: Floats
    across: Floats
    pull: Floats
    beta: Floats
    cov: Floats
    rss: Floats
    logs: Floats
    traces: Floats
    forms: Floats
    trace_pairs: Floats
    form_pairs: Floats
    bends: Floats


def unpack_factor(theta: Floats, q: int) -> Floats:
    """Return lower triangles (B, q, q) from their elements (B, w), column by column."""
    columns, rows, _ = index_pairs(q)
    factor = np.zeros((len(theta), q, q))
    factor[:, rows, columns] = theta
    return factor


def solve_blocks(blocks: Blocks, theta: Floats) -> Solved:
    """Solve the model at factors ``theta`` (B, w)."""
    q = blocks.zz.shape[1]
    factor = unpack_factor(theta, q)
    psi = factor @ factor.transpose(0, 2, 1)
    system = np.eye(q) + psi[:, None] @ blocks.zz
    inverse = np.linalg.inv(system)
    turned = inverse.transpose(0, 1, 3, 2)
    middle, across = blocks.zz @ inverse, turned @ blocks.zx
    zvy = (turned @ blocks.zy[:, :, None])[..., 0]
    shrunk = psi[:, None] @ across
    xvx = blocks.xx - np.einsum("mqp,bmqr->bpr", blocks.zx, shrunk)
    xvy = blocks.xy - np.einsum("bmqp,mq->bp", shrunk, blocks.zy)
    found = compute_inverse(xvx)
    beta = (found.matrix @ xvy[:, :, None])[..., 0]
    pull = zvy - (across @ beta[:, None, :, None])[..., 0]
    yvy = blocks.yy - np.einsum("mq,bqr,bmr->b", blocks.zy, psi, zvy, optimize=True)
    return Solved(
        psi=psi,
        middle=middle,
        across=across,
        pull=pull,
        beta=beta,
        cov=found.matrix,
        rss=yvy - (xvy * beta).sum(axis=1),
        logs=np.linalg.slogdet(system)[1].sum(axis=1) + found.log_determinant,
        **_derive_parts(middle, across, pull, found.matrix),
    )


def _derive_parts(middle: Floats, across: Floats, pull: Floats, cov: Floats) -> dict[str, Floats]:
    """Return the derivatives by the elements of psi; element (r, s) stands for both (r, s) and (s, r)."""
    q = middle.shape[-1]
    basis = _lay_basis(q)
    explained = across @ cov[:, None] @ across.transpose(0, 1, 3, 2)
    left = np.einsum("rax,bmxc->bmrac", basis, middle)
    lost = np.einsum("rax,bmxc->bmrac", basis, explained)
    bends = np.einsum("bmap,rac,bmcs->brps", across, basis, across, optimize=True)
    aimed = np.einsum("rax,bmx->bmra", basis, pull)
    reach = np.einsum("bmap,bmra->brp", across, aimed)
    weighed = bends @ cov[:, None]
    return {
        "traces": np.einsum("bmraa->br", left - lost),
        "forms": np.einsum("bma,bmra->br", pull, aimed),
        "trace_pairs": np.einsum("bmrac,bmsca->brs", left, left - 2.0 * lost, optimize=True)
        + np.einsum("brps,btsp->brt", weighed, weighed),
        "form_pairs": np.einsum("bmra,bmac,bmsc->brs", aimed, middle, aimed, optimize=True)
        - reach @ cov @ reach.transpose(0, 2, 1),
        "bends": bends,
    }


def _lay_basis(q: int) -> Floats:
    """Return the derivatives (w, q, q) of a symmetric matrix by its packed elements."""
    rows, _, place = index_pairs(q)
    basis = np.zeros((rows.size, q, q))
    basis[place, np.arange(q)[:, None], np.arange(q)[None, :]] = 1.0
    return basis


def derive_factor_slopes(theta: Floats, q: int) -> tuple[Floats, Floats]:
    """Return first (B, w, w) and second (w, w, w) derivatives of the packed psi by the factor's elements."""
    rows, columns, _ = index_pairs(q)
    units = unpack_factor(np.eye(rows.size), q)
    products = np.einsum("iac,jbc->ijab", units, units)
    second = (products + products.transpose(0, 1, 3, 2))[:, :, rows, columns].transpose(2, 0, 1)
    return np.einsum("rij,bj->bri", second, theta), second


@dataclass(frozen=True, slots=True)
class Restricted:
    """The profiled restricted log-likelihood, as an objective."""

    likelihood: Blocks

    def evaluate(self, beta: Floats) -> Point:
        """Return value, gradient, curvature and expected curvature at factors ``beta`` (B, w)."""
        data = self.likelihood
        now = solve_blocks(data, beta)
        df, rss = data.df, np.maximum(now.rss, 1e-300)
        share = now.forms * (df / rss)[:, None]
        slope = -0.5 * (now.traces - share)
        outer = share[:, :, None] * share[:, None, :] / df
        bend = 0.5 * (-now.trace_pairs + 2.0 * now.form_pairs * (df / rss)[:, None, None] - outer)
        expected = 0.5 * (now.trace_pairs - now.traces[:, :, None] * now.traces[:, None, :] / df)
        jacobian, second = derive_factor_slopes(beta, data.zz.shape[1])
        turned = jacobian.transpose(0, 2, 1)
        return Point(
            value=np.where(now.rss > 0.0, -0.5 * (now.logs + df * np.log(rss)), -np.inf),
            gradient=(turned @ slope[:, :, None])[..., 0],
            curvature=turned @ bend @ jacobian - np.einsum("br,rij->bij", slope, second),
            information=_lift(turned @ expected @ jacobian),
        )

    def take(self, rows: Ints) -> Restricted:
        """Return the problems at these positions: all share their data."""
        del rows
        return self

    def constant(self) -> Floats:
        """Return what makes the value the restricted log-likelihood of lme4 and nlme."""
        df = self.likelihood.df
        return np.array([-0.5 * df * (1.0 + np.log(2.0 * np.pi / df))])


def _lift(matrices: Floats) -> Floats:
    """Add a share of the mean diagonal, so that Newton has a way up where a variance is 0."""
    k = matrices.shape[1]
    return matrices + (1e-2 * np.trace(matrices, axis1=1, axis2=2) / k + 1e-8)[:, None, None] * np.eye(k)


def compute_df(blocks: Blocks, theta: Floats, combinations: Floats) -> Floats:
    """Return Satterthwaite's degrees of freedom (c,) for combinations (c, p) of the fixed effects at the maximum.

    The variance of a variance comes from the exact second derivatives of the restricted deviance by the factor and
    the residual variance; on the boundary the factor's flat directions count for nothing, as in lmerTest.
    """
    now = solve_blocks(blocks, theta)
    sigma2 = float(now.rss[0]) / blocks.df
    jacobian, second = derive_factor_slopes(theta, blocks.zz.shape[1])
    jac, forms = jacobian[0], now.forms[0] / sigma2
    slope = now.traces[0] - forms
    inner = jac.T @ (2.0 * now.form_pairs[0] / sigma2 - now.trace_pairs[0]) @ jac + np.einsum(
        "r,rij->ij", slope, second
    )
    side = jac.T @ forms / sigma2
    deviance = np.block([[inner, side[:, None]], [side[None, :], np.array([[blocks.df / sigma2**2]])]])
    aimed = combinations @ now.cov[0]
    value = (aimed * combinations).sum(axis=1)
    by_psi = np.einsum("cp,rps,cs->cr", aimed, now.bends[0], aimed) * sigma2
    slopes = np.column_stack([by_psi @ jac, value])
    values, vectors = np.linalg.eigh(deviance)
    firm = values > FLAT * values[-1]
    turned = slopes @ vectors[:, firm]
    return 2.0 * np.square(sigma2 * value) / (2.0 * np.square(turned) / values[firm]).sum(axis=1)
