#include "gaussian.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

enum { PARAMETERS = 6, MOST_STEPS = 60 };

static const double threshold = 0.3, narrowest = 1 / 12.0;

/* a, m, and the elements of S^-1. */
typedef struct {
    double a, x, y, xx, xy, yy;
} gaussian;

/* Values of the centre, and where they are: in the rectangle first_row ... last_row, first_column ... last_column, those whose
 * mark is not 0. */
typedef struct {
    const float *map;
    const float *mark;
    size_t w, first_row, last_row, first_column, last_column;
    double scale, widest; /* of the map's values, and of the axes of S */
} centre;

/* ---- which pixels ---------------------------------------------------------------------------------------------------- */

static size_t
largest(const float *map, size_t n) {
    size_t best = 0;
    for (size_t p = 0; p < n; ++p)
        if (fabsf(map[p]) > fabsf(map[best]))
            best = p;
    return best;
}

/* Does a pixel touch one with this mark? */
static int
touches(const float *mark, size_t h, size_t w, size_t y, size_t x, float value) {
    for (size_t v = y > 0 ? y - 1 : 0; v <= y + 1 && v < h; ++v)
        for (size_t u = x > 0 ? x - 1 : 0; u <= x + 1 && u < w; ++u)
            if (mark[v * w + u] == value)
                return 1;
    return 0;
}

/* Marks: 1 above the threshold and connected with the peak, 2 around these. */
static void
mark_centre(const float *map, size_t h, size_t w, size_t peak, float *mark) {
    int grows = 1;
    memset(mark, 0, h * w * sizeof *mark);
    mark[peak] = 1;
    while (grows) {
        grows = 0;
        for (size_t p = 0; p < h * w; ++p)
            if (mark[p] == 0 && (double)map[p] / (double)map[peak] > threshold && touches(mark, h, w, p / w, p % w, 1)) {
                mark[p] = 1;
                grows = 1;
            }
    }
    for (size_t p = 0; p < h * w; ++p)
        if (mark[p] == 0 && touches(mark, h, w, p / w, p % w, 1))
            mark[p] = 2;
}

static centre
find_centre(const float *map, size_t h, size_t w, size_t peak, float *mark) {
    centre c = {map, mark, w, h, 0, w, 0, 1 / (double)map[peak], (double)(h * h + w * w)};
    mark_centre(map, h, w, peak, mark);
    for (size_t p = 0; p < h * w; ++p)
        if (mark[p] != 0) {
            size_t y = p / w, x = p % w;
            c.first_row = y < c.first_row ? y : c.first_row, c.last_row = y > c.last_row ? y : c.last_row;
            c.first_column = x < c.first_column ? x : c.first_column, c.last_column = x > c.last_column ? x : c.last_column;
        }
    return c;
}

/* ---- fit ------------------------------------------------------------------------------------------------------------- */

/* Eigenvalues of [xx xy; xy yy] and the angle of the larger one's axis. */
static void
principal(double xx, double xy, double yy, double *large, double *small, double *angle) {
    double middle = (xx + yy) / 2, half = hypot((xx - yy) / 2, xy);
    *large = middle + half;
    *small = middle - half;
    *angle = 0.5 * atan2(2 * xy, xx - yy);
}

/* The nearest Gaussian with axes between the limits and its middle in the rectangle. */
static gaussian
limited(const centre *c, gaussian g) {
    double large, small, angle;
    principal(g.xx, g.xy, g.yy, &large, &small, &angle);
    large = fmin(fmax(large, 1 / c->widest), 1 / narrowest);
    small = fmin(fmax(small, 1 / c->widest), 1 / narrowest);
    double middle = (large + small) / 2, half = (large - small) / 2;
    g.xx = middle + half * cos(2 * angle), g.yy = middle - half * cos(2 * angle), g.xy = half * sin(2 * angle);
    g.x = fmin(fmax(g.x, (double)c->first_column - 0.5), (double)c->last_column + 0.5);
    g.y = fmin(fmax(g.y, (double)c->first_row - 0.5), (double)c->last_row + 0.5);
    return g;
}

/* Second moments of what exceeds the threshold: too small where few pixels do, but a place to start from. */
static gaussian
first_guess(const centre *c, size_t peak) {
    double sum = 0, x1 = 0, y1 = 0, xx = 0, yy = 0, xy = 0;
    for (size_t y = c->first_row; y <= c->last_row; ++y)
        for (size_t x = c->first_column; x <= c->last_column; ++x) {
            double value = c->scale * (double)c->map[y * c->w + x], over = value - threshold;
            if (c->mark[y * c->w + x] != 1 || over <= 0)
                continue;
            double dx = (double)x - (double)(peak % c->w), dy = (double)y - (double)(peak / c->w);
            sum += over, x1 += over * dx, y1 += over * dy;
            xx += over * dx * dx, yy += over * dy * dy, xy += over * dx * dy;
        }
    x1 /= sum, y1 /= sum;
    xx = xx / sum - x1 * x1 + narrowest, yy = yy / sum - y1 * y1 + narrowest, xy = xy / sum - x1 * y1;
    double determinant = xx * yy - xy * xy;
    return limited(c, (gaussian){1, (double)(peak % c->w) + x1, (double)(peak / c->w) + y1, yy / determinant, -xy / determinant,
                                 xx / determinant});
}

