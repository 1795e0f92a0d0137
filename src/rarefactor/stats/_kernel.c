/* The inner loops of logistic regression, one problem at a time: the same steps as _newton.py and _profile.py take for
 * thousands of problems in step, which remain the reference and do what is left undecided here.
 *
 * Convention: a design is stored column by column (k, n), the intercept first, columns scaled. Rows of weight 0 are left
 * out. Matrices are k x k and symmetric. Built by the installer; nothing here allocates more than one work space a call.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#define DOOR __declspec(dllexport)
#else
#define DOOR __attribute__((visibility("default")))
#endif
#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline)) /* so that it is compiled anew for each processor below */
#else
#define INLINE static inline
#endif
#if defined(__GNUC__) && __GNUC__ >= 12 && !defined(__clang__) && defined(__x86_64__) && defined(__gnu_linux__)
#define FAST __attribute__((target_clones("arch=x86-64-v3", "default"))) /* a level, not a make: all that can, use it */
#else
#define FAST
#endif

enum { NO_PENALTY, FIRTH, LOG_F, HELD_FIRTH };
enum { GOING, CONVERGED, SEPARATED, ROUNDS = 4, UNDECIDED = 9 };
#define SMALLEST_PIVOT 1e-13
#define DRIFT 1e-3
#define FIRST_LIFT 0.015625
#define LAST_LIFT 4.0
#define NEXT_LIFT 4.0
#define LANES 8
#define LINE 64 /* bytes of a line of the cache: LANES numbers */
#define BLOCK 128 /* rows done at a time, so that their columns stay in the nearest cache; a multiple of LANES */

/* What the problems are: each array has a step from one problem to the next, 0 where all share it. */
typedef struct {
    int64_t n, k, penalty;
    const double *design, *outcome, *weights, *offset, *scale, *given; /* the last: strengths (k), or a bend (k, k) */
    int64_t design_step, outcome_step, weights_step, offset_step, scale_step, given_step;
} Data;

typedef struct {
    double value, *gradient, *curvature, *information;
} Point;

/* One problem at hand: its rows of positive weight, padded to whole vectors, and room for what one evaluation needs. */
typedef struct {
    int64_t k, rows, stride, penalty, problem;
    const double *scale, *given;
    double *x, *y, *w, *offset;
    double *eta, *small, *logs, *variance, *skew, *kurtosis, *residual, *product, *z;
    double *factor, *cube, *square, *matrix, *lifted, *room;
    void *block;
} Work;

static int open_work(Work *work, const Data *data) {
    int64_t k = data->k, stride = (data->n + LANES - 1) / LANES * LANES;
    if (stride % 64 == 0) stride += LANES; /* or all columns would compete for the same places of the cache */
    int64_t numbers = stride * (2 * k + 11) + 2 * BLOCK + k * k * k + 6 * k * k + 4 * k;
    work->block = malloc(sizeof(double) * (size_t)(numbers + LANES));
    if (!work->block) return 0;
    double *free_room = (double *)(((uintptr_t)work->block + LINE - 1) / LINE * LINE); /* no vector lies across two lines */
    work->k = k, work->stride = stride, work->penalty = data->penalty, work->problem = -1;
    double **rows[] = {&work->y, &work->w, &work->offset, &work->eta, &work->small, &work->logs, &work->variance,
                       &work->skew, &work->kurtosis, &work->residual, &work->product};
    for (int j = 0; j < 11; j++, free_room += stride) *rows[j] = free_room;
    free_room += 2 * BLOCK; /* of ``product``, which holds two blocks at times */
    work->x = free_room, free_room += k * stride;
    work->z = free_room, free_room += k * stride;
    work->cube = free_room, free_room += k * k * k;
    double **squares[] = {&work->factor, &work->square, &work->matrix, &work->lifted, &work->room};
    for (int j = 0; j < 5; j++, free_room += k * k) *squares[j] = free_room;
    return 1;
}

