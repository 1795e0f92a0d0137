# Tests that base R has and the larger fixtures lack: Fisher beyond 2 columns, Kruskal-Wallis, exact Wilcoxon.
# Rscript compare_extra.R > ../fixtures/compare_extra.json
num <- function(x) if (length(x) == 1) sprintf("%.17g", x) else paste0("[", paste(sprintf("%.17g", x), collapse = ", "), "]")
rows <- function(m) paste0("[", paste(apply(m, 1, num), collapse = ", "), "]")
entry <- function(...) {
  parts <- list(...)
  paste0("  {", paste(sprintf("\"%s\": %s", names(parts), parts), collapse = ", "), "}")
}
quote <- function(s) paste0("\"", s, "\"")
tables <- list(
  "3x3" = matrix(c(3, 1, 2, 1, 5, 6, 4, 9, 5), 3), "4x4" = matrix(c(4, 2, 1, 1, 1, 5, 2, 0, 0, 2, 6, 1, 1, 1, 2, 5), 4),
  "2x5" = matrix(c(6, 1, 4, 3, 2, 5, 1, 7, 0, 3), 2), "6x2, large" = matrix(c(64, 36, 23, 13, 9, 4, 36, 11, 17, 14, 5, 9), 6),
  "empty row" = matrix(c(3, 0, 5, 4, 0, 1), 3)
)
fisher <- sapply(names(tables), function(n)
  entry(name = quote(n), table = rows(tables[[n]]), p = num(fisher.test(tables[[n]], workspace = 2e8)$p.value)))
groups <- list("ties" = list(c(1, 2, 2, 3), c(2, 4, 6, 6, 7), c(3, 7, 8, 9)), "no ties" = list(c(1.5, 2.1, 9), c(0.3, 4.4), c(5.5, 6.1, 7.7, 8)))
kruskal <- sapply(names(groups), function(n) {
  k <- kruskal.test(groups[[n]])
  entry(name = quote(n), groups = paste0("[", paste(sapply(groups[[n]], num), collapse = ", "), "]"),
        statistic = num(unname(k$statistic)), p = num(k$p.value))
})
set.seed(7)
pairs <- list("small" = list(c(1.1, 2.2, 3.3, 4.4), c(0.5, 0.7, 1.0, 1.2)), "middle" = list(round(rnorm(13), 4), round(rnorm(27, 0.8), 4)),
              "large" = list(round(rnorm(49), 5), round(rnorm(48, -0.3), 5)))
wilcoxon <- sapply(names(pairs), function(n) {
  x <- pairs[[n]][[1]]; y <- pairs[[n]][[2]]
  w <- wilcox.test(x, y, conf.int = TRUE)
  entry(name = quote(n), x = num(x), y = num(y), statistic = num(unname(w$statistic)), p = num(w$p.value),
        shift = num(unname(w$estimate)), low = num(w$conf.int[1]), high = num(w$conf.int[2]))
})
block <- function(name, entries) paste0(" \"", name, "\": [\n", paste(entries, collapse = ",\n"), "\n ]")
cat("{\n \"packages\": {\"R\": \"", as.character(getRversion()), "\"},\n", sep = "")
cat(block("fisher", fisher), block("kruskal", kruskal), block("wilcoxon_exact", wilcoxon), sep = ",\n")
cat("\n}\n")
