# The models of examples/pbc, from the raw data, without rarefactor: the outcome is derived here a second time, the
# maximum-likelihood fits are glm's, the Firth coefficients are brglm2's (AS_mean), and tests and intervals come from a
# Newton solver below, run to 1e-11. The penalty of a constrained fit keeps the full information matrix
# (Heinze & Schemper 2002).
#
#   Rscript tests/reference/R/pbc_models.R examples/pbc/data tests/reference/fixtures/pbc_models.json
suppressMessages({library(brglm2); library(jsonlite)})
args <- commandArgs(trailingOnly = TRUE)
pbc <- read.csv(file.path(args[1], "pbc.csv"))
seq <- read.csv(file.path(args[1], "pbcseq.csv"))
per_month <- 365.25 / 12

# ---- cohort, visits, outcome ------------------------------------------------------------------------------------
d <- pbc[!is.na(pbc$trt), ]
seq$month <- seq$day / per_month
nearest <- function(target, low, high) {
  w <- seq[seq$month >= low & seq$month <= high, ]
  w <- w[order(w$id, abs(w$month - target), w$day), ]
  w[!duplicated(w$id), ]
}
base <- seq[seq$day == 0, ]
m6 <- nearest(6, 3, 9)
m12 <- nearest(12, 9, 18)
d$bili0 <- base$bili[match(d$id, base$id)]
d$bili6 <- m6$bili[match(d$id, m6$id)]
d$day6 <- m6$day[match(d$id, m6$id)]
d$bili12 <- m12$bili[match(d$id, m12$id)]
d$day12 <- m12$day[match(d$id, m12$id)]
before <- d$status > 0 & d$time <= ifelse(is.na(d$day12), 18 * per_month, d$day12)
d$y <- ifelse(before, 1L, as.integer(d$bili12 >= 1.25 * d$bili0))
gone6 <- d$status > 0 & d$time <= ifelse(is.na(d$day6), 9 * per_month, d$day6)

# ---- factors ----------------------------------------------------------------------------------------------------
d$age10 <- d$age / 10
d$male <- as.integer(d$sex == "m")
d$log2bili <- log2(d$bili)
d$oedema_half <- as.integer(d$edema == 0.5)
d$oedema_one <- as.integer(d$edema == 1)
d$platelet50 <- d$platelet / 50
d$dpen <- as.integer(d$trt == 1)
d$rate01 <- (log(d$bili6) - log(d$bili0)) / (d$day6 / per_month) / 0.1
d$stage_I <- as.integer(d$stage == 1); d$stage_II <- as.integer(d$stage == 2); d$stage_IV <- as.integer(d$stage == 4)

# ---- Newton with and without the Firth penalty --------------------------------------------------------------------
fit <- function(X, y, free, offset, start, firth) {
  beta <- start
  objective <- function(b) {
    eta <- offset + X %*% b
    l <- sum(y * eta - pmax(eta, 0) - log1p(exp(-abs(eta))))
    if (!firth) return(l)
    w <- as.vector(plogis(eta) * plogis(-eta))
    l + 0.5 * as.numeric(determinant(crossprod(X, X * w))$modulus)
  }
  l <- objective(beta)
  for (iteration in 1:500) {
    p <- as.vector(plogis(offset + X %*% beta)); w <- p * (1 - p)
    info <- crossprod(X, X * w)
    h <- if (firth) rowSums((X %*% solve(info)) * X) * w else 0
    score <- crossprod(X, y - p + h * (0.5 - p))
    if (max(abs(score[free])) < 1e-11) break
    step <- rep(0, ncol(X)); step[free] <- solve(info[free, free, drop = FALSE], score[free])
    step <- step / max(1, max(abs(step)) / 2)
    repeat {
      l_new <- objective(beta + step)
      if (l_new >= l - 1e-13 || max(abs(step)) < 1e-14) break
      step <- step / 2
    }
    beta <- beta + step; l <- l_new
  }
  list(beta = beta, l = l)
}

