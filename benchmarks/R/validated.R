# The validated analysis as one would write it in R: impute (mice), fit by Firth, pool the profiles (CLIP), then correct
# the performance for optimism with the imputation and the fit repeated in every bootstrap resample.
# Arguments: this folder, data, imputations, imputations in a resample, iterations, resamples to time, factors.

suppressMessages(library(mice))
given <- commandArgs(TRUE)
source(file.path(given[1], "firth.R"))
d <- read.csv(given[2])
m <- as.integer(given[3]); inner <- as.integer(given[4]); iterations <- as.integer(given[5])
repeats <- as.integer(given[6])
factors <- strsplit(given[7], ",")[[1]]
binary <- names(d)[sapply(d, function(x) all(x %in% c(0, 1, NA)))]
for (name in binary) d[[name]] <- factor(d[[name]], levels = 0:1)
set.seed(2020)

complete_all <- function(data, m) {
  filled <- mice(data, m = m, maxit = iterations, printFlag = FALSE)
  lapply(seq_len(m), function(i) {
    one <- complete(filled, i)
    X <- sapply(factors, function(name) as.numeric(as.character(one[[name]])))
    list(X = cbind(1, X), y = as.numeric(as.character(one$outcome)))
  })
}

# Heinze, Ploner & Beyea 2013: the mean over imputations of the profile's distribution function is 0.025 or 0.975.
clip_bounds <- function(sets) {
  tops <- lapply(sets, function(s) firth_fit(s$X, s$y))
  coef <- rowMeans(sapply(tops, `[[`, "coef"))
  se <- sqrt(rowMeans(sapply(tops, function(t) diag(t$covariance))))
  sapply(seq_along(coef)[-1], function(j) sapply(c(0.025, 0.975), function(level) {
    others <- setdiff(seq_along(coef), j)
    starts <- lapply(tops, `[[`, "coef")
    share <- function(value) mean(sapply(seq_along(sets), function(i) {
      start <- starts[[i]]
      start[j] <- value
      fit <- firth_fit(sets[[i]]$X, sets[[i]]$y, start, others)
      starts[[i]] <<- fit$coef
      pnorm(sign(value - tops[[i]]$coef[j]) * sqrt(2 * max(0, tops[[i]]$value - fit$value)))
    })) - level
    uniroot(share, coef[j] + c(-3, 3) * se[j], extendInt = "upX", tol = 1e-4)$root
  }))
}

# Firth with the intercept for which the risks add up to the events (FLIC), averaged over the imputations.
build <- function(sets) rowMeans(sapply(sets, function(s) {
  beta <- firth_fit(s$X, s$y)$coef
  offset <- drop(s$X[, -1] %*% beta[-1])
  beta[1] <- glm.fit(rep(1, length(offset)), s$y, offset = offset, family = binomial())$coefficients
  beta
}))

measure <- function(score, y) {
  ranks <- rank(score)
  events <- sum(y)
  line <- suppressWarnings(glm.fit(cbind(1, score), y, family = binomial())$coefficients)
  level <- suppressWarnings(glm.fit(rep(1, length(y)), y, offset = score, family = binomial())$coefficients)
  risk <- 1 / (1 + exp(-score))
  c(auc = (sum(ranks[y == 1]) - events * (events + 1) / 2) / (events * (length(y) - events)),
    brier = mean((y - risk)^2), line, level)
}

once <- cpu({
  sets <- complete_all(d, m)
  clip_bounds(sets)
  X <- Reduce(`+`, lapply(sets, `[[`, "X")) / m
  y <- sets[[1]]$y
  apparent <- measure(drop(X %*% build(sets)), y)
})

optimism <- function(place) {
  rows <- sample(nrow(d), replace = TRUE)
  beta <- build(complete_all(d[rows, ], inner))
  measure(drop(X[rows, ] %*% beta), y[rows]) - measure(drop(X %*% beta), y)
}
each <- cpu(for (i in seq_len(repeats)) tryCatch(suppressWarnings(optimism(i)), error = function(e) NULL)) / repeats
cat(sprintf("R %s, mice %s\n", getRversion(), packageVersion("mice")))
cat(sprintf("=once %.6f\n=each %.6f\n", once, each))
