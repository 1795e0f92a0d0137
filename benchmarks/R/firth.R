# Firth's logistic regression in plain R, for machines without the package logistf: modified scores with Fisher's
# information, step halving, penalised likelihood ratio, profile bounds. It takes matrices and reads no formula, so that it
# has less to do than a call of logistf, whose inner loops are compiled.

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

# A profile bound by Venzon and Moolgavkar's iteration with the modified score and Fisher's information, as logistf does
# it: each step leads to where a quadratic through this point, highest along the other coefficients, has lost ``drop``.
firth_bound <- function(X, y, top, j, side, drop, rounds = 200, close = 1e-5) {
  beta <- top$coef
  target <- top$value - drop
  for (round in seq_len(rounds)) {
    at <- firth_value(X, y, beta)
    inverse <- chol2inv(at$root)
    hat <- at$w * rowSums((X %*% inverse) * X)
    score <- crossprod(X, y - at$risk + hat * (0.5 - at$risk))
    rise <- 2 * (at$value - target) + sum(score * (inverse %*% score))
    lambda <- side * sqrt(max(0, rise) / inverse[j, j])
    unit <- numeric(length(beta))
    unit[j] <- lambda
    step <- drop(inverse %*% (score + unit))
    largest <- max(abs(X %*% step))
    if (largest > 2) step <- step * 2 / largest
    beta <- beta + step
    if (abs(at$value - target) < close && largest < 1e-2) return(beta[j])
  }
  NA
}

# All tests and profile bounds, as logistf(pl = TRUE) gives them.
firth_full <- function(X, y) {
  top <- firth_fit(X, y)
  k <- ncol(X)
  drop <- qchisq(0.95, 1) / 2
  bounds <- sapply(c(-1, 1), function(side) sapply(seq_len(k), function(j) firth_bound(X, y, top, j, side, drop)))
  chisq <- sapply(seq_len(k), function(j) {
    2 * (top$value - firth_fit(X, y, replace(top$coef, j, 0), setdiff(seq_len(k), j))$value)
  })
  list(coef = top$coef, se = sqrt(diag(top$covariance)), ci = bounds, p = pchisq(chisq, 1, lower.tail = FALSE))
}

# CPU seconds, user and system, of an expression.
cpu <- function(expression) sum(system.time(expression)[1:2])