static void load_problem(Work *work, const Data *data, int64_t problem) {
    if (work->problem == problem) return;
    const double *x = data->design + problem * data->design_step, *y = data->outcome + problem * data->outcome_step;
    const double *w = data->weights + problem * data->weights_step, *offset = data->offset + problem * data->offset_step;
    int64_t rows = 0, k = data->k;
    for (int64_t i = 0; i < data->n; i++) {
        if (!(w[i] > 0.0)) continue;
        for (int64_t a = 0; a < k; a++) work->x[a * work->stride + rows] = x[a * data->n + i];
        work->y[rows] = y[i], work->w[rows] = w[i], work->offset[rows] = offset[i];
        rows++;
    }
    for (; rows % LANES; rows++) {
        for (int64_t a = 0; a < k; a++) work->x[a * work->stride + rows] = 0.0;
        work->y[rows] = work->w[rows] = work->offset[rows] = 0.0;
    }
    work->rows = rows, work->problem = problem;
    work->scale = data->scale + problem * data->scale_step;
    work->given = data->given + problem * data->given_step;
}

/* Cholesky factor (lower) of a matrix; 0 where it is not positive definite, or nearly so. */
static int factor_matrix(const double *matrix, double *factor, int64_t k) {
    for (int64_t a = 0; a < k; a++) {
        for (int64_t b = 0; b <= a; b++) {
            double sum = matrix[a * k + b];
            for (int64_t c = 0; c < b; c++) sum -= factor[a * k + c] * factor[b * k + c];
            if (a > b) {
                factor[a * k + b] = sum / factor[b * k + b];
            } else {
                if (!(sum > SMALLEST_PIVOT * matrix[a * k + a]) || isinf(sum)) return 0;
                factor[a * k + a] = sqrt(sum);
            }
        }
    }
    return 1;
}

static void solve_factor(const double *factor, double *right, int64_t k) {
    for (int64_t a = 0; a < k; a++) {
        for (int64_t b = 0; b < a; b++) right[a] -= factor[a * k + b] * right[b];
        right[a] /= factor[a * k + a];
    }
    for (int64_t a = k - 1; a >= 0; a--) {
        for (int64_t b = a + 1; b < k; b++) right[a] -= factor[b * k + a] * right[b];
        right[a] /= factor[a * k + a];
    }
}

/* Products of one row of numbers with ``count`` (a constant of 1 to 4) others ``step`` apart. They run side by side and in
 * two halves, so that no sum waits for itself; ``rows`` is a multiple of two vectors. */
INLINE void sum_some(const double *left, const double *right, int64_t step, int64_t rows, double *sums, int count) {
    int64_t half = rows / 2;
    double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0, t0 = 0.0, t1 = 0.0, t2 = 0.0, t3 = 0.0;
#pragma omp simd reduction(+ : s0, s1, s2, s3, t0, t1, t2, t3)
    for (int64_t i = 0; i < half; i++) {
        const double *other = right + i;
        double a = left[i], b = left[i + half];
        s0 += a * other[0], t0 += b * other[half];
        if (count > 1) s1 += a * other[step], t1 += b * other[step + half];
        if (count > 2) s2 += a * other[2 * step], t2 += b * other[2 * step + half];
        if (count > 3) s3 += a * other[3 * step], t3 += b * other[3 * step + half];
    }
    sums[0] = s0 + t0;
    if (count > 1) sums[1] = s1 + t1;
    if (count > 2) sums[2] = s2 + t2;
    if (count > 3) sums[3] = s3 + t3;
}

/* The same for any number of others. */
INLINE void sum_many(const double *left, const double *right, int64_t step, int64_t count, int64_t rows, double *sums) {
    for (; count >= 4; count -= 4, right += 4 * step, sums += 4) sum_some(left, right, step, rows, sums, 4);
    if (count == 3) sum_some(left, right, step, rows, sums, 3);
    if (count == 2) sum_some(left, right, step, rows, sums, 2);
    if (count == 1) sum_some(left, right, step, rows, sums, 1);
}

/* exp(-x) for x >= 0, within 1 unit of the last digit, and without branches, so that whole vectors are done at once: with
 * x = n log 2 + r the power of two is put together from its bits, and exp(-r), |r| <= log(2)/2, is Taylor's sum. */
