// Runs RateML's AdEx kernel, as tvb-contrib ships it, over as many samples as asked for, and prints how long that took.
// The kernel is included from where it is installed (-I FOLDER), or from a folder with repairs; no line of it is here.
//
//   paper_kernel ARRAYS INSTANCES REGIONS ROWS SAMPLES STEPS FIRST EXPOSURES GRID_X GRID_Y BLOCK_X BLOCK_Y DT [MEANS]
//
// ARRAYS has, in float32: weights [region][region], tract lengths [region][region], parameters [5][instance], start
// [variable][region]. A launch does STEPS steps and leaves their means, of which EXPOSURES rows go to the host, as
// RateML's driver does. FIRST is the number of the first step. MEANS gets all samples of these rows, if it is named.
#include <cstdio>
#include <cstdlib>
#include <chrono>
#include <vector>

#ifdef __CUDACC__
#include <cmath>
#include <cuda_runtime.h>
#ifndef M_PI_F
#define M_PI_F 3.14159265358979323846f
#endif
#define LAUNCH(name, grid, block, ...) name<<<grid, block>>>(__VA_ARGS__)
#else
#include "cuda_on_host.h"
#include "cuda_runtime_on_host.h"
#define LAUNCH(name, grid, block, ...) FOR_EVERY_THREAD(grid.x, grid.y, block.x, block.y, name(__VA_ARGS__))
#endif

#include "zerlaut.c"

enum { PARAMETERS = 5, VARIABLES = 8, ROWS_OF_MEANS = 7 };

static void check(cudaError_t status, const char *what)
{
    if (status == cudaSuccess) return;
    std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(status));
    std::exit(1);
}

static float *on_device(size_t count, const char *what)
{
    float *memory = nullptr;
    check(cudaMalloc((void **)&memory, count * sizeof(float)), what);
    check(cudaMemset(memory, 0, count * sizeof(float)), what);
    return memory;
}

static void upload(float *target, const float *source, size_t count)
{
    check(cudaMemcpy(target, source, count * sizeof(float), cudaMemcpyHostToDevice), "upload");
}

static double seconds_since(std::chrono::steady_clock::time_point begin)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int main(int count, char **words)
{
    if (count < 14) {
        std::fprintf(stderr, "%s: 13 arguments are needed\n", words[0]);
        return 2;
    }
    const auto number = [&](int at) { return (unsigned)std::strtoul(words[at], nullptr, 10); };
    const unsigned instances = number(2), regions = number(3), rows = number(4), samples = number(5), steps = number(6);
    const unsigned first = number(7), exposures = number(8);
    const dim3 grid(number(9), number(10)), block(number(11), number(12));
    const float dt = std::strtof(words[13], nullptr);

    const size_t square = (size_t)regions * regions, each = (size_t)regions * instances;
    std::vector<float> arrays(2 * square + (size_t)PARAMETERS * instances + (size_t)VARIABLES * regions);
    std::FILE *file = std::fopen(words[1], "rb");
    if (!file || std::fread(arrays.data(), sizeof(float), arrays.size(), file) != arrays.size()) {
        std::fprintf(stderr, "cannot read %zu numbers from %s\n", arrays.size(), words[1]);
        return 2;
    }
    std::fclose(file);

    float *weights = on_device(square, "weights"), *lengths = on_device(square, "lengths");
    float *parameters = on_device((size_t)PARAMETERS * instances, "parameters");
    // The shipped kernel strides by 7 variables and writes 8: room for the last row's eighth is at the end.
    float *state = on_device(((size_t)rows * STRIDE + 1) * each, "state");
    float *means = on_device(ROWS_OF_MEANS * each, "means");
    upload(weights, arrays.data(), square);
    upload(lengths, arrays.data() + square, square);
    upload(parameters, arrays.data() + 2 * square, (size_t)PARAMETERS * instances);
    std::vector<float> row(STRIDE * each);
    const float *start = arrays.data() + 2 * square + (size_t)PARAMETERS * instances;
    for (size_t i = 0; i < row.size(); ++i) row[i] = start[i / instances];
    for (unsigned r = 0; r < rows; ++r) upload(state + (size_t)r * row.size(), row.data(), row.size());

    std::vector<float> kept(exposures * each);
    std::FILE *output = count > 14 ? std::fopen(words[14], "wb") : nullptr;
    double in_kernels = 0, altogether = 0;
    // The first launch warms up, and is not counted: it loads the module.
    for (unsigned sample = 0; sample < samples; ++sample) {
        const auto begin = std::chrono::steady_clock::now();
        LAUNCH(zerlaut, grid, block, first + sample * steps, regions, rows, steps, instances, dt, weights, lengths,
               parameters, state, means);
        check(cudaGetLastError(), "launch");
        check(cudaDeviceSynchronize(), "kernel");
        const double kernel = seconds_since(begin);
        check(cudaMemcpy(kept.data(), means, kept.size() * sizeof(float), cudaMemcpyDeviceToHost), "means");
        if (sample > 0 || samples == 1) {
            in_kernels += kernel;
            altogether += seconds_since(begin);
        }
        if (output) std::fwrite(kept.data(), sizeof(float), kept.size(), output);
    }
    if (output) std::fclose(output);

    const unsigned counted = samples > 1 ? samples - 1 : 1;
    std::printf("{\"samples\": %u, \"steps\": %u, \"kernel_seconds\": %.9g, \"seconds\": %.9g}\n", counted, counted * steps,
                in_kernels, altogether);
    return 0;
}
