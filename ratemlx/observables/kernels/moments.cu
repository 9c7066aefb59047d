// Means, variances, extremes and co-moments of samples, added up while a simulation runs.
//
// Samples are put into blocks whose borders are fixed by the number of the sample, never by how they arrive, so a
// result does not depend on how a run is cut into chunks. A full block is closed: its means and second moments are
// found in double, about its first sample, and its samples are replaced by deviations from the block's mean, in units
// of the block's own spread, so that products neither underflow nor overflow and differences of nearly constant series
// lose nothing. Products of deviations are summed over the block in the samples' precision (errors near 1e-7 of the
// spreads' product) and blocks are merged in double (Chan, Golub & LeVeque 1983, Am. Stat. 37:242, Eq. 2.1).
#include "ratemlx/program.h"

enum { BLOCK = RATEMLX_OBSERVED_BLOCK };
// Regions of one tile of the matrix of pairs: its sums stay in registers while the samples of a block pass by.
enum { GROUP = RATEMLX_OBSERVED_GROUP };
#define RATEMLX_GROUP_UNROLL _Pragma("unroll")
#if defined(__GNUC__) && !defined(__CUDACC__)
#undef RATEMLX_GROUP_UNROLL
#define RATEMLX_GROUP_UNROLL _Pragma("GCC unroll 4")
#endif

// A series is one region of one of the chosen exposures; `n_series` = n_chosen * n_regions.
typedef struct Arguments {
    int32_t n_exposures;  // in `samples`
    int32_t n_regions;
    int32_t n_chosen;     // exposures that are observed
    int32_t capacity;     // samples that a tile of `samples` has room for
    int32_t first;        // of the samples to take, within `samples`
    int32_t n_samples;    // to take
    int32_t filled;       // samples in the open block before this call
    int32_t pairs;        // 0: no co-moments
    int32_t flat_units;   // spread up to so many units of rounding of the largest value is none
    int32_t first_row;    // of `multiply`, where a grid does not hold all of them
    int32_t n_rows;       // of `multiply` from there on
    int32_t unused;
    int64_t count;        // samples in closed blocks before this call
    const sample_scalar *samples;  // [tile][capacity][exposure][region][lane]
    const int32_t *chosen;         // [n_chosen], index of each in `samples`
    sample_scalar *block;          // [tile][series][BLOCK][lane]
    double *mean;                  // [tile][series][lane], of closed blocks
    double *second;                // [tile][series][lane], sum of squared deviations from it
    double *delta;                 // [tile][series][lane], the latest block's mean less that of all before
    double *spread;                // [tile][series][lane], root mean square deviation within the latest block
    sample_scalar *minimum;        // [tile][series][lane]
    sample_scalar *maximum;        // [tile][series][lane]
    double *products;              // [tile][n_chosen][pair][lane], sums of products of deviations; pairs i <= j by rows
    sample_scalar *correlations;   // [tile][n_chosen][pair][lane]
    sample_scalar *flat;           // [tile][series][lane], 1 where a series is constant but for rounding
} Arguments;

RATEMLX_INLINE int64_t place(const Arguments &a, int tile, int series, int lane)
{
    return ((int64_t)tile * a.n_chosen * a.n_regions + series) * TILE + lane;
}
RATEMLX_INLINE sample_scalar *block_of(const Arguments &a, int tile, int series, int lane)
{
    return a.block + ((int64_t)tile * a.n_chosen * a.n_regions + series) * BLOCK * TILE + lane;
}
RATEMLX_INLINE int groups_of(const Arguments &a) { return (a.n_regions + GROUP - 1) / GROUP; }
RATEMLX_INLINE int group_pairs(const Arguments &a) { return groups_of(a) * (groups_of(a) + 1) / 2; }
RATEMLX_INLINE int64_t pair_place(const Arguments &a, int tile, int exposure, int i, int j, int lane)
{
    const int64_t n_pairs = (int64_t)a.n_regions * (a.n_regions + 1) / 2;
    const int64_t pair = (int64_t)i * a.n_regions - (int64_t)i * (i - 1) / 2 + (j - i);
    return (((int64_t)tile * a.n_chosen + exposure) * n_pairs + pair) * TILE + lane;
}

