# Where mice's imputations of the PBC cohort lie, so that another implementation can be compared in distribution.
#
#   Rscript tests/reference/R/mice_pbc.R mi_pbc_incomplete.csv mice_pbc.json
#
# m = 200 imputations, 10 iterations, mice's defaults (pmm with 5 donors, logreg, polyreg; stage also as polr). Written
# for each imputed column: the mean over imputations of the mean and the SD of its imputed values, and the SD of these
# between imputations; for the model: the mean of the coefficients, their within and between variances.
suppressMessages({library(mice); library(jsonlite)})
path <- commandArgs(TRUE)
d <- read.csv(path[1])
d$id <- NULL  # where there is one
for (v in c("poor2y", "sex_f", "ascites", "hepato", "spiders")) d[[v]] <- factor(d[[v]])
number <- function(v) if (is.factor(v)) as.numeric(as.character(v)) else v
describe <- function(imp) {
  cols <- names(which(imp$nmis > 0))
  lapply(setNames(cols, cols), function(v) {
    x <- apply(as.matrix(imp$imp[[v]]), 2, function(u) as.numeric(u))
    mu <- colMeans(x); s <- apply(x, 2, sd)
    list(mean = mean(mu), mean_between = sd(mu), sd = mean(s), sd_between = sd(s))
  })
}
study <- function(ordered, seed, m) {
  d$stage <- factor(d$stage, ordered = ordered)
  imp <- mice(d, m = m, maxit = 10, seed = seed, printFlag = FALSE)
  fits <- lapply(seq_len(m), function(i) {
    cd <- complete(imp, i)
    cd[] <- lapply(cd, number)
    glm(poor2y ~ age + log_bili + albumin + log_copper + spiders + log_protime, binomial, cd)
  })
  b <- t(sapply(fits, coef)); v <- t(sapply(fits, function(f) diag(vcov(f))))
  list(method = as.list(imp$method[imp$nmis > 0]), imputed = describe(imp),
       coef = as.list(colMeans(b)), within = as.list(colMeans(v)), between = as.list(apply(b, 2, var)))
}
out <- list(
  packages = list(R = paste(R.version$major, R.version$minor, sep = "."), mice = as.character(packageVersion("mice"))),
  call = "mice(d, m = 200, maxit = 10, seed = seed, printFlag = FALSE)", m = 200, iterations = 10,
  unordered = study(FALSE, 11, 200), ordered = study(TRUE, 12, 200))
write_json(out, path[2], digits = NA, auto_unbox = TRUE, pretty = TRUE)
