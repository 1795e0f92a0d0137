# Follow-up and course of examples/pbc, from the raw data, without rarefactor: R's survival for Kaplan-Meier, log-rank,
# Cox and the check of proportional hazards, lme4 and lmerTest for the mixed model. Profile limits of the Cox model are
# solved here by uniroot on constrained fits.
#
#   Rscript tests/reference/R/pbc_follow_up.R examples/pbc/data tests/reference/fixtures/pbc_follow_up.json
suppressMessages({library(survival); library(lmerTest); library(jsonlite)})
args <- commandArgs(trailingOnly = TRUE)
pbc <- read.csv(file.path(args[1], "pbc.csv"))
seq <- read.csv(file.path(args[1], "pbcseq.csv"))
per_month <- 365.25 / 12
d <- pbc[!is.na(pbc$trt), ]
d$years <- d$time / 365.25
d$event <- as.integer(d$status > 0)

# ---- Kaplan-Meier and log-rank by stage, at round years --------------------------------------------------------------
at <- c(0, 2, 4, 6, 8, 10, 12)
curve <- survfit(Surv(years, event) ~ stage, d, conf.type = "log-log")
shown <- summary(curve, times = at, extend = FALSE)
km <- data.frame(stage = as.integer(sub("stage=", "", shown$strata)), time = shown$time, at_risk = shown$n.risk,
                 survival = shown$surv, low = shown$lower, high = shown$upper)
median <- as.data.frame(quantile(curve, 0.5)); names(median) <- c("estimate", "low", "high")
rmean <- as.data.frame(summary(curve, rmean = 12)$table[, c("rmean", "se(rmean)")]); names(rmean) <- c("estimate", "se")
rank <- survdiff(Surv(years, event) ~ stage, d)
watched <- quantile(survfit(Surv(years, 1 - event) ~ 1, d, conf.type = "log-log"), 0.5)

# ---- Cox model ---------------------------------------------------------------------------------------------------------
d$age10 <- d$age / 10; d$log2bili <- log2(d$bili)
columns <- c("age10", "log2bili", "albumin", "protime")
tight <- coxph.control(eps = 1e-13, toler.chol = 1e-15, iter.max = 100)
fit <- function(formula) coxph(formula, d, ties = "efron", control = tight)
full <- fit(reformulate(columns, "Surv(years, event)"))
profile <- function(column) {
  at_value <- function(value) {
    d$fixed <<- value * d[[column]]
    fit(reformulate(c(setdiff(columns, column), "offset(fixed)"), "Surv(years, event)"))$loglik[2]
  }
  excess <- function(value) 2 * (full$loglik[2] - at_value(value)) - qchisq(0.95, 1)
  centre <- coef(full)[[column]]; reach <- 6 * sqrt(diag(vcov(full)))[[column]]
  c(coef = centre, low = uniroot(excess, c(centre - reach, centre), tol = 1e-13)$root,
    high = uniroot(excess, c(centre, centre + reach), tol = 1e-13)$root,
    p = pchisq(2 * (full$loglik[2] - at_value(0)), 1, lower.tail = FALSE))
}
cox <- as.data.frame(t(sapply(columns, profile)))
zph <- cox.zph(full, transform = "km", terms = FALSE)$table

# ---- outcome, as in pbc_models.R, and the course of log bilirubin to month 24 -----------------------------------------
seq$month <- seq$day / per_month
window <- seq[seq$month >= 9 & seq$month <= 18, ]
window <- window[order(window$id, abs(window$month - 12), window$day), ]
m12 <- window[!duplicated(window$id), ]
base <- seq[seq$day == 0, ]
bili0 <- base$bili[match(d$id, base$id)]; bili12 <- m12$bili[match(d$id, m12$id)]; day12 <- m12$day[match(d$id, m12$id)]
before <- d$status > 0 & d$time <= ifelse(is.na(day12), 18 * per_month, day12)
d$y <- ifelse(before, 1L, as.integer(bili12 >= 1.25 * bili0))
long <- seq[seq$month >= 0 & seq$month <= 24 & !is.na(seq$bili), ]
long$group <- d$y[match(long$id, d$id)]
long <- long[!is.na(long$group), ]
mixed <- function(start, group) {
  long$t <- long$month / 12 - start; long$g <- if (group == 1) 1 - long$group else long$group
  m <- lmer(log(bili) ~ t * g + (t | id), long, control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-13)))
  table <- coef(summary(m)); half <- qt(0.975, table[, "df"]) * table[, "Std. Error"]
  components <- as.data.frame(VarCorr(m))
  list(estimate = unname(table[, "Estimate"]), low = unname(table[, "Estimate"] - half),
       high = unname(table[, "Estimate"] + half), df = unname(table[, "df"]), p = unname(table[, "Pr(>|t|)"]),
       sd = components$sdcor, slopes = unname(quantile(coef(m)$id$t[long$g[match(rownames(coef(m)$id), long$id)] == 0],
                                                       c(0.1, 0.25, 0.5, 0.75, 0.9))))
}
versions <- lapply(c(survival = "survival", lme4 = "lme4", lmerTest = "lmerTest"), function(x) as.character(packageVersion(x)))
write_json(list(packages = c(list(R = as.character(getRversion())), versions),
                n = nrow(d), events = sum(d$event), km = km, median = median, restricted_mean = rmean,
                logrank = list(chisq = rank$chisq, df = length(rank$n) - 1), median_follow_up = unname(watched$quantile),
                cox = cbind(column = columns, cox), zph = list(chisq = unname(zph[, 1]), p = unname(zph[, 3])),
                rows = nrow(long), patients = as.integer(table(long$group[!duplicated(long$id)])),
                course = list(no_event = mixed(0, 0), event = mixed(0, 1), no_event_12 = mixed(1, 0), event_24 = mixed(2, 1))),
           args[2], digits = 17, auto_unbox = TRUE, pretty = 1)
