# Agreement of readers: ICC by psych, analysis of variance by aov, kappa by psych, limits of agreement by base R.
# Rscript agreement.R > ../fixtures/agreement.json
suppressMessages(library(psych))
# Shrout & Fleiss 1979, table 2: six targets, four judges
shrout <- matrix(c(9,2,5,8, 6,1,3,2, 8,4,6,8, 7,1,2,6, 10,5,6,9, 6,2,4,7), ncol = 4, byrow = TRUE)
made <- {
  n <- 40; t <- seq_len(n)
  truth <- 30 + 25 * sin(t * 1.7) + 0.3 * t
  cbind(truth + 4 * cos(t * 5.3), truth * 1.1 - 3 + 5 * sin(t * 2.9), truth + 2 + 6 * cos(t * 7.7))
}
flat <- cbind(c(3, 1, 2, 2, 3, 1), c(1, 3, 2, 3, 1, 2))  # less alike within a patient than between
icc <- function(x, level = 0.95) {
  r <- suppressWarnings(ICC(x, lmer = FALSE, alpha = 1 - level))$results
  f <- function(type) { k <- r[r$type == type, ]; list(icc = k$ICC, low = k$`lower bound`, high = k$`upper bound`, f = k$F, df1 = k$df1, df2 = k$df2, p = k$p) }
  list(ratings = x, level = level, agreement = f("ICC2"), consistency = f("ICC3"))
}
kappa <- function(a, b, k, weights) {
  counts <- table(factor(a, 0:(k - 1)), factor(b, 0:(k - 1)))
  apart <- abs(outer(seq_len(k), seq_len(k), "-")) / (k - 1)
  w <- if (weights == "linear") 1 - apart else 1 - apart^2
  p <- counts / sum(counts); row <- rowSums(p); col <- colSums(p)
  seen <- sum(p * w); chance <- sum(outer(row, col) * w); value <- (seen - chance) / (1 - chance)
  # Fleiss, Cohen & Everitt 1969
  spread <- w - outer(drop(w %*% col), drop(t(w) %*% row), "+") * (1 - value)
  se <- sqrt((sum(p * spread^2) - (value - chance * (1 - value))^2) / sum(counts)) / (1 - chance)
  by_psych <- suppressWarnings(cohen.kappa(cbind(a, b), w = w, levels = 0:(k - 1)))$weighted.kappa
  stopifnot(abs(by_psych - value) < 1e-12)
  list(first = a, second = b, categories = k, weights = weights, kappa = value, se = se,
       low = value - qnorm(0.975) * se, high = min(1, value + qnorm(0.975) * se), seen = seen, chance = chance)
}
limits <- function(a, b) {
  d <- a - b; n <- length(d); s <- sd(d); z <- qnorm(0.975)
  half <- qt(0.975, n - 1) * s / sqrt(n)
  # an exact interval of a quantile of a normal distribution, by the non-central t
  k <- uniroot(function(k) pt(k * sqrt(n), n - 1, ncp = z * sqrt(n)) - 0.975, c(z, z + 20), tol = 1e-13)$root
  m <- uniroot(function(k) pt(k * sqrt(n), n - 1, ncp = z * sqrt(n)) - 0.025, c(0, z + 1), tol = 1e-13)$root
  line <- summary(lm(d ~ I((a + b) / 2)))$coefficients[2, ]
  list(first = a, second = b, bias = mean(d), bias_low = mean(d) - half, bias_high = mean(d) + half, sd = s,
       lower = mean(d) - z * s, lower_low = mean(d) - k * s, lower_high = mean(d) - m * s,
       upper = mean(d) + z * s, upper_low = mean(d) + m * s, upper_high = mean(d) + k * s,
       slope = line[[1]], slope_p = line[[4]])
}
a <- c(0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 0, 1, 2, 3, 2, 1, 0, 3)
b <- c(0, 1, 1, 1, 2, 2, 1, 3, 3, 3, 2, 3, 0, 0, 2, 1, 2, 1, 0, 3)
cat(jsonlite::toJSON(list(
  packages = list(R = as.character(getRversion()), psych = as.character(packageVersion("psych"))),
  icc = list(icc(shrout), icc(made), icc(made[1:5, 1:2], 0.9), icc(flat)),
  kappa = list(kappa(a, b, 4, "linear"), kappa(a, b, 4, "quadratic"), kappa(pmin(a, 1), pmin(b, 1), 2, "linear")),
  limits = list(limits(made[, 1], made[, 2]), limits(made[1:8, 1], made[1:8, 3]))),
  digits = NA, auto_unbox = TRUE), "\n")
