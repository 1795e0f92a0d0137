# Competing risks, profile likelihood of a Cox model and scaled Schoenfeld residuals, with R's survival; what it lacks
# (profile limits) is solved here by uniroot on constrained coxph fits.
#
#   Rscript tests/reference/R/survival_extra.R tests/reference/fixtures/data/pbc_follow_up.csv \
#     tests/reference/fixtures/survival_extra.json
suppressMessages({library(survival); library(jsonlite)})
args <- commandArgs(trailingOnly = TRUE)
d <- read.csv(args[1])
trial <- d[d$id <= 312, ]
tight <- coxph.control(eps = 1e-13, toler.chol = 1e-15, iter.max = 100)

# ---- death (2) and transplantation (1) as competing events -----------------------------------------------------------
at <- c(365.25, 730.5, 1826.25, 3652.5)
curves <- survfit(Surv(time, factor(status)) ~ 1, data = d, conf.type = "log-log")
rows <- findInterval(at, curves$time)
competing <- list(times = at, causes = as.numeric(curves$states[-1]), incidence = curves$pstate[rows, -1],
                  se = curves$std.err[rows, -1], low = curves$lower[rows, -1], high = curves$upper[rows, -1])

# ---- profile likelihood of the trial's Mayo model --------------------------------------------------------------------
columns <- c("age", "edema", "log_bili", "albumin", "log_protime")
full <- coxph(reformulate(columns, "Surv(time, status == 2)"), trial, ties = "efron", control = tight)
profile <- function(column) {
  rest <- setdiff(columns, column)
  at_value <- function(value) {
    trial$fixed <- value * trial[[column]]
    coxph(reformulate(c(rest, "offset(fixed)"), "Surv(time, status == 2)"), trial, ties = "efron", control = tight)$loglik[2]
  }
  excess <- function(value) 2 * (full$loglik[2] - at_value(value)) - qchisq(0.95, 1)
  centre <- coef(full)[[column]]; reach <- 6 * sqrt(diag(vcov(full)))[[column]]
  chisq <- 2 * (full$loglik[2] - at_value(0))
  c(low = uniroot(excess, c(centre - reach, centre), tol = 1e-13)$root,
    high = uniroot(excess, c(centre, centre + reach), tol = 1e-13)$root, chisq = chisq)
}
profiles <- as.data.frame(t(sapply(columns, profile)))

zph <- cox.zph(full, transform = "km", terms = FALSE)
write_json(list(packages = list(R = as.character(getRversion()), survival = as.character(packageVersion("survival"))),
                competing = competing,
                mayo = list(columns = columns, low = profiles$low, high = profiles$high, chisq = profiles$chisq),
                schoenfeld = list(x = zph$x[1:10], time = zph$time[1:10], y = unname(zph$y[1:10, ]))),
           args[2], digits = 17, auto_unbox = TRUE, pretty = 1)