profile <- function(X, y, full, j, firth, se) {
  free <- setdiff(seq_len(ncol(X)), j); last <- new.env(); last$beta <- full$beta
  at <- function(value) {
    start <- last$beta; start[j] <- value
    now <- fit(X, y, free, 0, start, firth); last$beta <- now$beta; now$l
  }
  excess <- function(value) 2 * (full$l - at(value)) - qchisq(0.95, 1)
  limit <- function(direction) {
    last$beta <- full$beta; step <- 0.25 * se * direction; inner <- full$beta[j]
    repeat {
      outer <- inner + step
      if (excess(outer) > 0) break
      inner <- outer
      if (abs(inner - full$beta[j]) > 200 * se) return(direction * Inf)
    }
    uniroot(excess, sort(c(inner, outer)), tol = 1e-12)$root
  }
  bounds <- c(limit(-1), limit(1))
  last$beta <- full$beta
  chisq <- 2 * (full$l - at(0))
  c(low = bounds[1], high = bounds[2], p = pchisq(chisq, 1, lower.tail = FALSE))
}

analyse <- function(data, columns, with_profile_ml = TRUE) {
  use <- data[complete.cases(data[, c("y", columns)]), ]
  X <- cbind(1, as.matrix(use[, columns])); y <- use$y
  formula <- reformulate(columns, "y")
  ml <- suppressWarnings(glm(formula, binomial, use, epsilon = 1e-14, maxit = 50))
  mean_br <- glm(formula, binomial, use, method = "brglmFit", type = "AS_mean", epsilon = 1e-11, maxit = 10000)
  out <- list(n = nrow(use), events = sum(y), terms = columns)
  for (method in c("ml", "firth")) {
    firth <- method == "firth"
    start <- unname(if (firth) coef(mean_br) else coef(ml))
    full <- fit(X, y, seq_len(ncol(X)), 0, start, firth)
    stopifnot(!firth || max(abs(full$beta - start)) < 1e-8)
    se <- sqrt(diag(vcov(if (firth) mean_br else ml)))
    rows <- t(sapply(seq_along(columns) + 1, function(j) profile(X, y, full, j, firth, se[j])))
    out[[method]] <- list(coef = full$beta[-1], se = unname(se[-1]), low = rows[, 1], high = rows[, 2], p = rows[, 3],
                          wald_p = unname(2 * pnorm(-abs(full$beta / se)))[-1], loglik = full$l)
  }
  out
}

term_test <- function(data, columns) {   # penalised likelihood ratio for all columns at once
  use <- data[complete.cases(data[, c("y", columns)]), ]
  X <- cbind(1, as.matrix(use[, columns])); y <- use$y; k <- ncol(X)
  full <- fit(X, y, seq_len(k), 0, rep(0, k), TRUE); null <- fit(X, y, 1, 0, rep(0, k), TRUE)
  pchisq(2 * (full$l - null$l), k - 1, lower.tail = FALSE)
}

at6 <- d[!gone6 & !is.na(d$day6), ]
clinical <- c("age10", "log2bili", "albumin", "protime", "platelet50", "oedema_half", "oedema_one",
              "stage_I", "stage_II", "stage_IV")
early <- c("age10", "male", "log2bili", "albumin", "protime", "rate01")
screen <- c("age10", "male", "dpen", "hepato", "spiders", "ascites", "log2bili", "albumin", "protime", "platelet50")
result <- list(
  packages = list(R = as.character(getRversion()), brglm2 = as.character(packageVersion("brglm2"))),
  cohort = list(records = nrow(pbc), randomised = nrow(d), visit12 = sum(!is.na(d$day12)), known = sum(!is.na(d$y)),
                events = sum(d$y, na.rm = TRUE), events_with_visit = sum(d$y[!is.na(d$day12)], na.rm = TRUE),
                month_6 = nrow(at6), month_6_known = sum(!is.na(at6$y)), month_6_events = sum(at6$y, na.rm = TRUE)),
  univariable = sapply(screen, function(column) analyse(d, column), simplify = FALSE),
  oedema = analyse(d, c("oedema_half", "oedema_one")),
  oedema_test = term_test(d, c("oedema_half", "oedema_one")),
  stage = analyse(d, c("stage_I", "stage_II", "stage_IV")),
  rate = analyse(at6, "rate01"),
  clinical = analyse(d, clinical),
  early_course = analyse(at6, early))
write_json(result, args[2], digits = 17, auto_unbox = TRUE, na = "string", pretty = 1)
