/* Circuits to start from.  Sources:  BMS: Baccus & Meister 2002, Neuron 36:909 (salamander; filters and contrast adaptation);
 * OBM: Olveczky, Baccus & Meister 2003, Nature 423:401 (object motion); BOM: Baccus, Olveczky, Manu & Meister 2008, J Neurosci
 * 28:6807 (wide-field amacrine cells); AS: Awatramani & Slaughter 2000, J Neurosci 20:7087 (sustained and transient bipolar
 * cells); GM: Gollisch & Meister 2008, Science 319:1108 and J Physiol Paris 102:150 (subunits, latencies); CBMS: Clark,
 * Benichou, Meister & da Silveira 2013, PLoS Comput Biol 9:e1003289; BBJM: Berry, Brivanlou, Jordan & Meister 1999, Nature
 * 398:334 (gain control, anticipation); BM: Berry & Meister 1998, J Neurosci 18:2200 (refractoriness).  Values are round
 * numbers of the size reported there, not fits. */
#include <string.h>

#include "circuit_config.h"

static void
set_tiny(retc_circuit_options *o) {
    const retc_bipolar_options bipolar_cell = {.spacing = 110,
                                               .jitter = 0,
                                               .center = 35,
                                               .surround = 70,
                                               .surround_weight = 0.8,
                                               .tau = 10,
                                               .tau_adapt = 100,
                                               .amacrine = RETC_AMACRINE_NONE};
    const retc_amacrine_options narrow = {
        .spacing = 80, .jitter = 0.15, .radius = 40, .tau = 5, .delay = 17, .threshold = 0.4, .reach = 15};
    const retc_ganglion_options ganglion_cell = {.spacing = 130,
                                                 .jitter = 0.1,
                                                 .radius = 58,
                                                 .inhibition = 1,
                                                 .bipolar = RETC_BIPOLAR_OFF_TRANSIENT,
                                                 .amacrine = RETC_AMACRINE_NONE};
    *o = (retc_circuit_options){
        .pixel = 50, .margin = 200, .on_pixels = 1, .calibration = RETC_CALIBRATE_STIMULUS, .contrast = 0.35, .seed = 1};
    o->photoreceptor = (retc_photoreceptor_options){.tau_y = 6, .n_y = 3, .tau_z = 13, .n_z = 3, .beta = 4};
    for (size_t i = 0; i < RETC_BIPOLAR_TYPES; ++i)
        o->bipolar[i] = bipolar_cell;
    o->bipolar[RETC_BIPOLAR_OFF].tau = 5;
    for (size_t i = 0; i < RETC_AMACRINE_TYPES; ++i)
        o->amacrine[i] = narrow;
    o->amacrine[RETC_AMACRINE_ON].bipolar = RETC_BIPOLAR_ON;
    o->amacrine[RETC_AMACRINE_OFF].bipolar = RETC_BIPOLAR_OFF;
    o->amacrine[RETC_AMACRINE_WIDE].bipolar = o->amacrine[RETC_AMACRINE_DELAYED].bipolar = RETC_BIPOLAR_OFF_TRANSIENT;
    for (size_t i = 0; i < RETC_GANGLION_TYPES; ++i)
        o->ganglion[i] = ganglion_cell;
    o->ganglion[RETC_GANGLION_BRISK_ON].bipolar = RETC_BIPOLAR_ON;
    o->ganglion[RETC_GANGLION_BRISK_ON].amacrine = RETC_AMACRINE_ON;
    o->ganglion[RETC_GANGLION_BRISK_OFF].bipolar = RETC_BIPOLAR_OFF;
    o->ganglion[RETC_GANGLION_BRISK_OFF].amacrine = RETC_AMACRINE_OFF;
    o->ganglion[RETC_GANGLION_BRISK_ON].cells = o->ganglion[RETC_GANGLION_BRISK_OFF].cells = 2;
    o->gain_tau = 170;
    o->rate = 15, o->rate_spread = 0.33, o->slope = 2, o->threshold = 1;
    o->absolute = 2, o->relative = 2, o->order = 4;
}

