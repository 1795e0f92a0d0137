# How well the model early_course of examples/pbc predicts, without rarefactor: Firth's coefficients are brglm2's, the
# intercept is refitted by glm with the rest as offset (FLIC), and the measures are written down from their definitions
# (DeLong's interval too, from the placements).
#
#   Rscript tests/reference/R/pbc_performance.R tests/reference/R/pbc_models.R examples/pbc/data \
#     tests/reference/fixtures/pbc_performance.json
suppressMessages({library(brglm2); library(jsonlite)})
given <- base::commandArgs(trailingOnly = TRUE)
commandArgs <- function(...) c(given[2], tempfile())   # derive cohort, outcome and factors as the other script does
source(given[1])

use <- at6[complete.cases(at6[, c("y", early)]), ]
y <- use$y; n <- length(y); events <- sum(y)
firth <- glm(reformulate(early, "y"), binomial, use, method = "brglmFit", type = "AS_mean", epsilon = 1e-12,
             maxit = 10000)
slopes <- as.vector(as.matrix(use[, early]) %*% coef(firth)[-1])
level <- glm(y ~ 1, binomial, offset = slopes, epsilon = 1e-14, maxit = 100)
log_odds <- coef(level)[1] + slopes
risk <- plogis(log_odds)

beats <- outer(risk[y == 1], risk[y == 0], function(a, b) (a > b) + 0.5 * (a == b))
auc <- mean(beats)
auc_se <- sqrt(var(rowMeans(beats)) / events + var(colMeans(beats)) / (n - events))
line <- glm(y ~ log_odds, binomial, epsilon = 1e-14, maxit = 100)
brier <- mean((y - risk)^2)
benefit <- function(at) mean(risk >= at & y == 1) - mean(risk >= at & y == 0) * at / (1 - at)

# ---- Riley's criteria, binary outcome -------------------------------------------------------------------------------
prevalence <- events / n; p <- length(early)
r2_max <- 1 - exp(2 * (prevalence * log(prevalence) + (1 - prevalence) * log(1 - prevalence)))
r2 <- 0.15 * r2_max
by_shrinkage <- p / ((0.9 - 1) * log(1 - r2 / 0.9))
s <- r2 / (r2 + 0.05 * r2_max)
by_optimism <- p / ((s - 1) * log(1 - r2 / s))
by_intercept <- (1.96 / 0.05)^2 * prevalence * (1 - prevalence)
shrinkage <- uniroot(function(s) n * (s - 1) * log(1 - r2 / s) - p, c(r2 + 1e-6, 1 - 1e-9), tol = 1e-13)$root

write_json(list(
  packages = list(R = as.character(getRversion()), brglm2 = as.character(packageVersion("brglm2"))),
  n = n, events = events, auc = auc, auc_low = auc - qnorm(0.975) * auc_se, auc_high = min(1, auc + qnorm(0.975) * auc_se),
  brier = brier, brier_scaled = 1 - brier / (prevalence * (1 - prevalence)),
  calibration_intercept = unname(coef(line)[1]), calibration_slope = unname(coef(line)[2]),
  net_benefit = list("0.2" = benefit(0.2), "0.3" = benefit(0.3), "0.5" = benefit(0.5)),
  required_n = ceiling(max(by_shrinkage, by_optimism, by_intercept)), expected_shrinkage = shrinkage),
  given[3], digits = 17, auto_unbox = TRUE, pretty = 1)
