// Runs one kernel on arrays from a file and writes them back. KERNEL is the source, a CPU kernel or an emulated CUDA one.
//
// The file holds a ratemlx_batch, the number of calls of ratemlx_advance and the steps of each, and for every pointer of
// the batch the bytes of its array (none: 0) and the array. Every array is an allocation of its own and of just its
// size, so that a sanitizer sees what is read or written beside it.
#include KERNEL
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <vector>

static void get(void *to, size_t bytes, FILE *file)
{
    if (bytes && fread(to, 1, bytes, file) != bytes) exit(3);
}

int main(int, char **arguments)
{
    ratemlx_batch batch;
    int32_t n_calls;
    const size_t n_arrays = (sizeof batch - offsetof(ratemlx_batch, edge_begin)) / sizeof(void *);
    FILE *file = fopen(arguments[1], "rb");
    if (!file) return 3;
    get(&batch, sizeof batch, file);
    get(&n_calls, sizeof n_calls, file);
    std::vector<int32_t> steps(n_calls);
    get(steps.data(), n_calls * sizeof(int32_t), file);
    void **const arrays = (void **)&batch.edge_begin;
    std::vector<int64_t> sizes(n_arrays);
    for (size_t i = 0; i < n_arrays; ++i) {
        get(&sizes[i], sizeof(int64_t), file);
        arrays[i] = sizes[i] ? malloc(sizes[i]) : nullptr;
        get(arrays[i], sizes[i], file);
    }
    fclose(file);

    ratemlx_start(&batch, 0, batch.n_tiles);
    batch.first_step = 0;
    for (const int32_t count : steps) {
        batch.n_steps = count;
        ratemlx_advance(&batch, 0, batch.n_tiles);
        batch.first_step += count;
    }

    file = fopen(arguments[2], "wb");
    if (!file) return 3;
    for (size_t i = 0; i < n_arrays; ++i)
        if (sizes[i] && fwrite(arrays[i], 1, sizes[i], file) != (size_t)sizes[i]) return 3;
    fclose(file);
    for (size_t i = 0; i < n_arrays; ++i) free(arrays[i]);
    return 0;
}