INLINE double compute_decay(double x) {
    double near = x < 708.0 ? x : 708.0, shifted = near * 1.4426950408889634 + 6755399441055744.0;
    double n = shifted - 6755399441055744.0, r = n * 0.6931471803691238 - near + n * 1.9082149292705877e-10;
    double sum = 1.0 / 6227020800.0;
    sum = sum * r + 1.0 / 479001600.0, sum = sum * r + 1.0 / 39916800.0, sum = sum * r + 1.0 / 3628800.0;
    sum = sum * r + 1.0 / 362880.0, sum = sum * r + 1.0 / 40320.0, sum = sum * r + 1.0 / 5040.0;
    sum = sum * r + 1.0 / 720.0, sum = sum * r + 1.0 / 120.0, sum = sum * r + 1.0 / 24.0;
    sum = sum * r + 1.0 / 6.0, sum = sum * r + 0.5, sum = sum * r + 1.0, sum = sum * r + 1.0;
    uint64_t bits;
    double power;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (1023 - bits) << 52; /* the last bits of ``shifted`` hold n */
    memcpy(&power, &bits, sizeof power);
    return x < 708.0 ? sum * power : 0.0;
}

/* log(1 + x) for 0 <= x <= 1, likewise: 2 artanh z with z = x / (2 + x), or from log 2 on with z = (x - 1) / (x + 3). */
INLINE double compute_log_above_one(double x) {
    int upper = x > 0.4142135623730951;
    double z = (upper ? x - 1.0 : x) / (upper ? x + 3.0 : x + 2.0), square = z * z, sum = 1.0 / 21.0;
    sum = sum * square + 1.0 / 19.0, sum = sum * square + 1.0 / 17.0, sum = sum * square + 1.0 / 15.0;
    sum = sum * square + 1.0 / 13.0, sum = sum * square + 1.0 / 11.0, sum = sum * square + 1.0 / 9.0;
    sum = sum * square + 1.0 / 7.0, sum = sum * square + 0.2, sum = sum * square + 1.0 / 3.0;
    return (upper ? 0.6931471805599453 : 0.0) + 2.0 * (z + z * square * sum);
}

/* Products of two rows of numbers with four others ``step`` apart: every number read serves more than once. */
INLINE void sum_tile(const double *left, const double *next, const double *right, int64_t step, int64_t rows,
                     double *sums, double *more) {
    double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0, t0 = 0.0, t1 = 0.0, t2 = 0.0, t3 = 0.0;
#pragma omp simd reduction(+ : s0, s1, s2, s3, t0, t1, t2, t3)
    for (int64_t i = 0; i < rows; i++) {
        const double *other = right + i;
        double a = left[i], b = next[i], o0 = other[0], o1 = other[step], o2 = other[2 * step], o3 = other[3 * step];
        s0 += a * o0, s1 += a * o1, s2 += a * o2, s3 += a * o3;
        t0 += b * o0, t1 += b * o1, t2 += b * o2, t3 += b * o3;
    }
    sums[0] += s0, sums[1] += s1, sums[2] += s2, sums[3] += s3;
    more[0] += t0, more[1] += t1, more[2] += t2, more[3] += t3;
}

/* Add sum(variance x x') of some rows to the upper half of a matrix. ``product`` has room for two rows of numbers. */
INLINE void add_pairs(const double *variance, const double *x, int64_t stride, int64_t rows, int64_t k, double *product,
                      double *room, double *matrix) {
    for (int64_t a = 0; a < k; a += 2) {
        const double *xa = x + a * stride;
        int64_t both = a + 1 < k, b = a;
        double *next = product + BLOCK;
#pragma omp simd
        for (int64_t i = 0; i < rows; i++) product[i] = variance[i] * xa[i];
        if (both) {
            const double *xb = xa + stride;
#pragma omp simd
            for (int64_t i = 0; i < rows; i++) next[i] = variance[i] * xb[i];
        }
        for (; both && b + 4 <= k; b += 4)
            sum_tile(product, next, x + b * stride, stride, rows, matrix + a * k + b, matrix + (a + 1) * k + b);
        if (b == k) continue;
        sum_many(product, x + b * stride, stride, k - b, rows, room);
        if (both) sum_many(next, x + b * stride, stride, k - b, rows, room + k);
        for (int64_t c = b; c < k; c++) {
            matrix[a * k + c] += room[c - b];
            if (both) matrix[(a + 1) * k + c] += room[k + c - b];
        }
    }
}