/* Sum of squared differences; with `normal` (6,6) and `gradient` (6) also J' J and J' (values - Gaussian). */
static double
compare(const centre *c, const gaussian *g, double *normal, double *gradient) {
    double sum = 0;
    if (normal) {
        memset(normal, 0, PARAMETERS * PARAMETERS * sizeof *normal);
        memset(gradient, 0, PARAMETERS * sizeof *gradient);
    }
    for (size_t y = c->first_row; y <= c->last_row; ++y)
        for (size_t x = c->first_column; x <= c->last_column; ++x) {
            if (c->mark[y * c->w + x] == 0)
                continue;
            double dx = (double)x - g->x, dy = (double)y - g->y;
            double e = exp(-0.5 * (g->xx * dx * dx + 2 * g->xy * dx * dy + g->yy * dy * dy)), value = g->a * e;
            double difference = fmax(0, c->scale * (double)c->map[y * c->w + x]) - value;
            sum += difference * difference;
            if (!normal)
                continue;
            const double slope[PARAMETERS] = {e,
                                              value * (g->xx * dx + g->xy * dy),
                                              value * (g->xy * dx + g->yy * dy),
                                              -0.5 * value * dx * dx,
                                              -value * dx * dy,
                                              -0.5 * value * dy * dy};
            for (size_t i = 0; i < PARAMETERS; ++i) {
                gradient[i] += slope[i] * difference;
                for (size_t j = 0; j <= i; ++j)
                    normal[i * PARAMETERS + j] += slope[i] * slope[j];
            }
        }
    return sum;
}

/* The Gaussian one damped step on, or the same one where there is no such step. */
static gaussian
step(const centre *c, const gaussian *g, const double *normal, const double *gradient, double damping) {
    double matrix[PARAMETERS * PARAMETERS], change[PARAMETERS];
    gsl_matrix_view view = gsl_matrix_view_array(matrix, PARAMETERS, PARAMETERS);
    gsl_vector_view vector = gsl_vector_view_array(change, PARAMETERS);
    memcpy(matrix, normal, sizeof matrix);
    memcpy(change, gradient, sizeof change);
    for (size_t i = 0; i < PARAMETERS; ++i) /* what no pixel depends on stays where it is */
        matrix[i * PARAMETERS + i] = (1 + damping) * normal[i * PARAMETERS + i] + 1e-12;
    if (gsl_linalg_cholesky_decomp1(&view.matrix))
        return *g;
    gsl_linalg_cholesky_svx(&view.matrix, &vector.vector);
    return limited(c, (gaussian){g->a + change[0], g->x + change[1], g->y + change[2], g->xx + change[3], g->xy + change[4],
                                 g->yy + change[5]});
}

static gaussian
fit(const centre *c, gaussian g) {
    double normal[PARAMETERS * PARAMETERS], gradient[PARAMETERS], damping = 1e-3, misfit = compare(c, &g, normal, gradient);
    for (int i = 0; i < MOST_STEPS && damping < 1e8; ++i) {
        gaussian next = step(c, &g, normal, gradient, damping);
        double after = compare(c, &next, NULL, NULL);
        if (!(after < misfit)) {
            damping *= 10;
            continue;
        }
        int is_done = misfit - after <= 1e-9 * misfit;
        g = next;
        if (is_done)
            break;
        misfit = compare(c, &g, normal, gradient);
        damping = fmax(damping / 10, 1e-9);
    }
    return g;
}

retc_gaussian
retc_gaussian_fit(const float *map, size_t h, size_t w, float *scratch) {
    size_t peak = largest(map, h * w);
    centre c = find_centre(map, h, w, peak, scratch);
    gaussian g = fit(&c, first_guess(&c, peak));
    double large, small, angle;
    principal(g.xx, g.xy, g.yy, &large, &small, &angle);
    /* The longest axis is across that of the larger element of S^-1; rows count downwards. */
    double degrees = fmod(270 - angle * 180 / M_PI, 180), major = 1 / sqrt(small), minor = 1 / sqrt(large);
    return (retc_gaussian){g.y, g.x, major, minor, major > 1.001 * minor ? degrees : (double)NAN};
}
