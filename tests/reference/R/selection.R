# Backward elimination, augmented backward elimination and univariable screening by loops over glm, and over a Firth fit
# of its own: Rscript selection.R <repository>. Base R and jsonlite only; the terms of race stay or go together.
library(jsonlite)
root <- commandArgs(TRUE)[1]
fixtures <- file.path(root, "tests/reference/fixtures")
d <- read.csv(file.path(fixtures, "design/birthwt_full.csv"), check.names = FALSE)
d$row <- NULL
y <- d$y
d$y <- NULL
X <- as.matrix(d)
terms <- list()
for (name in colnames(X)) terms[[sub("[23]$", "", name)]] <- c(terms[[sub("[23]$", "", name)]], name)
sds <- apply(X, 2, sd)

# The maximum over the free columns, with Firth's penalty of all columns of the model (or none).
loglik <- function(beta, Z, w, firth) {
  eta <- drop(Z %*% beta)
  mu <- plogis(eta)
  value <- sum(w * (y * eta - ifelse(eta > 0, eta + log1p(exp(-eta)), log1p(exp(eta)))))
  if (firth) value <- value + as.numeric(determinant(crossprod(Z * sqrt(w * mu * (1 - mu))))$modulus) / 2
  value
}
score <- function(beta, Z, w, firth) {
  mu <- plogis(drop(Z %*% beta))
  r <- w * (y - mu)
  if (firth) {
    W <- w * mu * (1 - mu)
    h <- rowSums((Z %*% solve(crossprod(Z * sqrt(W)))) * Z) * W
    r <- r + h * (0.5 - mu)
  }
  drop(crossprod(Z, r))
}
fit <- function(names, w, firth, held = character(0), start = NULL) {
  Z <- cbind(`(Intercept)` = 1, X[, names, drop = FALSE])
  free <- !colnames(Z) %in% held
  beta <- setNames(numeric(ncol(Z)), colnames(Z))
  for (round in 1:500) {
    g <- score(beta, Z, w, firth)[free]
    mu <- plogis(drop(Z %*% beta))
    step <- solve(crossprod(Z[, free, drop = FALSE] * sqrt(w * mu * (1 - mu))), g)
    before <- loglik(beta, Z, w, firth)
    share <- min(1, 2 / max(abs(Z[, free, drop = FALSE] %*% step)))
    repeat {
      trial <- beta
      trial[free] <- beta[free] + share * step
      if (loglik(trial, Z, w, firth) >= before - 1e-10 || share < 1e-10) break
      share <- share / 2
    }
    beta <- trial
    if (max(abs(step)) < 1e-11) break
  }
  list(beta = beta, value = loglik(beta, Z, w, firth))
}
drop_one <- function(active, w, firth) {
  names <- unlist(terms[active], use.names = FALSE)
  full <- fit(names, w, firth)
  lapply(setNames(active, active), function(term) {
    less <- fit(names, w, firth, held = terms[[term]])
    others <- setdiff(names, terms[[term]])
    list(p = pchisq(2 * (full$value - less$value), length(terms[[term]]), lower.tail = FALSE),
         change = max(0, abs(less$beta[others] - full$beta[others]) * sds[others]))
  })
}
backward <- function(w, firth, alpha, tau = Inf) {
  active <- names(terms)
  while (length(active)) {
    each <- drop_one(active, w, firth)
    p <- sapply(each, `[[`, "p")
    may <- p > alpha & sapply(each, `[[`, "change") < log1p(tau)
    if (!any(may)) break
    active <- setdiff(active, names(which.max(ifelse(may, p, -1))))
  }
  active
}
univariable <- function(w, firth, alpha) {
  p <- sapply(names(terms), function(term) {
    full <- fit(terms[[term]], w, firth)$value
    pchisq(2 * (full - fit(terms[[term]], w, firth, held = terms[[term]])$value), length(terms[[term]]), lower.tail = FALSE)
  })
  names(terms)[p <= alpha]
}

set.seed(1)
w <- rbind(rep(1, nrow(X)), t(sapply(1:12, function(i) tabulate(sample(nrow(X), nrow(X), TRUE), nrow(X)))))
rules <- list(backward = function(w, f) backward(w, f, .157), augmented = function(w, f) backward(w, f, .2, .05),
              univariable = function(w, f) univariable(w, f, .1))
out <- lapply(rules, function(rule) lapply(list(none = FALSE, firth = TRUE), function(firth) lapply(seq_len(nrow(w)), function(b) {
  chosen <- rule(w[b, ], firth)
  list(terms = I(chosen), coef = unname(fit(unlist(terms[chosen], use.names = FALSE), w[b, ], firth)$beta))
})))
result <- list(packages = list(R = paste(R.version$major, R.version$minor, sep = ".")), terms = terms, columns = colnames(X),
               weights = w, alpha = list(backward = .157, augmented = .2, univariable = .1), tau = .05, selected = out)
write(toJSON(result, digits = I(17), auto_unbox = TRUE), file.path(fixtures, "validation/selection.json"))