/* Log-likelihood, score and information, and the row weights of the information's derivatives, of some rows. */
INLINE double add_rows(Work *work, const double *beta, int64_t first, int64_t rows, Point *point) {
    int64_t k = work->k, stride = work->stride;
    double *eta = work->eta + first, *small = work->small + first, *logs = work->logs + first;
    double *variance = work->variance + first, *skew = work->skew + first, *kurtosis = work->kurtosis + first;
    double *residual = work->residual + first, sum = 0.0;
    const double *x = work->x + first, *weights = work->w + first, *outcome = work->y + first;
    memcpy(eta, work->offset + first, sizeof(double) * (size_t)rows);
    for (int64_t a = 0; a < k; a++) {
        const double *column = x + a * stride, b = beta[a];
#pragma omp simd
        for (int64_t i = 0; i < rows; i++) eta[i] += b * column[i];
    }
#pragma omp simd
    for (int64_t i = 0; i < rows; i++) small[i] = compute_decay(fabs(eta[i]));
#pragma omp simd
    for (int64_t i = 0; i < rows; i++) logs[i] = compute_log_above_one(small[i]);
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < rows; i++) {
        double w = weights[i], y = outcome[i], e = eta[i], less = small[i] / (1.0 + small[i]);
        double risk = e >= 0.0 ? 1.0 - less : less, unit = less * (1.0 - less), spread = w * unit;
        sum += w * (y * e - ((e > 0.0 ? e : 0.0) + logs[i]));
        residual[i] = w * (y - risk), variance[i] = spread;
        skew[i] = spread * (1.0 - 2.0 * risk), kurtosis[i] = spread * (1.0 - 6.0 * unit);
    }
    sum_many(residual, x, stride, k, rows, work->room);
    for (int64_t a = 0; a < k; a++) point->gradient[a] += work->room[a];
    add_pairs(variance, x, stride, rows, k, work->product, work->room, point->information);
    return sum;
}

FAST static void sum_likelihood(Work *work, const double *beta, Point *point) {
    int64_t k = work->k, rows = work->rows & -LANES;
    memset(point->gradient, 0, sizeof(double) * (size_t)k);
    memset(point->information, 0, sizeof(double) * (size_t)(k * k));
    point->value = 0.0;
    for (int64_t first = 0; first < rows; first += BLOCK)
        point->value += add_rows(work, beta, first, rows - first < BLOCK ? rows - first : BLOCK, point);
    for (int64_t a = 0; a < k; a++)
        for (int64_t b = 0; b < a; b++) point->information[a * k + b] = point->information[b * k + a];
}

/* Take multiples of earlier whitened columns out of one column or two at once. */
INLINE void take_out(double *restrict z, double *restrict next, const double *earlier, int64_t stride, const double *share,
                     const double *more, int64_t count, int64_t rows, int both) {
    int64_t b = 0;
    for (; b + 4 <= count; b += 4, earlier += 4 * stride) {
        const double *z0 = earlier, *z1 = z0 + stride, *z2 = z1 + stride, *z3 = z2 + stride;
        double f0 = share[b], f1 = share[b + 1], f2 = share[b + 2], f3 = share[b + 3];
        double g0 = both ? more[b] : 0.0, g1 = both ? more[b + 1] : 0.0;
        double g2 = both ? more[b + 2] : 0.0, g3 = both ? more[b + 3] : 0.0;
#pragma omp simd
        for (int64_t i = 0; i < rows; i++) {
            z[i] -= (f0 * z0[i] + f1 * z1[i]) + (f2 * z2[i] + f3 * z3[i]);
            if (both) next[i] -= (g0 * z0[i] + g1 * z1[i]) + (g2 * z2[i] + g3 * z3[i]);
        }
    }
    for (; b < count; b++, earlier += stride) {
        double f = share[b], g = both ? more[b] : 0.0;
#pragma omp simd
        for (int64_t i = 0; i < rows; i++) {
            z[i] -= f * earlier[i];
            if (both) next[i] -= g * earlier[i];
        }
    }
}

/* Whiten some rows by the factor of the information, z = L^-1 x, and add half of sum(skew |z|^2 x), the first derivative
 * of the penalty, to the gradient. */