// Puts `n` samples of a series, from `first` on, into its open block after the `filled` that it has.
RATEMLX_INLINE void gather_some(const Arguments &a, int tile, int series, int lane, int first, int filled, int n)
{
    const int exposure = a.chosen[series / a.n_regions], region = series % a.n_regions;
    const int64_t stride = (int64_t)a.n_exposures * a.n_regions * TILE;
    const sample_scalar *from = a.samples + ((int64_t)tile * a.capacity + first) * stride
                                + ((int64_t)exposure * a.n_regions + region) * TILE + lane;
    sample_scalar *to = block_of(a, tile, series, lane) + (int64_t)filled * TILE;
    for (int i = 0; i < n; ++i) store_pack(to + (int64_t)i * TILE, load_pack(from + i * stride));
}

// Merges the first `n` samples of a series' block with the `count` before, and leaves its standardised deviations.
RATEMLX_INLINE void close_series(const Arguments &a, int tile, int series, int lane, int64_t count, int n)
{
    sample_scalar *const block = block_of(a, tile, series, lane);
    const int64_t at = place(a, tile, series, lane);
    const sample initial = load_sample(block);
    sample low = count ? load_sample(a.minimum + at) : initial, high = count ? load_sample(a.maximum + at) : initial;
    const real origin = widen(initial);
    real total = splat(0.0), square_total = splat(0.0);
    for (int i = 0; i < n; ++i) {
        const sample value = load_sample(block + i * TILE);
        low = lower(low, value);
        high = higher(high, value);
        total = total + (widen(value) - origin);
    }
    const real offset = total * (1.0 / n);
    for (int i = 0; i < n; ++i) {
        const real deviation = (widen(load_sample(block + i * TILE)) - origin) - offset;
        square_total = square_total + deviation * deviation;
    }
    const real spread = sqrt(square_total * (1.0 / n));
    if (a.pairs) {
        const real scale = select(spread > 0.0, 1.0 / spread, splat(0.0));
        for (int i = 0; i < n; ++i) {
            const real deviation = (widen(load_sample(block + i * TILE)) - origin) - offset;
            store_sample(block + i * TILE, narrow(deviation * scale));
        }
    }
    const real mean = load(a.mean + at);
    const real delta = (origin - mean) + offset;
    const double share = (double)n / (double)(count + n);
    store(a.mean + at, mean + delta * share);
    store(a.second + at, load(a.second + at) + square_total + delta * delta * ((double)count * share));
    store(a.delta + at, delta);
    store(a.spread + at, spread);
    store_sample(a.minimum + at, low);
    store_sample(a.maximum + at, high);
}

// Adds a block's products of all pairs of one group of regions with another; `row` counts exposures times pairs of
// groups.
RATEMLX_INLINE void multiply_groups(const Arguments &a, int tile, int row, int lane, int64_t count, int n)
{
    const int exposure = row / group_pairs(a), n_groups = groups_of(a);
    int left = 0, right = row % group_pairs(a);
    while (right >= n_groups - left) right -= n_groups - left++;
    right += left;
    const int first = exposure * a.n_regions, last = a.n_regions - 1;
    const sample_scalar *x[GROUP], *y[GROUP];
    pack total[GROUP][GROUP];
    RATEMLX_GROUP_UNROLL
    for (int i = 0; i < GROUP; ++i) {
        const int of_left = left * GROUP + i, of_right = right * GROUP + i;
        x[i] = block_of(a, tile, first + (of_left < last ? of_left : last), lane);
        y[i] = block_of(a, tile, first + (of_right < last ? of_right : last), lane);
        RATEMLX_GROUP_UNROLL
        for (int j = 0; j < GROUP; ++j) total[i][j] = pack{};
    }
    for (int s = 0; s < n; ++s) {
        pack from_left[GROUP], from_right[GROUP];
        RATEMLX_GROUP_UNROLL
        for (int i = 0; i < GROUP; ++i) {
            from_left[i] = load_pack(x[i] + s * TILE);
            from_right[i] = load_pack(y[i] + s * TILE);
        }
        RATEMLX_GROUP_UNROLL
        for (int i = 0; i < GROUP; ++i) {
            RATEMLX_GROUP_UNROLL
            for (int j = 0; j < GROUP; ++j) total[i][j] = total[i][j] + from_left[i] * from_right[j];
        }
    }
    const double weight = (double)count * ((double)n / (double)(count + n));
    RATEMLX_GROUP_UNROLL
    for (int i = 0; i < GROUP; ++i) {
        const int p = left * GROUP + i;
        const int64_t of_p = place(a, tile, first + (p < last ? p : last), lane);
        RATEMLX_GROUP_UNROLL
        for (int j = 0; j < GROUP; ++j) {
            const int q = right * GROUP + j;
            if (p > q || q > last) continue;
            const int64_t of_q = place(a, tile, first + q, lane);
            double *const sum = a.products + pair_place(a, tile, exposure, p, q, lane);
            RATEMLX_GROUP_UNROLL
            for (int k = 0; k < PACK; k += LANE_STEP) {
                const real within = load(a.spread + of_p + k) * load(a.spread + of_q + k);
                const real between = load(a.delta + of_p + k) * load(a.delta + of_q + k) * weight;
                store(sum + k, load(sum + k) + (widen(part(total[i][j], k)) * within + between));
            }
        }
    }
}

