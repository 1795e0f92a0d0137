# Calibration curves, .632+ and influence by plain R loops over glm: Rscript performance.R <repository>
# Uses base R and jsonlite only; every loop refits with glm at a tolerance of 1e-14.
library(jsonlite)
root <- commandArgs(TRUE)[1]
fixtures <- file.path(root, "tests/reference/fixtures")
tight <- glm.control(epsilon = 1e-14, maxit = 100)
expit <- function(x) 1 / (1 + exp(-x))
studies <- list(pbc100 = y ~ age + log_bili + albumin, pbc_mayo = y ~ age + edema + log_bili + albumin + log_protime)
read <- function(name) read.csv(file.path(fixtures, "validation", paste0(name, ".csv")))

# Restricted cubic spline after Harrell, from its definition.
spline_basis <- function(x, k) {
  m <- length(k)
  cube <- function(t) pmax(x - t, 0)^3
  bends <- sapply(seq_len(m - 2), function(j)
    (cube(k[j]) - cube(k[m - 1]) * (k[m] - k[j]) / (k[m] - k[m - 1]) + cube(k[m]) * (k[m - 1] - k[j]) / (k[m] - k[m - 1])) /
      (k[m] - k[1])^2)
  cbind(x, matrix(bends, nrow = length(x)))
}
places <- list(`3` = c(.1, .5, .9), `4` = c(.05, .35, .65, .95), `5` = c(.05, .275, .5, .725, .95))
curve <- lapply(setNames(names(studies), names(studies)), function(name) {
  d <- read(name)
  lp <- qlogis(d$p_ml)
  at <- unname(quantile(d$p_ml, seq(.02, .98, .12)))
  lapply(places, function(p) {
    k <- unname(quantile(lp, p))
    fit <- glm(d$y ~ spline_basis(lp, k), family = binomial, control = tight)
    B <- cbind(1, spline_basis(qlogis(at), k))
    eta <- drop(B %*% coef(fit))
    D <- model.matrix(fit)
    mu <- expit(drop(D %*% coef(fit))) # vcov(fit) would use the weights of the iteration before the last
    V <- solve(crossprod(D * sqrt(mu * (1 - mu))))
    se <- sqrt(rowSums((B %*% V) * B))
    z <- qnorm(.975)
    list(at = at, knots = k, observed = expit(eta), low = expit(eta - z * se), high = expit(eta + z * se))
  })
})

# .632+ after Efron and Tibshirani (1997) for losses; the AUC in the left-out patients of each resample.
auc <- function(y, s) {
  r <- rank(s)
  n1 <- sum(y == 1)
  (sum(r[y == 1]) - n1 * (n1 + 1) / 2) / (n1 * sum(y == 0))
}
losses <- list(brier = function(y, p) (y - p)^2, log_score = function(y, p) -(y * log(p) + (1 - y) * log(1 - p)))
d <- read("pbc100")
indices <- read.csv(file.path(fixtures, "validation/boot_indices_pbc100.csv"))
predicted <- sapply(indices, function(i) {
  fit <- suppressWarnings(glm(studies$pbc100, binomial, d[i, ], control = tight))
  suppressWarnings(predict(fit, d, type = "response"))
})
outside <- sapply(indices, function(i) !(seq_len(nrow(d)) %in% i))
weigh <- function(apparent, left_out, blind) {
  overfitting <- min(max((left_out - apparent) / (blind - apparent), 0), 1)
  weight <- .632 / (1 - .368 * overfitting)
  list(estimate = (1 - weight) * apparent + weight * (if (overfitting == 1) blind else left_out), apparent = apparent,
       out_of_bag = left_out, no_information = blind, overfitting = overfitting, weight = weight)
}
whole <- fitted(glm(studies$pbc100, binomial, d, control = tight))
areas <- sapply(seq_along(indices), function(b) auc(d$y[outside[, b]], predicted[outside[, b], b]))
plus632 <- c(
  list(auc = weigh(auc(d$y, whole), mean(areas), .5)),
  lapply(losses, function(loss) {
    each <- sapply(seq_len(nrow(d)), function(i) mean(loss(d$y[i], predicted[i, outside[i, ]])))
    pairs <- outer(d$y, whole, loss)
    weigh(mean(loss(d$y, whole)), mean(each), mean(pairs))
  })
)

b <- read.csv(file.path(fixtures, "design/birthwt_full.csv"))
b$row <- NULL
fit <- glm(y ~ ., binomial, b, control = tight)
without <- sapply(seq_len(nrow(b)), function(i) coef(glm(y ~ ., binomial, b[-i, ], control = tight)))
influence <- list(hat = unname(hatvalues(fit)), cook = unname(cooks.distance(fit)), coef_without = as.vector(without))

out <- list(packages = list(R = paste(R.version$major, R.version$minor, sep = ".")), curve = curve, plus632 = plus632,
            influence = influence)
write(toJSON(out, digits = I(17), auto_unbox = TRUE), file.path(fixtures, "validation/performance.json"))