INLINE void whiten_some(Work *work, int64_t first, int64_t rows, Point *point) {
    int64_t k = work->k, stride = work->stride;
    double *restrict lever = work->eta + first, *restrict turned = work->small + first, *start = work->z + first;
    for (int64_t i = 0; i < rows; i++) lever[i] = 0.0;
    for (int64_t a = 0; a < k; a += 2) {
        int both = a + 1 < k;
        const double *share = work->factor + a * k, *more = both ? share + k : share;
        double *restrict z = start + a * stride, *restrict next = both ? z + stride : work->product;
        double pivot = 1.0 / share[a], follow = both ? more[a] : 0.0, last = both ? 1.0 / more[a + 1] : 0.0;
        memcpy(z, work->x + a * stride + first, sizeof(double) * (size_t)rows);
        if (both) {
            memcpy(next, work->x + (a + 1) * stride + first, sizeof(double) * (size_t)rows);
            take_out(z, next, start, stride, share, more, a, rows, 1);
        } else {
            take_out(z, next, start, stride, share, more, a, rows, 0);
        }
#pragma omp simd
        for (int64_t i = 0; i < rows; i++) z[i] *= pivot, lever[i] += z[i] * z[i];
        if (!both) continue;
#pragma omp simd
        for (int64_t i = 0; i < rows; i++) {
            next[i] = (next[i] - follow * z[i]) * last;
            lever[i] += next[i] * next[i];
        }
    }
    double *kurtosis = work->kurtosis + first;
    const double *skew = work->skew + first;
#pragma omp simd
    for (int64_t i = 0; i < rows; i++) kurtosis[i] *= lever[i], turned[i] = skew[i] * lever[i];
    sum_many(turned, work->x + first, stride, k, rows, work->room);
    for (int64_t a = 0; a < k; a++) point->gradient[a] += 0.5 * work->room[a];
}

FAST static void whiten_rows(Work *work, Point *point) {
    int64_t rows = work->rows & -LANES;
    for (int64_t first = 0; first < rows; first += BLOCK)
        whiten_some(work, first, rows - first < BLOCK ? rows - first : BLOCK, point);
}

/* Sums over the whitened rows: the third derivatives sum(skew z z z) in ``cube``, the fourth sum(kurtosis |z|^2 z z) in
 * ``square``. */
FAST static void sum_whitened(Work *work) {
    int64_t k = work->k, rows = work->rows & -LANES, stride = work->stride, half = rows / 2;
    double *restrict product = work->product;
    const double *skew = work->skew, *kurtosis = work->kurtosis;
    for (int64_t a = 0; a < k; a++) {
        const double *za = work->z + a * stride;
        for (int64_t b = a; b < k; b++) {
            const double *zb = work->z + b * stride;
            double sum = 0.0, other = 0.0;
#pragma omp simd reduction(+ : sum, other)
            for (int64_t i = 0; i < half; i++) {
                double both = za[i] * zb[i], rest = za[i + half] * zb[i + half];
                sum += kurtosis[i] * both, other += kurtosis[i + half] * rest;
                product[i] = skew[i] * both, product[i + half] = skew[i + half] * rest;
            }
            work->square[a * k + b] = work->square[b * k + a] = sum + other;
            sum_many(product, zb, stride, k - b, rows, work->room);
            for (int64_t c = b; c < k; c++) {
                double t = work->room[c - b], *cube = work->cube;
                cube[(a * k + b) * k + c] = cube[(a * k + c) * k + b] = cube[(b * k + a) * k + c] = t;
                cube[(b * k + c) * k + a] = cube[(c * k + a) * k + b] = cube[(c * k + b) * k + a] = t;
            }
        }
    }
}

/* Half the log-determinant of the information, with its exact first and second derivatives. */
FAST static void add_firth(Work *work, Point *point) {
    int64_t k = work->k;
    double *factor = work->factor, *square = work->square, *room = work->room;
    memcpy(point->curvature, point->information, sizeof(double) * (size_t)(k * k));
    if (!factor_matrix(point->information, factor, k)) {
        point->value = -INFINITY;
        return;
    }
    for (int64_t a = 0; a < k; a++) point->value += log(factor[a * k + a]);
    whiten_rows(work, point);
    if (work->penalty == HELD_FIRTH) {
        for (int64_t j = 0; j < k * k; j++) point->curvature[j] -= work->given[j];
        return;
    }
    sum_whitened(work);
    for (int64_t a = 0; a < k; a++) {
        const double *slice = work->cube + a * k * k;
        for (int64_t b = a; b < k; b++) {
            const double *other = work->cube + b * k * k;
            double sum = 0.0;
#pragma omp simd reduction(+ : sum)
            for (int64_t j = 0; j < k * k; j++) sum += slice[j] * other[j];
            square[a * k + b] = square[b * k + a] = 0.5 * (square[a * k + b] - sum);
        }
    }
    for (int64_t a = 0; a < k; a++) {
        double *row = room + a * k;
        for (int64_t b = 0; b < k; b++) row[b] = 0.0;
        for (int64_t c = 0; c <= a; c++)
            for (int64_t b = 0; b < k; b++) row[b] += factor[a * k + c] * square[c * k + b];
    }
    for (int64_t a = 0; a < k; a++)
        for (int64_t b = 0; b <= a; b++) {
            double sum = 0.0;
            for (int64_t c = 0; c <= b; c++) sum += room[a * k + c] * factor[b * k + c];
            point->curvature[a * k + b] -= sum;
            if (a != b) point->curvature[b * k + a] -= sum;
        }
}

