# Log-F(m, m) priors as glm sees them: pseudo-patients added to the data. Profiles by uniroot.
# Rscript logf.R ../fixtures/design > ../fixtures/logf.json
folder <- commandArgs(TRUE)[1]
fit <- function(x, y, w, offset = rep(0, length(y)))
  suppressWarnings(glm.fit(x, y, weights = w, offset = offset, family = binomial(),
                           control = glm.control(epsilon = 1e-15, maxit = 200)))
loglik <- function(x, y, w, f, offset = 0) {
  eta <- if (ncol(x)) drop(x %*% f$coefficients) + offset else offset
  sum(w * (y * eta - pmax(eta, 0) - log1p(exp(-abs(eta)))))
}
analyse <- function(name, m) {
  d <- read.csv(file.path(folder, paste0(name, ".csv")))[, -1]
  columns <- as.matrix(d[, names(d) != "y"])
  p <- ncol(columns)
  m <- rep_len(m, p)
  x <- rbind(cbind(1, columns), cbind(0, diag(p)))  # one row per prior: one unit of its column, half with the event
  y <- c(d$y, rep(0.5, p))
  w <- c(rep(1, nrow(d)), m)
  full <- fit(x, y, w)
  top <- loglik(x, y, w, full)
  profile <- function(j, b) {
    o <- x[, j] * b
    loglik(x[, -j, drop = FALSE], y, w, fit(x[, -j, drop = FALSE], y, w, o), o)
  }
  se <- sqrt(diag(chol2inv(full$qr$qr[1:(p + 1), 1:(p + 1)])))
  bound <- function(j, side) {
    gap <- function(b) 2 * (top - profile(j, b)) - qchisq(0.95, 1)
    b <- full$coefficients[j]
    uniroot(gap, sort(c(b, b + side * 2 * se[j])), extendInt = if (side > 0) "upX" else "downX", tol = 1e-13)$root
  }
  chisq <- sapply(1:(p + 1), function(j) 2 * (top - profile(j, 0)))
  list(name = name, m = m, coef = unname(full$coefficients), se = unname(se), loglik = top, lr_chisq = chisq,
       p = pchisq(chisq, 1, lower.tail = FALSE), lower = unname(sapply(1:(p + 1), bound, side = -1)),
       upper = unname(sapply(1:(p + 1), bound, side = 1)), curve = sapply(c(-0.5, 0.1, 0.9), function(b) 2 * (top - profile(2, b))))
}
jobs <- list(list("endometrial_full", 2), list("endometrial_full", c(1, 2, 6)), list("sim40", 2), list("toysep", 1),
             list("birthwt_full", 2), list("pbc_mayo", c(0, 2, 0, 4, 0.5)))
fits <- lapply(jobs, function(job) analyse(job[[1]], job[[2]]))
cat(jsonlite::toJSON(list(packages = list(R = as.character(getRversion())), call = "glm.fit on data with pseudo-patients",
                          curve_at = c(-0.5, 0.1, 0.9), fits = fits), digits = NA, auto_unbox = TRUE, pretty = TRUE), "\n")
