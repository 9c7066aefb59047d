// The Balloon-Windkessel model of the BOLD signal, driven by samples while a simulation runs.
//
// Equations 4-10 of Stephan et al. 2007, NeuroImage 38:387. A step is driven by the mean of its samples. In double: at
// rest-like rates the signal is a thousandth of the states it is made from.
#include "ratemlx/program.h"

enum { SIGNAL, FLOW, VOLUME, DEOXYHEMOGLOBIN, N_STATES, SUM = N_STATES, DRIVE, N_ROWS };

// A series is one region of one of the chosen exposures.
typedef struct Arguments {
    int32_t n_exposures;  // in `samples`
    int32_t n_regions;
    int32_t n_chosen;     // exposures that are observed
    int32_t capacity;     // samples that a tile of `samples` has room for
    int32_t n_samples;    // of this call
    int32_t until_kept;   // samples before the first volume begins, counted from this call's first; may be below zero
    int32_t per_step;     // samples of a step
    int32_t per_volume;   // steps of a repetition time
    int32_t n_volumes;
    int32_t heun;         // 0: Euler
    int32_t linear;       // 1: the linear form of the signal
    int32_t average;      // 1: a volume is the mean over its steps, 0: the last of them
    int32_t first_sample; // samples of the run before this call
    double step;          // s
    double gain;
    double decay;         // 1 / tau_s
    double feedback;      // 1 / tau_f
    double transit;       // 1 / tau_o
    double stiffness;     // 1 / alpha
    double extraction;    // E0
    double log_rest;      // log(1 - E0)
    double scale;         // V0
    double k[3];
    const sample_scalar *samples;  // [tile][capacity][exposure][region][lane]
    const int32_t *chosen;         // [n_chosen], index of each in `samples`
    double *state;                 // [tile][series][row][lane]
    sample_scalar *volumes;        // [tile][n_volumes][series][lane]
} Arguments;

RATEMLX_INLINE void rates(const Arguments &a, const real *state, real drive, real *rate)
{
    const real flow = state[FLOW], volume = state[VOLUME];
    const real outflow = exp(log(volume) * a.stiffness);
    rate[SIGNAL] = drive - state[SIGNAL] * a.decay - (flow - 1.0) * a.feedback;
    rate[FLOW] = state[SIGNAL];
    rate[VOLUME] = (flow - outflow) * a.transit;
    rate[DEOXYHEMOGLOBIN] = (flow * (1.0 - exp(a.log_rest / flow)) * (1.0 / a.extraction)
                             - outflow * state[DEOXYHEMOGLOBIN] / volume) * a.transit;
}

RATEMLX_INLINE void advance(const Arguments &a, real drive, real *state)
{
    real rate[N_STATES], ahead[N_STATES], rate_ahead[N_STATES];
    rates(a, state, drive, rate);
    for (int i = 0; i < N_STATES; ++i) ahead[i] = state[i] + rate[i] * a.step;
    if (a.heun) {
        rates(a, ahead, drive, rate_ahead);
        for (int i = 0; i < N_STATES; ++i) ahead[i] = state[i] + (rate[i] + rate_ahead[i]) * (0.5 * a.step);
    }
    for (int i = 0; i < N_STATES; ++i) state[i] = ahead[i];
}

// The signal change, in units of V0.
RATEMLX_INLINE real signal(const Arguments &a, const real *state)
{
    const real v = state[VOLUME], q = state[DEOXYHEMOGLOBIN];
    if (a.linear) return ((1.0 - q) * (a.k[0] + a.k[1]) + (1.0 - v) * (a.k[2] - a.k[1])) * a.scale;
    return ((1.0 - q) * a.k[0] + (1.0 - q / v) * a.k[1] + (1.0 - v) * a.k[2]) * a.scale;
}

RATEMLX_INLINE int floor_divide(int number, int by) { return number >= 0 ? number / by : -((by - 1 - number) / by); }

// Drives one series by the samples of a chunk. The vectors of a pack go side by side, for a step is a long chain of
// operations that wait for each other.
RATEMLX_INLINE void drive(const Arguments &a, int tile, int series, int lane)
{
    enum { SIDE_BY_SIDE = PACK / LANE_STEP };
    const int n_series = a.n_chosen * a.n_regions;
    const int exposure = a.chosen[series / a.n_regions], region = series % a.n_regions;
    const int64_t stride = (int64_t)a.n_exposures * a.n_regions * TILE;
    const sample_scalar *from = a.samples + (int64_t)tile * a.capacity * stride
                                + ((int64_t)exposure * a.n_regions + region) * TILE + lane;
    double *const own = a.state + ((int64_t)tile * n_series + series) * N_ROWS * TILE + lane;
    real state[SIDE_BY_SIDE][N_ROWS];
    for (int k = 0; k < SIDE_BY_SIDE; ++k)
        for (int i = 0; i < N_ROWS; ++i) state[k][i] = load(own + i * TILE + k * LANE_STEP);
    // Steps are counted from where volumes begin, so that these are made of whole steps.
    int step = floor_divide(-a.until_kept, a.per_step), in_step = -a.until_kept - step * a.per_step;
    for (int s = 0; s < a.n_samples; ++s) {
        for (int k = 0; k < SIDE_BY_SIDE; ++k)
            state[k][DRIVE] = state[k][DRIVE] + widen(load_sample(from + s * stride + k * LANE_STEP));
        if (++in_step < a.per_step) continue;
        in_step = 0;
        const int done = step++, volume = floor_divide(done, a.per_volume), within = done - volume * a.per_volume;
        // A step that began before the run lacks samples.
        const bool whole = a.first_sample + s + 1 >= a.per_step;
        for (int k = 0; k < SIDE_BY_SIDE; ++k) {
            if (whole) advance(a, state[k][DRIVE] * (a.gain / a.per_step), state[k]);
            state[k][DRIVE] = splat(0.0);
        }
        if (done < 0 || volume >= a.n_volumes) continue;
        const bool ends = within + 1 == a.per_volume;
        if (!a.average && !ends) continue;
        sample_scalar *const to = a.volumes + (((int64_t)tile * a.n_volumes + volume) * n_series + series) * TILE + lane;
        for (int k = 0; k < SIDE_BY_SIDE; ++k) {
            const real value = signal(a, state[k]), sum = state[k][SUM] + value;
            if (ends) store_sample(to + k * LANE_STEP, narrow(a.average ? sum * (1.0 / a.per_volume) : value));
            state[k][SUM] = ends ? splat(0.0) : sum;
        }
    }
    for (int k = 0; k < SIDE_BY_SIDE; ++k)
        for (int i = 0; i < N_ROWS; ++i) store(own + i * TILE + k * LANE_STEP, state[k][i]);
}

// The model at rest: no signal, and flow, volume and deoxyhaemoglobin at one.
RATEMLX_INLINE void rest(const Arguments &a, int tile, int series, int lane)
{
    double *const own = a.state + ((int64_t)tile * a.n_chosen * a.n_regions + series) * N_ROWS * TILE + lane;
    for (int i = 0; i < N_ROWS; ++i)
        store(own + i * TILE, splat(i == FLOW || i == VOLUME || i == DEOXYHEMOGLOBIN ? 1.0 : 0.0));
}
RATEMLX_PROGRAM(rest, arguments.n_chosen *arguments.n_regions, LANE_STEP)
RATEMLX_PROGRAM(drive, arguments.n_chosen *arguments.n_regions, PACK)