static void add_log_f(Work *work, const double *beta, Point *point) {
    int64_t k = work->k;
    for (int64_t a = 0; a < k; a++) {
        double m = work->given[a], scale = work->scale[a], b = beta[a] / scale, half = tanh(0.5 * b);
        point->value -= m * (fmax(b, 0.0) + log1p(exp(-fabs(b))) - 0.5 * b);
        point->gradient[a] -= 0.5 * m * half / scale;
        point->information[a * k + a] += 0.25 * m * (1.0 - half * half) / (scale * scale);
    }
    memcpy(point->curvature, point->information, sizeof(double) * (size_t)(k * k));
}

static void evaluate(Work *work, const double *beta, Point *point) {
    sum_likelihood(work, beta, point);
    if (work->penalty == FIRTH || work->penalty == HELD_FIRTH)
        add_firth(work, point);
    else if (work->penalty == LOG_F)
        add_log_f(work, beta, point);
    else
        memcpy(point->curvature, point->information, sizeof(double) * (size_t)(work->k * work->k));
}

/* The largest change of any row's log odds by a step. */
FAST static double compute_reach(Work *work, const double *step) {
    double *change = work->product, reach = 0.0;
    for (int64_t i = 0; i < work->rows; i++) change[i] = 0.0;
    for (int64_t a = 0; a < work->k; a++) {
        const double *x = work->x + a * work->stride, s = step[a];
#pragma omp simd
        for (int64_t i = 0; i < work->rows; i++) change[i] += s * x[i];
    }
    for (int64_t i = 0; i < work->rows; i++) reach = fabs(change[i]) > reach && work->w[i] > 0.0 ? fabs(change[i]) : reach;
    return reach;
}

static double shorten(Work *work, double *step, double largest) {
    double reach = compute_reach(work, step), longest = 0.0;
    double share = reach > largest ? largest / reach : 1.0;
    for (int64_t a = 0; a < work->k; a++) {
        step[a] *= share;
        if (fabs(step[a]) > longest) longest = fabs(step[a]);
    }
    return longest;
}

static int solve_free(Work *work, const double *matrix, const Point *point, const uint8_t *held, double *step) {
    int64_t k = work->k;
    for (int64_t a = 0; a < k; a++) {
        for (int64_t b = 0; b < k; b++)
            work->matrix[a * k + b] = !held[a] && !held[b] ? matrix[a * k + b] : (a == b ? 1.0 : 0.0);
        step[a] = held[a] ? 0.0 : point->gradient[a];
    }
    if (!factor_matrix(work->matrix, work->factor, k)) return 0;
    solve_factor(work->factor, step, k);
    return 1;
}

/* Where the curvature fails, as near a saddle: the smallest addition of the information that makes it positive. The step
 * then leads away from the saddle, where scoring with the information alone creeps. Last the information itself. */
static int solve_lifted(Work *work, const Point *point, const uint8_t *held, double *step) {
    int64_t numbers = work->k * work->k;
    for (double share = FIRST_LIFT; share <= LAST_LIFT; share *= NEXT_LIFT) {
        for (int64_t j = 0; j < numbers; j++) work->lifted[j] = point->curvature[j] + share * point->information[j];
        if (solve_free(work, work->lifted, point, held, step)) return 1;
    }
    return solve_free(work, point->information, point, held, step);
}

static Point place_point(double *room, int64_t k) {
    Point point = {0.0, room, room + k, room + k + k * k};
    return point;
}

static void swap_points(Point *left, Point *right) {
    Point kept = *left;
    *left = *right, *right = kept;
}

typedef struct {
    int64_t rounds;
    double largest, step, gain, slack;
} Limits;