// One over the root of a series' second moment; zero if the series is constant but for rounding.
RATEMLX_INLINE real inverse_norm(const Arguments &a, int64_t at)
{
#ifdef RATEMLX_SAMPLES_FLOAT64
    const double unit = 0x1p-52;
#else
    const double unit = 0x1p-23;
#endif
    const real size = maximum(fabs(widen(load_sample(a.minimum + at))), fabs(widen(load_sample(a.maximum + at))));
    const real norm = sqrt(load(a.second + at));
    const double samples = (double)a.count;
    return select(norm <= size * (unit * a.flat_units * sqrt(samples)), splat(0.0), 1.0 / norm);
}

// From products to correlations: one region with itself and all that follow it. Call it when all blocks are closed.
RATEMLX_INLINE void correlate(const Arguments &a, int tile, int series, int lane)
{
    const int exposure = series / a.n_regions, i = series % a.n_regions;
    const int64_t at = place(a, tile, series, lane);
    const real own = inverse_norm(a, at);
    store_sample(a.flat + at, narrow(select(own == 0.0, splat(1.0), splat(0.0))));
    for (int j = i; j < a.n_regions; ++j) {
        const int64_t pair = pair_place(a, tile, exposure, i, j, lane);
        real value = load(a.products + pair) * own * inverse_norm(a, at + (int64_t)(j - i) * TILE);
        if (i == j) value = select(own == 0.0, splat(0.0), value - value + 1.0);
        store_sample(a.correlations + pair, narrow(minimum(maximum(value, splat(-1.0)), splat(1.0))));
    }
}

#if !defined(__CUDACC__)
static inline int series_of(const Arguments &a) { return a.n_chosen * a.n_regions; }
#endif
#ifdef RATEMLX_VECTORS
// All that a CPU does with a chunk, tile by tile, so that a block is closed and multiplied while it is in cache.
extern "C" void ratemlx_take(const Arguments *given, int32_t first_tile, int32_t last_tile)
{
    const Arguments &a = *given;
    for (int tile = first_tile; tile < last_tile; ++tile) {
        int filled = a.filled;
        int64_t count = a.count;
        for (int done = 0; done < a.n_samples;) {
            const int left = a.n_samples - done, room = BLOCK - filled, n = left < room ? left : room;
            for (int series = 0; series < series_of(a); ++series)
                for (int lane = 0; lane < TILE; lane += PACK)
                    gather_some(a, tile, series, lane, a.first + done, filled, n);
            done += n;
            filled += n;
            if (filled < BLOCK) break;
            for (int series = 0; series < series_of(a); ++series)
                for (int lane = 0; lane < TILE; lane += LANES) close_series(a, tile, series, lane, count, BLOCK);
            for (int row = 0; a.pairs && row < a.n_chosen * group_pairs(a); ++row)
                for (int lane = 0; lane < TILE; lane += PACK) multiply_groups(a, tile, row, lane, count, BLOCK);
            count += BLOCK;
            filled = 0;
        }
    }
}
#endif

// The same in three steps, for where tiles and rows run side by side: `n_samples` go into the open block; it is closed;
// its products are added.
RATEMLX_INLINE void gather(const Arguments &a, int tile, int series, int lane)
{
    gather_some(a, tile, series, lane, a.first, a.filled, a.n_samples);
}
RATEMLX_INLINE void close_block(const Arguments &a, int tile, int series, int lane)
{
    close_series(a, tile, series, lane, a.count, a.filled);
}
RATEMLX_INLINE void multiply(const Arguments &a, int tile, int row, int lane)
{
    multiply_groups(a, tile, a.first_row + row, lane, a.count, a.filled);
}
RATEMLX_PROGRAM(gather, series_of(arguments), PACK)
RATEMLX_PROGRAM(close_block, series_of(arguments), LANE_STEP)
RATEMLX_PROGRAM(multiply, arguments.n_rows, PACK)
RATEMLX_PROGRAM(correlate, series_of(arguments), LANE_STEP)
