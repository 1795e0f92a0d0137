# Spearman's rank correlation by base R, its interval after Bonett and Wright 2000.
# Rscript rank_correlation.R > ../fixtures/rank_correlation.json
rank_correlation <- function(a, b, level) {
  test <- suppressWarnings(cor.test(a, b, method = "spearman", exact = FALSE))
  rho <- test$estimate[[1]]; n <- length(a)
  half <- qnorm(0.5 + level / 2) * sqrt((1 + rho^2 / 2) / (n - 3))
  list(first = a, second = b, level = level, rho = rho, p = test$p.value,
       low = tanh(atanh(rho) - half), high = tanh(atanh(rho) + half))
}
t <- seq_len(24)
value <- 30 + 25 * sin(t * 1.7) + 0.3 * t
grade <- pmin(3, floor(value / 15))
cat(jsonlite::toJSON(list(
  packages = list(R = as.character(getRversion())),
  pairs = list(rank_correlation(value, grade, 0.95), rank_correlation(value, cos(t * 5.3), 0.9),
               rank_correlation(c(1, 2, 3, 4, 5), c(2, 1, 4, 3, 5), 0.95))),
  digits = NA, auto_unbox = TRUE), "\n")