/* Newton from ``beta``, as _Search does it; UNDECIDED where the curvature fails. */
static int climb(Work *work, double *beta, const uint8_t *held, const Limits *limits, Point points[2], double *step,
                 double *trial, int64_t *round) {
    int64_t k = work->k;
    double share = 1.0, longest = 0.0, gain;
    int moved = 1;
    evaluate(work, beta, &points[0]);
    for (*round = 1; *round <= limits->rounds; (*round)++) {
        Point *here = &points[0];
        if (moved) {
            if (!isfinite(here->value)) return UNDECIDED;
            if (!solve_free(work, here->curvature, here, held, step) && !solve_lifted(work, here, held, step))
                return UNDECIDED;
            longest = shorten(work, step, limits->largest);
        }
        gain = 0.0;
        for (int64_t a = 0; a < k; a++) gain += step[a] * here->gradient[a];
        if (longest <= limits->step) return CONVERGED;
        if (gain < limits->gain && longest > DRIFT) return SEPARATED;
        for (int64_t a = 0; a < k; a++) trial[a] = beta[a] + share * step[a];
        evaluate(work, trial, &points[1]);
        moved = points[1].value >= here->value - limits->slack * (1.0 + fabs(here->value));
        if (moved) {
            memcpy(beta, trial, sizeof(double) * (size_t)k);
            swap_points(&points[0], &points[1]);
        }
        share = moved ? 1.0 : 0.5 * share;
    }
    return ROUNDS;
}

typedef struct {
    double *beta, *step, *value, *gradient, *curvature, *information;
    int64_t *rounds, *stop;
} Maxima;

/* Climb in every problem; ``beta`` holds the starts. Returns 0 where there is no memory. */
DOOR int rarefactor_maximise(const Data *data, int64_t problems, const uint8_t *held, const Limits *limits,
                             const Maxima *maxima) {
    int64_t k = data->k, room = k + 2 * k * k;
    Work work;
    double *points = malloc(sizeof(double) * (size_t)(2 * room + k));
    int ready = open_work(&work, data) && points;
    for (int64_t b = 0; ready && b < problems; b++) {
        Point both[2] = {place_point(points, k), place_point(points + room, k)};
        double *beta = maxima->beta + b * k, *step = maxima->step + b * k;
        load_problem(&work, data, b);
        int stop = climb(&work, beta, held + b * k, limits, both, step, points + 2 * room, &maxima->rounds[b]);
        for (int64_t a = 0; a < k && stop == CONVERGED; a++) beta[a] += step[a];
        maxima->stop[b] = stop, maxima->value[b] = both[0].value;
        memcpy(maxima->gradient + b * k, both[0].gradient, sizeof(double) * (size_t)k);
        memcpy(maxima->curvature + b * k * k, both[0].curvature, sizeof(double) * (size_t)(k * k));
        memcpy(maxima->information + b * k * k, both[0].information, sizeof(double) * (size_t)(k * k));
    }
    free(work.block);
    free(points);
    return ready;
}

/* Walks along profiles: ``problem``, ``column`` and ``side`` of each. */
typedef struct {
    int64_t count;
    const int64_t *problem, *column;
    const double *side;
} Lanes;

typedef struct {
    int64_t goals, rounds;
    double largest, arrived, drop;
} Stride;

typedef struct {
    const double *beta, *value, *gradient, *curvature, *information;
} Tops;

/* Solve with the held row and column taken out: the step onto the ridge, and the ridge. */
static int solve_nuisance(Work *work, const double *matrix, const Point *point, int64_t column, double *onto,
                          double *ridge) {
    int64_t k = work->k;
    for (int64_t a = 0; a < k; a++) {
        for (int64_t b = 0; b < k; b++)
            work->matrix[a * k + b] = a == column || b == column ? (a == b ? 1.0 : 0.0) : matrix[a * k + b];
        onto[a] = a == column ? 0.0 : point->gradient[a];
        ridge[a] = a == column ? 1.0 : -matrix[a * k + column];
    }
    if (!factor_matrix(work->matrix, work->factor, k)) return 0;
    solve_factor(work->factor, onto, k);
    solve_factor(work->factor, ridge, k);
    return 1;
}

static double dot(const double *left, const double *right, int64_t k) {
    double sum = 0.0;
    for (int64_t a = 0; a < k; a++) sum += left[a] * right[a];
    return sum;
}

static double bend_along(const double *matrix, const double *ridge, int64_t k) {
    double sum = 0.0;
    for (int64_t a = 0; a < k; a++) sum += ridge[a] * dot(matrix + a * k, ridge, k);
    return sum;
}

