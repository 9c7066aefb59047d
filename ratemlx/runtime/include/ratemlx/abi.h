// The contract between a generated kernel and whoever runs it. Its twin in Python is ratemlx/abi.py: change both,
// and raise RATEMLX_ABI_VERSION in both.
//
// Every array that belongs to instances is split into tiles of RATEMLX_LANES instances, lanes innermost, so that
// neighbouring lanes (SIMD) or threads (CUDA) touch neighbouring memory.
#pragma once
#include <stdint.h>

#define RATEMLX_ABI_VERSION 4

#ifdef RATEMLX_FLOAT64
typedef double ratemlx_scalar;
#else
typedef float ratemlx_scalar;
#endif
#if RATEMLX_HISTORY == 1 || RATEMLX_HISTORY == 2
typedef uint16_t ratemlx_stored;  // the bits of a float16 or bfloat16
#elif RATEMLX_HISTORY == 3
typedef float ratemlx_stored;
#else
typedef ratemlx_scalar ratemlx_stored;
#endif

typedef struct ratemlx_batch {
    int32_t n_tiles;           // tiles of RATEMLX_LANES instances
    int32_t n_nodes;           // regions
    int32_t ring_rows;         // rows of a ring, a multiple of RATEMLX_BLOCK; RATEMLX_BLOCK mirrored rows follow them
    int32_t steps_per_sample;  // steps in one temporal average
    int32_t first_step;        // steps done before this call, the same for all instances
    int32_t n_steps;           // steps to do; advance_kernel on CUDA does at most RATEMLX_BLOCK
    int32_t first_sample;      // index of the sample that `samples` begins with
    int32_t n_samples;         // samples that `samples` has room for, per tile
    int32_t course_steps;      // steps that `course` has values for
    uint32_t seed[2];          // Philox key
    double dt;                 // ms
    const int32_t *edge_begin;            // [n_nodes + 1], CSR by target
    const int32_t *edge_source;           // [n_edges]
    const int32_t *edge_delay;            // [n_edges], steps
    const ratemlx_scalar *edge_weight;    // [n_edges]
    const int32_t *own_begin;             // [n_nodes + 1], CSR of edges from a region to itself that are too short to
    const int32_t *own_delay;             // [n_own], steps     be known a block ahead; not among the edges above
    const ratemlx_scalar *own_weight;     // [n_own]
    const ratemlx_scalar *parameters;     // [tile][parameter][lane]
    const ratemlx_scalar *regional;       // [parameter][node], factors on the parameters; only with RATEMLX_REGIONAL
    const ratemlx_scalar *course;         // [input][course_steps], time course of each input; only with RATEMLX_STIMULI
    const ratemlx_scalar *pattern;        // [input][node], its strength in each region; only with RATEMLX_STIMULI
    const uint32_t *identity;             // [tile][2][lane], names an instance to the noise generator
    ratemlx_scalar *state;                // [tile][variable][node][lane]
    ratemlx_stored *history;              // [tile][channel][node][ring_rows + RATEMLX_BLOCK][lane]
    ratemlx_scalar *sums;                 // [tile][observed][node][lane], running sums of the open sample
    ratemlx_scalar *samples;              // [tile][sample][observed][node][lane]
    int32_t *diverged_at;                 // [tile][lane], first step that left the finite numbers, or -1
} ratemlx_batch;

// What a kernel library exports, both targets:
//
//   int32_t ratemlx_abi_version(void);
//   void    ratemlx_start(const ratemlx_batch *batch, int32_t first_tile, int32_t last_tile);
//           fills the history's rows from the state: every x(t <= 0) equals x(0)
//   void    ratemlx_advance(const ratemlx_batch *batch, int32_t first_tile, int32_t last_tile);
//           advances tiles [first_tile, last_tile) by n_steps
//
// On CUDA there are kernels that take ratemlx_batch by value; abi.py (Launch) has their geometry:
//
//   start_kernel         grid (n_tiles, n_nodes), blocks of RATEMLX_LANES threads
//   advance_kernel       (RATEMLX_FORM 0) the same; n_steps <= RATEMLX_BLOCK, so there is a launch for each block of steps
//   advance_tile_kernel  (RATEMLX_FORM 1) grid (n_tiles), blocks of (RATEMLX_LANES, RATEMLX_ROWS) threads, any n_steps: a tile
//                        stays with one thread block, whose barriers stand for the ends of launches
//
// What the caller promises: RATEMLX_BLOCK <= smallest delay between different regions + 1, and edges from a region to
// itself that are shorter are in `own_*` (a kernel that gathers step by step finds them among the other edges), ring_rows > longest delay + RATEMLX_BLOCK,
// ring_rows a multiple of RATEMLX_BLOCK, first_step a multiple of RATEMLX_BLOCK (so only the last call of a
// simulation may do a number of steps that is not).
//
// A row of the ring holds the channels' values at step t in row t modulo ring_rows.
