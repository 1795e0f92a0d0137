# A Cox model on data completed by mice: pooled by Rubin's rules (mice), Firth's penalised profiles pooled by CLIP
# (solved here by uniroot on profiles that optim climbs), proportional hazards by term (survival's cox.zph), and the
# smooth of the scaled Schoenfeld residuals (splines' ns, as plot.cox.zph draws it).
#
#   Rscript tests/reference/R/cox_imputed.R tests/reference/fixtures/data/pbc_follow_up.csv \
#     tests/reference/fixtures/design/cox_imputed.csv tests/reference/fixtures/cox_imputed.json
suppressMessages({library(survival); library(mice); library(splines); library(jsonlite)})
args <- commandArgs(trailingOnly = TRUE)
d <- read.csv(args[1])
d <- d[d$id <= 120, c("id", "time", "status", "age", "log_bili", "albumin", "stage")]
d$event <- as.integer(d$status > 0)
set.seed(7)
d$log_bili[runif(nrow(d)) < 0.25] <- NA
d$stage[runif(nrow(d)) < 0.25] <- NA
curve <- survfit(Surv(time, event) ~ 1, d, ctype = 1, stype = 2)
d$hazard <- curve$cumhaz[match(d$time, curve$time)]
stopifnot(all.equal(d$hazard, nelsonaalen(d, time, event)))
known <- transform(d[c("age", "log_bili", "albumin", "stage", "event", "hazard")], stage = factor(stage))
m <- 5
imputed <- mice(known, m = m, maxit = 10, seed = 11, printFlag = FALSE)
sets <- lapply(seq_len(m), function(i) {
  x <- complete(imputed, i)
  cbind(d[c("id", "time", "event")], x[c("age", "log_bili", "albumin")], stage = as.integer(as.character(x$stage)),
        hazard = d$hazard)
})
tight <- coxph.control(eps = 1e-13, toler.chol = 1e-15, iter.max = 100)

# ---- maximum likelihood, by Rubin's rules ----------------------------------------------------------------------------
model <- Surv(time, event) ~ age + log_bili + albumin + factor(stage)
fits <- lapply(sets, function(x) coxph(model, x, ties = "efron", control = tight, model = TRUE, x = TRUE))
k <- length(coef(fits[[1]])); events <- sum(d$event)
pooled <- as.data.frame(t(sapply(seq_len(k), function(j) {
  one <- pool.scalar(sapply(fits, function(f) coef(f)[[j]]), sapply(fits, function(f) vcov(f)[j, j]), n = events, k = k)
  c(estimate = one$qbar, se = sqrt(one$t), df = one$df, fmi = one$fmi,
    p = 2 * pt(-abs(one$qbar) / sqrt(one$t), one$df))
})))

# ---- Firth: the penalised log-likelihood at given coefficients, its profiles, and CLIP ------------------------------
late <- lapply(sets, function(x) cbind(age = x$age / 10, log_bili = x$log_bili, late = as.integer(x$stage >= 3)))
value <- function(x, s, b) {
  f <- coxph.fit(x, Surv(s$time, s$event), NULL, NULL, b, coxph.control(iter.max = 0), NULL, "efron", NULL)
  f$loglik[2] - 0.5 * as.numeric(determinant(f$var)$modulus)
}
climb <- function(x, s, column, at, start) {
  free <- setdiff(seq_len(ncol(x)), column)
  goal <- function(b) { full <- numeric(ncol(x)); full[free] <- b; full[column] <- at; -value(x, s, full) }
  found <- list(par = start)
  for (round in 1:2) found <- optim(found$par, goal, method = "BFGS", control = list(reltol = 1e-15, maxit = 500))
  found
}
tops <- Map(function(x, s) climb(x, s, integer(0), numeric(0), rep(0, 3)), late, sets)
average <- function(column, at) mean(mapply(function(x, s, top) {
  fall <- climb(x, s, column, at, top$par[-column])$value - top$value
  pnorm(sign(at - top$par[column]) * sqrt(max(0, 2 * fall)))
}, late, sets, tops))
clip <- as.data.frame(t(sapply(1:3, function(column) {
  centre <- mean(sapply(tops, function(top) top$par[column]))
  reach <- 6 * sqrt(mean(mapply(function(x, s) vcov(coxph(Surv(s$time, s$event) ~ x))[column, column], late, sets)))
  at_zero <- average(column, 0)
  c(estimate = centre, low = uniroot(function(b) average(column, b) - 0.025, c(centre - reach, centre), tol = 1e-8)$root,
    high = uniroot(function(b) average(column, b) - 0.975, c(centre, centre + reach), tol = 1e-8)$root,
    p = 2 * min(at_zero, 1 - at_zero))
})))

# ---- proportional hazards by term, and the smooth in the first data set ---------------------------------------------
zph <- function(f, terms) {
  found <- cox.zph(f, transform = "km", terms = terms)$table
  list(names = rownames(found), chisq = unname(found[, 1]), df = unname(found[, 2]), p = unname(found[, 3]))
}
by_column <- cox.zph(fits[[1]], transform = "km", terms = FALSE)
grid <- seq(min(by_column$x), max(by_column$x), length = 40)
basis <- ns(c(grid, by_column$x), df = 4, intercept = TRUE)
there <- basis[1:40, ]; own <- basis[-(1:40), ]
inner <- there %*% solve(crossprod(own))
smooth <- inner %*% crossprod(own, by_column$y)
se <- sqrt(outer(rowSums(inner * there), diag(by_column$var)))

versions <- lapply(c(survival = "survival", mice = "mice"), function(x) as.character(packageVersion(x)))
write_json(list(packages = c(list(R = as.character(getRversion())), versions), m = m, events = events, pooled = pooled,
                clip = clip, terms = lapply(fits, zph, terms = TRUE), columns = lapply(fits, zph, terms = FALSE),
                smooth = list(at = grid, estimate = unname(smooth), se = unname(se))),
           args[3], digits = 17, auto_unbox = TRUE, pretty = 1)
long <- do.call(rbind, Map(function(x, i) cbind(imputation = i, x), sets, seq_len(m)))
long$hazard <- signif(long$hazard, 15)
write.csv(long, args[2], row.names = FALSE)
