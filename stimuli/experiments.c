#include "experiments.h"

#include <string.h>

static const unsigned char cells_15_10_07[] = {0, 1, 2, 3, 4};
static const unsigned char cells_15_11_21a[] = {6, 10, 12, 13};
static const unsigned char cells_15_11_21b[] = {0, 1, 3, 5, 8, 9, 13, 14, 16, 17, 18, 20, 21, 22, 23, 24, 25};
static const unsigned char cells_16_01_07[] = {0, 2, 7, 10, 11, 12, 31};
static const unsigned char cells_16_01_08[] = {0, 3, 7, 9, 11};
static const unsigned char cells_16_05_31[] = {2, 3, 4, 14, 16, 18, 20, 25, 27};

static const unsigned char centers_15_10_07[][2] = {{21, 18}, {24, 20}, {22, 18}, {27, 18}, {31, 20}};
static const unsigned char centers_15_11_21a[][2] = {{37, 3}, {39, 6}, {20, 15}, {41, 2}};
static const unsigned char centers_15_11_21b[][2] = {{16, 13}, {20, 12}, {19, 7},  {19, 3},  {21, 7}, {22, 6},
                                                     {21, 7},  {25, 3},  {23, 6},  {26, 4},  {24, 6}, {26, 7},
                                                     {27, 9},  {26, 9},  {27, 11}, {26, 13}, {24, 10}};

#define CELLS(list) sizeof(list) / sizeof *(list), list
static const retc_experiment experiments[] = {
    {"15-10-07", 6, CELLS(cells_15_10_07), centers_15_10_07},
    {"15-11-21a", 6, CELLS(cells_15_11_21a), centers_15_11_21a},
    {"15-11-21b", 6, CELLS(cells_15_11_21b), centers_15_11_21b},
    {"16-01-07", 3, CELLS(cells_16_01_07), NULL},
    {"16-01-08", 3, CELLS(cells_16_01_08), NULL},
    {"16-05-31", 0, CELLS(cells_16_05_31), NULL},
};

const retc_experiment *
retc_experiment_find(const char *name) {
    for (size_t i = 0; i < sizeof experiments / sizeof *experiments; ++i)
        if (strcmp(experiments[i].name, name) == 0)
            return &experiments[i];
    return NULL;
}

int
retc_experiment_center(const retc_experiment *experiment, size_t cell, size_t *row, size_t *column) {
    for (size_t i = 0; experiment->center && i < experiment->n; ++i)
        if (experiment->cell[i] == cell) {
            *row = experiment->center[i][0];
            *column = experiment->center[i][1];
            return 1;
        }
    return 0;
}
