# Firth's logistic regression in plain R, for machines without the package logistf: modified scores with Fisher's
# information, step halving, penalised likelihood ratio, profile bounds by bisection-secant (uniroot). It takes matrices
# and reads no formula, so that it has less to do than a call of logistf.

firth_value <- function(X, y, beta) {
  eta <- drop(X %*% beta)
  risk <- 1 / (1 + exp(-eta))
  w <- risk * (1 - risk)
  information <- crossprod(X * sqrt(w))
  root <- chol(information)
  list(value = sum(y * eta - ifelse(eta > 0, eta + log1p(exp(-eta)), log1p(exp(eta)))) + sum(log(diag(root))),
       risk = risk, w = w, root = root)
}

firth_fit <- function(X, y, start = rep(0, ncol(X)), free = seq_len(ncol(X)), rounds = 100, close = 1e-6) {
  beta <- start
  at <- firth_value(X, y, beta)
  for (round in seq_len(rounds)) {
    inverse <- chol2inv(at$root)
    hat <- at$w * rowSums((X %*% inverse) * X)
    score <- crossprod(X, y - at$risk + hat * (0.5 - at$risk))[free]
    part <- if (length(free) == ncol(X)) inverse else solve(crossprod(X[, free, drop = FALSE] * sqrt(at$w)))
    step <- drop(part %*% score)
    largest <- max(abs(step))
    if (largest > 5) step <- step * 5 / largest
    for (halving in 0:10) {
      trial <- beta
      trial[free] <- beta[free] + step
      new <- firth_value(X, y, trial)
      if (new$value >= at$value - 1e-12) break
      step <- step / 2
    }
    beta <- trial
    at <- new
    if (max(abs(step)) < close) break
  }
  list(coef = beta, value = at$value, covariance = chol2inv(at$root))
}

# All tests and profile bounds, as logistf(pl = TRUE) gives them: each bound is where the constrained fit has lost
# half of the chi-square quantile.
firth_full <- function(X, y) {
  top <- firth_fit(X, y)
  se <- sqrt(diag(top$covariance))
  drop <- qchisq(0.95, 1) / 2
  k <- ncol(X)
  bounds <- matrix(NA, k, 2)
  chisq <- numeric(k)
  for (j in seq_len(k)) {
    others <- setdiff(seq_len(k), j)
    start <- top$coef
    lost <- function(value) {
      start[j] <<- value
      fit <- firth_fit(X, y, start, others)
      start <<- fit$coef
      top$value - fit$value - drop
    }
    for (side in 1:2) {
      start <- top$coef
      far <- c(-1, 1)[side] * 2 * se[j]
      bounds[j, side] <- uniroot(lost, sort(c(top$coef[j], top$coef[j] + far)), extendInt = c("downX", "upX")[side],
                                 tol = 1e-5)$root
    }
    zero <- top$coef
    zero[j] <- 0
    chisq[j] <- 2 * (top$value - firth_fit(X, y, zero, others)$value)
  }
  list(coef = top$coef, se = se, ci = bounds, p = pchisq(chisq, 1, lower.tail = FALSE))
}

# CPU seconds, user and system, of an expression.
cpu <- function(expression) sum(system.time(expression)[1:2])
