# mice with 20 imputations. Arguments: this folder, data, names of the categories, resamples to time (1: the data as they
# are), iterations.

suppressMessages(library(mice))
given <- commandArgs(TRUE)
d <- read.csv(given[2])
for (name in strsplit(given[3], ",")[[1]]) d[[name]] <- factor(d[[name]])
source(file.path(given[1], "firth.R"))
repeats <- as.integer(given[4])
draw <- function() if (repeats > 1) d[sample(nrow(d), replace = TRUE), ] else d
each <- cpu(for (i in seq_len(repeats)) mice(draw(), m = 20, maxit = as.integer(given[5]), printFlag = FALSE)) / repeats
cat(sprintf("=mice %.6f\n", each))
