#include "irf_shape.h"

#include <math.h>
#include <string.h>

#include "gaussian.h"

static const double degrees = 180 / M_PI;

static size_t
largest(const float *x, size_t n) {
    size_t best = 0;
    for (size_t i = 0; i < n; ++i)
        if (fabsf(x[i]) > fabsf(x[best]))
            best = i;
    return best;
}

/* ---- time ------------------------------------------------------------------------------------------------------------ */

/* Where the parabola through |u| at k and its neighbours has its top. */
static double
refine(const float *u, size_t k, size_t L) {
    if (k == 0 || k + 1 >= L)
        return (double)k;
    double sign = u[k] < 0 ? -1 : 1, a = sign * (double)u[k - 1], b = sign * (double)u[k], c = sign * (double)u[k + 1];
    double bend = 2 * b - a - c;
    return bend > 0 ? (double)k + 0.5 * (c - a) / bend : (double)k;
}

/* From the largest answers to a step of light and to one of dark at any time in the window. */
static double
polarity(const float *u, size_t L, double sign) {
    double sum = 0, on = 0, off = 0;
    for (size_t k = L; k-- > 0;) {
        sum += sign * (double)u[k];
        on = fmax(on, sum);
        off = fmax(off, -sum);
    }
    return (on - off) / (on + off);
}

/* ---- motion ---------------------------------------------------------------------------------------------------------- */

/* Central differences of a map over columns (dx) and rows (dy). */
static void
differentiate(const float *v, size_t h, size_t w, float *dx, float *dy) {
    for (size_t y = 0; y < h; ++y)
        for (size_t x = 0; x < w; ++x) {
            size_t p = y * w + x;
            dx[p] = 0.5f * ((x + 1 < w ? v[p + 1] : 0) - (x ? v[p - 1] : 0));
            dy[p] = 0.5f * ((y + 1 < h ? v[p + w] : 0) - (y ? v[p - w] : 0));
        }
}

static double
dot(const float *x, const float *y, size_t n) {
    double sum[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; ++k)
            sum[k] += (double)x[i + k] * (double)y[i + k];
    for (; i < n; ++i)
        sum[0] += (double)x[i] * (double)y[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* sum_k u[k]' w[k] and sum_k u[k]' w[k]', ' a central difference in time. */
static void
differences(const float *u, const float *w, size_t L, double *once, double *twice) {
    *once = *twice = 0;
    for (size_t k = 0; k < L; ++k) {
        double du = 0.5 * ((k + 1 < L ? (double)u[k + 1] : 0) - (k ? (double)u[k - 1] : 0));
        double dw = 0.5 * ((k + 1 < L ? (double)w[k + 1] : 0) - (k ? (double)w[k - 1] : 0));
        *once += du * (double)w[k];
        *twice += du * dw;
    }
}

typedef struct {
    double tt, tx, ty, xx, yy, xy; /* sums of products of derivatives of the field */
} products;

static products
multiply(const retc_irf_place *place, const retc_separation *f, float *scratch) {
    size_t P = place->h * place->w, L = place->L;
    products sum = {0};
    for (size_t i = 0; i < place->rank; ++i)
        differentiate(f->v + i * P, place->h, place->w, scratch + 2 * i * P, scratch + (2 * i + 1) * P);
    for (size_t i = 0; i < place->rank; ++i) {
        const float *dx = scratch + 2 * i * P, *dy = dx + P;
        double s = (double)f->s[i], once, twice;
        /* Time courses are orthonormal, and so are maps. */
        sum.xx += s * s * dot(dx, dx, P), sum.yy += s * s * dot(dy, dy, P), sum.xy += s * s * dot(dx, dy, P);
        differences(f->u + i * L, f->u + i * L, L, &once, &twice);
        sum.tt += s * s * twice;
        for (size_t j = 0; j < place->rank; ++j)
            if (j != i) { /* u' u and v' v sum up to 0 */
                differences(f->u + j * L, f->u + i * L, L, &once, &twice);
                sum.tx += s * (double)f->s[j] * once * dot(f->v + j * P, dx, P);
                sum.ty += s * (double)f->s[j] * once * dot(f->v + j * P, dy, P);
            }
    }
    return sum;
}

static void
measure_motion(const retc_irf_place *place, const retc_separation *field, float *scratch, retc_irf_shape *shape) {
    products s = multiply(place, field, scratch);
    double determinant = s.xx * s.yy - s.xy * s.xy, cx, cy;
    if (determinant > 1e-12 * s.xx * s.yy) {
        cx = -(s.yy * s.tx - s.xy * s.ty) / determinant;
        cy = -(s.xx * s.ty - s.xy * s.tx) / determinant;
    } else { /* a line of pixels, or one */
        cx = s.xx > 0 && s.xx >= s.yy ? -s.tx / s.xx : 0;
        cy = s.yy > 0 && s.yy > s.xx ? -s.ty / s.yy : 0;
    }
    double explained = -(cx * s.tx + cy * s.ty), angle = degrees * atan2(-cy, cx);
    shape->index = s.tt > 0 ? sqrt(fmin(1, fmax(0, explained / s.tt))) : 0;
    shape->speed = hypot(cx, cy);
    shape->direction = shape->speed > 0 ? angle < 0 ? angle + 360 : angle : (double)NAN;
}

void
retc_irf_shape_of(const retc_irf_place *place, const retc_separation *field, float *scratch, retc_irf_shape *shape) {
    const double none = (double)NAN;
    *shape = (retc_irf_shape){none, none, none, none, none, 0, none, none, none, none, none};
    if (!(field->s[0] > 0))
        return;
    size_t k = largest(field->u, place->L), p = largest(field->v, place->h * place->w);
    shape->polarity = polarity(field->u, place->L, field->v[p] < 0 ? -1 : 1);
    shape->latency = (double)(place->L - 1 + place->lag) - refine(field->u, k, place->L);
    shape->separability = fmin(1, pow((double)field->s[0] / field->norm, 2));
    retc_gaussian centre = retc_gaussian_fit(field->v, place->h, place->w, scratch);
    shape->row = (double)place->row + centre.row;
    shape->column = (double)place->column + centre.column;
    shape->major = centre.major;
    shape->minor = centre.minor;
    shape->orientation = centre.orientation;
    measure_motion(place, field, scratch, shape);
}