/* One walk, as _Walk does it; returns the rounds and writes NaN where it did not arrive. */
static int64_t walk(Work *work, const Point *start, const double *top, int64_t column, double side,
                    const Stride *stride, double *room, double *found) {
    int64_t k = work->k;
    double *beta = room, *trial = room + k, *step = room + 2 * k, *ridge = room + 3 * k;
    Point points[2] = {place_point(room + 4 * k, k), place_point(room + 5 * k + 2 * k * k, k)};
    const Point *here = start;
    double goal = 1.0 / (double)stride->goals, share = 1.0;
    memcpy(beta, top, sizeof(double) * (size_t)k);
    for (int64_t round = 1; round <= stride->rounds; round++) {
        const double *matrix = here->curvature;
        if (!solve_nuisance(work, matrix, here, column, step, ridge)) {
            matrix = here->information;
            solve_nuisance(work, matrix, here, column, step, ridge);
        }
        double best = here->value + 0.5 * dot(step, here->gradient, k);
        double excess = best - start->value + stride->drop * (goal * goal);
        double fall = -side * dot(ridge, here->gradient, k);
        double inner = fall * fall + 2.0 * bend_along(matrix, ridge, k) * excess;
        double below = fall + sqrt(inner > 0.0 ? inner : 0.0);
        double distance = side * (below > 0.0 ? 2.0 * excess / below : stride->largest), longest = 0.0, size = 0.0;
        if (side == 0.0) distance = top[column] * (1.0 - goal) - beta[column];
        for (int64_t a = 0; a < k; a++) {
            step[a] += distance * ridge[a];
            longest = fmax(longest, fabs(step[a])), size = fmax(size, fabs(beta[a]));
        }
        shorten(work, step, stride->largest);
        if (longest <= stride->arrived * (1.0 + size) && goal >= 1.0) {
            *found = side == 0.0 ? fmax(0.0, 2.0 * (start->value - best)) : beta[column] + step[column];
            return round;
        }
        for (int64_t a = 0; a < k; a++) trial[a] = beta[a] + share * step[a];
        evaluate(work, trial, &points[1]);
        double lowest = start->value - stride->drop * (goal * goal + 1.0);
        if (points[1].value >= lowest || (side == 0.0 && isfinite(points[1].value))) {
            memcpy(beta, trial, sizeof(double) * (size_t)k);
            swap_points(&points[0], &points[1]);
            here = &points[0];
            share = fmin(1.0, 2.0 * share), goal = fmin(1.0, goal + 1.0 / (double)stride->goals);
        } else {
            share *= 0.5;
        }
    }
    *found = NAN;
    return stride->rounds;
}

/* Walk from the maxima of the problems; returns 0 where there is no memory. */
DOOR int rarefactor_walk(const Data *data, const Tops *tops, const Lanes *lanes, const Stride *stride, double *found,
                         int64_t *rounds) {
    int64_t k = data->k;
    Work work;
    double *room = malloc(sizeof(double) * (size_t)(6 * k + 4 * k * k));
    int ready = open_work(&work, data) && room;
    for (int64_t lane = 0; ready && lane < lanes->count; lane++) {
        int64_t b = lanes->problem[lane];
        Point start = {tops->value[b], (double *)tops->gradient + b * k, (double *)tops->curvature + b * k * k,
                       (double *)tops->information + b * k * k};
        load_problem(&work, data, b);
        rounds[lane] = walk(&work, &start, tops->beta + b * k, lanes->column[lane], lanes->side[lane], stride, room,
                            found + lane);
    }
    free(work.block);
    free(room);
    return ready;
}

/* Evaluate every problem at ``beta``; the step, rounds and stop of ``maxima`` are not used. */
DOOR int rarefactor_evaluate(const Data *data, int64_t problems, const Maxima *maxima) {
    int64_t k = data->k;
    Work work;
    int ready = open_work(&work, data);
    for (int64_t b = 0; ready && b < problems; b++) {
        Point point = {0.0, maxima->gradient + b * k, maxima->curvature + b * k * k, maxima->information + b * k * k};
        load_problem(&work, data, b);
        evaluate(&work, maxima->beta + b * k, &point);
        maxima->value[b] = point.value;
    }
    free(work.block);
    return ready;
}

/* The source that this library was built from, so that a stale one is not used. */
DOOR const char *rarefactor_source(void) { return SOURCE; }
