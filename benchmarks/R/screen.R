# A univariable screen in R: glm of each factor with its likelihood-ratio test and profile interval, and Firth in plain R.
# Arguments: this folder, data (outcome y first).

given <- commandArgs(TRUE)
source(file.path(given[1], "firth.R"))
d <- read.csv(given[2])
factors <- names(d)[-1]
cat(sprintf("=wald %.6f\n", cpu(for (name in factors) summary(glm(d$y ~ d[[name]], family = binomial()))) / length(factors)))
cat(sprintf("=profile %.6f\n", cpu(for (name in factors) {
  fit <- glm(d$y ~ d[[name]], family = binomial())
  anova(fit, test = "LRT")
  suppressMessages(confint(fit))
}) / length(factors)))
cat(sprintf("=firth %.6f\n", cpu(for (name in factors) {
  known <- !is.na(d[[name]])
  firth_full(cbind(1, d[[name]][known]), d$y[known])
}) / length(factors)))
cat(sprintf("R %s\n", getRversion()))
