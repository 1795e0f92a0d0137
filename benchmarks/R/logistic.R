# Firth's regression in a loop, as R users write it. Arguments: this folder, a folder of data (outcome y first), how many
# bootstrap refits to time. logistf is used as well where it is installed; brglm2 has no profile intervals.

given <- commandArgs(TRUE)
source(file.path(given[1], "firth.R"))
set.seed(1)
has <- function(package) suppressWarnings(requireNamespace(package, quietly = TRUE))
say <- function(name, seconds) cat(sprintf("=%s %.9f\n", name, seconds))
median_cpu <- function(work, times) median(replicate(times, cpu(for (i in 1:5) work()) / 5))

for (file in list.files(given[2], "^fit_.*csv$", full.names = TRUE)) {
  d <- read.csv(file)
  X <- cbind(1, as.matrix(d[, -1]))
  name <- sub("^fit_(.*)\\.csv$", "\\1", basename(file))
  say(paste("fit", name), median_cpu(function() firth_full(X, d$y), if (nrow(d) < 500) 5 else 1))
  ci <- firth_full(X, d$y)$ci
  for (j in seq_len(ncol(X))) for (side in 1:2) cat(sprintf("=bound %s %d %d %.9g\n", name, j - 1, side - 1, ci[j, side]))
  if (has("logistf")) say(paste("logistf", name), median_cpu(function() logistf::logistf(y ~ ., data = d), 3))
}

d <- read.csv(file.path(given[2], "refits.csv"))
X <- cbind(1, as.matrix(d[, -1]))
refits <- as.integer(given[3])
loop <- function(fit) cpu(for (i in seq_len(refits)) {
  rows <- sample(nrow(d), replace = TRUE)
  tryCatch(suppressWarnings(fit(rows)), error = function(e) NULL)
}) / refits
say("refit", loop(function(rows) firth_fit(X[rows, ], d$y[rows])))
if (has("logistf")) say("refit logistf", loop(function(rows) logistf::logistf(y ~ ., data = d[rows, ], pl = FALSE)))
if (has("brglm2")) say("refit brglm2", loop(function(rows) {
  glm(y ~ ., data = d[rows, ], family = binomial(), method = brglm2::brglmFit, type = "AS_mean")
}))

d <- read.csv(file.path(given[2], "screen.csv"))
say("screen", cpu(for (name in names(d)[-1]) firth_full(cbind(1, d[[name]]), d$y)))
cat(sprintf("R %s; logistf %s; brglm2 %s\n", getRversion(), if (has("logistf")) packageVersion("logistf") else "not installed",
            if (has("brglm2")) packageVersion("brglm2") else "not installed"))