static void
set_salamander(retc_circuit_options *o) {
    set_tiny(o);
    o->calibration = RETC_CALIBRATE_NOISE, o->margin = 0, o->on_pixels = 0;
    o->photoreceptor = (retc_photoreceptor_options){.tau_y = 14, .n_y = 4, .tau_z = 40, .n_z = 3, .beta = 1};
    for (size_t i = 0; i < RETC_BIPOLAR_TYPES; ++i) {
        int transient = i == RETC_BIPOLAR_ON_TRANSIENT || i == RETC_BIPOLAR_OFF_TRANSIENT;
        o->bipolar[i] = (retc_bipolar_options){.spacing = 120,
                                               .jitter = 0.2,
                                               .center = 45,
                                               .surround = 140,
                                               .surround_weight = 0.7,
                                               .tau = 20,
                                               .transience = transient ? 0.9 : 0.2,
                                               .tau_adapt = transient ? 80 : 200,
                                               .threshold = transient ? 0 : -1,
                                               .amacrine = RETC_AMACRINE_NONE};
    }
    o->bipolar[RETC_BIPOLAR_OFF].tau = o->bipolar[RETC_BIPOLAR_OFF_TRANSIENT].tau = 10;
    o->bipolar[RETC_BIPOLAR_OFF].amacrine = RETC_AMACRINE_OFF, o->bipolar[RETC_BIPOLAR_OFF].inhibition = 0.3;
    o->amacrine[RETC_AMACRINE_ON] = (retc_amacrine_options){.bipolar = RETC_BIPOLAR_ON,
                                                            .spacing = 120,
                                                            .jitter = 0.2,
                                                            .radius = 90,
                                                            .tau = 30,
                                                            .delay = 20,
                                                            .threshold = 0.5,
                                                            .reach = 120};
    o->amacrine[RETC_AMACRINE_OFF] = o->amacrine[RETC_AMACRINE_ON];
    o->amacrine[RETC_AMACRINE_OFF].bipolar = RETC_BIPOLAR_OFF;
    o->amacrine[RETC_AMACRINE_WIDE] = (retc_amacrine_options){.bipolar = RETC_BIPOLAR_OFF_TRANSIENT,
                                                              .spacing = 250,
                                                              .jitter = 0.2,
                                                              .radius = 100,
                                                              .tau = 10,
                                                              .threshold = 0.3,
                                                              .reach = 600};
    o->amacrine[RETC_AMACRINE_DELAYED] = (retc_amacrine_options){.bipolar = RETC_BIPOLAR_OFF_TRANSIENT,
                                                                 .spacing = 80,
                                                                 .jitter = 0.2,
                                                                 .radius = 60,
                                                                 .tau = 60,
                                                                 .delay = 40,
                                                                 .threshold = 0.2,
                                                                 .reach = 80};
    for (size_t i = 0; i < RETC_GANGLION_TYPES; ++i) {
        o->ganglion[i].cells = 4;
        o->ganglion[i].spacing = 300, o->ganglion[i].jitter = 0.15, o->ganglion[i].radius = 90;
    }
    o->ganglion[RETC_GANGLION_BRISK_ON].inhibition = o->ganglion[RETC_GANGLION_BRISK_OFF].inhibition = 0.4;
    o->ganglion[RETC_GANGLION_Y_LIKE].radius = 180;
    o->ganglion[RETC_GANGLION_DIRECTION].radius = 80, o->ganglion[RETC_GANGLION_DIRECTION].amacrine = RETC_AMACRINE_DELAYED;
    o->ganglion[RETC_GANGLION_DIRECTION].inhibition = 3, o->ganglion[RETC_GANGLION_DIRECTION].offset = 120;
    o->ganglion[RETC_GANGLION_OBJECT_MOTION].amacrine = RETC_AMACRINE_WIDE;
    o->ganglion[RETC_GANGLION_OBJECT_MOTION].inhibition = 2, o->ganglion[RETC_GANGLION_OBJECT_MOTION].inner = 400;
    /* Calibrated on noise, cells that it inhibits would fire at thousands of Hz under bars.  A dead time of 4 ms, as both
     * refractory periods together. */
    o->rate = 8, o->maximum = 250;
}

void
retc_circuit_default(retc_circuit_options *options) {
    set_tiny(options);
}

int
retc_circuit_preset(const char *name, retc_circuit_options *options) {
    if (!strcmp(name, "tiny"))
        set_tiny(options);
    else if (!strcmp(name, "salamander-like"))
        set_salamander(options);
    else
        return RETC_FAIL(RETC_EINVAL, "there is no preset \"%s\"; expected tiny or salamander-like", name);
    return RETC_OK;
}

void
retc_circuit_set_cells(retc_circuit_options *options, size_t cells) {
    size_t left[RETC_GANGLION_TYPES], any = 0;
    for (size_t i = 0; i < RETC_GANGLION_TYPES; ++i) {
        left[i] = options->ganglion[i].cells;
        any += left[i];
        options->ganglion[i].cells = 0;
    }
    for (size_t i = 0; cells > 0 && any > 0; i = (i + 1) % RETC_GANGLION_TYPES) {
        if (left[i] == 0)
            continue;
        options->ganglion[i].cells += 1;
        cells -= 1;
    }
}
